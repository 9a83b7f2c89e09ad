/* The whole connection machine: the input is a program of steps of a server, a client and a clock.
 * Raw bytes hardly ever get through the checksums of v5, so some steps put theirs into good
 * segments.
 *
 *   byte 0  bit 0 v5, 1 lz4, 2 log-in, 3 events, 4 keyspace, 5 heartbeat off
 *   byte 1  streams, byte 2 size of the read buffer (in 32 bytes)
 *   then steps: a byte for what, a byte for how much, and bytes where the step takes some
 *
 * A model beside the machine knows which requests are out: nobody gets an answer twice or one that
 * is not his, an id is not given out again before its answer came, the end is told once. */
#include "fuzz.h"

#include "conn/internal.h"

enum { STREAMS = 40, MOST_STEPS = 150 };

enum step {
    STEP_RAW,       /* bytes as they are */
    STEP_ENVELOPE,  /* bytes as the body of an answer to a request that waits */
    STEP_SLICES,    /* the same, cut over segments */
    STEP_SEGMENT,   /* bytes as the payload of a good segment */
    STEP_HANDSHAKE, /* the answer that the handshake waits for */
    STEP_SUBMIT,
    STEP_OUTPUT,
    STEP_TIME,
    STEP_ORPHAN,
    STEP_DEFLATED, /* as STEP_ENVELOPE, with its body as lz4 */
    STEP_LOST,
    STEP_KINDS
};

typedef struct slot {
    bool waits;
    bool orphan;
    unsigned answers;
} slot;

typedef struct world {
    const uint8_t *at;
    const uint8_t *end;
    cqln_conn *c;
    cqln_conn_config config;
    slot slots[STREAMS + 1];
    uint64_t now;
    unsigned closed;
    const uint8_t *out; /* handed out and not taken yet */
    size_t out_len;
    unsigned out_sum;
} world;

static const cqln_log no_log;

static uint8_t take(world *w)
{
    return w->at < w->end ? *w->at++ : 0;
}

static const uint8_t *take_bytes(world *w, size_t *n)
{
    if (*n > (size_t)(w->end - w->at))
        *n = (size_t)(w->end - w->at);
    const uint8_t *p = w->at;
    w->at += *n;
    return p;
}

static unsigned sum_of(const uint8_t *p, size_t n)
{
    unsigned s = 1;
    for (size_t i = 0; i < n; i++)
        s = s * 31 + p[i];
    return s;
}

/* --- what the machine tells ------------------------------------------------------------------ */

static void check_answer(world *w, const cqln_conn_event *ev)
{
    FUZZ_CHECK(ev->stream > 0 && (uint32_t)ev->stream <= w->config.max_streams);
    slot *s = &w->slots[ev->stream];
    FUZZ_CHECK(s->waits);
    if (ev->kind == CQLN_CONN_EV_LATE) {
        FUZZ_CHECK(s->orphan && !ev->owner);
    } else {
        FUZZ_CHECK(!s->orphan && ev->owner == s);
        FUZZ_CHECK(++s->answers == 1);
    }
    s->waits = false;
    if (ev->opcode == CQLN_CONN_UNREAD) {
        FUZZ_CHECK(ev->status == CQL_TOO_LARGE && ev->len > w->config.max_body);
        FUZZ_CHECK(!ev->body && !ev->block);
        return;
    }
    FUZZ_CHECK(ev->len <= w->config.max_body);
    if (ev->block)
        FUZZ_CHECK(ev->body == cqln_rcbuf_data(ev->block) && ev->len <= cqln_rcbuf_cap(ev->block));
    sum_of(ev->body, ev->len);
}

static void check_counts(const world *w)
{
    uint32_t in_flight = 0;
    uint32_t orphans = 0;
    for (int i = 1; i <= STREAMS; i++) {
        in_flight += w->slots[i].waits;
        orphans += w->slots[i].waits && w->slots[i].orphan;
    }
    FUZZ_CHECK(cqln_conn_in_flight(w->c) == in_flight);
    FUZZ_CHECK(cqln_conn_orphans(w->c) == orphans);
    FUZZ_CHECK(cqln_conn_free_streams(w->c) + in_flight == w->config.max_streams);
}

static void pull(world *w)
{
    cqln_conn_event ev;
    while (cqln_conn_next(w->c, &ev)) {
        FUZZ_CHECK(w->closed == 0);
        switch (ev.kind) {
        case CQLN_CONN_EV_READY:
            FUZZ_CHECK(cqln_conn_state_of(w->c) == CQLN_CONN_OPEN);
            break;
        case CQLN_CONN_EV_RESPONSE:
        case CQLN_CONN_EV_LATE:
            check_answer(w, &ev);
            break;
        case CQLN_CONN_EV_PUSH:
            FUZZ_CHECK(ev.stream == -1 && w->config.event_kinds);
            sum_of(ev.body, ev.len);
            break;
        case CQLN_CONN_EV_CLOSED:
            FUZZ_CHECK(cqln_conn_state_of(w->c) == CQLN_CONN_DEAD);
            FUZZ_CHECK(cqln_conn_fault_of(w->c)->status != CQL_OK);
            FUZZ_CHECK(strlen(cqln_conn_fault_of(w->c)->detail) > 0);
            w->closed++;
            break;
        }
    }
    check_counts(w);
}

/* --- the server ------------------------------------------------------------------------------ */

static void feed(world *w, const uint8_t *p, size_t n)
{
    while (n > 0 && !w->closed) {
        uint8_t *to;
        size_t cap;
        cqln_conn_space(w->c, &to, &cap);
        if (cap == 0)
            break; /* dead, and not told yet */
        size_t part = n < cap ? n : cap;
        memcpy(to, p, part);
        cqln_conn_commit(w->c, part, w->now);
        p += part;
        n -= part;
        pull(w);
    }
    pull(w);
}

static void feed_segment(world *w, const uint8_t *p, size_t n, bool self_contained)
{
    uint8_t header[CQLN_SEGMENT_HEADER_LZ4];
    uint8_t trailer[CQLN_SEGMENT_TRAILER];
    bool lz4 = cqln_conn_compressed(w->c);
    uint8_t *small = NULL;
    size_t packed = 0;
    if (n > CQLN_SEGMENT_MAX)
        n = CQLN_SEGMENT_MAX;
    if (lz4 && n > 1) {
        small = fuzz_block(n);
        packed = cqln_lz4_compress(p, n, small, n - 1);
    }
    const uint8_t *payload = packed ? small : p;
    size_t len = packed ? packed : n;
    cqln_segment_encode(header, lz4, (uint32_t)len, packed ? (uint32_t)n : 0, self_contained);
    cqln_segment_trailer(payload, (uint32_t)len, trailer);
    feed(w, header, lz4 ? CQLN_SEGMENT_HEADER_LZ4 : CQLN_SEGMENT_HEADER);
    feed(w, payload, len);
    feed(w, trailer, sizeof trailer);
    free(small);
}

/* An envelope in the framing of the moment; slice 0: whole. */
static void feed_envelope(world *w, uint8_t flags, int16_t stream, uint8_t opcode,
                          const uint8_t *body, size_t n, size_t slice)
{
    uint8_t *e = fuzz_block(9 + n);
    e[0] = (uint8_t)(0x80 | w->config.version);
    e[1] = flags;
    cqln_store_u16(e + 2, (uint16_t)stream);
    e[4] = opcode;
    cqln_store_u32(e + 5, (uint32_t)n);
    if (n)
        memcpy(e + 9, body, n);
    if (!w->c->in.framed)
        feed(w, e, 9 + n);
    else if (slice == 0)
        feed_segment(w, e, 9 + n, true);
    for (size_t at = 0; w->c->in.framed && slice > 0 && at < 9 + n; at += slice)
        feed_segment(w, e + at, 9 + n - at < slice ? 9 + n - at : slice, false);
    free(e);
}

/* Small, medium, and rarely more than a segment. */
static size_t size_of(uint8_t how)
{
    if (how < 0x80)
        return how;
    return how < 0xf8 ? (size_t)(how & 0x7f) * 100 : (size_t)(how & 0x7f) * 1200;
}

static int16_t waiting_stream(const world *w, uint8_t pick)
{
    for (unsigned i = 0; i < STREAMS; i++) {
        unsigned id = 1 + (pick + i) % STREAMS;
        if (w->slots[id].waits)
            return (int16_t)id;
    }
    return 0;
}

static void step_envelope(world *w, uint8_t how, enum step kind)
{
    size_t n = size_of(how);
    uint8_t opcode = take(w);
    int16_t stream = waiting_stream(w, take(w));
    size_t given = n;
    const uint8_t *bytes = take_bytes(w, &given);
    uint8_t *body = fuzz_block(n + 1);
    for (size_t i = 0; i < n; i++)
        body[i] = given ? bytes[i % given] : 0;
    if (kind == STEP_DEFLATED && cqln_conn_compressed(w->c) && n > 0) {
        size_t bound = 4 + cqln_lz4_bound(n);
        uint8_t *packed = fuzz_block(bound);
        cqln_store_u32(packed, (uint32_t)n);
        size_t len = 4 + cqln_lz4_compress(body, n, packed + 4, bound - 4);
        feed_envelope(w, CQLN_FLAG_COMPRESSION, stream, opcode, packed, len, 0);
        free(packed);
    } else {
        feed_envelope(w, 0, stream, opcode, body, n,
                      kind == STEP_SLICES ? (n < 1000 ? 1u + how % 61 : 20011) : 0);
    }
    free(body);
}

static void step_handshake(world *w)
{
    static const uint8_t supported[] = {0,   1,   0,   11,  'C', 'O', 'M', 'P', 'R', 'E', 'S',
                                        'S', 'I', 'O', 'N', 0,   1,   0,   3,   'l', 'z', '4'};
    static const char authenticator[] = "\0\057org.apache.cassandra.auth.PasswordAuthenticator";
    static const uint8_t set_keyspace[] = {0, 0, 0, 3, 0, 1, 'k'};
    const uint8_t *login = (const uint8_t *)authenticator;
    switch (w->c->phase) {
    case CQLN_PHASE_OPTIONS:
        feed_envelope(w, 0, 0, CQLN_OP_SUPPORTED, supported, sizeof supported, 0);
        break;
    case CQLN_PHASE_STARTUP:
        if (w->config.user)
            feed_envelope(w, 0, 0, CQLN_OP_AUTHENTICATE, login, sizeof authenticator - 1, 0);
        else
            feed_envelope(w, 0, 0, CQLN_OP_READY, NULL, 0, 0);
        break;
    case CQLN_PHASE_AUTH:
        feed_envelope(w, 0, 0, CQLN_OP_AUTH_SUCCESS, (const uint8_t *)"\xff\xff\xff\xff", 4, 0);
        break;
    case CQLN_PHASE_REGISTER:
        feed_envelope(w, 0, 0, CQLN_OP_READY, NULL, 0, 0);
        break;
    case CQLN_PHASE_USE:
        feed_envelope(w, 0, 0, CQLN_OP_RESULT, set_keyspace, sizeof set_keyspace, 0);
        break;
    case CQLN_PHASE_NEW:
    case CQLN_PHASE_DONE:
        feed_envelope(w, 0, 0, CQLN_OP_SUPPORTED, supported, sizeof supported, 0); /* heartbeat */
        break;
    }
}

/* --- the client ------------------------------------------------------------------------------ */

static void step_submit(world *w, uint8_t how)
{
    size_t len = 9 + size_of(how);
    uint8_t *e = calloc(1, len);
    int16_t stream = -5;
    FUZZ_CHECK(e);
    e[0] = w->config.version;
    e[4] = CQLN_OP_QUERY;
    cqln_store_u32(e + 5, (uint32_t)(len - 9));
    /* The owner is the place in the model, which is known only afterwards. */
    uint16_t next = w->c->streams.top ? w->c->streams.top : (uint16_t)(w->c->streams.fresh + 1);
    slot *s = &w->slots[next <= STREAMS ? next : 0];
    cql_status st = cqln_conn_submit(w->c, e, len, s, &stream);
    free(e);
    if (st != CQL_OK) {
        FUZZ_CHECK(st == CQL_BAD_STATE || st == CQL_NO_STREAM || st == CQL_WOULD_BLOCK);
        return;
    }
    FUZZ_CHECK(stream == next && stream > 0 && (uint32_t)stream <= w->config.max_streams);
    FUZZ_CHECK(!s->waits);
    *s = (slot){.waits = true};
}

static void step_output(world *w, uint8_t how)
{
    const uint8_t *p;
    size_t n;
    if (!cqln_conn_output(w->c, &p, &n)) {
        FUZZ_CHECK(!cqln_conn_has_output(w->c));
        w->out = NULL;
        return;
    }
    FUZZ_CHECK(n > 0);
    if (w->out)
        FUZZ_CHECK(p == w->out && n == w->out_len && sum_of(p, n) == w->out_sum);
    size_t part = how & 0x80 ? n : 1 + (size_t)how % n;
    cqln_conn_sent(w->c, part);
    w->out = part < n ? p + part : NULL;
    w->out_len = n - part;
    w->out_sum = w->out ? sum_of(w->out, w->out_len) : 0;
}

static void step_time(world *w, uint8_t how)
{
    uint64_t due = cqln_conn_deadline(w->c);
    w->now += (uint64_t)how * 7;
    if (how & 1 && due != UINT64_MAX && due > w->now)
        w->now = due;
    cqln_conn_tick(w->c, w->now);
    due = cqln_conn_deadline(w->c);
    FUZZ_CHECK(due > w->now || cqln_conn_state_of(w->c) == CQLN_CONN_DEAD);
}

static void step_orphan(world *w, uint8_t how)
{
    int16_t stream = waiting_stream(w, how);
    if (stream == 0 || w->slots[stream].orphan)
        return;
    cqln_conn_orphan(w->c, stream);
    w->slots[stream].orphan = true;
}

/* --- the program ----------------------------------------------------------------------------- */

static void set_up(world *w)
{
    uint8_t bits = take(w);
    w->config = (cqln_conn_config){
        .al = cqln_alloc_default(),
        .log = &no_log,
        .version = bits & 1 ? 5 : 4,
        .lz4 = bits & 2,
        .user = bits & 4 ? "user" : NULL,
        .password = "secret",
        .auth_allowed = true,
        .event_kinds = bits & 8 ? 7 : 0,
        .keyspace = {"k", bits & 16 ? 1 : 0},
        .max_streams = 1u + take(w) % STREAMS,
        .read_buffer = (size_t)take(w) * 32,
        .max_body = 100000,
        .max_output = 400000,
        .heartbeat_ms = bits & 32 ? 0 : 1000,
        .heartbeat_timeout_ms = 500,
    };
    FUZZ_CHECK(cqln_conn_new(&w->config, &w->c) == CQL_OK);
    cqln_conn_start(w->c, w->now);
}

static void one_step(world *w)
{
    enum step kind = take(w) % STEP_KINDS;
    uint8_t how = take(w);
    size_t n = how;
    const uint8_t *p;
    switch (kind) {
    case STEP_RAW:
        p = take_bytes(w, &n);
        feed(w, p, n);
        break;
    case STEP_ENVELOPE:
    case STEP_SLICES:
    case STEP_DEFLATED:
        step_envelope(w, how, kind);
        break;
    case STEP_SEGMENT:
        p = take_bytes(w, &n);
        feed_segment(w, p, n, how & 1);
        break;
    case STEP_HANDSHAKE:
        step_handshake(w);
        break;
    case STEP_SUBMIT:
        step_submit(w, how);
        break;
    case STEP_OUTPUT:
        step_output(w, how);
        break;
    case STEP_TIME:
        step_time(w, how);
        break;
    case STEP_ORPHAN:
        step_orphan(w, how);
        break;
    case STEP_LOST:
        if (how > 200)
            cqln_conn_transport_lost(w->c, CQL_CLOSED, how & 1 ? "lost" : NULL);
        break;
    case STEP_KINDS:
        break;
    }
    pull(w);
}

static void wind_up(world *w)
{
    slot *s;
    cqln_conn_transport_lost(w->c, CQL_CLOSED, "the input ended");
    pull(w);
    FUZZ_CHECK(w->closed == 1);
    while ((s = cqln_conn_take_owner(w->c)) != NULL) {
        FUZZ_CHECK(s->waits && !s->orphan);
        s->waits = false;
        FUZZ_CHECK(++s->answers == 1);
    }
    for (int i = 1; i <= STREAMS; i++)
        FUZZ_CHECK(!w->slots[i].waits || w->slots[i].orphan);
    FUZZ_CHECK(cqln_conn_in_flight(w->c) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world w = {.at = data, .end = data + size, .now = 1};
    set_up(&w);
    for (int i = 0; i < MOST_STEPS && w.at < w.end && !w.closed; i++)
        one_step(&w);
    wind_up(&w);
    cqln_conn_free(w.c);
    return 0;
}
