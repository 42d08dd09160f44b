#pragma once
#include <spawn.h>
/// posix_spawn_file_actions_addclosefrom_np(3), which needs _GNU_SOURCE: the child closes all descriptors from `first` on.
int apus_spawn_close_from(posix_spawn_file_actions_t *actions, int first);
