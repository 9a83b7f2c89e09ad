/* Lines for people and JSON lines. What came from the server is escaped. */
#include "ping/print.h"

#include "common/escape.h"
#include "common/json.h"
#include "common/progress.h"
#include "common/report.h"
#include "ping/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MS(us)    ((us) / 1000), (unsigned)((us) % 1000)
#define MS_FORMAT "%" PRIu64 ".%03u"

static cJSON *json_of(const ping_node *n, const char *event)
{
    cJSON *line = tool_json_object(event);
    tool_json_text(line, "target", n->target);
    tool_json_text(line, "node", n->address);
    return line;
}

static void put(const char *text)
{
    tool_put_escaped(stdout, cql_str_of(text ? text : ""));
}

void ping_print_connected(const ping_node *n)
{
    tool_progress_clear();
    if (n->config->quiet || n->config->live)
        return;
    if (n->config->output == PING_JSON) {
        cJSON *line = json_of(n, "connected");
        tool_json_int(line, "protocol", n->protocol);
        tool_json_ms(line, "connect_ms", n->rtt_us);
        tool_json_line(stdout, line);
    } else if (n->config->output == PING_PEOPLE) {
        printf("%s: connected in " MS_FORMAT " ms\n", n->target, MS(n->rtt_us));
        fflush(stdout);
    }
}

static void add_identity(cJSON *line, const ping_node *n)
{
    tool_json_text(line, "cluster", n->identity.cluster);
    tool_json_text(line, "release", n->identity.release);
    tool_json_int(line, "protocol", n->protocol);
    tool_json_text(line, "data_center", n->identity.data_center);
    tool_json_text(line, "rack", n->identity.rack);
}

void ping_print_answer(const ping_node *n)
{
    if (n->config->quiet || n->config->live)
        return;
    if (n->config->output == PING_JSON) {
        cJSON *line = json_of(n, "probe");
        tool_json_int(line, "seq", (int64_t)n->stats.sent);
        tool_json_bool(line, "ok", true);
        add_identity(line, n);
        tool_json_ms(line, "rtt_ms", n->rtt_us);
        tool_json_line(stdout, line);
    } else if (n->config->output == PING_PEOPLE) {
        printf("%s: seq=%" PRIu64 " time=" MS_FORMAT " ms, Cassandra ", n->address, n->stats.sent,
               MS(n->rtt_us));
        put(n->identity.release);
        printf(", protocol v%d, data centre ", n->protocol);
        put(n->identity.data_center);
        fputs(", rack ", stdout);
        put(n->identity.rack);
        fputc('\n', stdout);
        fflush(stdout);
    }
}

const char *ping_loss_reason(const cql_error *err)
{
    const char *host, *reason;
    cql_status st;
    if (cql_error_tried(err, 0, &host, &st, &reason) == CQL_OK && *reason)
        return reason;
    return cql_error_text(err);
}

void ping_print_lost(const ping_node *n, const cql_error *err)
{
    if (n->config->quiet || n->config->live)
        return;
    if (n->config->output == PING_JSON) {
        cJSON *line = json_of(n, "probe");
        tool_json_int(line, "seq", (int64_t)n->stats.sent);
        tool_json_bool(line, "ok", false);
        tool_json_error(line, err);
        tool_json_line(stdout, line);
    } else if (n->config->output == PING_PEOPLE) {
        printf("%s: seq=%" PRIu64 " lost: %s\n", n->address, n->stats.sent, ping_loss_reason(err));
        fflush(stdout);
    }
}

void ping_print_unreached(const ping_node *n, const cql_error *err)
{
    tool_progress_clear();
    if (n->config->output == PING_JSON) {
        cJSON *line = json_of(n, "unreached");
        tool_json_error(line, err);
        tool_json_line(stdout, line);
    }
    if (n->config->output != PING_PEOPLE || n->config->live)
        return;
    tool_report(PING_NAME, err, NULL);
    if (n->config->wait_ms && n->failure == TOOL_EXIT_UNREACHED)
        fprintf(stderr, "  not ready within %g s\n", (double)n->config->wait_ms / 1000);
}

void ping_print_waiting(const ping_node *n, const cql_error *err)
{
    uint64_t now = ping_now_us();
    uint64_t left = n->wait_ends_us > now ? (n->wait_ends_us - now) / 1000000 : 0;
    tool_progress("waiting for %s, %" PRIu64 " s left: %s", n->target, left,
                  cql_status_text(cql_error_status(err)));
}

static void print_summary_json(const ping_node *n, const ping_summary *s)
{
    char percent[32];
    cJSON *line = json_of(n, "summary");
    tool_json_int(line, "sent", (int64_t)s->sent);
    tool_json_int(line, "answered", (int64_t)s->answered);
    tool_json_int(line, "lost", (int64_t)s->lost);
    snprintf(percent, sizeof percent, "%.1f", s->loss_percent);
    tool_json_raw(line, "loss_percent", percent);
    if (s->has_times) {
        tool_json_ms(line, "min_ms", s->min_us);
        tool_json_ms(line, "avg_ms", s->avg_us);
        tool_json_ms(line, "p50_ms", s->p50_us);
        tool_json_ms(line, "p99_ms", s->p99_us);
        tool_json_ms(line, "max_ms", s->max_us);
    }
    tool_json_line(stdout, line);
}

void ping_print_summary(const ping_node *n)
{
    ping_summary s;
    ping_stats_summary(&n->stats, &s);
    if (n->config->output == PING_JSON)
        print_summary_json(n, &s);
    if (n->config->output != PING_PEOPLE || n->given_up)
        return;
    printf("\n--- %s ---\n", n->target);
    printf("%" PRIu64 " probe%s sent, %" PRIu64 " answered, %.*f%% lost\n", s.sent,
           s.sent == 1 ? "" : "s", s.answered, s.lost && s.answered ? 1 : 0, s.loss_percent);
    if (s.has_times)
        printf("round trip min/avg/p50/p99/max = " MS_FORMAT "/" MS_FORMAT "/" MS_FORMAT
               "/" MS_FORMAT "/" MS_FORMAT " ms\n",
               MS(s.min_us), MS(s.avg_us), MS(s.p50_us), MS(s.p99_us), MS(s.max_us));
}
