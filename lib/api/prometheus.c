/* A snapshot as Prometheus' text format: for each metric its help, its type, and a line for the session
 * or for each node. */
#include "api/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Latency buckets are shown at the powers of two from 128 us to 67 s, where ours end exactly. */
enum { FIRST_EXPONENT = 7, LAST_EXPONENT = 26 };

/* Text as far as there is room, and how long all of it is. */
typedef struct sink {
    char *out;
    size_t cap;
    size_t len;
} sink;

__attribute__((format(printf, 2, 3))) static void say(sink *s, const char *format, ...)
{
    va_list args;
    size_t room = s->len < s->cap ? s->cap - s->len : 0;
    va_start(args, format);
    int n = vsnprintf(room ? s->out + s->len : NULL, room, format, args);
    va_end(args);
    s->len += n > 0 ? (size_t)n : 0;
}

/* Within a label's quotes: backslash, quote and line end are escaped. Control characters were when the
 * text came in. */
static void say_label(sink *s, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            say(s, "\\%c", *text);
        else if (*text == '\n')
            say(s, "\\n");
        else
            say(s, "%c", *text);
    }
}

static void say_labels(sink *s, const cqln_reading *r)
{
    if (!r->host)
        return;
    say(s, "node=\"");
    say_label(s, r->host->address);
    say(s, "\",dc=\"");
    say_label(s, r->host->data_center);
    say(s, "\",rack=\"");
    say_label(s, r->host->rack);
    say(s, "\"");
}

static void say_head(sink *s, const char *scope, const char *name, const char *type, const char *help)
{
    say(s, "# HELP cqlnative_%s%s %s\n# TYPE cqlnative_%s%s %s\n", scope, name, help, scope, name,
        type);
}

/* One sample; more: a further label, or "". */
static void say_value(sink *s, const char *scope, const char *name, const cqln_reading *r,
                      const char *more, uint64_t value)
{
    say(s, "cqlnative_%s%s", scope, name);
    if (r->host || more[0]) {
        say(s, "{");
        say_labels(s, r);
        say(s, "%s%s}", r->host && more[0] ? "," : "", more);
    }
    say(s, " %" PRIu64 "\n", value);
}

/* --- what there is --------------------------------------------------------------------------------- */

typedef struct metric_row {
    const char *name;
    const char *type;
    const char *help;
} metric_row;

#define ROW_OF(constant, text, type, help) {text, type, help},
static const metric_row rows[] = {CQL_METRIC_MAP(ROW_OF)};

/* A request that waits does so for any node. */
static bool of_session_only(size_t metric)
{
    return metric == CQL_METRIC_QUEUED || metric == CQL_METRIC_REFUSED;
}

static void say_plain(sink *s, const char *scope, const cqln_reading *r, size_t count)
{
    for (size_t m = 0; m < CQL_METRIC_ERROR_TIMEOUT; m++) {
        if (count == 0 || (r->host && of_session_only(m)))
            continue;
        say_head(s, scope, rows[m].name, rows[m].type, rows[m].help);
        for (size_t i = 0; i < count; i++)
            say_value(s, scope, rows[m].name, &r[i], "", r[i].values[m]);
    }
}

static void say_errors(sink *s, const char *scope, const cqln_reading *r, size_t count)
{
    if (count)
        say_head(s, scope, "errors_total", "counter", "errors by class");
    for (size_t i = 0; i < count; i++) {
        for (size_t m = CQL_METRIC_ERROR_TIMEOUT; m < CQL_METRIC_COUNT; m++) {
            char label[48];
            snprintf(label, sizeof label, "class=\"%s\"", rows[m].name);
            say_value(s, scope, "errors_total", &r[i], label, r[i].values[m]);
        }
    }
}

/* Seconds with six digits, without a floating point number that a locale could print with a comma. */
static void say_histogram(sink *s, const char *scope, const cqln_reading *r)
{
    uint64_t passed = 0;
    unsigned bucket = 0;
    for (unsigned e = FIRST_EXPONENT; e <= LAST_EXPONENT; e++) {
        uint64_t end = UINT64_C(1) << e;
        char label[48];
        while (cqln_meter_bound(bucket) < end)
            passed += r->buckets[bucket++];
        snprintf(label, sizeof label, "le=\"%" PRIu64 ".%06" PRIu64 "\"", end / 1000000,
                 end % 1000000);
        say_value(s, scope, "latency_seconds_bucket", r, label, passed);
    }
    say_value(s, scope, "latency_seconds_bucket", r, "le=\"+Inf\"", r->count);
    say(s, "cqlnative_%slatency_seconds_sum", scope);
    if (r->host) {
        say(s, "{");
        say_labels(s, r);
        say(s, "}");
    }
    say(s, " %" PRIu64 ".%06" PRIu64 "\n", r->sum_us / 1000000, r->sum_us % 1000000);
    say_value(s, scope, "latency_seconds_count", r, "", r->count);
}

static void say_all(sink *s, const char *scope, const cqln_reading *r, size_t count)
{
    say_plain(s, scope, r, count);
    say_errors(s, scope, r, count);
    if (count)
        say_head(s, scope, "latency_seconds", "histogram",
                 r->host ? "time of answers of the node" : "time of requests that ended well");
    for (size_t i = 0; i < count; i++)
        say_histogram(s, scope, &r[i]);
}

size_t cql_metrics_prometheus(const cql_metrics *m, char *out, size_t cap)
{
    sink s = {out, out ? cap : 0, 0};
    if (s.cap)
        out[0] = '\0';
    if (!m)
        return 0;
    say_all(&s, "", &m->session, 1);
    say_all(&s, "node_", m->nodes, m->count);
    return s.len;
}
