#pragma once
/// Names the calling thread (pthread_setname_np(3), which needs _GNU_SOURCE); at most 15 bytes.
void apus_name_thread(const char *name);
