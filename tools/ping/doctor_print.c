/* The doctor's lines: for people a block for each node and the verdict below, or JSON lines. */
#include "common/escape.h"
#include "common/json.h"
#include "ping/doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

void ping_tls_date(int64_t unix_s, char out[PING_DATE_SIZE])
{
    time_t t = (time_t)unix_s;
    struct tm parts;
    if ((int64_t)t != unix_s || !gmtime_r(&t, &parts) || strftime(out, PING_DATE_SIZE, "%Y-%m-%d", &parts) == 0)
        snprintf(out, PING_DATE_SIZE, "?");
}

int64_t ping_tls_days_left(const cql_tls_facts *t)
{
    int64_t left = t->not_after_s - (int64_t)time(NULL);
    return left < 0 ? -1 : left / 86400;
}

static const char *const step_words[] = {"resolve", "TCP", "OPTIONS", "STARTUP"};
static const char *const step_fields[] = {"resolve", "tcp", "options", "startup"};

static void step_people(const char *word, const ping_step *s)
{
    if (!s->done)
        return;
    printf("  %-12s %9.3f ms  %s%s\n", word, (double)s->us / 1000, s->ok ? "" : "FAILED: ", s->text);
}

/* What is looked at from outside, where nothing can be: "" else. */
static const char *no_step(const ping_patient *p)
{
    return p->bundle     ? "not applicable here: the session asks the bundle's metadata service, then its proxy"
           : p->by_proxy ? "not applicable here: the bundle's proxy is dialled, and finds the node by its host id"
                         : "";
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

static void tls_people(const cql_tls_facts *t)
{
    char until[PING_DATE_SIZE];
    if (!*t->node)
        return;
    printf("  %-12s               %s, %s\n", "TLS", t->version, t->cipher);
    ping_tls_date(t->not_after_s, until);
    printf("  %-12s               %s by %s, expires %s (in %" PRId64 " days)\n", "certificate", t->subject,
           t->issuer, until, ping_tls_days_left(t));
    printf("  %-12s               %s \"%s\"%s; it is for %s\n", "name",
           t->name_matches ? "matches" : "DIFFERS from", t->expected_name,
           t->name_verified ? "" : " (not demanded)", *t->names ? t->names : "no host");
    if (!t->chain_verified)
        fact("", "its authority is not checked");
}

static void own_people(const cql_tls_facts *own)
{
    char until[PING_DATE_SIZE];
    if (!own->not_after_s)
        return;
    ping_tls_date(own->not_after_s, until);
    printf("  %-12s               %s by %s, expires %s (in %" PRId64 " days)\n", "own cert", own->subject,
           own->issuer, until, ping_tls_days_left(own));
}

static void print_people(const ping_patient *p)
{
    printf("%s%s\n", p->target, p->announced ? " (announced by the cluster)" : "");
    for (size_t i = 0; i < PING_STEP_COUNT; i++)
        if (p->by_proxy)
            printf("  %-12s         -     %s\n", step_words[i], no_step(p));
        else
            step_people(step_words[i], &p->raw.steps[i]);
    step_people("session", &p->session);
    step_people("query", &p->query);
    tls_people(&p->tls);
    own_people(&p->own);
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

static void no_step_json(const ping_patient *p, const char *name)
{
    cJSON *line = tool_json_object("phase");
    tool_json_text(line, "target", p->target);
    tool_json_text(line, "phase", name);
    tool_json_text(line, "ok", NULL);
    tool_json_text(line, "ms", NULL);
    tool_json_text(line, "text", no_step(p));
    tool_json_line(stdout, line);
}

static void tls_json(const ping_patient *p)
{
    const cql_tls_facts *t = &p->tls;
    char date[PING_DATE_SIZE];
    if (!*t->node)
        return;
    cJSON *line = tool_json_object("tls");
    tool_json_text(line, "target", p->target);
    tool_json_text(line, "version", t->version);
    tool_json_text(line, "cipher", t->cipher);
    tool_json_text(line, "subject", t->subject);
    tool_json_text(line, "issuer", t->issuer);
    tool_json_text(line, "names", t->names);
    ping_tls_date(t->not_before_s, date);
    tool_json_text(line, "not_before", date);
    ping_tls_date(t->not_after_s, date);
    tool_json_text(line, "not_after", date);
    tool_json_int(line, "days_left", ping_tls_days_left(t));
    tool_json_text(line, "expected_name", t->expected_name);
    tool_json_bool(line, "name_matches", t->name_matches);
    tool_json_bool(line, "name_verified", t->name_verified);
    tool_json_bool(line, "chain_verified", t->chain_verified);
    tool_json_bool(line, "resumed", t->resumed);
    if (p->own.not_after_s) {
        ping_tls_date(p->own.not_after_s, date);
        tool_json_text(line, "own_subject", p->own.subject);
        tool_json_text(line, "own_not_after", date);
        tool_json_int(line, "own_days_left", ping_tls_days_left(&p->own));
    }
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
        if (p->by_proxy)
            no_step_json(p, step_fields[i]);
        else
            step_json(p, step_fields[i], &p->raw.steps[i]);
    step_json(p, "session", &p->session);
    step_json(p, "query", &p->query);
    tls_json(p);
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
    size_t nodes = 0, fine = 0;
    for (size_t i = 0; i < d->count; i++) {
        nodes += !d->patients[i].bundle;
        fine += d->patients[i].query.ok;
    }
    if (d->config->output == PING_JSON) {
        cJSON *line = tool_json_object("verdict");
        tool_json_int(line, "nodes", (int64_t)nodes);
        tool_json_int(line, "fine", (int64_t)fine);
        tool_json_int(line, "problems", (int64_t)d->problems);
        tool_json_int(line, "remarks", (int64_t)d->remarks);
        tool_json_int(line, "exit", code);
        tool_json_line(stdout, line);
        return;
    }
    if (d->problems)
        printf("verdict: %zu problem%s; %zu of %zu nodes answer\n", d->problems,
               d->problems == 1 ? "" : "s", fine, nodes);
    else
        printf("verdict: healthy; %zu of %zu nodes answer\n", fine, nodes);
    fflush(stdout);
}
