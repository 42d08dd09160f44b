#define _GNU_SOURCE
#include "CAllocator.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>

static const char *const variable = "GLIBC_TUNABLES";
static const char *const setting = "glibc.malloc.tcache_count=300";

void apus_tune_allocator(char *const arguments[]) {
    mallopt(M_MXFAST, 0);
    const char *given = getenv(variable);
    if (given != NULL) {
        // Set by ourselves a moment ago: programs started from here are to have none of it.
        if (strcmp(given, setting) == 0) unsetenv(variable);
        return;
    }
    // By its name, not as /proc/self/exe: the process would be called "exe".
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    if (setenv(variable, setting, 1) != 0) return;
    execv(path, arguments);
    // A binary that was replaced while it started: the default will do.
    unsetenv(variable);
}

size_t apus_free_memory(void) {
#if __GLIBC_PREREQ(2, 33)
    return mallinfo2().fordblks;
#else
    return 0;
#endif
}

void apus_give_back_memory(void) { malloc_trim(0); }

#else

void apus_tune_allocator(char *const arguments[]) { (void)arguments; }

size_t apus_free_memory(void) { return 0; }

void apus_give_back_memory(void) {}

#endif

size_t apus_resident_memory(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    unsigned long total, resident;
    int count = fscanf(file, "%lu %lu", &total, &resident);
    fclose(file);
    return count == 2 ? resident * (size_t)sysconf(_SC_PAGESIZE) : 0;
}
