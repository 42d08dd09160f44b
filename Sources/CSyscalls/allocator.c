#include "allocator.h"
#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

void apus_disable_fast_bins(void) { mallopt(M_MXFAST, 0); }
#else
void apus_disable_fast_bins(void) {}
#endif
