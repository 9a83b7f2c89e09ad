/*
 * PREPARED, ROWS and VOID from memory.
 *
 * One-row answers are small: their 64 bodies are kept, copied and the id is written into the copy.
 * Pages are large: they are kept in wire form and sent from where they are.
 */
#include "answers.h"

#include "crc.h"
#include "systables.h"
#include "workload.h"

enum { ID_SIZE = 16, COLUMNS = 5, MAX_VALUES = 16 };

enum { ERR_PROTOCOL = 0x000a, ERR_SYNTAX = 0x2000, ERR_INVALID = 0x2200, ERR_UNPREPARED = 0x2500 };

typedef struct statement {
    const char *cql;
    const char *id;          /* ID_SIZE bytes */
    const char *metadata_id; /* of the result columns; ID_SIZE bytes */
} statement;

/* In the order of enum bench_workload. Ids are opaque to clients. */
static const statement statements[] = {
    {BENCH_INSERT, "bench-insert-id.", "no-columns-at-al"},
    {BENCH_SELECT, "bench-select-id.", "the-five-columns"},
    {BENCH_PAGE, "bench-page-id...", "the-five-columns"},
};

static const struct {
    const char *name;
    uint8_t type;
} columns[COLUMNS] = {
    {"name", TYPE_TEXT},    {"number", TYPE_INT}, {"id", TYPE_BIGINT},
    {"at", TYPE_TIMESTAMP}, {"data", TYPE_BLOB},
};

/* [skip_metadata][template]; the id's eight bytes lie at id_at. */
static struct {
    buf body;
    size_t id_at;
} one_row[2][BENCH_TEMPLATES];

/* [protocol 4, 5][skip_metadata][the page after the first] */
static image pages[2][2][2];

static void put_columns(buf *b)
{
    buf_string(b, BENCH_KEYSPACE);
    buf_string(b, BENCH_TABLE);
    for (int i = 0; i < COLUMNS; i++) {
        buf_string(b, columns[i].name);
        buf_u16(b, columns[i].type);
    }
}

/* The start of a ROWS result up to and without the row count. */
static void put_rows_metadata(buf *b, unsigned flags, const char *paging_state, const char *new_id)
{
    buf_u32(b, KIND_ROWS);
    buf_u32(b, flags);
    buf_u32(b, COLUMNS);
    if (flags & ROWS_MORE_PAGES)
        buf_cell(b, paging_state, strlen(paging_state));
    if (flags & ROWS_METADATA_CHANGED) {
        buf_u16(b, ID_SIZE);
        buf_bytes(b, new_id, ID_SIZE);
    }
    if (!(flags & ROWS_NO_METADATA))
        put_columns(b);
}

/* Returns where the id is. */
static size_t put_row(buf *b, int64_t id)
{
    bench_row row = bench_row_of(id);

    buf_cell(b, row.name, row.name_size);
    buf_u32(b, 4);
    buf_u32(b, (uint32_t)row.number);
    buf_u32(b, 8);
    buf_u64(b, (uint64_t)row.id);
    size_t id_at = b->size - 8;
    buf_u32(b, 8);
    buf_u64(b, (uint64_t)row.at);
    buf_cell(b, row.data, BENCH_DATA_SIZE);
    return id_at;
}

static unsigned metadata_flags(bool skip)
{
    return skip ? ROWS_NO_METADATA : ROWS_GLOBAL_SPEC;
}

static void put_page(buf *b, unsigned flags, int second)
{
    put_rows_metadata(b, second ? flags : flags | ROWS_MORE_PAGES, "second-page-next",
                      statements[WORKLOAD_PAGE].metadata_id);
    buf_u32(b, BENCH_PAGE_ROWS);
    for (int i = 0; i < BENCH_PAGE_ROWS; i++)
        put_row(b, i + second * BENCH_PAGE_ROWS);
}

void answers_init(void)
{
    for (int skip = 0; skip < 2; skip++) {
        for (int t = 0; t < BENCH_TEMPLATES; t++) {
            buf *b = &one_row[skip][t].body;
            put_rows_metadata(b, metadata_flags(skip), NULL, NULL);
            buf_u32(b, 1);
            one_row[skip][t].id_at = put_row(b, t);
        }
        for (int second = 0; second < 2; second++) {
            buf b = {0};
            put_page(&b, metadata_flags(skip), second);
            image_make(&pages[0][skip][second], 0x84, OP_RESULT, &b, false);
            image_make(&pages[1][skip][second], 0x85, OP_RESULT, &b, true);
            free(b.data);
        }
    }
}

static void send_result(output *o, unsigned version, uint16_t stream, buf *body)
{
    output_body(o, version | 0x80, stream, OP_RESULT, body);
    free(body->data);
}

static void put_error(buf *b, uint32_t code, const char *text)
{
    buf_u32(b, code);
    buf_string(b, text);
}

void answer_error(output *o, unsigned version, uint16_t stream, uint32_t code, const char *text)
{
    buf b = {0};
    put_error(&b, code, text);
    output_body(o, version | 0x80, stream, OP_ERROR, &b);
    free(b.data);
}

void answer_void(output *o, unsigned version, uint16_t stream)
{
    put_u32(output_envelope(o, version | 0x80, stream, OP_RESULT, 4), KIND_VOID);
}

/* ---- PREPARE ---- */

static void put_bind_metadata(buf *b, enum bench_workload w)
{
    int count = w == WORKLOAD_INSERT ? COLUMNS : w == WORKLOAD_SELECT;
    int first = w == WORKLOAD_SELECT ? 2 : 0; /* the one marker of the select is the id */

    buf_u32(b, count ? ROWS_GLOBAL_SPEC : 0);
    buf_u32(b, (uint32_t)count);
    buf_u32(b, count ? 1 : 0); /* one partition key column, at this index */
    if (!count)
        return;
    buf_u16(b, w == WORKLOAD_INSERT ? 2 : 0);
    buf_string(b, BENCH_KEYSPACE);
    buf_string(b, BENCH_TABLE);
    for (int i = first; i < first + count; i++) {
        buf_string(b, columns[i].name);
        buf_u16(b, columns[i].type);
    }
}

bool answer_prepare(output *o, unsigned version, uint16_t stream, const char *cql, size_t n)
{
    for (enum bench_workload w = WORKLOAD_INSERT; w <= WORKLOAD_PAGE; w++) {
        const statement *st = &statements[w];
        if (strlen(st->cql) != n || memcmp(st->cql, cql, n) != 0)
            continue;
        buf b = {0};
        buf_u32(&b, KIND_PREPARED);
        buf_u16(&b, ID_SIZE);
        buf_bytes(&b, st->id, ID_SIZE);
        if (version >= 5) {
            buf_u16(&b, ID_SIZE);
            buf_bytes(&b, st->metadata_id, ID_SIZE);
        }
        put_bind_metadata(&b, w);
        buf_u32(&b, w == WORKLOAD_INSERT ? ROWS_NO_METADATA : ROWS_GLOBAL_SPEC);
        buf_u32(&b, w == WORKLOAD_INSERT ? 0 : COLUMNS);
        if (w != WORKLOAD_INSERT)
            put_columns(&b);
        send_result(o, version, stream, &b);
        return true;
    }
    return false;
}

/* ---- EXECUTE and QUERY ---- */

typedef struct parameters {
    unsigned flags;
    bound values[MAX_VALUES];
    unsigned count;
    bool has_state;
} parameters;

/* Reads as far as the paging state; what may follow it changes no answer here. */
static const char *read_parameters(reader *r, unsigned version, parameters *q)
{
    size_t n;

    rd_u16(r); /* consistency */
    q->flags = version >= 5 ? rd_u32(r) : rd_u8(r);
    q->count = 0;
    q->has_state = false;
    if (q->flags & QUERY_NAMES)
        return "the responder wants values by position";
    if (q->flags & QUERY_VALUES)
        q->count = rd_u16(r);
    if (q->count > MAX_VALUES)
        return "too many values";
    for (unsigned i = 0; i < q->count; i++)
        q->values[i].p = rd_value(r, &q->values[i].size);
    if (q->flags & QUERY_PAGE_SIZE)
        rd_u32(r); /* the page is of one size, whatever was asked */
    if (q->flags & QUERY_PAGING_STATE)
        q->has_state = rd_value(r, &n) != NULL;
    return r->bad ? "the message ends before its last field" : NULL;
}

static bool value_is(const bound *v, const void *p, size_t n)
{
    return v->p && v->size == n && memcmp(v->p, p, n) == 0;
}

static bool value_is_u64(const bound *v, uint64_t want)
{
    return v->p && v->size == 8 && get_u64(v->p) == want;
}

/* The values of an insert are checked, so that a client that encodes them wrongly cannot pass. */
static const char *check_insert(const parameters *q)
{
    const bound *v = q->values;

    if (q->count != COLUMNS || !v[2].p || v[2].size != 8)
        return "the insert wants five values, the third of eight bytes";
    bench_row row = bench_row_of((int64_t)get_u64(v[2].p));
    if (!value_is(&v[0], row.name, row.name_size) || !v[1].p || v[1].size != 4 ||
        get_u32(v[1].p) != (uint32_t)row.number || !value_is_u64(&v[3], (uint64_t)row.at) ||
        !value_is(&v[4], row.data, BENCH_DATA_SIZE))
        return "the values are not those of the benchmark's row with this id";
    return NULL;
}

static void send_changed(output *o, unsigned version, uint16_t stream, enum bench_workload w,
                         const parameters *q)
{
    unsigned flags = ROWS_GLOBAL_SPEC | ROWS_METADATA_CHANGED;
    buf b = {0};

    if (w == WORKLOAD_PAGE) {
        put_page(&b, flags, q->has_state);
    } else {
        put_rows_metadata(&b, flags, NULL, statements[w].metadata_id);
        buf_u32(&b, 1);
        put_row(&b, (int64_t)get_u64(q->values[0].p));
    }
    send_result(o, version, stream, &b);
}

static void send_one_row(output *o, unsigned version, uint16_t stream, const parameters *q)
{
    const bound *id = &q->values[0];
    int skip = (q->flags & QUERY_SKIP_METADATA) != 0;
    size_t t = get_u64(id->p) % BENCH_TEMPLATES;
    const buf *body = &one_row[skip][t].body;
    uint8_t *p = output_envelope(o, version | 0x80, stream, OP_RESULT, body->size);

    memcpy(p, body->data, body->size);
    memcpy(p + one_row[skip][t].id_at, id->p, 8);
}

static void send_page(output *o, unsigned version, uint16_t stream, const parameters *q)
{
    int skip = (q->flags & QUERY_SKIP_METADATA) != 0;
    output_image(o, &pages[version >= 5][skip][q->has_state], stream);
}

static int find_statement(const uint8_t *id, size_t n)
{
    for (int w = WORKLOAD_INSERT; n == ID_SIZE && w <= WORKLOAD_PAGE; w++)
        if (memcmp(id, statements[w].id, ID_SIZE) == 0)
            return w;
    return -1;
}

static void send_unprepared(output *o, unsigned version, uint16_t stream, const uint8_t *id,
                            size_t n)
{
    buf b = {0};
    put_error(&b, ERR_UNPREPARED, "the responder has not prepared this");
    buf_u16(&b, (unsigned)n);
    buf_bytes(&b, id, n);
    output_body(o, version | 0x80, stream, OP_ERROR, &b);
    free(b.data);
}

static const char *check_values(enum bench_workload w, const parameters *q)
{
    if (w == WORKLOAD_INSERT)
        return check_insert(q);
    if (w == WORKLOAD_SELECT && (q->count != 1 || !q->values[0].p || q->values[0].size != 8))
        return "the select wants one value of eight bytes";
    return w == WORKLOAD_PAGE && q->count ? "the page wants no values" : NULL;
}

void answer_execute(output *o, unsigned version, uint16_t stream, reader *r)
{
    parameters q;
    bool changed = false;
    size_t n = rd_u16(r);
    const uint8_t *id = rd_bytes(r, n);
    int found = find_statement(id, r->bad ? 0 : n);

    if (found < 0) {
        send_unprepared(o, version, stream, id, r->bad ? 0 : n);
        return;
    }
    enum bench_workload w = (enum bench_workload)found;
    if (version >= 5) {
        n = rd_u16(r);
        const uint8_t *metadata_id = rd_bytes(r, n);
        changed =
            r->bad || n != ID_SIZE || memcmp(metadata_id, statements[w].metadata_id, ID_SIZE) != 0;
    }
    const char *wrong = read_parameters(r, version, &q);
    if (!wrong)
        wrong = check_values(w, &q);
    if (wrong)
        answer_error(o, version, stream, ERR_INVALID, wrong);
    else if (w == WORKLOAD_INSERT)
        answer_void(o, version, stream);
    else if (changed)
        send_changed(o, version, stream, w, &q);
    else if (w == WORKLOAD_SELECT)
        send_one_row(o, version, stream, &q);
    else
        send_page(o, version, stream, &q);
}

void answer_query(output *o, unsigned version, uint16_t stream, reader *r)
{
    parameters q;
    buf b = {0};
    size_t n = rd_u32(r);
    const char *cql = (const char *)rd_bytes(r, n);
    const char *wrong = r->bad ? "the query text is cut" : read_parameters(r, version, &q);

    if (wrong) {
        answer_error(o, version, stream, ERR_PROTOCOL, wrong);
    } else if (n == strlen(BENCH_PAGE) && memcmp(cql, BENCH_PAGE, n) == 0) {
        send_page(o, version, stream, &q);
    } else if ((wrong = systables_select(cql, n, q.values, q.count, &b)) != NULL) {
        answer_error(o, version, stream, ERR_INVALID, wrong);
        free(b.data);
    } else {
        send_result(o, version, stream, &b);
    }
}
