/*
 * The floor: the least that a client of this protocol can do and still be one.
 *
 * One connection on one libuv loop. It encodes the typed values of each request, writes once per
 * loop turn, checks both checksums of each v5 segment, finds the request of each answer by its
 * stream id, calls its callback, and reads every cell with its bounds checked. It has no routing,
 * time-outs, threads, retries, or answer to anything unexpected but to end.
 *
 *     floor --target HOST:PORT [--protocol 4|5] [--workload W] [--inflight N] < rounds
 */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "crc.h"
#include "meter.h"
#include "wire.h"

enum {
    MAX_INFLIGHT = 16384,
    IN_SPACE = 256 * 1024, /* two v5 segments fit */
    LARGE = 64 * 1024,     /* a v4 envelope above this is read into a block of its own */
    OUT_SPACE = 8 << 20,   /* the whole window of the largest request */
    ID_SIZE = 16,
    PREFIX_SPACE = 80,
};

typedef struct client client;
typedef void answer_cb(client *f, uint64_t tag, const uint8_t *body, size_t n);

typedef struct request {
    answer_cb *done;
    uint64_t tag;
    uint64_t sent_ns;
} request;

struct client {
    uv_loop_t loop;
    uv_tcp_t tcp;
    uv_check_t turn;
    uv_write_t spill; /* what the socket did not take at once */
    bool spilling;
    bool framed;
    unsigned version;

    uint8_t *in;
    size_t in_size;
    uint8_t *large; /* a large envelope, read or put together here */
    size_t large_size;
    size_t large_want;
    size_t large_cap;

    uint8_t *out;
    size_t out_size;
    size_t segment; /* where the open segment starts in `out` */
    bool open;
    uint8_t *spilled;

    request requests[MAX_INFLIGHT];
    uint16_t free_ids[MAX_INFLIGHT];
    unsigned free_count;

    uint8_t prefix[PREFIX_SPACE]; /* the part of EXECUTE that never changes */
    size_t prefix_size;

    uint64_t submitted;
    uint64_t answered;
    uint64_t total;
    uint64_t sum;
    bench_options options;
    meter meter;
};

static _Noreturn void fail(const char *text, const char *detail)
{
    meter_fail("floor", text, detail);
}

/* ---- sending ---- */

static void close_segment(client *f)
{
    uint8_t *p = f->out + f->segment;
    size_t n = f->out_size - f->segment - SEGMENT_HEADER;

    segment_header(p, n, SEGMENT_SELF_CONTAINED);
    put_le32(f->out + f->out_size, crc32_segment(p + SEGMENT_HEADER, n));
    f->out_size += SEGMENT_TRAILER;
    f->open = false;
}

static void flush(client *f);

static void spill_done(uv_write_t *w, int status)
{
    client *f = w->data;

    if (status < 0)
        fail("write", uv_strerror(status));
    f->spilling = false;
    flush(f);
}

static void spill(client *f, size_t sent)
{
    uint8_t *rest = f->out;
    uv_buf_t b = uv_buf_init((char *)rest + sent, (unsigned)(f->out_size - sent));

    f->out = f->spilled;
    f->spilled = rest;
    f->spilling = true;
    f->spill.data = f;
    int st = uv_write(&f->spill, (uv_stream_t *)&f->tcp, &b, 1, spill_done);
    if (st < 0)
        fail("write", uv_strerror(st));
}

static void flush(client *f)
{
    if (f->spilling || !f->out_size)
        return;
    if (f->open)
        close_segment(f);
    uv_buf_t b = uv_buf_init((char *)f->out, (unsigned)f->out_size);
    int n = uv_try_write((uv_stream_t *)&f->tcp, &b, 1);
    if (n < 0 && n != UV_EAGAIN)
        fail("write", uv_strerror(n));
    if (n < 0 || (size_t)n < f->out_size)
        spill(f, n < 0 ? 0 : (size_t)n);
    f->out_size = 0;
}

static void on_turn(uv_check_t *handle)
{
    flush(handle->data);
}

/* Room for an envelope of at most n bytes; its header is put by end_request. */
static uint8_t *begin_request(client *f, size_t n)
{
    if (OUT_SPACE - f->out_size < n + SEGMENT_HEADER + 2 * SEGMENT_TRAILER)
        fail("send", "the socket takes nothing any more");
    if (f->framed) {
        if (f->open && f->out_size - f->segment - SEGMENT_HEADER + n > SEGMENT_MAX)
            close_segment(f);
        if (!f->open) {
            f->segment = f->out_size;
            f->out_size += SEGMENT_HEADER;
            f->open = true;
        }
    }
    return f->out + f->out_size;
}

static void end_request(client *f, uint8_t *start, const uint8_t *end, enum opcode op,
                        answer_cb *done, uint64_t tag, uint64_t sent_ns)
{
    uint16_t id = f->free_ids[--f->free_count];

    f->requests[id] = (request){done, tag, sent_ns};
    put_header(start, f->version, id, op, (size_t)(end - start) - ENVELOPE_HEADER);
    f->out_size += (size_t)(end - start);
}

/* ---- receiving ---- */

static void take_answer(client *f, const uint8_t *p, size_t n)
{
    uint16_t id = get_u16(p + 2);

    if (p[0] != (f->version | 0x80) || p[1] != 0 || id >= f->options.inflight ||
        !f->requests[id].done)
        fail("answer", "not to a request of ours");
    if (p[4] == OP_ERROR)
        fail("the server answers", n > ENVELOPE_HEADER + 6 ? (const char *)p + 15 : "an error");
    request r = f->requests[id];
    f->requests[id].done = NULL;
    f->free_ids[f->free_count++] = id;
    f->answered++;
    meter_done(&f->meter, r.sent_ns);
    r.done(f, r.tag, p + ENVELOPE_HEADER, n - ENVELOPE_HEADER);
}

static void large_room(client *f, size_t n)
{
    if (n > f->large_cap) {
        f->large_cap = n;
        f->large = realloc(f->large, n);
    }
    if (!f->large)
        fail("memory", "none left");
}

static size_t envelope_size(const uint8_t *p)
{
    return ENVELOPE_HEADER + (size_t)get_u32(p + 5);
}

/* Answers whole envelopes and returns how many bytes they were. */
static size_t take_envelopes(client *f, const uint8_t *p, size_t n)
{
    size_t at = 0;

    while (n - at >= ENVELOPE_HEADER) {
        size_t size = envelope_size(p + at);
        if (size > n - at)
            break;
        take_answer(f, p + at, size);
        at += size;
    }
    return at;
}

static void take_slice(client *f, const uint8_t *p, size_t n)
{
    if (f->large_size == 0) {
        if (n < ENVELOPE_HEADER)
            fail("segment", "too short a first slice");
        f->large_want = envelope_size(p);
        large_room(f, f->large_want);
    }
    if (n > f->large_want - f->large_size)
        fail("segment", "slices are longer than their envelope");
    memcpy(f->large + f->large_size, p, n);
    f->large_size += n;
    if (f->large_size < f->large_want)
        return;
    f->large_size = 0;
    take_answer(f, f->large, f->large_want);
}

static size_t take_segments(client *f, const uint8_t *p, size_t n)
{
    size_t at = 0;

    while (n - at >= SEGMENT_HEADER) {
        uint32_t header = get_le24(p + at);
        size_t size = header & SEGMENT_MAX;
        if (crc24(p + at) != get_le24(p + at + 3))
            fail("segment", "wrong CRC24");
        if (n - at < SEGMENT_HEADER + size + SEGMENT_TRAILER)
            break;
        const uint8_t *payload = p + at + SEGMENT_HEADER;
        if (crc32_segment(payload, size) != get_le32(payload + size))
            fail("segment", "wrong CRC32");
        if (!(header & SEGMENT_SELF_CONTAINED))
            take_slice(f, payload, size);
        else if (take_envelopes(f, payload, size) != size)
            fail("segment", "a part of an envelope");
        at += SEGMENT_HEADER + size + SEGMENT_TRAILER;
    }
    return at;
}

static void give_space(uv_handle_t *handle, size_t suggested, uv_buf_t *b)
{
    client *f = handle->data;
    (void)suggested;

    if (!f->framed && f->large_want)
        *b = uv_buf_init((char *)f->large + f->large_size,
                         (unsigned)(f->large_want - f->large_size));
    else
        *b = uv_buf_init((char *)f->in + f->in_size, (unsigned)(IN_SPACE - f->in_size));
}

/* A v4 envelope that begins in `in` and is large moves to a block that the socket fills. */
static void start_large(client *f)
{
    if (f->framed || f->in_size < ENVELOPE_HEADER || envelope_size(f->in) < LARGE)
        return;
    f->large_want = envelope_size(f->in);
    large_room(f, f->large_want);
    memcpy(f->large, f->in, f->in_size);
    f->large_size = f->in_size;
    f->in_size = 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    client *f = stream->data;
    (void)b;

    if (n < 0)
        fail("read", uv_strerror((int)n));
    if (!f->framed && f->large_want) {
        f->large_size += (size_t)n;
        if (f->large_size < f->large_want)
            return;
        size_t size = f->large_want;
        f->large_want = f->large_size = 0;
        take_answer(f, f->large, size);
        return;
    }
    f->in_size += (size_t)n;
    bool framed = f->framed;
    size_t used =
        framed ? take_segments(f, f->in, f->in_size) : take_envelopes(f, f->in, f->in_size);
    f->in_size -= used;
    memmove(f->in, f->in + used, f->in_size);
    start_large(f);
}

/* ---- rows ---- */

/* One cell; the row is wrong when it does not fit or has another size than `want` (0: any). */
static inline const uint8_t *cell(const uint8_t **p, const uint8_t *end, size_t want, size_t *size)
{
    if (end - *p < 4)
        fail("rows", "cut");
    size_t n = get_u32(*p);
    if (n > (size_t)(end - *p - 4) || (want && n != want))
        fail("rows", "a cell of the wrong size");
    const uint8_t *value = *p + 4;
    *p = value + n;
    *size = n;
    return value;
}

static inline uint64_t read_row(const uint8_t **p, const uint8_t *end, int64_t *id)
{
    size_t name_size, data_size, n;
    const uint8_t *name = cell(p, end, 0, &name_size);
    int32_t number = (int32_t)get_u32(cell(p, end, 4, &n));
    *id = (int64_t)get_u64(cell(p, end, 8, &n));
    int64_t at = (int64_t)get_u64(cell(p, end, 8, &n));
    const uint8_t *data = cell(p, end, 0, &data_size);

    return sum_cells(name, name_size, number, *id, at, data, data_size);
}

/* The rows of a result without metadata. */
static const uint8_t *rows_start(const uint8_t *p, const uint8_t *end, uint32_t *rows)
{
    size_t state = 0;

    if (end - p < 16 || get_u32(p) != KIND_ROWS || !(get_u32(p + 4) & ROWS_NO_METADATA))
        fail("answer", "no rows");
    if (get_u32(p + 4) & ROWS_MORE_PAGES)
        state = 4 + (size_t)get_u32(p + 12);
    p += 12;
    if ((size_t)(end - p) < state + 4)
        fail("answer", "cut");
    *rows = get_u32(p + state);
    return p + state + 4;
}

/* ---- the three workloads ---- */

static void submit(client *f);

static uint8_t *put_cell(uint8_t *p, const void *bytes, size_t n)
{
    put_u32(p, (uint32_t)n);
    memcpy(p + 4, bytes, n);
    return p + 4 + n;
}

static uint8_t *put_cell_u64(uint8_t *p, uint64_t v)
{
    put_u32(p, 8);
    put_u64(p + 4, v);
    return p + 12;
}

static uint8_t *put_cell_u32(uint8_t *p, uint32_t v)
{
    put_u32(p, 4);
    put_u32(p + 4, v);
    return p + 8;
}

static void finish_one(client *f)
{
    if (f->submitted < f->total)
        submit(f);
    else if (f->answered == f->total)
        uv_stop(&f->loop);
}

static void inserted(client *f, uint64_t tag, const uint8_t *body, size_t n)
{
    (void)tag;
    if (n < 4 || get_u32(body) != KIND_VOID)
        fail("insert", "an answer with rows");
    finish_one(f);
}

static void selected(client *f, uint64_t tag, const uint8_t *body, size_t n)
{
    uint32_t rows;
    int64_t id;
    const uint8_t *end = body + n;
    const uint8_t *p = rows_start(body, end, &rows);

    if (rows != 1)
        fail("select", "not one row");
    f->sum += read_row(&p, end, &id);
    if ((uint64_t)id != tag)
        fail("select", "another row than asked for");
    finish_one(f);
}

static void paged(client *f, uint64_t tag, const uint8_t *body, size_t n)
{
    uint32_t rows;
    int64_t id;
    const uint8_t *end = body + n;
    const uint8_t *p = rows_start(body, end, &rows);

    (void)tag;
    if (rows != BENCH_PAGE_ROWS)
        fail("page", "not 5,000 rows");
    while (rows--)
        f->sum += read_row(&p, end, &id);
    finish_one(f);
}

static void submit(client *f)
{
    uint64_t n = f->submitted++;
    uint64_t sent_ns = meter_sent(&f->meter, n);
    uint8_t *start = begin_request(f, 512);
    uint8_t *p = start + ENVELOPE_HEADER;

    memcpy(p, f->prefix, PREFIX_SPACE);
    p += f->prefix_size;
    if (f->options.workload == WORKLOAD_PAGE) {
        end_request(f, start, p, OP_EXECUTE, paged, n, sent_ns);
        return;
    }
    if (f->options.workload == WORKLOAD_SELECT) {
        p = put_cell_u64(p, n);
        end_request(f, start, p, OP_EXECUTE, selected, n, sent_ns);
        return;
    }
    bench_row row = bench_row_of((int64_t)n);
    p = put_cell(p, row.name, row.name_size);
    p = put_cell_u32(p, (uint32_t)row.number);
    p = put_cell_u64(p, (uint64_t)row.id);
    p = put_cell_u64(p, (uint64_t)row.at);
    p = put_cell(p, row.data, BENCH_DATA_SIZE);
    end_request(f, start, p, OP_EXECUTE, inserted, n, sent_ns);
}

/* ---- setting up ---- */

static uint8_t *put_text(uint8_t *p, const char *text)
{
    put_u16(p, (unsigned)strlen(text));
    memcpy(p + 2, text, strlen(text));
    return p + 2 + strlen(text);
}

static void step_done(client *f, uint64_t tag, const uint8_t *body, size_t n)
{
    (void)tag, (void)body, (void)n;
    uv_stop(&f->loop);
}

static uint8_t *put_short_bytes(uint8_t *p, const uint8_t *bytes, size_t n)
{
    put_u16(p, (unsigned)n);
    memcpy(p + 2, bytes, n);
    return p + 2 + n;
}

/* Keeps everything of EXECUTE between the header and the values. */
static void prepared(client *f, uint64_t tag, const uint8_t *body, size_t n)
{
    static const unsigned values[] = {5, 1, 0};
    enum bench_workload w = f->options.workload;
    const uint8_t *ids = body + 4;
    bool page = w == WORKLOAD_PAGE;
    unsigned flags = QUERY_SKIP_METADATA | (unsigned)(page ? QUERY_PAGE_SIZE : QUERY_VALUES);
    uint8_t *p = f->prefix;

    (void)tag;
    if (n < 4 + 2 * (2 + ID_SIZE) || get_u32(body) != KIND_PREPARED || get_u16(ids) != ID_SIZE)
        fail("prepare", "an answer of another kind");
    p = put_short_bytes(p, ids + 2, ID_SIZE);
    if (f->version >= 5)
        p = put_short_bytes(p, ids + 2 + ID_SIZE + 2, ID_SIZE);
    put_u16(p, 10); /* LOCAL_ONE */
    p += 2;
    if (f->version >= 5)
        put_u32(p, flags);
    else
        *p = (uint8_t)flags;
    p += f->version >= 5 ? 4 : 1;
    if (page)
        put_u32(p, BENCH_PAGE_ROWS);
    else
        put_u16(p, values[w]);
    p += page ? 4 : 2;
    f->prefix_size = (size_t)(p - f->prefix);
    uv_stop(&f->loop);
}

static void run_until_stopped(client *f)
{
    flush(f);
    uv_run(&f->loop, UV_RUN_DEFAULT);
}

static void start_up(client *f)
{
    static const char *const texts[] = {BENCH_INSERT, BENCH_SELECT, BENCH_PAGE};
    const char *cql = texts[f->options.workload];
    uint8_t *start = begin_request(f, 512);
    uint8_t *p = start + ENVELOPE_HEADER;

    put_u16(p, 1);
    p = put_text(p + 2, "CQL_VERSION");
    p = put_text(p, "3.0.0");
    end_request(f, start, p, OP_STARTUP, step_done, 0, 0);
    run_until_stopped(f);
    f->framed = f->version >= 5;

    start = begin_request(f, 512);
    p = start + ENVELOPE_HEADER;
    p = put_cell(p, cql, strlen(cql));
    if (f->version >= 5) {
        put_u32(p, 0);
        p += 4;
    }
    end_request(f, start, p, OP_PREPARE, prepared, 0, 0);
    run_until_stopped(f);
}

static void connected(uv_connect_t *c, int status)
{
    client *f = c->data;

    if (status < 0)
        fail("connect", uv_strerror(status));
    uv_tcp_nodelay(&f->tcp, 1);
    uv_read_start((uv_stream_t *)&f->tcp, give_space, on_read);
    uv_stop(&f->loop);
}

static void open_client(client *f)
{
    struct sockaddr_in sa;
    uv_connect_t connect = {.data = f};

    f->version = f->options.protocol;
    f->in = malloc(IN_SPACE);
    f->out = malloc(OUT_SPACE);
    f->spilled = malloc(OUT_SPACE);
    if (!f->in || !f->out || !f->spilled || uv_loop_init(&f->loop) != 0)
        fail("memory", "none left");
    for (unsigned id = f->options.inflight; id-- > 0;)
        f->free_ids[f->free_count++] = (uint16_t)id;
    uv_tcp_init(&f->loop, &f->tcp);
    uv_check_init(&f->loop, &f->turn);
    f->tcp.data = f->turn.data = f;
    uv_check_start(&f->turn, on_turn);
    if (uv_ip4_addr(f->options.host, (int)f->options.port, &sa) != 0)
        fail("target", "not an address");
    uv_tcp_connect(&connect, &f->tcp, (const struct sockaddr *)&sa, connected);
    uv_run(&f->loop, UV_RUN_DEFAULT);
}

/* What the cells of a round must add up to. */
static uint64_t expected_sum(const client *f)
{
    if (f->options.workload == WORKLOAD_SELECT)
        return bench_rows_sum(0, f->total);
    if (f->options.workload == WORKLOAD_PAGE)
        return bench_rows_sum(0, BENCH_PAGE_ROWS) * f->total;
    return 0;
}

static void run_round(client *f, uint64_t requests)
{
    f->total = requests;
    f->submitted = f->answered = f->sum = 0;
    meter_begin(&f->meter, &f->options, requests);
    while (f->submitted < f->total && f->submitted < f->options.inflight)
        submit(f);
    run_until_stopped(f);
    meter_end(&f->meter);
    if (f->sum != expected_sum(f))
        fail("rows", "the cells do not add up");
    meter_print(&f->meter, "floor", &f->options);
}

int main(int argc, char **argv)
{
    static client f;
    uint64_t requests;

    crc_init();
    bench_workload_init();
    meter_options(argc, argv, &f.options);
    open_client(&f);
    start_up(&f);
    while (meter_next(&requests))
        run_round(&f, requests);
    return 0;
}
