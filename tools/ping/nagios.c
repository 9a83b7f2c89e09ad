/* The verdict over all targets, and the figures behind the bar for graphs. */
#include "ping/nagios.h"

#include "common/escape.h"

#include <inttypes.h>

static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

static int judge(const ping_node *n, const ping_summary *s)
{
    const ping_config *config = n->config;
    if (!s->sent && !n->given_up)
        return 3;
    if (!s->has_times)
        return 2;
    if (config->critical_us && s->avg_us > config->critical_us)
        return 2;
    return s->lost || (config->warning_us && s->avg_us > config->warning_us);
}

/* UNKNOWN is less than CRITICAL when several targets are put together. */
static int worse(int a, int b)
{
    static const int rank[] = {0, 1, 3, 2};
    return rank[a] > rank[b] ? a : b;
}

static void put_level(FILE *out, uint64_t us)
{
    if (us)
        fprintf(out, "%g", (double)us / 1000);
}

static void put_figures(FILE *out, const ping_node *n, const ping_summary *s)
{
    if (s->has_times) {
        fprintf(out, " '%s rtt'=%" PRIu64 ".%03ums;", n->target, s->avg_us / 1000,
                (unsigned)(s->avg_us % 1000));
        put_level(out, n->config->warning_us);
        fputc(';', out);
        put_level(out, n->config->critical_us);
        fputs(";0", out);
    }
    fprintf(out, " '%s loss'=%.1f%%;;;0;100", n->target, s->loss_percent);
}

static void put_words(FILE *out, const ping_node *n, const ping_summary *s)
{
    fprintf(out, " %s", n->target);
    if (!s->has_times) {
        fputs(n->failure == TOOL_EXIT_DENIED ? " refused the log-in" : " does not answer", out);
        return;
    }
    fputs(" Cassandra ", out);
    tool_put_escaped(out, cql_str_of(n->identity.release ? n->identity.release : ""));
    fprintf(out, " protocol v%d %" PRIu64 ".%03u ms", n->protocol, s->avg_us / 1000,
            (unsigned)(s->avg_us % 1000));
    if (s->lost)
        fprintf(out, " %.1f%% lost", s->loss_percent);
}

int ping_nagios(FILE *out, const ping_node *nodes, size_t count)
{
    int verdict = 0;
    ping_summary s;
    for (size_t i = 0; i < count; i++) {
        ping_stats_summary(&nodes[i].stats, &s);
        verdict = worse(verdict, judge(&nodes[i], &s));
    }
    fprintf(out, "CQLPING %s -", words[verdict]);
    for (size_t i = 0; i < count; i++) {
        ping_stats_summary(&nodes[i].stats, &s);
        fputs(i ? "," : "", out);
        put_words(out, &nodes[i], &s);
    }
    fputs(" |", out);
    for (size_t i = 0; i < count; i++) {
        ping_stats_summary(&nodes[i].stats, &s);
        put_figures(out, &nodes[i], &s);
    }
    fputc('\n', out);
    return verdict;
}

int ping_nagios_misused(FILE *out)
{
    fputs("CQLPING UNKNOWN - the command line cannot be followed, see standard error\n", out);
    return 3;
}
