/* cron.c: cron expressions of five fields, in UTC. */
#include "jobs/cron.h"

#include <string.h>

enum { MINUTE_MS = 60000, FIELDS = 5 };
/* The 29th of February may have to be a Sunday, too: each 28 years, or 40 about a year like 2100. */
enum { DAYS_AHEAD = 366 * 41 };
enum { F_MINUTE, F_HOUR, F_DAY, F_MONTH, F_WEEKDAY };

static const struct {
    int least, most;
    const char *bad;
} fields[FIELDS] = {
    {0, 59, "the minute (first field) is 0 to 59, *, or lists, ranges and steps of that"},
    {0, 23, "the hour (second field) is 0 to 23, *, or lists, ranges and steps of that"},
    {1, 31, "the day (third field) is 1 to 31, *, or lists, ranges and steps of that"},
    {1, 12, "the month (fourth field) is 1 to 12, *, or lists, ranges and steps of that"},
    {0, 7, "the weekday (fifth field) is 0 to 7, *, or lists, ranges and steps of that"},
};

/* --- reading ---------------------------------------------------------------------------------- */
static bool read_number(const char **at, int *out)
{
    int n = 0, digits = 0;

    while (**at >= '0' && **at <= '9' && digits++ < 4)
        n = n * 10 + (*(*at)++ - '0');
    *out = n;
    return digits > 0 && digits <= 4;
}

/* One part of a list: *, n, n-m, each with /step; n/step runs to the end. */
static bool read_part(const char **at, int field, uint64_t *bits)
{
    int from = fields[field].least, to = fields[field].most, step = 1;
    bool single = false;

    if (**at == '*') {
        (*at)++;
    } else {
        if (!read_number(at, &from))
            return false;
        single = **at != '-';
        if (!single) {
            (*at)++;
            if (!read_number(at, &to))
                return false;
        }
    }
    if (**at == '/') {
        (*at)++;
        if (!read_number(at, &step) || step == 0)
            return false;
        if (single)
            to = fields[field].most - (field == F_WEEKDAY); /* 0 and 7 are one day */
    } else if (single) {
        to = from;
    }
    if (from < fields[field].least || to > fields[field].most || from > to)
        return false;
    for (int i = from; i <= to; i += step)
        *bits |= UINT64_C(1) << i;
    return true;
}

static bool read_field(const char **at, int field, uint64_t *bits)
{
    *bits = 0;
    for (;;) {
        if (!read_part(at, field, bits))
            return false;
        if (**at != ',')
            break;
        (*at)++;
    }
    return **at == ' ' || **at == '\t' || !**at;
}

cql_status cqljob_cron_read(const char *text, cqljob_cron *out, const char **why)
{
    uint64_t bits[FIELDS];
    const char *at = text;

    memset(out, 0, sizeof *out);
    for (int i = 0; i < FIELDS; i++) {
        at += strspn(at, " \t");
        *why = "five fields are needed: minute hour day month weekday";
        if (!*at || *at == '@')
            return CQL_BAD_VALUE;
        if (i == F_DAY)
            out->any_day = *at == '*';
        if (i == F_WEEKDAY)
            out->any_weekday = *at == '*';
        *why = fields[i].bad;
        if (!read_field(&at, i, &bits[i]))
            return CQL_BAD_VALUE;
    }
    at += strspn(at, " \t");
    *why = "more than five fields; seconds and years have none";
    if (*at)
        return CQL_BAD_VALUE;
    out->minutes = bits[F_MINUTE];
    out->hours = bits[F_HOUR];
    out->days = bits[F_DAY];
    out->months = bits[F_MONTH];
    out->weekdays = (bits[F_WEEKDAY] | bits[F_WEEKDAY] >> 7) & 0x7f;
    *why = NULL;
    return CQL_OK;
}

/* --- the next time ---------------------------------------------------------------------------- */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Month 1 to 12 and day 1 to 31 of a day counted from 1970-01-01 (proleptic Gregorian). */
static void date_of(int64_t day, int *month, int *day_of_month)
{
    int64_t z = day + 719468;
    int64_t of_era = z - floor_div(z, 146097) * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t m = (5 * of_year + 2) / 153;

    *day_of_month = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
}

static bool has(uint64_t bits, int i)
{
    return (bits >> i & 1) != 0;
}

static bool is_day(const cqljob_cron *c, int64_t day)
{
    int month, day_of_month;
    int weekday = (int)((day + 4) - floor_div(day + 4, 7) * 7);
    bool by_day, by_weekday;

    date_of(day, &month, &day_of_month);
    if (!has(c->months, month))
        return false;
    by_day = has(c->days, day_of_month);
    by_weekday = has(c->weekdays, weekday);
    if (c->any_day || c->any_weekday)
        return by_day && by_weekday;
    return by_day || by_weekday;
}

bool cqljob_cron_after(const cqljob_cron *c, int64_t after_ms, int64_t *next_ms)
{
    int64_t minute = floor_div(after_ms, MINUTE_MS) + 1;
    int64_t day = floor_div(minute, 1440);
    int from = (int)(minute - day * 1440);

    for (int i = 0; i < DAYS_AHEAD; i++, day++, from = 0) {
        if (!is_day(c, day))
            continue;
        for (int m = from; m < 1440; m++)
            if (has(c->hours, m / 60) && has(c->minutes, m % 60)) {
                *next_ms = (day * 1440 + m) * MINUTE_MS;
                return true;
            }
    }
    return false;
}

cql_status cql_cron_next(const char *cron, int64_t after_ms, int64_t *next_ms, const char **why)
{
    const char *reason = "an expression is needed";
    cqljob_cron c;
    cql_status st = CQL_BAD_VALUE;

    if (after_ms < -CQLJOB_CRON_FAR || after_ms > CQLJOB_CRON_FAR)
        reason = "the time is too far away";
    else if (cron)
        st = cqljob_cron_read(cron, &c, &reason);
    if (!st && !cqljob_cron_after(&c, after_ms, next_ms)) {
        reason = "no such day ever comes";
        st = CQL_BAD_VALUE;
    }
    if (why)
        *why = st ? reason : NULL;
    return st;
}
