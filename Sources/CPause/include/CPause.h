#pragma once
#include <stddef.h>
/// The machine code of the sandbox container's only process (`pause.S`): position independent, no data, no libc.
/// `Containerd.PauseImage` wraps it into an ELF file.
const unsigned char *apus_pause_code(void);
/// The size of that code in bytes.
size_t apus_pause_size(void);
