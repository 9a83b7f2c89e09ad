/* One family of figures after the other, as the format wants it, with the target as a label. */
#include "ping/prometheus.h"

#include "common/escape.h"
#include "common/memory.h"
#include "common/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The format's own escapes; what is no UTF-8 would spoil the whole file. */
static void put_label(FILE *out, const char *text)
{
    char *valid = tool_valid_utf8(cql_str_of(text ? text : ""));
    for (const char *at = valid; *at; at++) {
        if (*at == '\n')
            fputs("\\n", out);
        else if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else
            fputc(*at, out);
    }
    free(valid);
}

static void begin(FILE *out, const char *name, const char *kind, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void put_name(FILE *out, const char *name, const ping_node *n)
{
    fprintf(out, "%s{target=\"", name);
    put_label(out, n->target);
    fputc('"', out);
}

static void put_counts(FILE *out, const ping_node *nodes, size_t count)
{
    begin(out, "cqlping_up", "gauge", "1 when the last probe was answered.");
    for (size_t i = 0; i < count; i++) {
        put_name(out, "cqlping_up", &nodes[i]);
        bool up = nodes[i].stats.answered && nodes[i].failure == TOOL_EXIT_OK;
        fprintf(out, "} %d\n", up ? 1 : 0);
    }
    begin(out, "cqlping_probes", "gauge", "Probes sent in this run.");
    for (size_t i = 0; i < count; i++) {
        put_name(out, "cqlping_probes", &nodes[i]);
        fprintf(out, "} %" PRIu64 "\n", nodes[i].stats.sent);
    }
    begin(out, "cqlping_probes_lost", "gauge", "Probes of this run without an answer.");
    for (size_t i = 0; i < count; i++) {
        put_name(out, "cqlping_probes_lost", &nodes[i]);
        fprintf(out, "} %" PRIu64 "\n", nodes[i].stats.sent - nodes[i].stats.answered);
    }
}

static void put_quantile(FILE *out, const ping_node *n, const char *quantile, uint64_t us)
{
    put_name(out, "cqlping_round_trip_seconds", n);
    fprintf(out, ",quantile=\"%s\"} %.6f\n", quantile, (double)us / 1000000);
}

static void put_times(FILE *out, const ping_node *nodes, size_t count)
{
    ping_summary s;
    begin(out, "cqlping_round_trip_seconds", "summary", "Round-trip time of one small query.");
    for (size_t i = 0; i < count; i++) {
        ping_stats_summary(&nodes[i].stats, &s);
        if (!s.has_times)
            continue;
        put_quantile(out, &nodes[i], "0", s.min_us);
        put_quantile(out, &nodes[i], "0.5", s.p50_us);
        put_quantile(out, &nodes[i], "0.99", s.p99_us);
        put_quantile(out, &nodes[i], "1", s.max_us);
        put_name(out, "cqlping_round_trip_seconds_sum", &nodes[i]);
        fprintf(out, "} %.6f\n", (double)nodes[i].stats.sum_us / 1000000);
        put_name(out, "cqlping_round_trip_seconds_count", &nodes[i]);
        fprintf(out, "} %" PRIu64 "\n", s.answered);
    }
}

static void put_identities(FILE *out, const ping_node *nodes, size_t count)
{
    begin(out, "cqlping_info", "gauge", "What the node says of itself.");
    for (size_t i = 0; i < count; i++) {
        const ping_identity *id = &nodes[i].identity;
        if (!id->release)
            continue;
        put_name(out, "cqlping_info", &nodes[i]);
        fputs(",node=\"", out);
        put_label(out, nodes[i].address);
        fputs("\",cluster=\"", out);
        put_label(out, id->cluster);
        fputs("\",release=\"", out);
        put_label(out, id->release);
        fputs("\",data_center=\"", out);
        put_label(out, id->data_center);
        fputs("\",rack=\"", out);
        put_label(out, id->rack);
        fprintf(out, "\",protocol=\"%d\"} 1\n", nodes[i].protocol);
    }
}

void ping_prometheus(FILE *out, const ping_node *nodes, size_t count)
{
    put_counts(out, nodes, count);
    put_times(out, nodes, count);
    put_identities(out, nodes, count);
}

/* A collector never sees half a file: the new one takes the old one's name when it is whole. */
bool ping_prometheus_to(const char *path, const ping_node *nodes, size_t count)
{
    if (strcmp(path, "-") == 0) {
        ping_prometheus(stdout, nodes, count);
        return true;
    }
    char *draft = tool_format("%s.%ld.tmp", path, (long)getpid());
    FILE *out = fopen(draft, "w");
    bool fine = out != NULL;
    if (fine) {
        ping_prometheus(out, nodes, count);
        fine = !ferror(out);
        fine = fclose(out) == 0 && fine;
        fine = fine && rename(draft, path) == 0;
    }
    if (!fine) {
        tool_remark(PING_NAME, "%s: %s", path, strerror(errno));
        (void)unlink(draft);
    }
    free(draft);
    return fine;
}
