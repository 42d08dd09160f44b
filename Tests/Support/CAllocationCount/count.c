// Counts the allocations of the test process: the C library's entry points, replaced by ones that count and pass on.
#include "CAllocationCount.h"
#include <stdatomic.h>
#include <stddef.h>

static atomic_bool counting;
static atomic_long count;

void allocation_count_start(void) {
    atomic_store(&count, 0);
    atomic_store(&counting, 1);
}

long allocation_count_stop(void) {
    atomic_store(&counting, 0);
    return atomic_load(&count);
}

#ifdef __GLIBC__
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t items, size_t size);
extern void *__libc_realloc(void *block, size_t size);

static void note(void) {
    if (atomic_load_explicit(&counting, memory_order_relaxed)) atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
}

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t items, size_t size) {
    note();
    return __libc_calloc(items, size);
}

void *realloc(void *block, size_t size) {
    note();
    return __libc_realloc(block, size);
}
#endif
