#ifndef C_ALLOCATION_COUNT_H
#define C_ALLOCATION_COUNT_H

/// Starts counting from zero.
void allocation_count_start(void);
/// Stops; returns how many blocks all threads of the process have asked the C library for since the start.
long allocation_count_stop(void);

#endif
