#include "CSchemaData.h"

// The compiler lists the embedded file among the dependencies, so a change of it rebuilds this one.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char schema[] = {
#embed "schema.bin"
};

const unsigned char *apus_schema_bytes(void) { return schema; }
size_t apus_schema_length(void) { return sizeof schema; }
