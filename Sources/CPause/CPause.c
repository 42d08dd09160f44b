#include "CPause.h"

extern const unsigned char apus_pause_start[];
extern const unsigned char apus_pause_end[];

const unsigned char *apus_pause_code(void) { return apus_pause_start; }
size_t apus_pause_size(void) { return (size_t)(apus_pause_end - apus_pause_start); }
