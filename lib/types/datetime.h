/* datetime.h: moments and spans as text. The calendar itself is in value.h. */
#ifndef CQLN_TYPES_DATETIME_H
#define CQLN_TYPES_DATETIME_H

#include "types/sink.h"
#include "types/value.h"

/* 2024-01-02 03:04:05.678000+0000; years over 9999 have more digits, those before 0 a minus. */
void cqln_print_timestamp(cqln_sink *out, int64_t unix_ms);
/* 2024-02-29; +10000-01-01 */
void cqln_print_date(cqln_sink *out, int64_t unix_days);
/* 13:30:54.234567891 */
void cqln_print_time(cqln_sink *out, int64_t nanos_of_day);
/* 1y2mo3d4h5m6s7ms8us9ns, only the units that are there; 0s for none. */
void cqln_print_duration(cqln_sink *out, const cql_duration *d);

#endif
