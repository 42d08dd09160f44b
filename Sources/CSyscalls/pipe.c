#define _GNU_SOURCE
#include "pipe.h"
#include <fcntl.h>
#include <unistd.h>

int apus_pipe_cloexec(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
