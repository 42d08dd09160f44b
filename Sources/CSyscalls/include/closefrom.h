#pragma once
#include <spawn.h>

/// Makes a spawned child close every descriptor from `first` on. Returns an error number, 0 for success.
int apus_spawn_close_from(posix_spawn_file_actions_t *actions, int first);
