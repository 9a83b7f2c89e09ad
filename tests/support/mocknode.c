/* The mock node: reads requests with the library's own wire layer, answers with respond.h. */
#include "mocknode.h"
#include "mocktables.h"

#include "wire/compress.h"
#include "wire/segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t buffer_max = (size_t)1 << 28;

/* --- the cluster --------------------------------------------------------------------------------- */

void mockcluster_init(mockcluster *mc, size_t nodes)
{
    memset(mc, 0, sizeof *mc);
    mc->count = nodes;
    mc->columns = 1;
    mc->executed = calloc(MOCK_VALUES, 1);
    for (size_t i = 0; i < MOCK_NODES; i++) {
        mocknode *n = &mc->nodes[i];
        uint8_t ip[4] = {127, 9, 0, (uint8_t)(i + 1)};
        n->cluster = mc;
        cqln_address_from_bytes(&n->address, ip, 4, 9042);
        snprintf(n->data_center, sizeof n->data_center, "datacenter1");
        snprintf(n->rack, sizeof n->rack, "rack1");
        memset(n->host_id.bytes, (int)i + 1, 16);
        n->member = i < nodes;
        uint64_t step = UINT64_MAX / (nodes ? nodes : 1); /* in order round the ring */
        snprintf(n->token, sizeof n->token, "%lld",
                 (long long)(((uint64_t)1 << 63) + 1 + step * (i % (nodes ? nodes : 1)) + i));
        n->max_version = 5;
        n->peers_v2 = true;
    }
    mc->replication = "class=SimpleStrategy replication_factor=2";
}

void mocknode_forget(mocknode *n)
{
    for (unsigned i = 0; i < n->statements; i++)
        free(n->prepared[i]);
    n->statements = 0;
}

void mockcluster_fini(mockcluster *mc)
{
    for (size_t i = 0; i < MOCK_NODES; i++)
        mocknode_forget(&mc->nodes[i]);
    free(mc->executed);
}

mocknode *mockcluster_find(mockcluster *mc, const cqln_address *a)
{
    for (size_t i = 0; i < MOCK_NODES; i++)
        if (cqln_address_equal(&mc->nodes[i].address, a))
            return &mc->nodes[i];
    return NULL;
}

/* --- statements ---------------------------------------------------------------------------------- */

enum { VALUES_MAX = 16 }; /* that a test's own tables are shown */

typedef struct statement {
    cql_str cql;
    uint8_t kind; /* of a batch */
    uint16_t consistency;
    uint16_t serial; /* 0: not said */
    bool skip_metadata;
    cql_str values[VALUES_MAX];
    uint16_t count;
    bool has_value;
    uint32_t value; /* the first int value */
    int32_t page_size;
    cql_str page;
    uint32_t offset; /* from the paging state */
    const uint8_t *id; /* 16 bytes; NULL: not prepared */
    cql_str known_id;  /* v5: of the result metadata that the client has */
} statement;

/* As mockasked has it. */
static cql_str read_value(cqln_reader *rd)
{
    int32_t len = cqln_read_i32(rd);
    if (len < 0)
        return (cql_str){NULL, len == -2};
    return (cql_str){(const char *)cqln_read_bytes(rd, (size_t)len), (size_t)len};
}

static void read_values(cqln_reader *rd, statement *s)
{
    uint16_t n = cqln_read_u16(rd);
    s->count = 0;
    for (uint16_t i = 0; i < n; i++) {
        cql_str v = read_value(rd);
        if (i < VALUES_MAX)
            s->values[s->count++] = v;
        if (v.ptr && v.len == 4 && !s->has_value) {
            s->has_value = true;
            s->value = cqln_load_u32((const uint8_t *)v.ptr);
        }
    }
}

static void read_parameters(cqln_reader *rd, uint8_t version, statement *s)
{
    s->consistency = cqln_read_u16(rd);
    uint32_t flags = version >= 5 ? cqln_read_u32(rd) : cqln_read_u8(rd);
    s->skip_metadata = (flags & 0x02) != 0;
    if (flags & 0x01)
        read_values(rd, s);
    if (flags & 0x04)
        s->page_size = cqln_read_i32(rd);
    if ((flags & 0x08) && cqln_read_nbytes(rd, &s->page) && s->page.len == 4)
        s->offset = cqln_load_u32((const uint8_t *)s->page.ptr);
    if (flags & 0x10)
        s->serial = cqln_read_u16(rd);
}

static void played(mockconn *c, int16_t stream, uint8_t opcode, const statement *s, cqln_writer *out)
{
    const mockplay *play = c->node->cluster->play;
    mockasked asked = {.opcode = opcode,
                       .kind = s->kind,
                       .cql = s->cql,
                       .consistency = s->consistency,
                       .serial = s->serial,
                       .page_size = s->page_size,
                       .page = s->page,
                       .values = s->values,
                       .count = s->count};
    play->answer(play->self, c, stream, &asked, out);
}

static const respond_column value_column[] = {{"v", CQL_TYPE_INT}, {"w", CQL_TYPE_INT}};
static const respond_table value_table = {"mock", "t", value_column, 1};
static const respond_column wide_column[] = {{"v", CQL_TYPE_BIGINT}};
static const respond_column name_column[] = {{"id", CQL_TYPE_TEXT}};
static const respond_table name_table = {"mock", "t", name_column, 1};
static const respond_table wide_table = {"mock", "t", wide_column, 1};

/* What a `SELECT * … echo …` has now: the second column comes and goes with ALTER. */
static respond_table echo_table(const mockcluster *mc, cql_str cql)
{
    respond_table t = value_table;
    t.count = mock_has(cql, "*") ? mc->columns : 1;
    return t;
}

/* Of the result: the statement's id, but for the columns. */
static void metadata_id(uint8_t out[16], const uint8_t id[16], uint32_t columns)
{
    memcpy(out, id, 16);
    out[15] = (uint8_t)(out[15] ^ columns);
}

static void answer_echo(mockconn *c, int16_t stream, const statement *s, cqln_writer *out)
{
    cqln_writer cells;
    respond_table t = echo_table(c->node->cluster, s->cql);
    uint8_t now[16];
    cqln_writer_init(&cells, cqln_alloc_default(), buffer_max);
    mock_cell_int(&cells, s->value);
    if (t.count > 1)
        mock_cell_int(&cells, ~s->value);
    cql_str bytes = {(const char *)cells.data, cells.len};
    if (s->id)
        metadata_id(now, s->id, t.count);
    if (s->id && c->version >= 5 && s->skip_metadata &&
        !cql_str_equal(s->known_id, (cql_str){(const char *)now, 16}))
        respond_rows_changed(out, c->version, stream, &t, (cql_str){(const char *)now, 16}, 1, bytes);
    else
        respond_rows(out, c->version, stream, &t, !s->skip_metadata, NULL, 1, bytes);
    cqln_writer_fini(&cells);
}

enum { HOLLOW_SEEN = 1 << 30 /* in an offset: the empty page in front of it was sent */ };

/* "… rows N": the rest of the rows from the offset, at most one page. With "hollow" each page has one without rows
 * in front of it. */
static void answer_rows(mockconn *c, int16_t stream, const statement *s, cqln_writer *out)
{
    const char *at = s->cql.ptr + s->cql.len;
    while (at > s->cql.ptr && at[-1] >= '0' && at[-1] <= '9')
        at--;
    char digits[12];
    snprintf(digits, sizeof digits, "%.*s", (int)(s->cql.ptr + s->cql.len - at), at);
    uint32_t total = (uint32_t)strtoul(digits, NULL, 10);
    bool empty = mock_has(s->cql, "hollow") && !(s->offset & HOLLOW_SEEN);
    uint32_t offset = s->offset & ~(uint32_t)HOLLOW_SEEN;
    uint32_t left = offset < total ? total - offset : 0;
    uint32_t rows = empty                                                ? 0
                    : s->page_size > 0 && left > (uint32_t)s->page_size ? (uint32_t)s->page_size
                                                                         : left;
    cqln_writer cells;
    char state[5] = {0};
    cqln_writer_init(&cells, cqln_alloc_default(), buffer_max);
    for (uint32_t i = 0; i < rows; i++)
        mock_cell_int(&cells, offset + i);
    /* respond_rows takes the state as text: offsets are kept free of NUL bytes by adding 0x01010101 */
    cqln_store_u32((uint8_t *)state, offset + rows + (empty ? HOLLOW_SEEN : 0) + 0x01010101u);
    respond_rows(out, c->version, stream, &value_table, !s->skip_metadata,
                 rows < left ? state : NULL, rows, (cql_str){(const char *)cells.data, cells.len});
    cqln_writer_fini(&cells);
}

void mockcluster_add_table(mockcluster *mc)
{
    mc->tables++;
    for (size_t i = 0; i < MOCK_NODES; i++)
        mc->nodes[i].schema_version.bytes[0]++;
}

/* With the fields that its code has (section 9): LOCAL_QUORUM, 2 replicas wanted, and one or two there. */
static void planned_error(mockconn *c, int16_t stream, cqln_writer *out)
{
    cqln_writer extra;
    uint32_t code = c->node->error_code;
    cqln_writer_init(&extra, cqln_alloc_default(), buffer_max);
    if (code == 0x1000 || code == 0x1100 || code == 0x1200 || code == 0x1300 || code == 0x1500 || code == 0x1700) {
        cqln_write_u16(&extra, 6);
        cqln_write_u32(&extra, code == 0x1000 ? 2 : code == 0x1100 ? 1 : 2);
        cqln_write_u32(&extra, code == 0x1000 ? 1 : 2);
    }
    if (code == 0x1100)
        cqln_write_string(&extra, cql_str_of("BATCH_LOG"));
    if (code == 0x1300 || code == 0x1500)
        cqln_write_u32(&extra, 1);
    if ((code == 0x1300 || code == 0x1500) && c->version >= 5) {
        cqln_write_bytes(&extra, "\4\177\11\0\2", 5);
        cqln_write_u16(&extra, c->node->error_reason);
    }
    if (code == 0x1200 || code == 0x1300)
        cqln_write_u8(&extra, 0);
    if (code == 0x1500)
        cqln_write_string(&extra, cql_str_of("SIMPLE"));
    if (code == 0x1400 || code == 0x2400)
        for (int i = 0; i < 2; i++)
            cqln_write_string(&extra, cql_str_of("t"));
    if (code == 0x1400)
        cqln_write_u16(&extra, 0);
    respond_error(out, c->version, stream, code, "planned error", extra.data, extra.len);
    cqln_writer_fini(&extra);
}

static void answer_statement(mockconn *c, int16_t stream, statement *s, cqln_writer *out)
{
    mocknode *n = c->node;
    n->requests++;
    c->asked_system = mock_has(s->cql, "system");
    if (s->offset)
        s->offset -= 0x01010101u;
    if (mocktables_answer(c, stream, s->cql, out))
        return;
    if (n->error_code)
        planned_error(c, stream, out);
    else if (n->cluster->play && !mock_has(s->cql, "USE "))
        played(c, stream, s->id ? CQLN_OP_EXECUTE : CQLN_OP_QUERY, s, out);
    else if (mock_has(s->cql, "syntax"))
        respond_error(out, c->version, stream, 0x2000, "line 1:0 no viable alternative", NULL, 0);
    else if (mock_has(s->cql, "garbled"))
        respond_body(out, c->version, stream, CQLN_OP_RESULT, "\0\0\0\2\0\0\0\1", 8);
    else if (mock_has(s->cql, "strange"))
        respond_body(out, c->version, stream, 0x7f, "", 0);
    else if (mock_has(s->cql, "USE ")) {
        cql_str name = {s->cql.ptr + 4, s->cql.len - 4};
        if (name.len > 1 && name.ptr[0] == '"')
            name = (cql_str){name.ptr + 1, name.len - 2};
        snprintf(c->keyspace, sizeof c->keyspace, "%.*s", (int)name.len, name.ptr);
        respond_set_keyspace(out, c->version, stream, c->keyspace);
    } else if (mock_has(s->cql, "CREATE")) {
        mockcluster_add_table(n->cluster);
        respond_schema_change(out, c->version, stream, "CREATED", "TABLE", "mock", "t");
    } else if (mock_has(s->cql, "rows "))
        answer_rows(c, stream, s, out);
    else if (mock_has(s->cql, "keyspace?")) {
        cqln_writer cells;
        respond_column col = {"ks", CQL_TYPE_TEXT};
        respond_table t = {"mock", "t", &col, 1};
        cqln_writer_init(&cells, cqln_alloc_default(), buffer_max);
        mock_cell_text(&cells, c->keyspace);
        respond_rows(out, c->version, stream, &t, true, NULL, 1,
                     (cql_str){(const char *)cells.data, cells.len});
        cqln_writer_fini(&cells);
    } else if (mock_has(s->cql, "echo"))
        answer_echo(c, stream, s, out);
    else {
        n->cluster->conditional += mock_has(s->cql, " IF ");
        if (s->has_value && s->value < MOCK_VALUES)
            n->cluster->executed[s->value]++;
        respond_void(out, c->version, stream);
    }
}

/* --- prepared ------------------------------------------------------------------------------------ */

static void make_id(cql_str cql, uint8_t id[16])
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < cql.len; i++)
        h = (h ^ (uint8_t)cql.ptr[i]) * 1099511628211u;
    cqln_store_u64(id, h);
    cqln_store_u64(id + 8, ~h);
}

static int find_prepared(const mocknode *n, cql_str id)
{
    for (unsigned i = 0; i < n->statements; i++)
        if (id.len == 16 && memcmp(n->prepared_id[i], id.ptr, 16) == 0)
            return (int)i;
    return -1;
}

static void evict_oldest(mocknode *n)
{
    free(n->prepared[0]);
    n->statements--;
    n->evicted++;
    memmove(n->prepared, n->prepared + 1, n->statements * sizeof n->prepared[0]);
    memmove(n->prepared_id, n->prepared_id + 1, n->statements * sizeof n->prepared_id[0]);
}

static void answer_prepare(mockconn *c, int16_t stream, cql_str cql, cqln_writer *out)
{
    mocknode *n = c->node;
    uint8_t id[16];
    make_id(cql, id);
    if (n->cluster->restless) {
        n->cluster->salt++;
        mocknode_forget(n);
    }
    id[0] = (uint8_t)(id[0] ^ n->cluster->salt);
    cql_str id_view = {(const char *)id, 16};
    bool select = mock_has(cql, "SELECT");
    static const uint16_t first = 0;
    respond_table none = {"mock", "t", NULL, 0};
    n->prepares++;
    if (mock_has(cql, "syntax")) {
        respond_error(out, c->version, stream, 0x2000, "line 1:0 no viable alternative", NULL, 0);
        return;
    }
    unsigned most = n->most_statements ? n->most_statements : MOCK_STATEMENTS;
    if (n->forgetful)
        mocknode_forget(n);
    else if (find_prepared(n, id_view) < 0)
        while (n->statements >= most)
            evict_oldest(n);
    if (!n->forgetful && find_prepared(n, id_view) < 0) {
        memcpy(n->prepared_id[n->statements], id, 16);
        n->prepared[n->statements++] = strndup(cql.ptr, cql.len);
    }
    respond_table t = echo_table(n->cluster, cql);
    respond_table markers = n->cluster->wide_values && !n->behind ? wide_table
                            : mock_has(cql, "id = ?")             ? name_table
                                                                  : value_table;
    uint8_t result_id[16];
    metadata_id(result_id, id, t.count);
    if (!mock_has(cql, "?"))
        markers = none;
    if (!select)
        t = none;
    if (n->cluster->play)
        n->cluster->play->shape(n->cluster->play->self, cql, &markers, &t);
    respond_prepared(out, c->version, stream, id_view, (cql_str){(const char *)result_id, 16},
                     &markers, &first, mock_has(cql, "by_key"), &t);
}

static void answer_unprepared(mockconn *c, int16_t stream, cql_str id, cqln_writer *out)
{
    uint8_t extra[2 + 64];
    size_t len = id.len < 64 ? id.len : 64;
    cqln_store_u16(extra, (uint16_t)len);
    memcpy(extra + 2, id.ptr, len);
    respond_error(out, c->version, stream, 0x2500, "unprepared", extra, len + 2);
}

static void answer_execute(mockconn *c, int16_t stream, cqln_reader *rd, cqln_writer *out)
{
    statement s;
    cql_str id = cqln_read_short_bytes(rd);
    memset(&s, 0, sizeof s);
    if (c->version >= 5)
        s.known_id = cqln_read_short_bytes(rd);
    read_parameters(rd, c->version, &s);
    int at = find_prepared(c->node, id);
    if (at < 0) {
        c->node->requests++;
        answer_unprepared(c, stream, id, out);
        return;
    }
    if (c->node->cluster->wide_values && !c->node->behind && s.has_value) {
        respond_error(out, c->version, stream, 0x2200, "Expected 8 or 0 byte long (4)", NULL, 0);
        return;
    }
    s.cql = cql_str_of(c->node->prepared[at]);
    s.id = c->node->prepared_id[at];
    answer_statement(c, stream, &s, out);
}

static void count_values(mockcluster *mc, const statement *s)
{
    for (uint16_t i = 0; i < s->count; i++)
        if (s->values[i].ptr && s->values[i].len == 4) {
            uint32_t value = cqln_load_u32((const uint8_t *)s->values[i].ptr);
            if (value < MOCK_VALUES)
                mc->executed[value]++;
        }
}

static void answer_batch(mockconn *c, int16_t stream, cqln_reader *rd, cqln_writer *out)
{
    uint8_t kind = cqln_read_u8(rd);
    uint16_t n = cqln_read_u16(rd);
    c->node->requests++;
    if (c->node->batch_errors && c->node->error_code) {
        planned_error(c, stream, out);
        return;
    }
    for (uint16_t i = 0; i < n && !rd->failed; i++) {
        statement s;
        memset(&s, 0, sizeof s);
        bool prepared = cqln_read_u8(rd) == 1;
        s.cql = prepared ? cqln_read_short_bytes(rd) : cqln_read_long_string(rd);
        int at = prepared ? find_prepared(c->node, s.cql) : -1;
        read_values(rd, &s);
        if (prepared && at < 0) {
            answer_unprepared(c, stream, s.cql, out);
            return;
        }
        if (prepared)
            s.cql = cql_str_of(c->node->prepared[at]);
        if (c->node->cluster->play)
            played(c, stream, CQLN_OP_BATCH, &s, out);
        count_values(c->node->cluster, &s);
    }
    statement whole;
    memset(&whole, 0, sizeof whole);
    whole.kind = kind;
    read_parameters(rd, c->version, &whole);
    if (c->node->cluster->play)
        played(c, stream, CQLN_OP_BATCH, &whole, out);
    else
        respond_void(out, c->version, stream);
}

/* --- the connection ------------------------------------------------------------------------------ */

void mockconn_init(mockconn *c, mocknode *n)
{
    memset(c, 0, sizeof *c);
    c->node = n;
    n->connects++;
    cqln_writer_init(&c->in, cqln_alloc_default(), buffer_max);
    cqln_writer_init(&c->body, cqln_alloc_default(), buffer_max);
    cqln_writer_init(&c->out, cqln_alloc_default(), buffer_max);
    cqln_writer_init(&c->late, cqln_alloc_default(), buffer_max);
    c->seen = UINT64_MAX;
}

void mockconn_fini(mockconn *c)
{
    cqln_writer_fini(&c->in);
    cqln_writer_fini(&c->body);
    cqln_writer_fini(&c->out);
    cqln_writer_fini(&c->late);
}

static void send_envelopes(mockconn *c, const cqln_writer *envelopes)
{
    size_t before = c->out.len;
    if (c->framed)
        respond_frame(&c->out, envelopes->data, envelopes->len, c->lz4, 0);
    else
        cqln_write_bytes(&c->out, envelopes->data, envelopes->len);
    c->sent += c->out.len - before;
}

/* --- when answers go ----------------------------------------------------------------------------- */

/* A stream id may be used again when its answer has reached the client, not before. */
static void note_request(mockconn *c, int16_t stream)
{
    if (stream <= 0 || stream >= MOCK_STREAMS)
        return;
    uint64_t end = c->answered[stream];
    if (end == 1 || end > c->seen)
        c->node->cluster->reused++;
    c->answered[stream] = 1;
}

static void note_answer(mockconn *c, int16_t stream)
{
    if (stream > 0 && stream < MOCK_STREAMS)
        c->answered[stream] = c->sent;
}

void mockconn_release(mockconn *c)
{
    if (c->late.len == 0 || c->broken)
        return;
    send_envelopes(c, &c->late);
    note_answer(c, c->late_stream);
    cqln_writer_reset(&c->late);
}

static bool its_turn(uint64_t n, uint32_t every)
{
    return every && n % every == 0;
}

/* Only where the client can tell: both in one segment, and nothing that makes it send at once on a stream
 * that the first copy freed. */
static bool may_double(const mockconn *c, int16_t stream, const cqln_writer *envelope)
{
    return stream > 0 && c->framed && !c->asked_system && envelope->len >= CQLN_FRAME_HEADER + 4 &&
           envelope->data[4] == CQLN_OP_RESULT &&
           cqln_load_u32(envelope->data + CQLN_FRAME_HEADER) <= CQLN_RESULT_ROWS;
}

static void send_answer(mockconn *c, int16_t stream, cqln_writer *envelopes)
{
    mocknode *n = c->node;
    n->answers++;
    if (stream > 0 && c->late.len == 0 && its_turn(n->answers, n->late_every)) {
        cqln_write_bytes(&c->late, envelopes->data, envelopes->len);
        c->late_stream = stream;
        n->reordered++;
        return;
    }
    if (may_double(c, stream, envelopes) && its_turn(n->answers, n->twice_every)) {
        cqln_writer both;
        cqln_writer_init(&both, cqln_alloc_default(), buffer_max);
        cqln_write_bytes(&both, envelopes->data, envelopes->len);
        cqln_write_bytes(&both, envelopes->data, envelopes->len);
        send_envelopes(c, &both);
        cqln_writer_fini(&both);
        n->doubled++;
    } else {
        send_envelopes(c, envelopes);
    }
    note_answer(c, stream);
    mockconn_release(c);
}

static void on_startup(mockconn *c, const cqln_frame *f, cqln_reader *rd, cqln_writer *out)
{
    uint16_t n = cqln_read_u16(rd);
    for (uint16_t i = 0; i < n; i++) {
        cql_str key = cqln_read_string(rd);
        cql_str value = cqln_read_string(rd);
        if (cql_str_equal(key, cql_str_of("COMPRESSION")))
            c->lz4 = cql_str_equal(value, cql_str_of("lz4"));
    }
    c->version = f->version;
    c->started = true;
    c->logged_in = !c->node->want_login;
    if (c->node->want_login)
        respond_authenticate(out, c->version, f->stream,
                             "org.apache.cassandra.auth.PasswordAuthenticator");
    else
        respond_ready(out, c->version, f->stream);
}

static void on_login(mockconn *c, const cqln_frame *f, cqln_reader *rd, cqln_writer *out)
{
    static const char good[] = "\0cassandra\0secret";
    cql_str token;
    cqln_read_nbytes(rd, &token);
    size_t len = sizeof good - 1;
    c->logged_in = token.len >= len && memcmp(token.ptr, good, len) == 0 &&
                   (token.len == len || token.ptr[len] == ':');
    if (c->logged_in)
        respond_auth_success(out, c->version, f->stream, NULL);
    else
        respond_error(out, c->version, f->stream, 0x0100,
                      "Provided username cassandra and/or password are incorrect", NULL, 0);
}

/* Not of the driver's own: those read system tables. */
static bool is_statement(const cqln_frame *f, const cqln_reader *rd)
{
    cqln_reader copy = *rd;
    if (f->opcode == CQLN_OP_QUERY)
        return !mock_has(cqln_read_long_string(&copy), "system");
    return f->opcode == CQLN_OP_EXECUTE || f->opcode == CQLN_OP_BATCH || f->opcode == CQLN_OP_PREPARE;
}

static void on_envelope(mockconn *c, const cqln_frame *f, const uint8_t *body)
{
    cqln_writer out;
    cqln_reader rd;
    statement s;
    bool starts_framing = f->opcode == CQLN_OP_STARTUP && f->version >= 5;
    cqln_writer_init(&out, cqln_alloc_default(), buffer_max);
    cqln_reader_init(&rd, body, f->length);
    note_request(c, f->stream);
    c->asked_system = false;
    if (c->started && f->version != c->version) { /* a connection has one version */
        respond_error(&out, c->version, f->stream, 0x000a,
                      "Invalid message version on this connection", NULL, 0);
    } else if (f->version > c->node->max_version) {
        respond_error(&out, c->node->max_version, 0, 0x000a,
                      "Invalid or unsupported protocol version (5); supported versions are (4/v4)",
                      NULL, 0);
        starts_framing = false;
    } else if (c->node->leaving && c->started) {
        c->node->turned_away++;
        respond_error(&out, c->version, f->stream, 0x1001, "Server is shutting down", NULL, 0);
    } else if ((c->node->mute && c->started) || (c->node->stalled && is_statement(f, &rd))) {
        cqln_writer_fini(&out);
        return;
    } else {
        if (!c->version || !c->started)
            c->version = f->version;
        memset(&s, 0, sizeof s);
        switch ((cqln_opcode)f->opcode) {
        case CQLN_OP_OPTIONS:
            respond_supported(&out, f->version, f->stream,
                              c->node->max_version >= 5 ? "3/v3,4/v4,5/v5" : "3/v3,4/v4", "lz4");
            break;
        case CQLN_OP_STARTUP:
            on_startup(c, f, &rd, &out);
            break;
        case CQLN_OP_AUTH_RESPONSE:
            on_login(c, f, &rd, &out);
            break;
        case CQLN_OP_REGISTER:
            c->registered = true;
            c->hears_schema = mock_has((cql_str){(const char *)rd.at, (size_t)(rd.end - rd.at)}, "SCHEMA_CHANGE");
            respond_ready(&out, c->version, f->stream);
            break;
        case CQLN_OP_QUERY:
            s.cql = cqln_read_long_string(&rd);
            read_parameters(&rd, c->version, &s);
            answer_statement(c, f->stream, &s, &out);
            break;
        case CQLN_OP_PREPARE:
            answer_prepare(c, f->stream, cqln_read_long_string(&rd), &out);
            break;
        case CQLN_OP_EXECUTE:
            answer_execute(c, f->stream, &rd, &out);
            break;
        case CQLN_OP_BATCH:
            answer_batch(c, f->stream, &rd, &out);
            break;
        default:
            c->broken = true;
            break;
        }
    }
    send_answer(c, f->stream, &out);
    if (starts_framing)
        c->framed = true;
    cqln_writer_fini(&out);
}

static void drop_front(cqln_writer *wr, size_t n)
{
    memmove(wr->data, wr->data + n, wr->len - n);
    wr->len -= n;
}

static void inflate(mockconn *c, const cqln_frame *f, const uint8_t *body)
{
    size_t plain;
    if (cqln_lz4_v4_length(body, f->length, buffer_max, &plain) != CQL_OK) {
        c->broken = true;
        return;
    }
    uint8_t *out = malloc(plain ? plain : 1);
    cqln_frame whole = *f;
    whole.length = (uint32_t)plain;
    if (out && cqln_lz4_decompress(body + 4, f->length - 4, out, plain))
        on_envelope(c, &whole, out);
    else
        c->broken = true;
    free(out);
}

static void take_envelopes(mockconn *c, cqln_writer *from)
{
    size_t used = 0;
    while (!c->broken && from->len - used >= CQLN_FRAME_HEADER) {
        cqln_frame f;
        bool framed = c->framed;
        if (cqln_frame_decode(from->data + used, &f) != CQL_OK || f.response) {
            c->broken = true;
            return;
        }
        if (from->len - used - CQLN_FRAME_HEADER < f.length)
            break;
        const uint8_t *body = from->data + used + CQLN_FRAME_HEADER;
        if ((f.flags & CQLN_FLAG_COMPRESSION) && !c->framed)
            inflate(c, &f, body);
        else
            on_envelope(c, &f, body);
        used += CQLN_FRAME_HEADER + f.length;
        if (framed != c->framed)
            break; /* what follows is in segments */
    }
    if (used)
        drop_front(from, used);
}

static bool take_segment(mockconn *c)
{
    size_t header = c->lz4 ? CQLN_SEGMENT_HEADER_LZ4 : CQLN_SEGMENT_HEADER;
    cqln_segment seg;
    if (c->in.len < header)
        return false;
    if (cqln_segment_decode(c->in.data, c->lz4, &seg) != CQL_OK) {
        c->broken = true;
        return false;
    }
    size_t whole = header + seg.payload + CQLN_SEGMENT_TRAILER;
    if (c->in.len < whole)
        return false;
    const uint8_t *payload = c->in.data + header;
    if (!cqln_segment_trailer_ok(payload, seg.payload, payload + seg.payload)) {
        c->broken = true;
        return false;
    }
    if (seg.compressed) {
        uint8_t plain[CQLN_SEGMENT_MAX];
        if (!cqln_lz4_decompress(payload, seg.payload, plain, seg.plain))
            c->broken = true;
        else
            cqln_write_bytes(&c->body, plain, seg.plain);
    } else {
        cqln_write_bytes(&c->body, payload, seg.payload);
    }
    drop_front(&c->in, whole);
    take_envelopes(c, &c->body);
    return !c->broken;
}

void mockconn_feed(mockconn *c, const uint8_t *bytes, size_t len)
{
    if (c->broken)
        return;
    cqln_write_bytes(&c->in, bytes, len);
    if (!c->framed)
        take_envelopes(c, &c->in);
    while (c->framed && !c->broken && take_segment(c))
        continue;
}

void mockconn_event(mockconn *c, const char *type, const char *change, const cqln_address *a)
{
    cqln_writer out;
    if (!c->registered || c->broken)
        return;
    cqln_writer_init(&out, cqln_alloc_default(), buffer_max);
    uint16_t told = c->node->cluster->told_port;
    respond_node_event(&out, c->version, type, change, a->bytes, a->len,
                       told ? told : a->port);
    send_envelopes(c, &out);
    cqln_writer_fini(&out);
}

void mockconn_schema_event(mockconn *c, const char *change, const char *target,
                           const char *keyspace, const char *name)
{
    cqln_writer out;
    if (!c->hears_schema || c->broken)
        return;
    cqln_writer_init(&out, cqln_alloc_default(), buffer_max);
    respond_schema_event(&out, c->version, change, target, keyspace, name);
    send_envelopes(c, &out);
    cqln_writer_fini(&out);
}
