#pragma once
/// Makes SIGTERM, SIGINT and SIGHUP write their number as one byte into a pipe, and ignores SIGPIPE.
/// Returns the pipe's reading end, or -1 with errno set. Called once.
int apus_signal_pipe(void);
