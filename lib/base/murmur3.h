/* murmur3.h: MurmurHash3 (x64, 128 bits, seed 0, first half) as Cassandra's Murmur3Partitioner computes
 * it: the bytes behind the last whole block of 16 are taken as signed numbers, so that the result differs
 * from the published function when one of them is 0x80 or more. */
#ifndef CQLN_BASE_MURMUR3_H
#define CQLN_BASE_MURMUR3_H

#include <stddef.h>
#include <stdint.h>

/* The hash as it is; the token of a key is made of it in meta/token.h. */
int64_t cqln_murmur3(const void *bytes, size_t len);

#endif
