/* datetime.c: the proleptic Gregorian calendar, and moments and spans as text.
 *
 * Days are counted in eras of 400 years (146,097 days) that begin on 1 March of a year divisible by
 * 400, so that the leap day is the last day of a year and the lengths of the months follow one
 * formula. */
#include "types/datetime.h"

static const int64_t days_per_era = 146097;
static const int64_t days_to_epoch = 719468; /* from 0000-03-01 to 1970-01-01 */

/* Division that rounds down, and what is left; no product that could overflow. */
static int64_t floor_div(int64_t n, int64_t by, int64_t *rest)
{
    *rest = n % by;
    if (*rest >= 0)
        return n / by;
    *rest += by;
    return n / by - 1;
}

void cqln_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    /* The era first, so that the sum cannot overflow. */
    int64_t of_era;
    int64_t era = floor_div(days, days_per_era, &of_era);
    era += floor_div(of_era + days_to_epoch, days_per_era, &of_era);
    int64_t of_year_400 =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / (days_per_era - 1)) / 365;
    int64_t of_year = of_era - (365 * of_year_400 + of_year_400 / 4 - of_year_400 / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    *day = (unsigned)(of_year - (153 * from_march + 2) / 5 + 1);
    *month = (unsigned)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = of_year_400 + era * 400 + (*month <= 2);
}

int64_t cqln_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    if (month <= 2)
        year--;
    int64_t of_era_year;
    int64_t era = floor_div(year, 400, &of_era_year);
    int64_t from_march = month > 2 ? month - 3 : month + 9;
    int64_t of_year = (153 * from_march + 2) / 5 + day - 1;
    int64_t of_era = of_era_year * 365 + of_era_year / 4 - of_era_year / 100 + of_year;
    return era * days_per_era + of_era - days_to_epoch;
}

/* hour:minute:second.fraction */
static void print_clock(cqln_sink *out, int64_t seconds, int64_t fraction, unsigned digits)
{
    cqln_sink_int(out, seconds / 3600, 2);
    cqln_sink_char(out, ':');
    cqln_sink_int(out, seconds / 60 % 60, 2);
    cqln_sink_char(out, ':');
    cqln_sink_int(out, seconds % 60, 2);
    cqln_sink_char(out, '.');
    cqln_sink_int(out, fraction, digits);
}

static void print_day(cqln_sink *out, int64_t unix_days)
{
    int64_t year;
    unsigned month;
    unsigned day;
    cqln_civil_from_days(unix_days, &year, &month, &day);
    cqln_sink_int(out, year, 4);
    cqln_sink_char(out, '-');
    cqln_sink_int(out, month, 2);
    cqln_sink_char(out, '-');
    cqln_sink_int(out, day, 2);
}

void cqln_print_date(cqln_sink *out, int64_t unix_days)
{
    static const int64_t last_of_9999 = 2932896;
    if (unix_days > last_of_9999)
        cqln_sink_char(out, '+'); /* servers read such dates with it, and moments without */
    print_day(out, unix_days);
}

void cqln_print_timestamp(cqln_sink *out, int64_t unix_ms)
{
    const int64_t ms_per_day = INT64_C(86400000);
    int64_t of_day;
    int64_t days = floor_div(unix_ms, ms_per_day, &of_day);
    print_day(out, days);
    cqln_sink_char(out, ' ');
    print_clock(out, of_day / 1000, of_day % 1000 * 1000, 6);
    cqln_sink_text(out, "+0000");
}

void cqln_print_time(cqln_sink *out, int64_t nanos_of_day)
{
    const int64_t nanos = INT64_C(1000000000);
    print_clock(out, nanos_of_day / nanos, nanos_of_day % nanos, 9);
}

typedef struct unit {
    uint64_t size;
    const char *name;
} unit;

/* Takes the units out of n, the largest first, each when it is there. */
static void print_units(cqln_sink *out, uint64_t n, const unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (n < units[i].size)
            continue;
        /* 2^63 is the largest n, and no unit of 1 meets more than 2^63 / 1000 of its kind but
         * months and days, which have 32 bits. */
        cqln_sink_int(out, (int64_t)(n / units[i].size), 1);
        cqln_sink_text(out, units[i].name);
        n %= units[i].size;
    }
}

static uint64_t magnitude(int64_t n)
{
    return n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
}

void cqln_print_duration(cqln_sink *out, const cql_duration *d)
{
    static const unit months[] = {{12, "y"}, {1, "mo"}};
    static const unit days[] = {{1, "d"}};
    static const unit nanos[] = {{UINT64_C(3600000000000), "h"},
                                 {UINT64_C(60000000000), "m"},
                                 {UINT64_C(1000000000), "s"},
                                 {1000000, "ms"},
                                 {1000, "us"},
                                 {1, "ns"}};
    if (d->months < 0 || d->days < 0 || d->nanos < 0)
        cqln_sink_char(out, '-');
    if (d->months == 0 && d->days == 0 && d->nanos == 0)
        cqln_sink_text(out, "0s");
    print_units(out, magnitude(d->months), months, CQL_COUNT(months));
    print_units(out, magnitude(d->days), days, CQL_COUNT(days));
    print_units(out, magnitude(d->nanos), nanos, CQL_COUNT(nanos));
}
