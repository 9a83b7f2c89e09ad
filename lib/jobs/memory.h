/* memory.h: memory and text helpers of the job store. */
#ifndef CQLJOB_MEMORY_H
#define CQLJOB_MEMORY_H

#include <cqlnative/base.h>

/* NULL when memory is out. The zeroed forms clear what they give. */
void *cqljob_alloc(const cql_allocator *al, size_t size);
void *cqljob_zalloc(const cql_allocator *al, size_t size);
void cqljob_free(const cql_allocator *al, void *block);
/* Room for at least `want` elements in a growing array: doubles *cap. CQL_NO_MEMORY leaves all as
 * it was; CQL_TOO_LARGE beyond `limit` elements. */
cql_status cqljob_grow(const cql_allocator *al, void **block, size_t *cap, size_t want,
                       size_t limit, size_t element);
/* A copy with a NUL after it. NULL when memory is out. */
char *cqljob_copy(const cql_allocator *al, cql_str text);
/* A caller's options, a struct that begins with its size, of whatever size its version knows; the rest, or all
 * where `given` is NULL, is zero. False: its size cannot be. */
bool cqljob_take_sized(void *out, size_t size, const void *given);
/* The allocator to use where the caller gave none. */
const cql_allocator *cqljob_standard_allocator(void);

/* True when every byte belongs to a well-formed UTF-8 sequence (no surrogates, none overlong). */
bool cqljob_is_utf8(cql_str text);
/* Makes text well-formed in place: each bad byte becomes '?'. */
void cqljob_mend_utf8(char *text, size_t len);
/* The longest prefix of at most cap bytes that does not cut a character. */
size_t cqljob_cut_utf8(cql_str text, size_t cap);

#endif
