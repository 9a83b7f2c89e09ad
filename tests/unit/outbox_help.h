/* outbox_help.h: statements for the tests of the outbox: number i has a text and values that tell i. */
#ifndef TESTS_UNIT_OUTBOX_HELP_H
#define TESTS_UNIT_OUTBOX_HELP_H

#include "unit.h"

#include "outbox/store.h"

const cql_allocator *outbox_memory(void);
/* The record of statement i with this number; between 80 and 200 bytes. */
void outbox_record(cqlox_buf *b, uint64_t seq, int32_t i);
/* Which statement it is; ends the test unless every part of it is right. */
int32_t outbox_number(const cqlox_statement *st);
cql_status outbox_append(cqlox_store *s, int32_t i, bool sync);
/* All that cqlox_store_next gives, as numbers; their count. The first has number *first. */
size_t outbox_read_all(cqlox_store *s, int32_t *out, size_t cap, uint64_t *first);

#endif
