#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// System calls that Swift cannot express (variadics, macros) or does not see (_GNU_SOURCE). No logic.
// Each returns what the call returns: -1 with errno set on failure.

/// open(2) with O_CLOEXEC and a mode.
int apus_open(const char *path, int flags, mode_t mode);
/// fcntl(2) with an int argument.
int apus_fcntl(int fd, int command, int argument);
/// ioctl(2) FIONREAD: how many bytes can be read.
int apus_readable_bytes(int fd, int *count);
/// ioctl(2) TIOCSWINSZ: the size of a terminal.
int apus_set_window_size(int fd, uint16_t rows, uint16_t columns);
/// prctl(2) PR_SET_PDEATHSIG for the calling thread.
int apus_set_parent_death_signal(int signal);
/// prctl(2) PR_SET_CHILD_SUBREAPER.
int apus_set_subreaper(int enabled);

/// setns(2) of the calling thread to the namespace in `path` (`kind`: a CLONE_NEW* constant or 0).
int apus_setns_path(const char *path, int kind);
/// unshare(2) of the network namespace of the calling thread.
int apus_unshare_network(void);
/// unshare(2) of the mount namespace of the calling thread.
int apus_unshare_mounts(void);
/// Makes a new network namespace and keeps it at `path` (a bind mount on a file made here). Only the calling
/// thread enters it: use a thread of its own that ends afterwards.
int apus_netns_create(const char *path);
/// Unmounts and removes what apus_netns_create made.
int apus_netns_delete(const char *path);

/// mount(2). NULL is allowed where the call allows it.
int apus_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
/// mount(2) MS_BIND (and MS_REC when recursive).
int apus_bind_mount(const char *source, const char *target, int recursive);
/// Remounts a bind mount read-only.
int apus_remount_read_only(const char *target);
/// Makes a mount point shared (rshared) or private (rprivate).
int apus_set_propagation(const char *target, int shared);
/// umount2(2); lazily (MNT_DETACH) when asked.
int apus_unmount(const char *target, int lazily);

/// Sizes in bytes and counts of inodes of the file system that holds a path.
struct apus_fs_stat { uint64_t total, free, available, inodes, inodes_free, type; };
/// statfs(2).
int apus_statfs(const char *path, struct apus_fs_stat *result);

/// pidfd_open(2).
int apus_pidfd_open(pid_t pid);
/// pidfd_send_signal(2).
int apus_pidfd_signal(int pidfd, int signal);
/// Whether a wait status is of a process that ended by itself; its code.
int apus_exited(int status, int *code);
