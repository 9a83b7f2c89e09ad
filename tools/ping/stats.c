/* Minimum, mean, percentiles and loss. */
#include "ping/stats.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

void ping_stats_add(ping_stats *st, uint64_t micros)
{
    if (st->kept_count < PING_STATS_KEPT) {
        st->kept = tool_grow(st->kept, &st->kept_capacity, st->kept_count + 1, sizeof *st->kept);
        st->kept[st->kept_count++] = micros;
    } else {
        st->kept[st->answered % PING_STATS_KEPT] = micros;
    }
    if (st->answered == 0 || micros < st->min_us)
        st->min_us = micros;
    if (micros > st->max_us)
        st->max_us = micros;
    st->sum_us += micros;
    st->answered++;
}

uint64_t ping_percentile(const uint64_t *sorted, size_t count, unsigned percent)
{
    size_t rank = (count * percent + 99) / 100;
    return sorted[rank ? rank - 1 : 0];
}

static int compare(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

void ping_stats_summary(const ping_stats *st, ping_summary *out)
{
    memset(out, 0, sizeof *out);
    out->sent = st->sent;
    out->answered = st->answered;
    out->lost = st->sent > st->answered ? st->sent - st->answered : 0;
    out->loss_percent = st->sent ? 100.0 * (double)out->lost / (double)st->sent : 0.0;
    if (!st->answered)
        return;
    uint64_t *sorted = tool_alloc(st->kept_count, sizeof *sorted);
    memcpy(sorted, st->kept, st->kept_count * sizeof *sorted);
    qsort(sorted, st->kept_count, sizeof *sorted, compare);
    out->has_times = true;
    out->min_us = st->min_us;
    out->max_us = st->max_us;
    out->avg_us = (st->sum_us + st->answered / 2) / st->answered;
    out->p50_us = ping_percentile(sorted, st->kept_count, 50);
    out->p99_us = ping_percentile(sorted, st->kept_count, 99);
    free(sorted);
}

void ping_stats_free(ping_stats *st)
{
    free(st->kept);
    memset(st, 0, sizeof *st);
}
