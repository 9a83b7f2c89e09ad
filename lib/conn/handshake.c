/* The handshake: one request at a time, all on stream 0.
 *
 *   OPTIONS -> SUPPORTED -> STARTUP -> READY ---------------------+-> [REGISTER] -> [USE] -> open
 *                                   -> AUTHENTICATE -> (login.c) -+
 *
 * On v5 everything behind READY or AUTHENTICATE is in segments, both ways. */
#include "conn/internal.h"

#include <stdio.h>

/* --- sending --------------------------------------------------------------------------------- */

void cqln_handshake_send(cqln_conn *c, cqln_writer *wr, bool secret)
{
    cql_status st = wr->status;
    if (!st)
        st = cqln_outbound_put(c, wr->data, wr->len, 0, secret);
    if (secret)
        cqln_wipe(wr->data, wr->cap);
    cqln_writer_fini(wr);
    if (st)
        cqln_conn_die(c, st, "cannot send the request before %s: %s", cqln_handshake_waits_for(c),
                      cql_status_text(st));
}

static void send_options(cqln_conn *c)
{
    cqln_writer wr;
    cqln_writer_init(&wr, c->config.al, INT32_MAX);
    cqln_encode_options(&wr, c->config.version);
    cqln_handshake_send(c, &wr, false);
}

static void send_startup(cqln_conn *c)
{
    cqln_writer wr;
    cqln_writer_init(&wr, c->config.al, INT32_MAX);
    cqln_encode_startup(&wr, c->config.version, c->compressed ? "lz4" : NULL, c->config.driver_name,
                        c->config.driver_version);
    c->phase = CQLN_PHASE_STARTUP;
    cqln_handshake_send(c, &wr, false);
}

static void send_register(cqln_conn *c)
{
    cqln_writer wr;
    cqln_writer_init(&wr, c->config.al, INT32_MAX);
    cqln_encode_register(&wr, c->config.version, c->config.event_kinds);
    c->phase = CQLN_PHASE_REGISTER;
    cqln_handshake_send(c, &wr, false);
}

/* USE "keyspace", the name as a quoted identifier. */
static void send_use(cqln_conn *c)
{
    const cqln_query_options options = {.consistency = 1};
    cql_str name = c->config.keyspace;
    cqln_writer cql;
    cqln_writer wr;
    cqln_writer_init(&cql, c->config.al, INT32_MAX);
    cqln_writer_init(&wr, c->config.al, INT32_MAX);
    cqln_write_bytes(&cql, "USE \"", 5);
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            cqln_write_u8(&cql, '"');
        cqln_write_u8(&cql, (uint8_t)name.ptr[i]);
    }
    cqln_write_u8(&cql, '"');
    if (cql.status)
        wr.status = cql.status;
    else
        cqln_encode_query(&wr, c->config.version, (cql_str){(const char *)cql.data, cql.len},
                          &options, NULL);
    cqln_writer_fini(&cql);
    c->phase = CQLN_PHASE_USE;
    cqln_handshake_send(c, &wr, false);
}

void cqln_conn_start(cqln_conn *c, uint64_t now)
{
    if (c->phase != CQLN_PHASE_NEW)
        return;
    c->phase = CQLN_PHASE_OPTIONS;
    c->read_at = now;
    c->alive_at = now;
    send_options(c);
}

/* --- steps ----------------------------------------------------------------------------------- */

static bool ready(cqln_conn *c, cqln_conn_event *ev)
{
    c->phase = CQLN_PHASE_DONE;
    c->state = CQLN_CONN_OPEN;
    c->alive_at = c->read_at;
    *ev = (cqln_conn_event){.kind = CQLN_CONN_EV_READY, .version = c->config.version};
    return true;
}

static bool after_login(cqln_conn *c, cqln_conn_event *ev)
{
    if (c->config.event_kinds && c->phase < CQLN_PHASE_REGISTER)
        send_register(c);
    else if (c->config.keyspace.len && c->phase < CQLN_PHASE_USE)
        send_use(c);
    else
        return ready(c, ev);
    return false;
}

static bool malformed(cqln_conn *c, const char *what)
{
    cqln_conn_die(c, CQL_MALFORMED, "malformed %s as %s", what, cqln_handshake_waits_for(c));
    return false;
}

/* Lists the versions of a mask: "3, 4, 5". */
static void list_versions(char *out, size_t cap, unsigned mask)
{
    size_t at = 0;
    out[0] = '\0';
    for (unsigned v = 1; v < 32 && at + 8 < cap; v++) {
        if (mask >> v & 1)
            at += (size_t)snprintf(out + at, cap - at, at ? ", %u" : "%u", v);
    }
    if (at == 0)
        snprintf(out, cap, "none that is final");
}

static void version_not_offered(cqln_conn *c, unsigned mask)
{
    char list[64];
    list_versions(list, sizeof list, mask);
    for (unsigned v = 1; v < 32; v++) {
        if (mask >> v & 1)
            c->fault.server_version = (uint8_t)v;
    }
    cqln_conn_die(c, CQL_BAD_VERSION,
                  "the server does not offer protocol version %u; it offers: %s", c->config.version,
                  list);
}

static bool on_supported(cqln_conn *c, cqln_reader *rd)
{
    cqln_supported s;
    if (cqln_decode_supported(rd, &s))
        return malformed(c, "SUPPORTED");
    if (s.versions_known && !(s.versions >> c->config.version & 1)) {
        version_not_offered(c, s.versions);
        return false;
    }
    c->compressed = c->config.lz4 && s.lz4 && cqln_lz4_available();
    send_startup(c);
    return false;
}

/* Both answers to STARTUP that go on: from here segments on v5. */
static void switch_framing(cqln_conn *c)
{
    if (c->config.version < 5)
        return;
    c->in.framed = true;
    cqln_outbound_frame(c);
}

static bool on_ready(cqln_conn *c, cqln_conn_event *ev)
{
    if (c->phase == CQLN_PHASE_STARTUP) {
        switch_framing(c);
        c->unasked = c->config.user || c->config.authenticator;
    }
    return after_login(c, ev);
}

static bool on_authenticate(cqln_conn *c, cqln_reader *rd)
{
    cql_str class_name;
    if (cqln_decode_authenticate(rd, &class_name))
        return malformed(c, "AUTHENTICATE");
    switch_framing(c);
    c->phase = CQLN_PHASE_AUTH;
    cqln_login_begin(c, class_name);
    return false;
}

static bool on_auth_token(cqln_conn *c, cqln_reader *rd, cqln_conn_event *ev)
{
    cql_str token;
    if (cqln_decode_auth_token(rd, &token))
        return malformed(c, cqln_opcode_name(ev->opcode));
    if (ev->opcode == CQLN_OP_AUTH_SUCCESS) {
        cqln_login_success(c, token);
        return c->state != CQLN_CONN_DEAD && after_login(c, ev);
    }
    cqln_login_challenge(c, token);
    return false;
}

static bool on_used(cqln_conn *c, cqln_reader *rd, cqln_conn_event *ev)
{
    int32_t kind = cqln_read_i32(rd);
    if (rd->failed)
        return malformed(c, "RESULT");
    if (kind != CQLN_RESULT_SET_KEYSPACE) {
        cqln_conn_die(c, CQL_UNEXPECTED, "the server answered USE with a RESULT of kind %d",
                      (int)kind);
        return false;
    }
    return after_login(c, ev);
}

/* --- errors ---------------------------------------------------------------------------------- */

static void use_refused(cqln_conn *c, const cqln_server_error *e)
{
    char name[80];
    char what[128];
    cqln_escape(name, sizeof name, c->config.keyspace);
    snprintf(what, sizeof what, "cannot use keyspace \"%s\"", name);
    cqln_conn_die_server(c, e, what);
}

static void version_refused(cqln_conn *c, const cqln_server_error *e, uint8_t server_version)
{
    char text[160];
    cqln_escape(text, sizeof text, e->message);
    c->fault.server_version = server_version;
    cqln_conn_die(c, CQL_BAD_VERSION, "the server refused protocol version %u: %s",
                  c->config.version, text);
}

static bool on_error(cqln_conn *c, cqln_reader *rd, const cqln_conn_event *ev)
{
    cqln_server_error e;
    uint8_t server_version = 0;
    if (cqln_decode_error(rd, ev->version, &e))
        return malformed(c, "ERROR");
    switch (c->phase) {
    case CQLN_PHASE_NEW:
    case CQLN_PHASE_DONE:
    case CQLN_PHASE_OPTIONS:
    case CQLN_PHASE_STARTUP:
        if (cqln_refusal_of_version(&e, ev->version, c->config.version, &server_version))
            version_refused(c, &e, server_version);
        else
            cqln_conn_die_server(c, &e, "the server refused the connection");
        break;
    case CQLN_PHASE_AUTH:
        cqln_login_refused(c, &e);
        break;
    case CQLN_PHASE_REGISTER:
        cqln_conn_die_server(c, &e, "the server refused to send events");
        break;
    case CQLN_PHASE_USE:
        use_refused(c, &e);
        break;
    }
    return false;
}

/* --- dispatch -------------------------------------------------------------------------------- */

const char *cqln_handshake_waits_for(const cqln_conn *c)
{
    switch (c->phase) {
    case CQLN_PHASE_NEW:
    case CQLN_PHASE_OPTIONS:
        return "the answer to OPTIONS";
    case CQLN_PHASE_STARTUP:
        return "the answer to STARTUP";
    case CQLN_PHASE_AUTH:
        return "the answer to AUTH_RESPONSE";
    case CQLN_PHASE_REGISTER:
        return "the answer to REGISTER";
    case CQLN_PHASE_USE:
        return "the answer to USE";
    case CQLN_PHASE_DONE:
        break;
    }
    return "answers";
}

/* Bit per phase in which an opcode is an answer to what was sent. */
static bool expected(cqln_phase phase, uint8_t opcode)
{
    switch (opcode) {
    case CQLN_OP_ERROR:
        return true;
    case CQLN_OP_SUPPORTED:
        return phase == CQLN_PHASE_OPTIONS;
    case CQLN_OP_READY:
        return phase == CQLN_PHASE_STARTUP || phase == CQLN_PHASE_REGISTER;
    case CQLN_OP_AUTHENTICATE:
        return phase == CQLN_PHASE_STARTUP;
    case CQLN_OP_AUTH_CHALLENGE:
    case CQLN_OP_AUTH_SUCCESS:
        return phase == CQLN_PHASE_AUTH;
    case CQLN_OP_RESULT:
        return phase == CQLN_PHASE_USE;
    default:
        return false;
    }
}

static bool dispatch(cqln_conn *c, cqln_reader *rd, cqln_conn_event *ev)
{
    switch (ev->opcode) {
    case CQLN_OP_SUPPORTED:
        return on_supported(c, rd);
    case CQLN_OP_READY:
        return on_ready(c, ev);
    case CQLN_OP_AUTHENTICATE:
        return on_authenticate(c, rd);
    case CQLN_OP_AUTH_CHALLENGE:
    case CQLN_OP_AUTH_SUCCESS:
        return on_auth_token(c, rd, ev);
    case CQLN_OP_RESULT:
        return on_used(c, rd, ev);
    default:
        return on_error(c, rd, ev);
    }
}

bool cqln_handshake_answer(cqln_conn *c, cqln_conn_event *ev)
{
    /* Events may come once REGISTER arrived there. Whoever registers reads everything afterwards.
     */
    if (ev->stream == CQLN_STREAM_EVENT && ev->opcode == CQLN_OP_EVENT &&
        c->phase >= CQLN_PHASE_REGISTER)
        return false;
    if (ev->stream != 0) {
        cqln_conn_die(c, CQL_UNEXPECTED, "the server sent %s on stream %d as %s",
                      cqln_opcode_name(ev->opcode), ev->stream, cqln_handshake_waits_for(c));
        return false;
    }
    if (!expected(c->phase, ev->opcode)) {
        cqln_conn_die(c, CQL_UNEXPECTED, "the server sent %s as %s", cqln_opcode_name(ev->opcode),
                      cqln_handshake_waits_for(c));
        return false;
    }
    cqln_reader rd;
    cqln_prefix prefix;
    cqln_reader_init(&rd, ev->body, ev->len);
    if (cqln_decode_prefix(&rd, ev->flags, &prefix))
        return malformed(c, cqln_opcode_name(ev->opcode));
    return dispatch(c, &rd, ev);
}
