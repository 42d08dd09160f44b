#include "signals.h"
#include "pipe.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int writing_end = -1;

// Only async-signal-safe calls, and errno as it was.
static void note(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t written = write(writing_end, &byte, 1);
    (void)written;
    errno = saved;
}

int apus_signal_pipe(void) {
    int ends[2];
    if (apus_pipe_cloexec(ends) != 0) return -1;
    writing_end = ends[1];
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    action.sa_flags = SA_RESTART;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    return ends[0];
}
