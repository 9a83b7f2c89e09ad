/* golden_help.h: the files of tests/data: envelopes as readable hex, one behind each "== NAME" line, with
 * what they say behind "->". */
#ifndef TESTS_UNIT_GOLDEN_HELP_H
#define TESTS_UNIT_GOLDEN_HELP_H

#include "unit.h"

#include "msg/request.h"
#include "msg/response.h"

typedef struct golden_frame {
    char name[96];
    char hex[8192];
    char says[4096]; /* empty when the file does not tell */
} golden_frame;

/* Calls fn for each frame of tests/data/NAME; the number of frames. Ends the test when the file is
 * missing or a frame is too long for the record. */
size_t golden_each(const char *name, void (*fn)(const golden_frame *g, void *user), void *user);

/* What a response body says, as one line; CQL_MALFORMED and the like as decoded. */
cql_status golden_tell(uint8_t version, uint8_t flags, uint8_t opcode, const uint8_t *body, size_t len,
                       const cql_allocator *al, char *out, size_t cap);

#endif
