#pragma once
/// The machine code of the sandbox container's only process (`pause.S`): position independent, no data, no libc.
/// Wrapped into an ELF file by `Containerd.PauseImage`.
extern const unsigned char apus_pause_start[];
extern const unsigned char apus_pause_end[];
