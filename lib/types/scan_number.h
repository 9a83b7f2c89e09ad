/* scan_number.h: numbers from text. */
#ifndef CQLN_TYPES_SCAN_NUMBER_H
#define CQLN_TYPES_SCAN_NUMBER_H

#include "base/bytes.h"

/* Decimal digits with a sign in front, the whole text. False for anything else and beyond 64 bits. */
bool cqln_scan_i64(cql_str text, int64_t *out);
/* Digits alone, at most `most` of them, from the front of *text, which they leave. */
bool cqln_scan_digits(cql_str *text, size_t least, size_t most, uint64_t *out);
/* Both need no locale. NaN, Infinity and -Infinity too, in letters of either case. */
bool cqln_scan_double(cql_str text, bool single, double *out);
/* Appends the shortest two's complement of a decimal integer; up to 1,234 digits. */
cql_status cqln_scan_varint(cql_str text, cqln_writer *out);
/* Appends scale and number: 1.50, -1E+3. */
cql_status cqln_scan_decimal(cql_str text, cqln_writer *out);

#endif
