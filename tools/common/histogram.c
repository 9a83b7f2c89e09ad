/* Powers of two, each cut into equal steps. */
#include "common/histogram.h"

#include <stdbool.h>

enum { BAR = 50 };

/* Below STEPS each value has its own slot; above, scale s holds [STEPS << (s-1), STEPS << s), whose upper
 * half of the steps is what the scale before does not have. */
static unsigned scale_of(uint64_t us)
{
    unsigned scale = 0;
    while (us >> scale >= TOOL_HISTOGRAM_STEPS && scale < TOOL_HISTOGRAM_SCALES - 1)
        scale++;
    return scale;
}

void tool_histogram_add(tool_histogram *h, uint64_t us)
{
    unsigned scale = scale_of(us);
    uint64_t step = us >> scale;
    if (step >= TOOL_HISTOGRAM_STEPS)
        step = TOOL_HISTOGRAM_STEPS - 1;
    h->slots[scale][step]++;
    if (h->count == 0 || us < h->min)
        h->min = us;
    if (us > h->max)
        h->max = us;
    h->count++;
    h->sum += us;
}

static uint64_t top_of(unsigned scale, unsigned step)
{
    return (((uint64_t)step + 1) << scale) - 1;
}

uint64_t tool_histogram_at(const tool_histogram *h, double percent)
{
    uint64_t wanted = (uint64_t)(percent / 100 * (double)h->count + 0.999999);
    uint64_t seen = 0;
    if (h->count == 0)
        return 0;
    if (wanted == 0)
        return h->min;
    for (unsigned scale = 0; scale < TOOL_HISTOGRAM_SCALES; scale++)
        for (unsigned step = 0; step < TOOL_HISTOGRAM_STEPS; step++) {
            seen += h->slots[scale][step];
            if (seen >= wanted)
                return top_of(scale, step) < h->max ? top_of(scale, step) : h->max;
        }
    return h->max;
}

double tool_histogram_mean(const tool_histogram *h)
{
    return h->count ? (double)h->sum / (double)h->count : 0;
}

/* Lines of a factor of two each. */
static uint64_t count_between(const tool_histogram *h, uint64_t from, uint64_t to)
{
    uint64_t n = 0;
    for (unsigned scale = 0; scale < TOOL_HISTOGRAM_SCALES; scale++)
        for (unsigned step = 0; step < TOOL_HISTOGRAM_STEPS; step++)
            if (top_of(scale, step) >= from && top_of(scale, step) < to)
                n += h->slots[scale][step];
    return n;
}

void tool_histogram_walk(const tool_histogram *h,
                         void (*each)(void *user, uint64_t from, uint64_t below, uint64_t count),
                         void *user)
{
    uint64_t from = 1;
    while (from * 2 <= h->min)
        from *= 2;
    for (; h->count && from <= h->max; from *= 2) {
        uint64_t low = from == 1 ? 0 : from;
        each(user, low, from * 2, count_between(h, low, from * 2));
    }
}

typedef struct drawing {
    FILE *out;
    uint64_t most, total, seen;
} drawing;

static void find_most(void *user, uint64_t from, uint64_t below, uint64_t count)
{
    drawing *d = user;
    (void)from;
    (void)below;
    d->most = count > d->most ? count : d->most;
}

static void draw_line(void *user, uint64_t from, uint64_t below, uint64_t count)
{
    drawing *d = user;
    int bar = (int)(count * BAR / d->most);
    (void)below;
    d->seen += count;
    fprintf(d->out, "%10.3f ms %10llu %8.4f%% ", (double)from / 1000, (unsigned long long)count,
            100.0 * (double)d->seen / (double)d->total);
    for (int i = 0; i < bar || (i == 0 && count); i++)
        fputc('#', d->out);
    fputc('\n', d->out);
}

void tool_histogram_draw(const tool_histogram *h, FILE *out)
{
    drawing d = {out, 0, h->count, 0};
    tool_histogram_walk(h, find_most, &d);
    tool_histogram_walk(h, draw_line, &d);
}
