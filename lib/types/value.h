/* value.h: checks on values in wire form against a type. */
#ifndef CQLN_TYPES_VALUE_H
#define CQLN_TYPES_VALUE_H

#include "types/type.h"

#include <cqlnative/value.h>

/* Where the wire bytes of a value are. */
static inline const uint8_t *cqln_value_ptr(const cql_value *v)
{
    return v->inside == 1 ? v->u.bytes : v->u.ptr;
}

/* Can v be bound to a marker of this type? CQL_OK; CQL_TYPE_MISMATCH; CQL_BAD_VALUE for the right
 * type with impossible bytes (time out of range, timeuuid of another version, collection elements
 * that do not fit their type …). Null and unset are always fine, unbound is CQL_UNBOUND. Rules:
 * int64 also fits counter, timestamp, time; text fits ascii (7-bit only) and text; uuid fits
 * timeuuid when its version is 1; a raw value must carry the very type; blob fits blob and custom;
 * collections are checked element by element, recursively. */
cql_status cqln_value_check(const cql_type *type, const cql_value *v);

/* Makes v, which the check refused as a mismatch, a value of the column's type where nothing is lost by it: tinyint,
 * smallint, int and bigint of a longer integer type, counter (not bigint, which needs nothing) or varint; float of
 * double. False, and v as it was, for all else. */
bool cqln_value_widen(const cql_type *type, cql_value *v);
/* Both: the check, and what it refuses widened where that helps. */
cql_status cqln_value_fit(const cql_type *type, cql_value *v);

/* Are these bytes a well-formed value of the type? Zero bytes are (the empty value) where the
 * server allows it. Used on what users hand in as raw bytes and by the fuzz target. CQL_OK or
 * CQL_BAD_VALUE. */
cql_status cqln_value_wellformed(const cql_type *type, cql_str bytes);

/* A value that borrows `bytes` as the type (ptr NULL: null). */
cql_value cqln_value_view(const cql_type *type, const uint8_t *bytes, size_t len);

/* Appends the wire form of what the text means (cql_value_parse). CQL_BAD_VALUE, or the writer's. */
cql_status cqln_value_scan(const cql_type *type, cql_str text, cqln_writer *out);
/* n big-endian floats one behind the other to the machine's, in one pass. */
void cqln_floats_load(float *out, const uint8_t *from, size_t n);
void cqln_floats_store(uint8_t *out, const float *from, size_t n);
/* Signed big-endian two's complement to 64 bits; false when it does not fit or is empty. */
bool cqln_varint_to_i64(cql_str bytes, int64_t *out);
/* Days since the epoch <-> proleptic Gregorian date (year 0 exists). Any count of days; years up to
 * 2^54 either way, a month of 1..12. */
void cqln_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);
int64_t cqln_days_from_civil(int64_t year, unsigned month, unsigned day);

#endif
