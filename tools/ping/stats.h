/* stats.h: round-trip times and what they come to.
 *
 *   ping_stats st = {0};
 *   st.sent++; ping_stats_add(&st, micros);
 *   ping_summary s; ping_stats_summary(&st, &s);
 *   ping_stats_free(&st); */
#ifndef PING_STATS_H
#define PING_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Percentiles are those of the last so many answers, so that a run of weeks stays small. */
#define PING_STATS_KEPT 100000u

typedef struct ping_stats {
    uint64_t sent, answered;
    uint64_t sum_us, min_us, max_us;
    uint64_t *kept; /* a ring once PING_STATS_KEPT are there */
    size_t kept_count, kept_capacity;
} ping_stats;

typedef struct ping_summary {
    uint64_t sent, answered, lost;
    double loss_percent;
    bool has_times; /* false: no answer, the rest is 0 */
    uint64_t min_us, avg_us, p50_us, p99_us, max_us;
} ping_summary;

/* Counts one answer; the probe itself was counted in `sent` before. */
void ping_stats_add(ping_stats *st, uint64_t micros);
void ping_stats_summary(const ping_stats *st, ping_summary *out);
void ping_stats_free(ping_stats *st);

/* The value that `percent` of the sorted values do not exceed (nearest rank); count is at least 1.
 */
uint64_t ping_percentile(const uint64_t *sorted, size_t count, unsigned percent);

#endif
