/* token.h: places on the ring: the token of a partition key, and tokens as the system tables show them.
 *
 * A token is kept as two unsigned words whose order is that of the ring: murmur3 tokens with the sign bit
 * turned (lo is 0), those of the random partitioner as 128 bits, byte-ordered ones by their first 16 bytes.
 * What byte-ordered tokens have behind those is not looked at: two that differ only there count as one
 * place, and a request between them may go to the neighbour of its owner, which passes it on. */
#ifndef CQLN_META_TOKEN_H
#define CQLN_META_TOKEN_H

#include "base/murmur3.h"

#include <cqlnative/base.h>

typedef enum cqln_partitioner {
    CQLN_PARTITIONER_UNKNOWN = 0, /* keys have no tokens */
    CQLN_PARTITIONER_MURMUR3 = 1,
    CQLN_PARTITIONER_RANDOM = 2,
    CQLN_PARTITIONER_BYTES = 3
} cqln_partitioner;

typedef struct cqln_token {
    uint64_t hi;
    uint64_t lo;
} cqln_token;

/* By the last part of a class name: "org.apache.cassandra.dht.Murmur3Partitioner". */
cqln_partitioner cqln_partitioner_of(cql_str class_name);
const char *cqln_partitioner_name(cqln_partitioner p);

/* A murmur3 token from its number. */
static inline cqln_token cqln_token_number(int64_t number)
{
    return (cqln_token){(uint64_t)number ^ (uint64_t)1 << 63, 0};
}
/* The hash of a key is never the smallest number, which stands for the beginning of the ring. */
static inline cqln_token cqln_token_hash(int64_t hash)
{
    return cqln_token_number(hash == INT64_MIN ? INT64_MAX : hash);
}
static inline cqln_token cqln_token_murmur3(const void *key, size_t len)
{
    return cqln_token_hash(cqln_murmur3(key, len));
}
/* Of a key of one byte or more; with an unknown partitioner 0. */
cqln_token cqln_token_of(cqln_partitioner p, const void *key, size_t len);
/* From the text of the column `tokens`: decimal, or hex for byte-ordered ones. False when it is none. */
bool cqln_token_parse(cqln_partitioner p, cql_str text, cqln_token *out);
/* As the server shows it (byte-ordered ones cut to 16 bytes). */
enum { CQLN_TOKEN_TEXT = 48 };
void cqln_token_print(cqln_partitioner p, cqln_token t, char out[CQLN_TOKEN_TEXT]);

static inline int cqln_token_compare(cqln_token a, cqln_token b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return a.lo < b.lo ? -1 : a.lo > b.lo;
}

#endif
