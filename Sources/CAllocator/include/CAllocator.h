#pragma once

/// Sets how the C library hands out memory; first of all, before there are threads, files and locks. Does nothing with a
/// library other than glibc.
///
/// - Fast bins off, mallopt(3) M_MXFAST 0.
/// - Up to 300 freed blocks of a size kept by the thread that freed them, not 7. glibc takes this from the environment alone,
///   when a process begins, so the process begins again: as itself, with the same id and `arguments`.
///   An environment that has tunables already is left as it is.
void apus_tune_allocator(char *const arguments[]);
