#pragma once
/// pipe2(2) with O_CLOEXEC, which needs _GNU_SOURCE and so is not seen by Swift. 0, or -1 with errno set.
int apus_pipe_cloexec(int ends[2]);
