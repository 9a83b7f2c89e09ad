/* The heartbeat: OPTIONS when nothing came for a while, the end when nothing comes then either.
 * Only what comes in counts: a dead peer's socket takes writes for a long time. Nothing on a connection that owes
 * an answer is no calm: then a while is as long as the answer to a heartbeat may take. */
#include "conn/internal.h"

/* A tick this much after its time: the program was late, not the server. Its answer may be waiting
 * in the socket, so the verdict is put off once by as much as it takes to read it. */
enum { LATE_MS = 100, GRACE_MS = 100 };

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t verdict_at(const cqln_conn *c)
{
    uint64_t from = c->probe_at > c->alive_at ? c->probe_at : c->alive_at;
    return plus(from, c->config.heartbeat_timeout_ms);
}

static uint64_t probe_due(const cqln_conn *c)
{
    uint32_t calm = c->config.heartbeat_ms, timeout = c->config.heartbeat_timeout_ms;
    return plus(c->alive_at, c->unanswered_at > c->alive_at && timeout < calm ? timeout : calm);
}

uint64_t cqln_conn_deadline(const cqln_conn *c)
{
    if (c->state != CQLN_CONN_OPEN || c->lost || c->config.heartbeat_ms == 0)
        return UINT64_MAX;
    return c->probing ? verdict_at(c) : probe_due(c);
}

bool cqln_conn_unanswered(cqln_conn *c, uint64_t now)
{
    bool first = c->unanswered_at <= c->alive_at && now > c->alive_at;
    if (first)
        c->unanswered_at = now;
    return first;
}

static void probe(cqln_conn *c, uint64_t now)
{
    cqln_writer wr;
    cqln_writer_init(&wr, c->config.al, INT32_MAX);
    cql_status st = cqln_encode_options(&wr, c->config.version);
    if (!st)
        st = cqln_outbound_put(c, wr.data, wr.len, 0, false);
    cqln_writer_fini(&wr);
    if (st) {
        cqln_conn_die(c, st, "cannot send a heartbeat: %s", cql_status_text(st));
        return;
    }
    c->probing = true;
    c->probe_grace = false;
    c->probe_at = now;
    c->trim = true;
}

static void verdict(cqln_conn *c, uint64_t now)
{
    uint64_t timeout = c->config.heartbeat_timeout_ms;
    if (!c->probe_grace && now - verdict_at(c) > LATE_MS) {
        c->probe_grace = true;
        c->probe_at = now - (timeout > GRACE_MS ? timeout - GRACE_MS : 0);
        return;
    }
    cqln_conn_die(c, CQL_TIMEOUT, "no answer to a heartbeat within %llu ms (%u requests in flight)",
                  (unsigned long long)timeout, c->streams.in_flight);
}

void cqln_conn_tick(cqln_conn *c, uint64_t now)
{
    uint64_t due = cqln_conn_deadline(c);
    if (due == UINT64_MAX || now < due)
        return;
    if (c->probing)
        verdict(c, now);
    else
        probe(c, now);
}

/* An ERROR on stream 0: of the heartbeat, or about the connection as a whole. */
static void on_error(cqln_conn *c, const cqln_conn_event *ev)
{
    cqln_reader rd;
    cqln_prefix prefix;
    cqln_server_error e;
    cqln_reader_init(&rd, ev->body, ev->len);
    if (cqln_decode_prefix(&rd, ev->flags, &prefix) ||
        cqln_decode_error(&rd, c->config.version, &e)) {
        cqln_conn_die(c, CQL_MALFORMED, "malformed ERROR on stream 0");
        return;
    }
    if (!c->probing || e.code == (uint32_t)CQL_SERVER_CODE(CQL_SERVER_PROTOCOL_ERROR))
        cqln_conn_die_server(c, &e, "the server reported an error of the connection");
    c->probing = false;
}

void cqln_heartbeat_answer(cqln_conn *c, const cqln_conn_event *ev)
{
    if (ev->opcode == CQLN_OP_ERROR) {
        on_error(c, ev);
    } else if (c->probing) {
        c->probing = false;
    } else {
        cqln_conn_die(c, CQL_UNEXPECTED, "the server sent %s on stream 0, which nothing waits on",
                      cqln_opcode_name(ev->opcode));
    }
}
