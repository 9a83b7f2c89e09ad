/* A connection between two byte arrays. */
#include "conn_help.h"

static const cqln_log no_log;

void wire_init(wire_end *w, uint8_t version)
{
    memset(w, 0, sizeof *w);
    w->config = (cqln_conn_config){
        .al = cqln_alloc_default(),
        .log = &no_log,
        .version = version,
        .auth_allowed = true,
        .driver_name = "test",
        .driver_version = "1",
        .max_streams = 64,
        .read_buffer = 4096,
        .max_body = 64 << 20,
        .max_output = 16 << 20,
        .heartbeat_ms = 30000,
        .heartbeat_timeout_ms = 10000,
    };
    w->now = 1000;
    cqln_writer_init(&w->say, cqln_alloc_default(), SIZE_MAX);
    cqln_writer_init(&w->heard, cqln_alloc_default(), SIZE_MAX);
    cqln_writer_init(&w->partial, cqln_alloc_default(), SIZE_MAX);
    cqln_writer_init(&w->slices, cqln_alloc_default(), SIZE_MAX);
}

void wire_fini(wire_end *w)
{
    cqln_conn_free(w->conn);
    cqln_writer_fini(&w->say);
    cqln_writer_fini(&w->heard);
    cqln_writer_fini(&w->partial);
    cqln_writer_fini(&w->slices);
}

void wire_start(wire_end *w)
{
    assert_int_equal(cqln_conn_new(&w->config, &w->conn), CQL_OK);
    cqln_conn_start(w->conn, w->now);
}

/* --- what the client writes ------------------------------------------------------------------ */

static void cut_front(cqln_writer *wr, size_t n)
{
    memmove(wr->data, wr->data + n, wr->len - n);
    wr->len -= n;
}

/* One envelope outside segments. False when it is not whole yet. */
static bool hear_raw(wire_end *w)
{
    if (w->partial.len < CQLN_FRAME_HEADER)
        return false;
    const uint8_t *p = w->partial.data;
    size_t n = CQLN_FRAME_HEADER + (size_t)cqln_load_u32(p + 5);
    if (w->partial.len < n)
        return false;
    if (p[1] & CQLN_FLAG_COMPRESSION) {
        size_t plain;
        assert_true(w->lz4);
        assert_int_equal(cqln_lz4_v4_length(p + 9, n - 9, 64 << 20, &plain), CQL_OK);
        assert_true(cqln_writer_reserve(&w->heard, plain + 9));
        uint8_t *out = w->heard.data + w->heard.len;
        memcpy(out, p, 9);
        out[1] &= (uint8_t)~CQLN_FLAG_COMPRESSION;
        cqln_store_u32(out + 5, (uint32_t)plain);
        assert_true(cqln_lz4_decompress(p + 13, n - 13, out + 9, plain));
        w->heard.len += plain + 9;
    } else {
        cqln_write_bytes(&w->heard, p, n);
    }
    cut_front(&w->partial, n);
    return true;
}

static void check_whole(const uint8_t *p, size_t n)
{
    size_t at = 0;
    while (at < n) {
        assert_true(n - at >= CQLN_FRAME_HEADER);
        at += CQLN_FRAME_HEADER + (size_t)cqln_load_u32(p + at + 5);
    }
    assert_int_equal(at, n);
}

/* Slices: the first holds the header of its envelope, the last nothing else, and there are at least
 * two (protocol section 3.3). */
static void hear_slice(wire_end *w, const uint8_t *p, size_t n)
{
    bool first = w->slices.len == 0;
    cqln_write_bytes(&w->slices, p, n);
    assert_true(w->slices.len >= CQLN_FRAME_HEADER);
    size_t whole = CQLN_FRAME_HEADER + (size_t)cqln_load_u32(w->slices.data + 5);
    assert_true(w->slices.len <= whole);
    if (w->slices.len < whole)
        return;
    assert_false(first);
    cqln_write_bytes(&w->heard, w->slices.data, whole);
    w->slices.len = 0;
}

static bool hear_segment(wire_end *w)
{
    size_t header = w->lz4 ? CQLN_SEGMENT_HEADER_LZ4 : CQLN_SEGMENT_HEADER;
    cqln_segment seg;
    if (w->partial.len < header)
        return false;
    const uint8_t *p = w->partial.data;
    assert_int_equal(cqln_segment_decode(p, w->lz4, &seg), CQL_OK);
    size_t n = header + seg.payload + CQLN_SEGMENT_TRAILER;
    if (w->partial.len < n)
        return false;
    p += header;
    assert_true(cqln_segment_trailer_ok(p, seg.payload, p + seg.payload));
    uint8_t *plain = malloc(seg.plain + 1);
    assert_non_null(plain);
    if (seg.compressed)
        assert_true(cqln_lz4_decompress(p, seg.payload, plain, seg.plain));
    else
        memcpy(plain, p, seg.plain);
    if (seg.self_contained) {
        assert_int_equal(w->slices.len, 0);
        check_whole(plain, seg.plain);
        cqln_write_bytes(&w->heard, plain, seg.plain);
    } else {
        hear_slice(w, plain, seg.plain);
    }
    free(plain);
    cut_front(&w->partial, n);
    return true;
}

void wire_listen(wire_end *w)
{
    const uint8_t *p;
    size_t n;
    while (cqln_conn_output(w->conn, &p, &n)) {
        w->writes++;
        w->wire_out += n;
        cqln_write_bytes(&w->partial, p, n);
        cqln_conn_sent(w->conn, n);
    }
    while (w->framed ? hear_segment(w) : hear_raw(w)) {
    }
}

heard_request wire_request(wire_end *w, uint8_t opcode)
{
    heard_request r;
    wire_listen(w);
    assert_true(w->heard.len - w->heard_at >= CQLN_FRAME_HEADER);
    const uint8_t *p = w->heard.data + w->heard_at;
    assert_int_equal(cqln_frame_decode(p, &r.frame), CQL_OK);
    assert_int_equal(r.frame.opcode, opcode);
    assert_int_equal(r.frame.version, w->config.version);
    assert_false(r.frame.response);
    r.body = p + CQLN_FRAME_HEADER;
    w->heard_at += CQLN_FRAME_HEADER + r.frame.length;
    assert_true(w->heard_at <= w->heard.len);
    return r;
}

bool wire_silent(wire_end *w)
{
    wire_listen(w);
    return w->heard_at == w->heard.len && w->partial.len == 0;
}

/* --- what the server writes ------------------------------------------------------------------ */

static bool pulled_the_end(wire_end *w)
{
    cqln_conn_event ev;
    if (!cqln_conn_next(w->conn, &ev))
        return false;
    assert_int_equal(ev.kind, CQLN_CONN_EV_CLOSED);
    w->closed_early = true;
    return true;
}

size_t wire_give(wire_end *w, const void *bytes, size_t n)
{
    uint8_t *to;
    size_t cap;
    cqln_conn_space(w->conn, &to, &cap);
    if (cqln_conn_state_of(w->conn) == CQLN_CONN_DEAD)
        return 0;
    assert_true(cap > 0);
    size_t part = n < cap ? n : cap;
    if (w->step && part > w->step)
        part = w->step;
    memcpy(to, bytes, part);
    cqln_conn_commit(w->conn, part, w->now);
    return part;
}

void wire_feed(wire_end *w, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    while (n > 0) {
        size_t part = wire_give(w, p, n);
        if (part == 0)
            return;
        p += part;
        n -= part;
        if (w->pull && n > 0 && pulled_the_end(w))
            return;
    }
}

void wire_say(wire_end *w)
{
    cqln_writer out;
    assert_int_equal(w->say.status, CQL_OK);
    cqln_writer_init(&out, cqln_alloc_default(), SIZE_MAX);
    if (w->framed)
        respond_frame(&out, w->say.data, w->say.len, w->lz4, 0);
    for (size_t at = 0; !w->framed && at < w->say.len;) {
        const uint8_t *p = w->say.data + at;
        size_t n = CQLN_FRAME_HEADER + (size_t)cqln_load_u32(p + 5);
        if (w->lz4 && !w->raw_bodies && w->config.version < 5)
            respond_deflated(&out, p, n);
        else
            cqln_write_bytes(&out, p, n);
        at += n;
    }
    assert_int_equal(out.status, CQL_OK);
    w->say.len = 0;
    wire_feed(w, out.data, out.len);
    cqln_writer_fini(&out);
}

/* --- events ---------------------------------------------------------------------------------- */

cqln_conn_event wire_event(wire_end *w, cqln_conn_event_kind kind)
{
    cqln_conn_event ev;
    bool any = cqln_conn_next(w->conn, &ev);
    if (!any || ev.kind != kind)
        print_message("fault: %d %s\n", cqln_conn_fault_of(w->conn)->status,
                      cqln_conn_fault_of(w->conn)->detail);
    assert_true(any);
    assert_int_equal(ev.kind, kind);
    return ev;
}

void wire_no_event(wire_end *w)
{
    cqln_conn_event ev;
    bool any = cqln_conn_next(w->conn, &ev);
    if (any)
        print_message("event %d; fault: %d %s\n", ev.kind, cqln_conn_fault_of(w->conn)->status,
                      cqln_conn_fault_of(w->conn)->detail);
    assert_false(any);
}

void wire_closed(wire_end *w, cql_status status, const char *words)
{
    cqln_conn_event ev;
    if (!w->closed_early)
        wire_event(w, CQLN_CONN_EV_CLOSED);
    const cqln_conn_fault *f = cqln_conn_fault_of(w->conn);
    if (f->status != status || !strstr(f->detail, words))
        print_message("fault: %d %s\n", f->status, f->detail);
    assert_int_equal(f->status, status);
    assert_non_null(strstr(f->detail, words));
    assert_int_equal(cqln_conn_state_of(w->conn), CQLN_CONN_DEAD);
    assert_false(cqln_conn_next(w->conn, &ev));
    assert_false(cqln_conn_has_output(w->conn));
    assert_int_equal(cqln_conn_deadline(w->conn), UINT64_MAX);
}

/* --- the usual handshake --------------------------------------------------------------------- */

static void answer_startup(wire_end *w)
{
    wire_request(w, CQLN_OP_STARTUP);
    w->lz4 = cqln_conn_compressed(w->conn);
    assert_int_equal(w->lz4, w->config.lz4 && w->server_lz4);
    if (!w->config.user) {
        respond_ready(&w->say, w->config.version, 0);
        wire_say(w);
        w->framed = w->config.version == 5;
        return;
    }
    respond_authenticate(&w->say, w->config.version, 0,
                         "org.apache.cassandra.auth.PasswordAuthenticator");
    wire_say(w);
    w->framed = w->config.version == 5;
    wire_no_event(w);
    wire_request(w, CQLN_OP_AUTH_RESPONSE);
    respond_auth_success(&w->say, w->config.version, 0, NULL);
    wire_say(w);
}

void wire_open(wire_end *w)
{
    wire_start(w);
    wire_request(w, CQLN_OP_OPTIONS);
    respond_supported(&w->say, w->config.version, 0, "3/v3,4/v4,5/v5,6/v6-beta",
                      w->server_lz4 ? "snappy,lz4" : "snappy");
    wire_say(w);
    wire_no_event(w);
    answer_startup(w);
    if (w->config.event_kinds) {
        wire_no_event(w);
        wire_request(w, CQLN_OP_REGISTER);
        respond_ready(&w->say, w->config.version, 0);
        wire_say(w);
    }
    if (w->config.keyspace.len) {
        wire_no_event(w);
        wire_request(w, CQLN_OP_QUERY);
        respond_set_keyspace(&w->say, w->config.version, 0, "ks");
        wire_say(w);
    }
    wire_event(w, CQLN_CONN_EV_READY);
    assert_int_equal(cqln_conn_state_of(w->conn), CQLN_CONN_OPEN);
    assert_true(wire_silent(w));
}

uint8_t *wire_query(const wire_end *w, size_t len)
{
    /* header 9, [long string] 4 + text, consistency 2, flags 1 or 4 */
    size_t around = 9 + 4 + 2 + (w->config.version == 5 ? 4u : 1u);
    const cqln_query_options o = {.consistency = 1};
    cqln_writer wr;
    assert_true(len >= around);
    char *text = malloc(len - around + 1);
    assert_non_null(text);
    for (size_t i = 0; i < len - around; i++)
        text[i] = (char)('a' + (i * 7 + i / 251) % 26);
    cqln_writer_init(&wr, cqln_alloc_default(), SIZE_MAX);
    assert_int_equal(
        cqln_encode_query(&wr, w->config.version, (cql_str){text, len - around}, &o, NULL), CQL_OK);
    assert_int_equal(wr.len, len);
    free(text);
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, wr.data, len);
    cqln_writer_fini(&wr);
    return copy;
}

int16_t wire_submit(wire_end *w, void *owner)
{
    int16_t stream;
    uint8_t *q = wire_query(w, 40);
    assert_int_equal(cqln_conn_submit(w->conn, q, 40, owner, &stream), CQL_OK);
    free(q);
    return stream;
}

/* --- handshakes that stop half-way ------------------------------------------------------------ */

void wire_with(wire_end *w, uint8_t version, int with)
{
    wire_init(w, version);
    w->config.lz4 = with & WITH_LZ4;
    w->server_lz4 = with & WITH_LZ4;
    if (with & WITH_AUTH) {
        w->config.user = "user";
        w->config.password = "secret";
    }
    if (with & WITH_EVENTS)
        w->config.event_kinds = CQLN_EVENT_SCHEMA | CQLN_EVENT_STATUS;
    if (with & WITH_KEYSPACE)
        w->config.keyspace = cql_str_of("ks");
}

void wire_to_phase(wire_end *w, int phase)
{
    uint8_t v = w->config.version;
    wire_start(w);
    if (phase > 0)
        respond_supported(&w->say, v, 0, "4/v4,5/v5", NULL);
    if (phase > 1)
        respond_authenticate(&w->say, v, 0, "org.apache.cassandra.auth.PasswordAuthenticator");
    wire_say(w);
    wire_no_event(w);
    w->framed = phase > 1 && v == 5;
    if (phase > 2)
        respond_auth_success(&w->say, v, 0, NULL);
    if (phase > 3)
        respond_ready(&w->say, v, 0);
    wire_say(w);
    wire_no_event(w);
}

const char *const wire_phase_words[] = {"the answer to OPTIONS", "the answer to STARTUP",
                                        "the answer to AUTH_RESPONSE", "the answer to REGISTER",
                                        "the answer to USE"};

void wire_ask_for_password(wire_end *w, const char *class_name)
{
    wire_start(w);
    respond_supported(&w->say, w->config.version, 0, "4/v4,5/v5", NULL);
    respond_authenticate(&w->say, w->config.version, 0, class_name);
    wire_say(w);
}

const char wire_password_authenticator[] = "org.apache.cassandra.auth.PasswordAuthenticator";

/* --- bodies ------------------------------------------------------------------------------------
 */

uint8_t *wire_pattern(size_t n, unsigned seed)
{
    uint8_t *p = malloc(n + 1);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)((i * 31 + i / 256 + seed) & 0xff);
    return p;
}

void wire_send_body(wire_end *w, const uint8_t *body, size_t n)
{
    int16_t stream = wire_submit(w, w);
    wire_listen(w);
    respond_body(&w->say, 4, stream, CQLN_OP_RESULT, body, n);
    w->pull = true;
    wire_say(w);
    w->pull = false;
}

cqln_conn_event wire_take_body(wire_end *w, const uint8_t *body, size_t n)
{
    cqln_conn_event ev = wire_event(w, CQLN_CONN_EV_RESPONSE);
    assert_int_equal(ev.len, n);
    assert_non_null(ev.body);
    assert_memory_equal(ev.body, body, n);
    return ev;
}

/* --- memory ------------------------------------------------------------------------------------
 */

static void *largest_malloc(void *context, size_t size)
{
    largest *l = context;
    l->size = size > l->size ? size : l->size;
    return malloc(size);
}

static void *largest_realloc(void *context, void *block, size_t size)
{
    largest *l = context;
    l->size = size > l->size ? size : l->size;
    return realloc(block, size);
}

static void largest_free(void *context, void *block)
{
    (void)context;
    free(block);
}

void largest_init(largest *l)
{
    *l = (largest){.al = {l, largest_malloc, largest_realloc, largest_free}};
}
