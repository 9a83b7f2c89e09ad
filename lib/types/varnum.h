/* varnum.h: numbers whose length varies: durations and varints. */
#ifndef CQLN_TYPES_VARNUM_H
#define CQLN_TYPES_VARNUM_H

#include "types/value.h"

enum {
    CQLN_DURATION_MAX = 19, /* bytes of the longest duration: 5 + 5 + 9 */
    CQLN_VARINT64_MAX = 8
};

/* Wire form of a duration, three [vint]; the number of bytes. */
size_t cqln_duration_store(uint8_t out[CQLN_DURATION_MAX], const cql_duration *d);
/* False for bytes that are none: truncated, more behind it, months or days over 32 bits, mixed
 * signs. *out is written only on success. */
bool cqln_duration_load(cql_str bytes, cql_duration *out);

/* The shortest wire form of a varint; the number of bytes. */
size_t cqln_varint_store(uint8_t out[CQLN_VARINT64_MAX], int64_t v);

/* Is this a time of day in nanoseconds? */
static inline bool cqln_time_in_range(int64_t nanos)
{
    return nanos >= 0 && nanos < INT64_C(86400000000000);
}

#endif
