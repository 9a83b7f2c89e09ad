/* Times on the command line and in tables: always UTC. */
#include "jobcli/cli.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Days since 1970-01-01 of a date of the Gregorian calendar (years from March on). */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;

    return era * 146097 + days - 719468;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Exactly n digits. */
static bool number(const char **at, int n, int *out)
{
    int v = 0;

    for (int i = 0; i < n; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        v = v * 10 + (**at - '0');
    }
    *out = v;
    return true;
}

static bool sign(const char **at, const char *any_of)
{
    if (!**at || !strchr(any_of, **at))
        return false;
    (*at)++;
    return true;
}

/* ".5" and the like as milliseconds; further digits are dropped. */
static bool fraction(const char **at, int *ms)
{
    int unit = 100;

    *ms = 0;
    if (**at != '.')
        return true;
    (*at)++;
    if (!isdigit((unsigned char)**at))
        return false;
    for (; isdigit((unsigned char)**at); (*at)++, unit /= 10)
        *ms += unit * (**at - '0');
    return true;
}

/* Milliseconds since 1970 have 12 digits or more; fewer are a slip (a year, seconds). */
static bool is_milliseconds(const char *text)
{
    size_t n = strlen(text);

    return n >= 12 && n < 18 && strspn(text, "0123456789") == n;
}

bool jobs_parse_time(const char *text, int64_t *unix_ms)
{
    const char *at = text;
    int year, month, day, hour = 0, minute = 0, second = 0, ms = 0;

    if (is_milliseconds(text)) {
        *unix_ms = strtoll(text, NULL, 10);
        return true;
    }
    if (!number(&at, 4, &year) || !sign(&at, "-") || !number(&at, 2, &month) || !sign(&at, "-") ||
        !number(&at, 2, &day))
        return false;
    if (*at && *at != 'Z') {
        if (!sign(&at, "T ") || !number(&at, 2, &hour) || !sign(&at, ":") ||
            !number(&at, 2, &minute))
            return false;
        if (*at == ':' && (!sign(&at, ":") || !number(&at, 2, &second) || !fraction(&at, &ms)))
            return false;
    }
    (void)sign(&at, "Z");
    if (*at || year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
        hour > 23 || minute > 59 || second > 59)
        return false;
    *unix_ms = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60000 + second * 1000 + ms;
    return true;
}

void jobs_print_time(int64_t unix_ms, char out[JOBS_TIME_SIZE])
{
    int64_t days = unix_ms / 86400000, rest = unix_ms % 86400000;
    int64_t year, month, day, era, of_era, of_year;

    out[0] = '\0';
    if (unix_ms == CQL_JOB_NO_TIME)
        return;
    if (rest < 0) {
        rest += 86400000;
        days--;
    }
    days += 719468; /* from here the inverse of days_of */
    era = (days >= 0 ? days : days - 146096) / 146097;
    of_era = days - era * 146097;
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    month = (5 * of_year + 2) / 153;
    day = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year += era * 400 + (month <= 2);
    (void)snprintf(out, JOBS_TIME_SIZE, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d.%03dZ", year,
                   (int)month, (int)day, (int)(rest / 3600000), (int)(rest / 60000 % 60),
                   (int)(rest / 1000 % 60), (int)(rest % 1000));
}
