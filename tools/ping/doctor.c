/* One node after the other, so that the times of one are not those of another. */
#include "ping/doctor.h"

#include "common/interrupt.h"
#include "common/memory.h"
#include "common/progress.h"
#include "ping/clock.h"

#include <stdlib.h>
#include <string.h>

/* A cluster may announce thousands; who has more looks at some of them. */
#define MOST_NODES 200

void ping_doctor_init(ping_doctor *d, const ping_config *config, ping_make_options make, void *user)
{
    memset(d, 0, sizeof *d);
    d->config = config;
    d->make = make;
    d->user = user;
}

void ping_doctor_add(ping_doctor *d, const char *host, bool announced)
{
    if (announced && d->count >= MOST_NODES)
        return;
    for (size_t i = 0; i < d->count; i++) {
        const ping_patient *p = &d->patients[i];
        if (strcmp(p->target, host) == 0 || (p->address && strcmp(p->address, host) == 0))
            return;
    }
    d->patients = tool_grow(d->patients, &d->capacity, d->count + 1, sizeof *d->patients);
    ping_patient *p = &d->patients[d->count++];
    memset(p, 0, sizeof *p);
    p->target = tool_copy(host);
    p->announced = announced;
}

void ping_doctor_add_bundle(ping_doctor *d, const char *name)
{
    if (d->count)
        return;
    ping_doctor_add(d, name, false);
    d->patients[0].bundle = true;
}

static void free_patient(ping_patient *p)
{
    ping_chart *c = &p->chart;
    char *texts[] = {c->cluster, c->release, c->data_center, c->rack,  c->host_id, c->schema_version,
                     c->threads, c->compactions, c->disk,    c->hints, p->target,  p->address,
                     p->session.text, p->query.text};
    for (size_t i = 0; i < CQL_COUNT(texts); i++)
        free(texts[i]);
    ping_raw_free(&p->raw);
}

void ping_doctor_free(ping_doctor *d)
{
    for (size_t i = 0; i < d->count; i++)
        free_patient(&d->patients[i]);
    free(d->patients);
    memset(d, 0, sizeof *d);
}

/* The reason of the one node that was tried, else the error's own text. */
static char *reason_of(const cql_error *err, bool several)
{
    const char *host, *reason;
    cql_status st;
    if (!several && cql_error_tried(err, 0, &host, &st, &reason) == CQL_OK && *reason)
        return tool_copy(reason);
    return tool_copy(cql_error_text(err));
}

static bool has_bundle(const cql_options *o)
{
    const char *bundle = cql_options_value(o, "secure_bundle");
    return bundle && *bundle;
}

/* Messages of a node that wants TLS cannot be looked at from outside. */
static bool is_encrypted(const cql_options *o)
{
    const char *mode = cql_options_value(o, "tls");
    return mode && *mode && strcmp(mode, "off") != 0;
}

/* "protocol v5, TLS verify-full, logged in as me" */
static char *session_text(const cql_options *o, int protocol)
{
    const char *tls = has_bundle(o) ? "of the bundle" : is_encrypted(o) ? cql_options_value(o, "tls") : NULL;
    const char *named = cql_options_value(o, "username");
    bool login = named && *named;
    return tool_format("protocol v%d%s%s%s%s", protocol, tls ? ", TLS " : "", tls ? tls : "",
                       login ? ", logged in as " : "", login ? named : "");
}

static void ask(ping_doctor *d, size_t index, cql_session *s)
{
    if (d->patients[index].bundle)
        ping_examine_bundle(d, s);
    else
        ping_examine(d, index, s);
    ping_patient *p = &d->patients[index]; /* the list has grown */
    p->tls.size = sizeof p->tls;
    (void)cql_session_tls_facts(s, p->address, &p->tls);
    p->own.size = sizeof p->own;
    (void)cql_session_tls_own(s, &p->own);
}

static void open_session(ping_doctor *d, size_t index, cql_options *o)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    ping_patient *p = &d->patients[index];
    uint64_t began = ping_now_us();
    cql_status st = cql_session_new(o, &s, &err);
    if (st == CQL_OK)
        st = cql_session_connect_wait(s, &err);
    p->session.done = true;
    p->session.ok = st == CQL_OK;
    p->session.us = ping_now_us() - began;
    if (st == CQL_OK) {
        p->protocol = cql_session_protocol_version(s);
        p->session.text = session_text(o, p->protocol);
        ask(d, index, s);
    } else {
        p->failure = err ? tool_exit_of_connect(err) : TOOL_EXIT_FAILED;
        p->session.text = err ? reason_of(err, p->bundle) : tool_copy(cql_status_text(st));
    }
    cql_error_unref(err);
    cql_session_free(s);
}

/* The steps before a session; false: there can be none. */
static bool look(ping_patient *p, const cql_options *o, uint32_t limit_ms)
{
    p->by_proxy = has_bundle(o);
    if (p->by_proxy)
        return true;
    const char *port = cql_options_value(o, "port");
    uint16_t number = (uint16_t)(port ? strtoul(port, NULL, 10) : 9042);
    if (is_encrypted(o))
        ping_raw_reach(&p->raw, p->target, number, limit_ms);
    else
        ping_raw_probe(&p->raw, p->target, number, limit_ms);
    return p->raw.steps[PING_STEP_TCP].ok;
}

static void examine(ping_doctor *d, size_t index)
{
    ping_patient *p = &d->patients[index];
    cql_options *o = d->make(d->user, p->target);
    if (!o)
        return;
    tool_progress("examining %s", p->target);
    if (look(p, o, (uint32_t)d->config->answer_ms))
        open_session(d, index, o);
    tool_progress_clear();
    cql_options_free(o);
}

int ping_doctor_run(ping_doctor *d)
{
    tool_catch_interrupts();
    for (size_t i = 0; i < d->count && !tool_interrupted(); i++) { /* the list grows meanwhile */
        examine(d, i);
        ping_doctor_print(d, &d->patients[i]);
    }
    int code = ping_verdict(d);
    ping_doctor_close(d, code);
    return code;
}
