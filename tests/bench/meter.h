/*
 * What the floor and the client have in common: their options, the rounds they are told to run, and
 * what is measured of a round.
 *
 * A program connects, prepares, and then reads from standard input how many requests to run, one
 * number a line. Each round gives one JSON object a line. So two programs stay connected and can be
 * measured in turn, and the first round of each warms it up.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdbool.h>
#include <time.h>

#include "interpose.h"
#include "workload.h"

typedef struct bench_options {
    const char *host;
    unsigned port;
    unsigned protocol; /* 4 or 5 */
    unsigned inflight;
    unsigned nodes; /* of the responder; the client finds them, bare takes them for granted */
    enum bench_workload workload;
    bool thread;      /* own-thread mode; the floor has none */
    bool on_callback; /* own-thread mode: callbacks submit what comes next */
    unsigned loops;   /* own-thread mode: threads of the session's */
} bench_options;

enum { METER_SAMPLES = 1 << 14, METER_LOOPS = 8, METER_NODES = 4 };

typedef struct meter {
    uint64_t requests;
    uint64_t cpu_us; /* user and system, all threads */
    uint64_t wall_ns;
    bench_counts counts; /* all zero when nothing is preloaded */
    bool counted;
    bool sample_all;
    uint64_t samples;                     /* latencies seen; the last METER_SAMPLES are kept */
    uint32_t latency_us10[METER_SAMPLES]; /* tenths of a microsecond */
} meter;

/* Ends the program with a usage text when the options are wrong. */
void meter_options(int argc, char **argv, bench_options *o);

/* Waits for the next round. False at the end of the input. */
bool meter_next(uint64_t *requests);

void meter_begin(meter *m, const bench_options *o, uint64_t requests);
void meter_end(meter *m);

/* One JSON object on standard output. */
void meter_print(meter *m, const char *program, const bench_options *o);

/* Prints "program: text: detail" and ends the program. */
_Noreturn void meter_fail(const char *program, const char *text, const char *detail);

static inline uint64_t meter_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/*
 * Whether this request's latency is taken. Where requests are cheap it is that of one in 31: a
 * clock for each would be a good part of the floor. 31 has no factor in common with the windows, so
 * that every place in a batch has its turn.
 */
static inline bool meter_sampled(const meter *m, uint64_t sequence)
{
    return sequence % 31 == 0 || m->sample_all;
}

/* The time of submission, 0 for a request that is not sampled. */
static inline uint64_t meter_sent(const meter *m, uint64_t sequence)
{
    return meter_sampled(m, sequence) ? meter_now() : 0;
}

void meter_sample(meter *m, uint64_t sent_ns);

static inline void meter_done(meter *m, uint64_t sent_ns)
{
    if (sent_ns)
        meter_sample(m, sent_ns);
}

#endif
