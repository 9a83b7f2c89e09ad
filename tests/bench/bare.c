/*
 * The library's connection without the session around it: no pools, routing, time-outs, retries, metrics
 * or limits. The same statement object is bound, encoded in the same way, and submitted on a link; its
 * answer is decoded and its cells are read as the client does it. What the client costs more is what the
 * session costs.
 *
 * With --nodes N there are N links, used in turn.
 *
 *     bare --target HOST:PORT [--protocol 4|5] [--workload insert|select] [--inflight N] < rounds
 */
#include "api/statement.h"
#include "cluster/result.h"
#include "msg/encode.h"
#include "net/io_uv.h"
#include "net/link.h"

#include <stdio.h>
#include <string.h>

#include "meter.h"

enum { SENT_TIMES = 16384, LINKS_MAX = METER_NODES, DEADLINE_MS = 10000 };

/* What stands behind a stream. */
typedef struct request {
    uint64_t id;
    cqln_writer env;
    uint64_t mark;
    int16_t stream;
} request;

typedef struct bare {
    bench_options options;
    const cql_allocator *al;
    cqln_log log;
    cqln_io *io;
    cqln_loop loop;
    cqln_link *links[LINKS_MAX];
    unsigned ready;
    unsigned turn;
    cql_prepared *prepared;
    cqln_metadata *known;
    cql_statement *stmt;
    request requests[SENT_TIMES];
    uint64_t total, submitted, answered, sum;
    uint64_t sent_ns[SENT_TIMES];
    meter meter;
} bare;

static bare b;

static _Noreturn void fail(const char *text, const char *detail)
{
    meter_fail("bare", text, detail);
}

static void check(cql_status st, const char *what)
{
    if (st != CQL_OK)
        fail(what, cql_status_text(st));
}

/* ---- one request ---- */

static cql_status bind_row(uint64_t id)
{
    bench_row row = bench_row_of((int64_t)id);
    cql_str name = {row.name, row.name_size};
    return cql_statement_bind(b.stmt,
                              CQL_VALUES(cql_value_str(name), cql_value_int32(row.number),
                                         cql_value_int64(row.id), cql_value_timestamp(row.at),
                                         cql_value_blob(row.data, BENCH_DATA_SIZE)),
                              NULL);
}

/* As the session does it for such a statement: rows need no metadata, writes carry their time. */
static void encode(cqln_writer *env)
{
    bool write = b.options.workload == WORKLOAD_INSERT;
    cqln_query_options o = {.consistency = CQL_CONSISTENCY_LOCAL_ONE};
    cqln_values_bytes values = cqln_statement_values(b.stmt);
    o.skip_metadata = b.known != NULL;
    o.page_size = write ? 0 : 5000;
    o.has_timestamp = write;
    o.timestamp = write ? b.loop.io->ops->wall_us(b.loop.io) : 0;
    cqln_writer_reset(env);
    check(cqln_put_execute(env, (uint8_t)b.options.protocol, b.prepared->id,
                           b.known ? b.known->id : (cql_str){"", 0}, &o, &values),
          "encode");
}

static void submit(request *r, uint64_t id)
{
    uint64_t sent_ns = meter_sent(&b.meter, id);
    if (sent_ns)
        b.sent_ns[id % SENT_TIMES] = sent_ns;
    r->id = id;
    if (b.options.workload == WORKLOAD_INSERT)
        check(bind_row(id), "bind");
    else
        check(cql_statement_bind_int64(b.stmt, 0, (int64_t)id), "bind");
    encode(&r->env);
    b.turn = b.turn + 1 < b.options.nodes ? b.turn + 1 : 0;
    check(cqln_link_submit(b.links[b.turn], r->env.data, r->env.len, r, &r->stream, &r->mark),
          "submit");
}

static void read_row(const cql_result *res, uint64_t id)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    if (!cql_rows_next(&rows))
        fail("select", "no row");
    cql_str name = cql_rows_str(&rows, 0);
    int32_t number = cql_rows_int32(&rows, 1);
    int64_t row_id = cql_rows_int64(&rows, 2);
    int64_t at = cql_rows_int64(&rows, 3);
    cql_str data = cql_rows_str(&rows, 4);
    b.sum += sum_cells((const uint8_t *)name.ptr, name.len, number, row_id, at,
                       (const uint8_t *)data.ptr, data.len);
    if (cql_rows_next(&rows) || cql_rows_status(&rows) != CQL_OK || (uint64_t)row_id != id)
        fail("select", "another row than asked for");
}

static void on_execute(request *r, const cqln_conn_event *ev)
{
    cql_result res;
    cqln_metadata *fresh;
    if (ev->opcode != CQLN_OP_RESULT)
        fail("request", "an error came back");
    check(cqln_result_decode(&res, b.al, ev->body, ev->len, ev->flags, ev->block, b.known, &fresh),
          "result");
    if (meter_sampled(&b.meter, r->id))
        meter_sample(&b.meter, b.sent_ns[r->id % SENT_TIMES]);
    if (b.options.workload == WORKLOAD_SELECT)
        read_row(&res, r->id);
    cqln_result_done(&res);
    cqln_metadata_unref(fresh);
    b.answered++;
    if (b.submitted < b.total)
        submit(r, b.submitted++);
}

/* ---- the link ---- */

static void on_prepared(const cqln_conn_event *ev)
{
    cqln_prefix prefix;
    cqln_prepared_head head;
    cqln_reader rd;
    cqln_reader_init(&rd, ev->body, ev->len);
    check(cqln_decode_prefix(&rd, ev->flags, &prefix), "prepare");
    if (ev->opcode != CQLN_OP_RESULT || cqln_read_u32(&rd) != CQLN_RESULT_PREPARED)
        fail("prepare", "it was refused");
    check(cqln_decode_prepared(&rd, (uint8_t)b.options.protocol, b.al, &head), "prepare");
    check(cqln_prepared_new(b.al, cql_str_of("bench"), (cql_str){"", 0}, &head, &b.prepared),
          "prepare");
}

static void on_ready(cqln_link *link)
{
    (void)link;
    b.ready++;
}

static void on_response(cqln_link *link, const cqln_conn_event *ev)
{
    (void)link;
    if (b.prepared)
        on_execute(ev->owner, ev);
    else
        on_prepared(ev);
}

static void on_push(cqln_link *link, const cqln_conn_event *ev)
{
    (void)link;
    (void)ev;
}

static void on_idle(cqln_link *link)
{
    (void)link;
}

static void on_closed(cqln_link *link)
{
    if (b.total)
        fail("connection", cqln_conn_fault_of(link->conn)->detail);
    b.ready--;
}

static void on_ended(void *user)
{
    *(bool *)user = true;
}

/* ---- rounds ---- */

static void run_round(uint64_t requests)
{
    uint64_t window = b.options.inflight < requests ? b.options.inflight : requests;
    b.total = requests;
    b.answered = b.sum = 0;
    b.submitted = window;
    meter_begin(&b.meter, &b.options, requests);
    for (uint64_t id = 0; id < window; id++)
        submit(&b.requests[id], id);
    while (b.answered < b.total)
        cqln_io_uv_turn(b.io, -1);
    meter_end(&b.meter);
    if (b.options.workload == WORKLOAD_SELECT && b.sum != bench_rows_sum(0, b.total))
        fail("rows", "the cells do not add up");
    meter_print(&b.meter, "bare", &b.options);
}

static void open_links(void)
{
    static const cqln_link_events events = {on_ready, on_response, on_push, on_idle, on_closed, NULL};
    cqln_conn_config config = {
        .al = b.al,
        .log = &b.log,
        .version = (uint8_t)b.options.protocol,
        .driver_name = "bare",
        .driver_version = "1",
        .max_streams = 1024,
        .read_buffer = 262144,
        .max_body = 268435456,
        .max_output = 67108864,
        .heartbeat_ms = 30000,
        .heartbeat_timeout_ms = 5000,
    };
    cqln_address address;
    if (!cqln_address_parse(&address, cql_str_of(b.options.host), (uint16_t)b.options.port))
        fail("target", "is not an address");
    for (unsigned i = 0; i < b.options.nodes; i++, address.bytes[3]++)
        check(cqln_link_open(&b.loop, &address, &config, DEADLINE_MS, &events, NULL, &b.links[i]),
              "connect");
    while (b.ready < b.options.nodes)
        cqln_io_uv_turn(b.io, -1);
}

static void prepare(const char *cql)
{
    request *r = &b.requests[0];
    check(cqln_encode_prepare(&r->env, (uint8_t)b.options.protocol, cql_str_of(cql),
                              (cql_str){"", 0}),
          "prepare");
    check(cqln_link_submit(b.links[0], r->env.data, r->env.len, r, &r->stream, &r->mark), "prepare");
    while (!b.prepared)
        cqln_io_uv_turn(b.io, -1);
    cqln_metadata *known = cqln_prepared_result(b.prepared);
    b.known = known && known->count ? known : NULL;
    b.stmt = cql_prepared_bind(b.prepared);
    if (!b.stmt)
        fail("statement", "out of memory");
}

static void close_all(bool *ended)
{
    b.total = 0;
    for (unsigned i = 0; i < b.options.nodes; i++)
        cqln_link_close(b.links[i], "done");
    while (b.ready)
        cqln_io_uv_turn(b.io, -1);
    b.io->ops->end(b.io);
    while (!*ended)
        cqln_io_uv_turn(b.io, -1);
    cqln_io_uv_free(b.io);
    cql_statement_free(b.stmt);
    cql_prepared_unref(b.prepared);
    for (size_t i = 0; i < SENT_TIMES; i++)
        cqln_writer_fini(&b.requests[i].env);
}

int main(int argc, char **argv)
{
    uint64_t requests;
    bool ended = false;

    bench_workload_init();
    meter_options(argc, argv, &b.options);
    if (b.options.thread || b.options.workload == WORKLOAD_PAGE || b.options.nodes > LINKS_MAX)
        fail("options", "it knows inserts and selects on its own loop only");
    b.al = cqln_alloc_default();
    for (size_t i = 0; i < SENT_TIMES; i++)
        cqln_writer_init(&b.requests[i].env, b.al, (size_t)1 << 28);
    check(cqln_io_uv_new(b.al, NULL, &b.io), "loop");
    check(cqln_io_uv_start(b.io), "loop");
    cqln_loop_init(&b.loop, b.io, b.al, &b.log, on_ended, &ended);
    open_links();
    prepare(b.options.workload == WORKLOAD_INSERT ? BENCH_INSERT : BENCH_SELECT);
    while (meter_next(&requests))
        run_round(requests);
    close_all(&ended);
    return 0;
}
