/* time.h: times and dates: what timestamp and date columns hold, and write times that rise. */
#ifndef CQLNATIVE_TIME_H
#define CQLNATIVE_TIME_H

#include <cqlnative/base.h>

CQL_BEGIN

/* A moment of the proleptic Gregorian calendar in UTC; year 0 exists, days have 86,400 seconds. */
typedef struct cql_civil {
    int64_t year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
    unsigned hour;
    unsigned minute;
    unsigned second;
    unsigned nanosecond;
} cql_civil;

/* Microseconds since 1970, now, but above everything this function gave before in this process, over
 * all threads, also when the clock stands or is set back. For USING TIMESTAMP and
 * cql_statement_set_timestamp. [any thread] */
CQL_API int64_t cql_time_next_us(void);

/* Days since 1970 (the number that cql_value_date takes) of a date, and back. CQL_BAD_VALUE for a date
 * that does not exist or that a date column cannot hold (before -5877641-06-23, after
 * 5881580-07-11). Of the moment only year, month and day are read. [any thread] */
CQL_API cql_status cql_date_from_civil(const cql_civil *date, int32_t *unix_days);
CQL_API cql_status cql_date_to_civil(int32_t unix_days, cql_civil *date);
/* Milliseconds since 1970 (what timestamp columns hold) of a moment, and back. What lies below a
 * millisecond is cut off. CQL_BAD_VALUE for a moment that does not exist or does not fit. [any thread] */
CQL_API cql_status cql_timestamp_from_civil(const cql_civil *moment, int64_t *unix_ms);
CQL_API cql_status cql_timestamp_to_civil(int64_t unix_ms, cql_civil *moment);

CQL_END
#endif
