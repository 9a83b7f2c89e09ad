/* calendar.c: dates and moments between the calendar and what columns hold. */
#include "types/value.h"

#include <cqlnative/time.h>
#include <string.h>

static const int64_t ms_per_day = INT64_C(86400000);
static const int64_t years_max = INT64_C(300000000); /* far outside of 64 bits of milliseconds */

static unsigned days_of_month(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static bool date_exists(const cql_civil *d)
{
    return d->year > -years_max && d->year < years_max && d->month >= 1 && d->month <= 12 &&
           d->day >= 1 && d->day <= days_of_month(d->year, d->month);
}

cql_status cql_date_from_civil(const cql_civil *date, int32_t *unix_days)
{
    if (!date || !unix_days)
        return CQL_BAD_ARGUMENT;
    if (!date_exists(date))
        return CQL_BAD_VALUE;
    int64_t days = cqln_days_from_civil(date->year, date->month, date->day);
    if (days < INT32_MIN || days > INT32_MAX)
        return CQL_BAD_VALUE;
    *unix_days = (int32_t)days;
    return CQL_OK;
}

cql_status cql_date_to_civil(int32_t unix_days, cql_civil *date)
{
    if (!date)
        return CQL_BAD_ARGUMENT;
    memset(date, 0, sizeof *date);
    cqln_civil_from_days(unix_days, &date->year, &date->month, &date->day);
    return CQL_OK;
}

cql_status cql_timestamp_from_civil(const cql_civil *m, int64_t *unix_ms)
{
    if (!m || !unix_ms)
        return CQL_BAD_ARGUMENT;
    if (!date_exists(m) || m->hour > 23 || m->minute > 59 || m->second > 59 ||
        m->nanosecond > 999999999u)
        return CQL_BAD_VALUE;
    int64_t days = cqln_days_from_civil(m->year, m->month, m->day);
    int64_t of_day = ((int64_t)m->hour * 60 + m->minute) * 60000 + (int64_t)m->second * 1000 +
                     m->nanosecond / 1000000u;
    int64_t ms;
    /* The first day that fits begins outside: its milliseconds are counted from its end. */
    if (days < 0) {
        days++;
        of_day -= ms_per_day;
    }
    if (__builtin_mul_overflow(days, ms_per_day, &ms) || __builtin_add_overflow(ms, of_day, &ms))
        return CQL_BAD_VALUE;
    *unix_ms = ms;
    return CQL_OK;
}

cql_status cql_timestamp_to_civil(int64_t unix_ms, cql_civil *m)
{
    if (!m)
        return CQL_BAD_ARGUMENT;
    int64_t of_day = unix_ms % ms_per_day;
    int64_t days = unix_ms / ms_per_day;
    if (of_day < 0) {
        of_day += ms_per_day;
        days--;
    }
    cqln_civil_from_days(days, &m->year, &m->month, &m->day);
    m->hour = (unsigned)(of_day / 3600000);
    m->minute = (unsigned)(of_day / 60000 % 60);
    m->second = (unsigned)(of_day / 1000 % 60);
    m->nanosecond = (unsigned)(of_day % 1000) * 1000000u;
    return CQL_OK;
}
