/*
 * Options, rounds, clocks and the report of a round.
 */
#include "meter.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void usage(const char *program)
{
    fprintf(stderr,
            "usage: %s --target HOST:PORT [--protocol 4|5] [--workload insert|select|page]\n"
            "       [--inflight N] [--nodes N] [--mode loop|thread|thread-callback] [--loops N] < rounds\n",
            program);
    exit(2);
}

static bool parse_number(const char *text, unsigned long min, unsigned long max, unsigned *out)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    if (end == text || *end || v < min || v > max)
        return false;
    *out = (unsigned)v;
    return true;
}

static bool parse_target(char *text, bench_options *o)
{
    char *colon = strrchr(text, ':');

    if (!colon || !parse_number(colon + 1, 1, 65535, &o->port))
        return false;
    *colon = 0;
    o->host = text;
    return true;
}

static bool parse_workload(const char *text, bench_options *o)
{
    for (enum bench_workload w = WORKLOAD_INSERT; w <= WORKLOAD_PAGE; w++) {
        o->workload = w;
        if (strcmp(text, bench_workload_name(w)) == 0)
            return true;
    }
    return false;
}

static bool parse_mode(const char *text, bench_options *o)
{
    o->on_callback = strcmp(text, "thread-callback") == 0;
    o->thread = o->on_callback || strcmp(text, "thread") == 0;
    return o->thread || strcmp(text, "loop") == 0;
}

static bool parse_option(const char *name, char *value, bench_options *o)
{
    if (!value)
        return false;
    if (strcmp(name, "--target") == 0)
        return parse_target(value, o);
    if (strcmp(name, "--protocol") == 0)
        return parse_number(value, 4, 5, &o->protocol);
    if (strcmp(name, "--workload") == 0)
        return parse_workload(value, o);
    if (strcmp(name, "--inflight") == 0)
        return parse_number(value, 1, 16384, &o->inflight);
    if (strcmp(name, "--nodes") == 0)
        return parse_number(value, 1, METER_NODES, &o->nodes);
    if (strcmp(name, "--loops") == 0)
        return parse_number(value, 1, METER_LOOPS, &o->loops);
    return strcmp(name, "--mode") == 0 && parse_mode(value, o);
}

void meter_options(int argc, char **argv, bench_options *o)
{
    *o = (bench_options){
        .protocol = 4, .inflight = 256, .nodes = 1, .loops = 1, .workload = WORKLOAD_SELECT};
    for (int i = 1; i < argc; i += 2)
        if (!parse_option(argv[i], argv[i + 1], o))
            usage(argv[0]);
    if (!o->host)
        usage(argv[0]);
}

void meter_fail(const char *program, const char *text, const char *detail)
{
    fprintf(stderr, "%s: %s: %s\n", program, text, detail);
    exit(1);
}

bool meter_next(uint64_t *requests)
{
    uint64_t n = 0;
    char c = 0;

    while (read(STDIN_FILENO, &c, 1) == 1 && c >= '0' && c <= '9')
        n = n * 10 + (uint64_t)(c - '0');
    *requests = n;
    return c == '\n' && n > 0;
}

static uint64_t cpu_now(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Leaves *out alone and gives false when the counting library is not preloaded. */
static bool counts_now(bench_counts *out)
{
    static void (*now)(bench_counts *);
    void *found = now ? NULL : dlsym(RTLD_DEFAULT, "bench_counts_now");

    if (found)
        memcpy(&now, &found, sizeof now);
    if (now)
        now(out);
    return now != NULL;
}

void meter_begin(meter *m, const bench_options *o, uint64_t requests)
{
    m->sample_all = o->workload == WORKLOAD_PAGE;
    m->requests = requests;
    m->samples = 0;
    memset(m->latency_us10, 0, sizeof m->latency_us10); /* touched before, not within, the round */
    m->counted = counts_now(&m->counts);
    m->cpu_us = cpu_now();
    m->wall_ns = meter_now();
}

void meter_end(meter *m)
{
    bench_counts now = {0};

    m->wall_ns = meter_now() - m->wall_ns;
    m->cpu_us = cpu_now() - m->cpu_us;
    if (!counts_now(&now))
        return;
    m->counts.allocs = now.allocs - m->counts.allocs;
    m->counts.socket_reads = now.socket_reads - m->counts.socket_reads;
    m->counts.socket_writes = now.socket_writes - m->counts.socket_writes;
    m->counts.other_reads = now.other_reads - m->counts.other_reads;
    m->counts.other_writes = now.other_writes - m->counts.other_writes;
    m->counts.turns = now.turns - m->counts.turns;
    m->counts.polls = now.polls - m->counts.polls;
    m->counts.sleeps = now.sleeps - m->counts.sleeps;
    m->counts.wakes = now.wakes - m->counts.wakes;
    m->counts.others = now.others - m->counts.others;
    m->counts.locks = now.locks - m->counts.locks;
}

void meter_sample(meter *m, uint64_t sent_ns)
{
    m->latency_us10[m->samples++ % METER_SAMPLES] = (uint32_t)((meter_now() - sent_ns) / 100);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile(const meter *m, size_t n, unsigned percent)
{
    return n ? m->latency_us10[(n - 1) * percent / 100] / 10.0 : 0;
}

static void print_counts(const bench_counts *c)
{
    printf(",\"allocs\":%llu,\"socket_reads\":%llu,\"socket_writes\":%llu,\"other_reads\":%llu,"
           "\"other_writes\":%llu,\"turns\":%llu,\"polls\":%llu,\"sleeps\":%llu,\"wakes\":%llu,"
           "\"other_calls\":%llu,\"locks\":%llu",
           (unsigned long long)c->allocs, (unsigned long long)c->socket_reads,
           (unsigned long long)c->socket_writes, (unsigned long long)c->other_reads,
           (unsigned long long)c->other_writes, (unsigned long long)c->turns,
           (unsigned long long)c->polls, (unsigned long long)c->sleeps,
           (unsigned long long)c->wakes, (unsigned long long)c->others,
           (unsigned long long)c->locks);
}

void meter_print(meter *m, const char *program, const bench_options *o)
{
    size_t n = m->samples < METER_SAMPLES ? (size_t)m->samples : METER_SAMPLES;

    qsort(m->latency_us10, n, sizeof *m->latency_us10, compare);
    printf("{\"program\":\"%s\",\"workload\":\"%s\",\"protocol\":%u,\"inflight\":%u,"
           "\"requests\":%llu,\"cpu_us\":%llu,\"wall_ns\":%llu,\"p50_us\":%.1f,\"p99_us\":%.1f",
           program, bench_workload_name(o->workload), o->protocol, o->inflight,
           (unsigned long long)m->requests, (unsigned long long)m->cpu_us,
           (unsigned long long)m->wall_ns, percentile(m, n, 50), percentile(m, n, 99));
    if (m->counted)
        print_counts(&m->counts);
    printf("}\n");
    fflush(stdout);
}
