/* From findings to words: what is wrong, and what to do. */
#include "common/memory.h"
#include "ping/doctor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_LIMIT_MS 1000
#define DAYS_LIMIT     30 /* until a certificate expires */
#define BUSY_LIMIT     20 /* compactions at once */

static void say(ping_doctor *d, bool problem, const ping_patient *p, char *text, const char *advice)
{
    if (problem)
        d->problems++;
    else
        d->remarks++;
    ping_doctor_say(d, problem, p ? p->target : NULL, text, advice);
    free(text);
}

static void unreached(ping_doctor *d, const ping_patient *p)
{
    const ping_step *steps = p->raw.steps;
    const char *whose = p->announced ? "the cluster announces this node, but it" : "it";
    if (!steps[PING_STEP_RESOLVE].ok)
        say(d, true, p, tool_format("the name has no address: %s", steps[PING_STEP_RESOLVE].text),
            "check the spelling and the name service");
    else if (strcmp(steps[PING_STEP_TCP].text, "Connection refused") == 0)
        say(d, true, p, tool_format("%s refuses connections", whose),
            "is Cassandra running there, is the port right, does rpc_address (or "
            "broadcast_rpc_address) name an address that this machine reaches?");
    else
        say(d, true, p,
            tool_format("%s cannot be reached from here: %s", whose, steps[PING_STEP_TCP].text),
            "look for a firewall or a missing route; inside another network set "
            "broadcast_rpc_address");
}

static void no_protocol(ping_doctor *d, const ping_patient *p)
{
    const ping_step *s = &p->raw.steps[PING_STEP_OPTIONS];
    say(d, true, p, tool_format("TCP is fine, but it does not speak the protocol: %s", s->text),
        "is it the native port (native_transport_port, 9042 by default; 7000 is for nodes, 7199 for "
        "JMX), and does it want TLS?");
}

static const char *advice_on_bundle(const ping_patient *p)
{
    if (p->failure == TOOL_EXIT_USAGE)
        return "the bundle has to be the zip file as it was downloaded, readable by its owner alone; download it again";
    if (p->failure == TOOL_EXIT_DENIED)
        return "check --user and the password (the word token, and the token); when a certificate is refused, "
               "download the bundle again";
    return p->bundle ? "is the database paused, or a firewall in the way? one that was moved has another bundle"
                     : "the proxy does not reach it: it is down, or was replaced; --verbose shows each attempt";
}

static void no_session(ping_doctor *d, const ping_patient *p)
{
    char *text = tool_format("no session: %s", p->session.text);
    if (p->by_proxy)
        say(d, true, p, text, advice_on_bundle(p));
    else if (p->failure == TOOL_EXIT_DENIED)
        say(d, true, p, text,
            "check --user and the password, and with TLS --tls-ca and --tls-name");
    else
        say(d, true, p, text, "its log (system.log) says more; --verbose shows each attempt");
}

/* The same for all nodes, so it is told once. */
static void look_at_own_certificate(ping_doctor *d)
{
    char date[PING_DATE_SIZE];
    size_t i = 0;
    while (i < d->count && !d->patients[i].own.not_after_s)
        i++;
    if (i == d->count)
        return;
    const ping_patient *p = &d->patients[i];
    int64_t left = ping_tls_days_left(&p->own);
    const char *advice = p->by_proxy ? "download the bundle again before then: without it nobody gets in"
                                     : "renew the file of tls_cert before then: servers that want one take no other";
    if (left >= DAYS_LIMIT)
        return;
    ping_tls_date(p->own.not_after_s, date);
    if (left < 0)
        say(d, true, NULL, tool_format("this side's certificate expired on %s", date), advice);
    else
        say(d, false, NULL,
            tool_format("this side's certificate (%s) expires on %s, in %" PRId64 " days", p->own.subject, date,
                        left),
            advice);
}

static void look_at_certificate(ping_doctor *d, const ping_patient *p)
{
    const cql_tls_facts *t = &p->tls;
    int64_t left = ping_tls_days_left(t);
    char date[PING_DATE_SIZE];
    if (!*t->node || (p->by_proxy && !p->bundle)) /* the proxy's, of which the bundle spoke */
        return;
    ping_tls_date(t->not_after_s, date);
    if (left < 0)
        say(d, true, p, tool_format("its certificate expired on %s", date),
            "renew it on the server: nobody who checks certificates can connect");
    else if (left < DAYS_LIMIT)
        say(d, false, p, tool_format("its certificate expires on %s, in %" PRId64 " days", date, left),
            "renew it on the server before then");
    if (!t->name_matches)
        say(d, false, p, tool_format("its certificate is not for \"%s\"", t->expected_name),
            "it names other hosts; --tls-name says which name the certificates have, and --tls demands it");
}

static void look_at_node(ping_doctor *d, const ping_patient *p)
{
    const ping_chart *c = &p->chart;
    if (!p->by_proxy && !p->raw.steps[PING_STEP_TCP].ok) {
        unreached(d, p);
        return;
    }
    if (!p->session.ok && p->raw.closed_early) {
        no_protocol(d, p);
        return;
    }
    if (!p->session.ok) {
        no_session(d, p);
        return;
    }
    look_at_certificate(d, p);
    if (p->bundle)
        return;
    if (!p->query.ok) {
        say(d, true, p, tool_format("the first query failed: %s", p->query.text),
            "the role may lack SELECT on the system tables, or the node is overloaded: see its log");
        return;
    }
    if (c->has_clock && (c->clock_ms > CLOCK_LIMIT_MS || c->clock_ms < -CLOCK_LIMIT_MS))
        say(d, true, p, tool_format("its clock is %+" PRId64 " ms off this machine's", c->clock_ms),
            "keep all clocks in step (chrony, ntpd): write times decide which value wins");
    if (c->withheld)
        say(d, false, p, tool_copy("this role may not read all that it says of itself"),
            "GRANT SELECT ON KEYSPACE system_views TO the role, or what is left out above is not looked at");
    if (c->blocked)
        say(d, false, p, tool_format("%" PRIu64 " tasks are blocked in its thread pools", c->blocked),
            "it takes less than it is given: slow down, or look at disk and compactions");
    if (c->pending_compactions > BUSY_LIMIT)
        say(d, false, p, tool_format("%" PRIu64 " compactions run at once", c->pending_compactions),
            "reads slow down until they are done; see nodetool compactionstats");
    if (c->hints)
        say(d, false, p, tool_format("hints are %s", c->hints),
            "those nodes were away; after longer than max_hint_window run nodetool repair");
}

/* What must be the same on all nodes that answered. */
static void compare(ping_doctor *d)
{
    const ping_patient *first = NULL;
    bool schema = false, release = false, cluster = false;
    for (size_t i = 0; i < d->count; i++) {
        const ping_patient *p = &d->patients[i];
        if (!p->query.ok || !p->chart.schema_version || !p->chart.release || !p->chart.cluster)
            continue;
        first = first ? first : p;
        cluster = cluster || strcmp(first->chart.cluster, p->chart.cluster) != 0;
        release = release || strcmp(first->chart.release, p->chart.release) != 0;
        schema = schema || strcmp(first->chart.schema_version, p->chart.schema_version) != 0;
    }
    if (cluster) {
        say(d, true, NULL, tool_copy("the nodes belong to different clusters"),
            "a session takes one of them: name nodes of one cluster only");
        return;
    }
    if (schema)
        say(d, true, NULL, tool_copy("the nodes do not agree on the schema"),
            "wait a little and look again; if it stays, nodetool describecluster names the node that "
            "has to be restarted");
    if (release)
        say(d, false, NULL, tool_copy("the nodes run different releases"),
            "fine during an upgrade; do not change the schema until it is done");
}

int ping_verdict(ping_doctor *d)
{
    size_t fine = 0, denied = 0;
    for (size_t i = 0; i < d->count; i++) {
        look_at_node(d, &d->patients[i]);
        fine += d->patients[i].query.ok;
        denied += d->patients[i].failure == TOOL_EXIT_DENIED;
    }
    look_at_own_certificate(d);
    compare(d);
    if (!fine && d->count && d->patients[0].bundle && d->patients[0].failure)
        return (int)d->patients[0].failure;
    if (!fine)
        return denied ? TOOL_EXIT_DENIED : TOOL_EXIT_UNREACHED;
    return d->problems ? TOOL_EXIT_FAILED : TOOL_EXIT_OK;
}
