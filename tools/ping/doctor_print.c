/* The doctor's lines: for people a block for each node and the verdict below, or JSON lines. */
#include "common/escape.h"
#include "common/json.h"
#include "ping/doctor.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const step_words[] = {"resolve", "TCP", "OPTIONS", "STARTUP"};
static const char *const step_fields[] = {"resolve", "tcp", "options", "startup"};

static void step_people(const char *word, const ping_step *s)
{
    if (!s->done)
        return;
    printf("  %-12s %9.3f ms  %s%s\n", word, (double)s->us / 1000, s->ok ? "" : "FAILED: ", s->text);
}

static void fact(const char *word, const char *text)
{
    if (text)
        printf("  %-12s               %s\n", word, text);
}

static void chart_people(const ping_chart *c)
{
    if (!c->release)
        return;
    printf("  %-12s               Cassandra %s, cluster \"%s\", data centre %s, rack %s\n", "node",
           c->release, c->cluster ? c->cluster : "", c->data_center ? c->data_center : "",
           c->rack ? c->rack : "");
    printf("  %-12s               %s, %" PRIu64 " tokens\n", "host id", c->host_id ? c->host_id : "",
           c->tokens);
    fact("schema", c->schema_version);
    if (c->has_clock)
        printf("  %-12s               %+" PRId64 " ms against this machine\n", "clock", c->clock_ms);
    fact("threads", c->threads);
    fact("compactions", c->compactions);
    fact("disk", c->disk);
    fact("hints", c->hints);
}

static void print_people(const ping_patient *p)
{
    printf("%s%s\n", p->target, p->announced ? " (announced by the cluster)" : "");
    for (size_t i = 0; i < PING_STEP_COUNT; i++)
        step_people(step_words[i], &p->raw.steps[i]);
    step_people("session", &p->session);
    step_people("query", &p->query);
    chart_people(&p->chart);
    fputc('\n', stdout);
}

static void step_json(const ping_patient *p, const char *name, const ping_step *s)
{
    if (!s->done)
        return;
    cJSON *line = tool_json_object("phase");
    tool_json_text(line, "target", p->target);
    tool_json_text(line, "phase", name);
    tool_json_bool(line, "ok", s->ok);
    tool_json_ms(line, "ms", s->us);
    tool_json_text(line, "text", s->text);
    tool_json_line(stdout, line);
}

static void chart_json(const ping_patient *p)
{
    const ping_chart *c = &p->chart;
    cJSON *line = tool_json_object("node");
    tool_json_text(line, "target", p->target);
    tool_json_text(line, "node", p->address);
    tool_json_bool(line, "announced", p->announced);
    tool_json_text(line, "cluster", c->cluster);
    tool_json_text(line, "release", c->release);
    tool_json_int(line, "protocol", p->protocol);
    tool_json_text(line, "compression", p->raw.compression);
    tool_json_text(line, "data_center", c->data_center);
    tool_json_text(line, "rack", c->rack);
    tool_json_text(line, "host_id", c->host_id);
    tool_json_int(line, "tokens", (int64_t)c->tokens);
    tool_json_text(line, "schema_version", c->schema_version);
    if (c->has_clock)
        tool_json_int(line, "clock_ms", c->clock_ms);
    tool_json_text(line, "threads", c->threads);
    tool_json_text(line, "compactions", c->compactions);
    tool_json_text(line, "disk", c->disk);
    tool_json_text(line, "hints", c->hints);
    tool_json_line(stdout, line);
}

void ping_doctor_print(const ping_doctor *d, const ping_patient *p)
{
    if (d->config->output != PING_JSON) {
        if (!d->config->quiet)
            print_people(p);
        fflush(stdout);
        return;
    }
    for (size_t i = 0; i < PING_STEP_COUNT; i++)
        step_json(p, step_fields[i], &p->raw.steps[i]);
    step_json(p, "session", &p->session);
    step_json(p, "query", &p->query);
    if (p->query.ok)
        chart_json(p);
}

void ping_doctor_say(const ping_doctor *d, bool problem, const char *node, const char *text,
                     const char *advice)
{
    if (d->config->output == PING_JSON) {
        cJSON *line = tool_json_object(problem ? "problem" : "remark");
        tool_json_text(line, "target", node);
        tool_json_text(line, "text", text);
        tool_json_text(line, "advice", advice);
        tool_json_line(stdout, line);
        return;
    }
    printf("%s: %s%s%s\n    %s\n", problem ? "problem" : "remark", node ? node : "", node ? ": " : "",
           text, advice);
}

void ping_doctor_close(const ping_doctor *d, int code)
{
    size_t fine = 0;
    for (size_t i = 0; i < d->count; i++)
        fine += d->patients[i].query.ok;
    if (d->config->output == PING_JSON) {
        cJSON *line = tool_json_object("verdict");
        tool_json_int(line, "nodes", (int64_t)d->count);
        tool_json_int(line, "fine", (int64_t)fine);
        tool_json_int(line, "problems", (int64_t)d->problems);
        tool_json_int(line, "remarks", (int64_t)d->remarks);
        tool_json_int(line, "exit", code);
        tool_json_line(stdout, line);
        return;
    }
    if (d->problems)
        printf("verdict: %zu problem%s; %zu of %zu nodes answer\n", d->problems,
               d->problems == 1 ? "" : "s", fine, d->count);
    else
        printf("verdict: healthy; %zu of %zu nodes answer\n", fine, d->count);
    fflush(stdout);
}
