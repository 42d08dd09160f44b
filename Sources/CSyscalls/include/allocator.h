#pragma once

/// mallopt(3) M_MXFAST 0: turns the C library's fast bins off, where it has them.
void apus_disable_fast_bins(void);
