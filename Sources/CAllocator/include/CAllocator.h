#pragma once

#include <stddef.h>

/// Sets how the C library hands out memory; first of all, before there are threads, files and locks. Does nothing with a
/// library other than glibc.
///
/// - Fast bins off, mallopt(3) M_MXFAST 0.
/// - Up to 300 freed blocks of a size kept by the thread that freed them, not 7. glibc takes this from the environment alone,
///   when a process begins, so the process begins again: as itself, with the same id and `arguments`.
///   An environment that has tunables already is left as it is.
void apus_tune_allocator(char *const arguments[]);

/// How many bytes the C library keeps that nobody uses, whether the system has their pages or not; 0 where it does not tell.
/// Walks everything that is free: not to be asked often.
size_t apus_free_memory(void);

/// Gives pages that nobody uses back to the system. Takes the allocator's locks, one after the other, for that time.
void apus_give_back_memory(void);

/// How many bytes of this process are in memory; 0 where the system does not tell.
size_t apus_resident_memory(void);
