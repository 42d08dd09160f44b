#pragma once
#include <stddef.h>

/// The embedded schema of all built-in types, as Tools/generate writes it.
const unsigned char *apus_schema_bytes(void);
/// Its length in bytes.
size_t apus_schema_length(void);
