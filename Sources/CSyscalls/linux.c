#define _GNU_SOURCE
#include "linux.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int apus_open(const char *path, int flags, mode_t mode) { return open(path, flags | O_CLOEXEC, mode); }
int apus_fcntl(int fd, int command, int argument) { return fcntl(fd, command, argument); }
int apus_readable_bytes(int fd, int *count) { return ioctl(fd, FIONREAD, count); }
int apus_set_window_size(int fd, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(fd, TIOCSWINSZ, &size);
}
int apus_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }
int apus_set_subreaper(int enabled) { return prctl(PR_SET_CHILD_SUBREAPER, enabled); }

int apus_setns_path(const char *path, int kind) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    int result = setns(fd, kind), saved = errno;
    close(fd);
    errno = saved;
    return result;
}
int apus_unshare_network(void) { return unshare(CLONE_NEWNET); }
int apus_unshare_mounts(void) { return unshare(CLONE_NEWNS); }

int apus_netns_create(const char *path) {
    int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (fd < 0) return -1;
    close(fd);
    if (unshare(CLONE_NEWNET) == 0 && mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL) == 0) return 0;
    int saved = errno;
    unlink(path);
    errno = saved;
    return -1;
}
int apus_netns_delete(const char *path) {
    if (umount2(path, MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT) return -1;
    return unlink(path) != 0 && errno != ENOENT ? -1 : 0;
}

int apus_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    return mount(source, target, type, flags, data);
}
int apus_bind_mount(const char *source, const char *target, int recursive) {
    return mount(source, target, NULL, MS_BIND | (recursive ? MS_REC : 0), NULL);
}
int apus_remount_read_only(const char *target) {
    return mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
}
int apus_set_propagation(const char *target, int shared) {
    return mount(NULL, target, NULL, (shared ? MS_SHARED : MS_PRIVATE) | MS_REC, NULL);
}
int apus_unmount(const char *target, int lazily) { return umount2(target, lazily ? MNT_DETACH : 0); }

int apus_statfs(const char *path, struct apus_fs_stat *result) {
    struct statfs found;
    if (statfs(path, &found) != 0) return -1;
    uint64_t block = found.f_frsize > 0 ? (uint64_t)found.f_frsize : (uint64_t)found.f_bsize;
    result->total = found.f_blocks * block;
    result->free = found.f_bfree * block;
    result->available = found.f_bavail * block;
    result->inodes = found.f_files;
    result->inodes_free = found.f_ffree;
    result->type = (uint64_t)found.f_type;
    return 0;
}

int apus_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
int apus_pidfd_signal(int pidfd, int signal) { return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0); }
int apus_exited(int status, int *code) {
    if (!WIFEXITED(status)) return 0;
    *code = WEXITSTATUS(status);
    return 1;
}
