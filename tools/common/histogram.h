/* histogram.h: times in microseconds, exact to about 1.5 %, in a fixed 20 KiB.
 *
 *   tool_histogram h = {0};
 *   tool_histogram_add(&h, 412);
 *   tool_histogram_at(&h, 99.9)      the value that 99.9 % do not exceed
 *
 * For load at a given rate, add what lies between the time at which a request should have been sent and
 * its answer: then a server that stops for a second shows in all requests of that second, not in the one
 * that happened to be under way (coordinated omission). */
#ifndef TOOL_HISTOGRAM_H
#define TOOL_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

enum { TOOL_HISTOGRAM_STEPS = 64, TOOL_HISTOGRAM_SCALES = 40 };

typedef struct tool_histogram {
    uint64_t count, sum, max, min;
    uint64_t slots[TOOL_HISTOGRAM_SCALES][TOOL_HISTOGRAM_STEPS];
} tool_histogram;

void tool_histogram_add(tool_histogram *h, uint64_t us);
/* percent: 0 to 100; 0 when there is nothing. */
uint64_t tool_histogram_at(const tool_histogram *h, double percent);
double tool_histogram_mean(const tool_histogram *h);
/* Calls each for every factor of two from the smallest to the largest value. */
void tool_histogram_walk(const tool_histogram *h,
                         void (*each)(void *user, uint64_t from, uint64_t below, uint64_t count),
                         void *user);
/* The distribution as lines of text: range, count, a bar. */
void tool_histogram_draw(const tool_histogram *h, FILE *out);

#endif
