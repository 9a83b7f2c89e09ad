/* cron.h: cron expressions of five fields, in UTC. */
#ifndef CQLJOB_CRON_H
#define CQLJOB_CRON_H

#include <cqlnative/jobs.h>

/* One bit for each value. */
typedef struct cqljob_cron {
    uint64_t minutes, hours, days, months, weekdays;
    bool any_day, any_weekday; /* the field begins with *: it does not limit by itself */
} cqljob_cron;

#define CQLJOB_CRON_FAR INT64_C(200000000000000) /* some 6,000 years, in milliseconds */

/* CQL_BAD_VALUE: *why says what is wrong. */
cql_status cqljob_cron_read(const char *text, cqljob_cron *out, const char **why);
/* False: there is no such time within nine years, which means never. */
bool cqljob_cron_after(const cqljob_cron *c, int64_t after_ms, int64_t *next_ms);

#endif
