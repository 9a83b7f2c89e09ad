/* The machine's frame: making and ending it, submitting, and turning envelopes into events. */
#include "conn/internal.h"

#include <stdarg.h>
#include <stdio.h>

enum { DUMP_BYTES = 64 };

/* What the header of a RESULT without flags is, but for its stream id and its length. */
static void set_result_head(cqln_conn *c)
{
    const uint8_t mask[8] = {0xff, 0xff, 0, 0, 0xff};
    const uint8_t head[8] = {c->version_byte, 0, 0, 0, CQLN_OP_RESULT};
    memcpy(&c->result_mask, mask, sizeof mask);
    memcpy(&c->result_head, head, sizeof head);
}

cql_status cqln_conn_new(const cqln_conn_config *config, cqln_conn **out)
{
    *out = NULL;
    cqln_conn *c = cqln_alloc_zero(config->al, sizeof *c);
    if (!c)
        return CQL_NO_MEMORY;
    c->config = *config;
    if (config->log)
        c->log = *config->log;
    c->version_byte = (uint8_t)(0x80 | config->version);
    set_result_head(c);
    c->max_body = config->max_body < INT32_MAX ? config->max_body : INT32_MAX;
    c->max_output = config->max_output;
    cqln_outbound_init(c);
    cql_status st = cqln_streams_init(&c->streams, config->al, config->max_streams);
    if (!st)
        st = cqln_inbound_init(c);
    if (st) {
        cqln_conn_free(c);
        return st;
    }
    *out = c;
    return CQL_OK;
}

void cqln_conn_free(cqln_conn *c)
{
    if (!c)
        return;
    const cql_allocator *al = c->config.al;
    cqln_exchange_end(c);
    cqln_outbound_fini(c);
    cqln_inbound_fini(c);
    cqln_streams_fini(&c->streams, al);
    cqln_free(al, c);
}

/* --- the end --------------------------------------------------------------------------------- */

static void die_text(cqln_conn *c, cql_status status, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void die_text(cqln_conn *c, cql_status status, const char *format, va_list args)
{
    if (c->state == CQLN_CONN_DEAD)
        return;
    c->state = CQLN_CONN_DEAD;
    c->fault.status = status;
    if (vsnprintf(c->fault.detail, sizeof c->fault.detail, format, args) < 0)
        c->fault.detail[0] = '\0';
}

void cqln_conn_die(cqln_conn *c, cql_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    die_text(c, status, format, args);
    va_end(args);
}

static void log_bytes(cqln_conn *c, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char hex[2 * DUMP_BYTES + 1];
    if (n > DUMP_BYTES)
        n = DUMP_BYTES;
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * n] = '\0';
    CQLN_LOG(&c->log, CQL_LOG_WARN, "connection closed: %s; bytes: %s", c->fault.detail, hex);
}

void cqln_conn_die_bytes(cqln_conn *c, cql_status status, const uint8_t *bytes, size_t n,
                         const char *format, ...)
{
    if (c->state == CQLN_CONN_DEAD)
        return;
    va_list args;
    va_start(args, format);
    die_text(c, status, format, args);
    va_end(args);
    if (c->phase != CQLN_PHASE_AUTH)
        log_bytes(c, bytes, n);
}

void cqln_conn_die_server(cqln_conn *c, const cqln_server_error *e, const char *what)
{
    char text[160];
    cqln_escape(text, sizeof text, e->message);
    cqln_conn_die(c, cqln_server_status(e->code), "%s: %s", what, text);
}

uint64_t cqln_conn_offset(const cqln_conn *c)
{
    return c->in.received - (uint64_t)(c->in.end - c->in.at);
}

void cqln_conn_transport_lost(cqln_conn *c, cql_status status, const char *reason)
{
    if (c->state == CQLN_CONN_DEAD || c->lost)
        return;
    char why[440];
    cqln_escape(why, sizeof why, cql_str_of(reason ? reason : cql_status_text(status)));
    if (c->state == CQLN_CONN_OPEN) {
        c->lost = true;
        c->fault.status = status;
        snprintf(c->fault.detail, sizeof c->fault.detail, "%s", why);
    } else if (c->in.received == 0 && c->phase == CQLN_PHASE_OPTIONS && status == CQL_CLOSED) {
        cqln_conn_die(c, status,
                      c->config.encrypted
                          ? "%s before any answer: it may not accept this client's certificate, or "
                            "not speak the CQL protocol on this port"
                          : "%s before any answer: the server may not speak the CQL protocol on this "
                            "port, or may expect TLS",
                      why);
    } else if (status == CQL_CONNECT_FAILED || c->phase == CQLN_PHASE_NEW) {
        cqln_conn_die(c, status, "%s", why);
    } else {
        cqln_conn_die(c, status, "%s while waiting for %s", why, cqln_handshake_waits_for(c));
    }
}

/* The transport is gone and every whole answer that had come was handed out. */
static bool end_of_input(cqln_conn *c)
{
    if (c->state == CQLN_CONN_DEAD)
        return false;
    char why[440];
    size_t have;
    size_t want;
    snprintf(why, sizeof why, "%.400s", c->fault.detail);
    if (!cqln_inbound_partial(c, &have, &want))
        cqln_conn_die(c, c->fault.status, "%s", why);
    else if (want)
        cqln_conn_die(c, c->fault.status,
                      "%s in the middle of an answer: truncated (%zu of %zu bytes)", why, have,
                      want);
    else
        cqln_conn_die(c, c->fault.status, "%s in the middle of an answer: truncated", why);
    return false;
}

/* --- events ---------------------------------------------------------------------------------- */

static bool closed_event(cqln_conn *c, cqln_conn_event *ev)
{
    if (c->close_told)
        return false;
    c->close_told = true;
    *ev = (cqln_conn_event){.kind = CQLN_CONN_EV_CLOSED};
    return true;
}

/* Envelopes that are no answer to a request: stream 0, the server's own, and nonsense. */
static CQLN_SLOW bool special_envelope(cqln_conn *c, cqln_conn_event *ev)
{
    if (ev->stream == CQLN_STREAM_EVENT && ev->opcode == CQLN_OP_EVENT) {
        ev->kind = CQLN_CONN_EV_PUSH;
        return c->config.event_kinds != 0; /* never asked for: passed over */
    }
    if (ev->stream == 0 && ev->opcode != CQLN_OP_EVENT) {
        cqln_heartbeat_answer(c, ev);
        return false;
    }
    if (ev->opcode == CQLN_OP_EVENT || ev->stream == CQLN_STREAM_EVENT)
        cqln_conn_die(c, CQL_UNEXPECTED, "the server sent %s on stream %d",
                      cqln_opcode_name(ev->opcode), ev->stream);
    else
        cqln_conn_die(c, CQL_UNEXPECTED,
                      "the server sent %s on stream %d, which no request waits on",
                      cqln_opcode_name(ev->opcode), ev->stream);
    return false;
}

static inline bool open_envelope(cqln_conn *c, cqln_conn_event *ev)
{
    ev->owner = NULL;
    if (CQLN_UNLIKELY(ev->stream <= 0 || ev->opcode == CQLN_OP_EVENT))
        return special_envelope(c, ev);
    switch (cqln_streams_release(&c->streams, (uint16_t)ev->stream, &ev->owner)) {
    case CQLN_STREAM_IS_TAKEN:
        ev->kind = CQLN_CONN_EV_RESPONSE;
        return true;
    case CQLN_STREAM_IS_ORPHAN:
        ev->kind = CQLN_CONN_EV_LATE;
        return true;
    case CQLN_STREAM_IS_FREE:
        break;
    }
    return special_envelope(c, ev);
}

static CQLN_SLOW bool next_slow(cqln_conn *c, cqln_conn_event *ev)
{
    cqln_rcbuf_unref(c->in.given);
    c->in.given = NULL;
    for (;;) {
        bool told;
        if (c->state == CQLN_CONN_DEAD)
            return closed_event(c, ev);
        else if (cqln_inbound_next(c, ev))
            told = c->state == CQLN_CONN_OPEN ? open_envelope(c, ev) : cqln_handshake_answer(c, ev);
        else if (c->state == CQLN_CONN_DEAD || c->lost)
            told = end_of_input(c);
        else
            return false;
        if (told)
            return true;
    }
}

bool cqln_conn_next(cqln_conn *c, cqln_conn_event *ev)
{
    if (CQLN_LIKELY(c->state == CQLN_CONN_OPEN && !c->in.given && cqln_inbound_quick(c, ev)) &&
        open_envelope(c, ev))
        return true;
    return next_slow(c, ev);
}

/* --- streams --------------------------------------------------------------------------------- */

void cqln_conn_orphan(cqln_conn *c, int16_t stream)
{
    cqln_streams_orphan(&c->streams, stream);
}

uint32_t cqln_conn_in_flight(const cqln_conn *c)
{
    return c->streams.in_flight;
}

const uint32_t *cqln_conn_in_flight_at(const cqln_conn *c)
{
    return &c->streams.in_flight;
}

void *cqln_conn_owner(const cqln_conn *c, int16_t stream)
{
    return cqln_streams_owner(&c->streams, stream);
}

uint32_t cqln_conn_orphans(const cqln_conn *c)
{
    return c->streams.orphans;
}

uint32_t cqln_conn_free_streams(const cqln_conn *c)
{
    return c->streams.max - c->streams.in_flight;
}

void *cqln_conn_take_owner(cqln_conn *c)
{
    return c->state == CQLN_CONN_DEAD ? cqln_streams_drain(&c->streams) : NULL;
}

uint64_t cqln_conn_heard_at(const cqln_conn *c)
{
    return c->read_at;
}

cqln_conn_state cqln_conn_state_of(const cqln_conn *c)
{
    return c->state;
}

uint8_t cqln_conn_version(const cqln_conn *c)
{
    return c->config.version;
}

bool cqln_conn_unasked(const cqln_conn *c)
{
    return c->unasked;
}

bool cqln_conn_compressed(const cqln_conn *c)
{
    return c->compressed;
}

const cqln_conn_fault *cqln_conn_fault_of(const cqln_conn *c)
{
    return &c->fault;
}
