/* types_differ.c: random values of every type, as they are bound and as the text that they print.
 *
 *   types_differ URL KEYSPACE KIND SEED ROUNDS
 *
 * The server reads the text as a CQL literal, finds the row of a literal by a bound key and the row of a bound key by a
 * literal, and the bytes are the same each way; cql_statement_bind_parsed of the text and the server's toJson agree
 * too. KIND is `all`, or `plain` for servers without vectors. Ends with 1 and a line for what is not so. */
#include <cqlnative/cql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096, QUERY_MAX = 4 * TEXT_MAX, ROOM = 64 * 1024, KEPT_MAX = 256 };

typedef struct column {
    const char *type;
    bool key;    /* may be one */
    bool json;   /* the server's JSON is spelled as ours */
    bool vector; /* only for servers that know vectors */
} column;

static const column columns[] = {
    {"ascii", true, false, false},
    {"bigint", true, true, false},
    {"blob", true, true, false},
    {"boolean", true, true, false},
    {"date", true, true, false},
    {"decimal", true, false, false},
    {"double", true, false, false},
    {"duration", false, true, false},
    {"float", true, false, false},
    {"inet", true, false, false},
    {"int", true, true, false},
    {"smallint", true, true, false},
    {"text", true, false, false},
    {"time", true, true, false},
    {"timestamp", true, false, false},
    {"timeuuid", true, true, false},
    {"tinyint", true, true, false},
    {"uuid", true, true, false},
    {"varint", true, true, false},
    {"list<duration>", false, true, false},
    {"map<text, int>", false, true, false},
    {"set<inet>", false, false, false},
    {"frozen<list<int>>", true, true, false},
    {"frozen<set<timestamp>>", true, false, false},
    {"frozen<map<inet, frozen<list<varint>>>>", true, false, false},
    {"frozen<tuple<int, text, frozen<set<uuid>>>>", true, false, false},
    {"frozen<pair>", true, false, false},
    {"list<frozen<map<smallint, frozen<pair>>>>", false, false, false},
    {"vector<float, 3>", true, false, true},
    {"vector<text, 2>", true, true, true},
    {"vector<frozen<list<tinyint>>, 2>", true, true, true},
    {"frozen<list<vector<vector<int, 2>, 2>>>", true, true, true},
};

static const char *doing = "connect";
static char shown[TEXT_MAX];
static cql_error *err;

#define CHECK(holds)                                                                               \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "line %d: not so: %s: %s '%s'%s%s\n", __LINE__, #holds, doing, shown,  \
                    err ? ": " : "", err ? cql_error_text(err) : "");                              \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* --- random values --------------------------------------------------------------------------------------- */

static uint64_t state;
static uint8_t room[ROOM]; /* bytes of the values of one round */
static size_t used;
static cql_collection *kept[KEPT_MAX];
static size_t kept_count;

static uint64_t next(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t below(size_t n)
{
    return (size_t)(next() % n);
}

/* The edges of a range of `bits`, what is small, and everything. */
static int64_t edge(unsigned bits)
{
    int64_t top = (int64_t)((UINT64_C(1) << (bits - 1)) - 1);
    const int64_t some[] = {0, 1, -1, top, -top - 1, 127, 128, -128, -129};
    size_t i = below(CQL_COUNT(some) + 6);
    uint64_t any = next() << (64 - bits);
    return i < CQL_COUNT(some) ? some[i] : (int64_t)any / ((int64_t)1 << (64 - bits));
}

static uint8_t *take(size_t n)
{
    CHECK(used + n <= ROOM);
    used += n;
    return room + used - n;
}

static cql_value random_bytes(cql_type_id type, size_t n)
{
    uint8_t *p = take(n);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)next();
    return cql_value_raw(type, p, n);
}

/* What stands in a literal as it is printed: no quotes, no backslashes, no control characters. */
static cql_value random_text(cql_type_id type)
{
    static const char *const pieces[] = {"a", "Z", " ", "\"", "{", "$$", "--", "0", "\xc3\xa9", "\xf0\x9f\x98\x80"};
    size_t n = below(6);
    uint8_t *p = take(4 * n + 1);
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        const char *piece = pieces[below(type == CQL_TYPE_ASCII ? 8 : CQL_COUNT(pieces))];
        memcpy(p + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return cql_value_raw(type, p, len);
}

static cql_value random_inet(void)
{
    cql_inet a = {.len = below(2) ? 4 : 16};
    for (size_t i = 0; i < a.len; i++)
        a.bytes[i] = below(3) ? 0 : (uint8_t)next();
    return cql_value_inet(a);
}

static cql_value random_float(bool single)
{
    static const double some[] = {0.0, -0.0, 1.0, -1.5, 1e7, 1e16, 1e-3, 1e22, 5e-324, 1.17549435e-38, 123456.7};
    size_t i = below(CQL_COUNT(some) + 9);
    double d = i < CQL_COUNT(some) ? some[i] : (double)__builtin_nan("");
    uint64_t bits = next();
    float f = (float)d;
    uint32_t half = (uint32_t)bits;
    if (i == CQL_COUNT(some))
        f = (float)(d = (double)__builtin_inf());
    if (i == CQL_COUNT(some) + 1)
        f = (float)(d = -(double)__builtin_inf());
    if (i > CQL_COUNT(some) + 2) {
        memcpy(&d, &bits, sizeof d);
        memcpy(&f, &half, sizeof f);
    }
    if (d != d)
        d = (double)__builtin_nan(""); /* the one that the server reads */
    if (f != f)
        f = __builtin_nanf("");
    return single ? cql_value_float(f) : cql_value_double(d);
}

static cql_value random_duration(void)
{
    int64_t sign = below(2) ? 1 : -1;
    cql_duration d = {(int32_t)(sign * (int64_t)below(INT32_MAX)), (int32_t)(sign * (int64_t)below(40)),
                      sign * (int64_t)(next() >> (1 + below(63)))};
    if (below(2))
        d.months = 0;
    if (d.months == 0 && d.nanos == 0)
        d.days = (int32_t)sign;
    return cql_value_duration(d);
}

static cql_value random_timestamp(void)
{
    const int64_t first = INT64_C(-62135596800000); /* year 1: those before have no literal */
    int64_t ms = edge(64);
    return cql_value_timestamp(ms < first ? first + (int64_t)below(INT32_MAX) : ms);
}

static cql_value random_scalar(cql_type_id type)
{
    uint8_t one = (uint8_t)next();
    switch (type) {
    case CQL_TYPE_ASCII:
    case CQL_TYPE_TEXT:
        return random_text(type);
    case CQL_TYPE_BIGINT:
        return cql_value_int64(edge(64));
    case CQL_TYPE_BLOB:
        return random_bytes(type, below(9));
    case CQL_TYPE_BOOLEAN:
        return cql_value_bool(one & 1);
    case CQL_TYPE_DATE:
        return cql_value_date((int32_t)edge(one & 1 ? 32 : 23));
    case CQL_TYPE_DECIMAL:
        /* Inside of another value servers read no literal beyond a double. */
        return cql_value_decimal64(edge(64), (int32_t)edge(one & 1 ? 9 : 5));
    case CQL_TYPE_DOUBLE:
        return random_float(false);
    case CQL_TYPE_DURATION:
        return random_duration();
    case CQL_TYPE_FLOAT:
        return random_float(true);
    case CQL_TYPE_INET:
        return random_inet();
    case CQL_TYPE_INT:
        return cql_value_int32((int32_t)edge(32));
    case CQL_TYPE_SMALLINT:
        return cql_value_int16((int16_t)edge(16));
    case CQL_TYPE_TIME:
        return cql_value_time((int64_t)(one & 1 ? 86399999999999 - below(2) : below(86400000) * 1000000));
    case CQL_TYPE_TIMESTAMP:
        return random_timestamp();
    case CQL_TYPE_TIMEUUID:
        return cql_value_uuid(cql_uuid_min_for(edge(40)));
    case CQL_TYPE_TINYINT:
        return cql_value_int8((int8_t)edge(8));
    case CQL_TYPE_UUID:
        return random_bytes(type, 16);
    case CQL_TYPE_VARINT:
        return cql_value_varint64(edge(64));
    default:
        CHECK(false); /* no scalar */
        return cql_value_null();
    }
}

/* Sets and maps of one element: what is bound inside of a tuple is not sorted by the servers, a literal is. */
static cql_value random_value(const cql_type *type)
{
    cql_type_id id = cql_type_of(type);
    cql_collection *c;
    if (id < CQL_TYPE_LIST)
        return random_scalar(id);
    bool fields = id == CQL_TYPE_UDT || id == CQL_TYPE_TUPLE;
    size_t n = fields ? cql_type_count(type) : id == CQL_TYPE_VECTOR ? cql_type_dimension(type) : below(3) + 1;
    CHECK(kept_count < KEPT_MAX && cql_collection_new(id, NULL, &c) == CQL_OK);
    kept[kept_count++] = c;
    if (id == CQL_TYPE_MAP || id == CQL_TYPE_SET)
        n = 1;
    for (size_t i = 0; i < n; i++) {
        bool null = fields && i > 0 && below(3) == 0;
        cql_value v = null ? cql_value_null() : random_value(cql_type_at(type, fields ? i : 0));
        CHECK(cql_collection_add(c, v) == CQL_OK);
        if (id == CQL_TYPE_MAP)
            CHECK(cql_collection_add(c, random_value(cql_type_at(type, 1))) == CQL_OK);
    }
    return cql_value_collection(c);
}

static void forget_values(void)
{
    while (kept_count > 0)
        cql_collection_free(kept[--kept_count]);
    used = 0;
}

/* --- one table for each type ------------------------------------------------------------------------------ */

typedef struct table {
    cql_session *s;
    const column *of;
    char name[64];
    cql_prepared *insert;
    cql_prepared *find;
} table;

static void run(cql_session *s, const char *cql)
{
    CHECK(cql_session_query_wait(s, cql, NULL, &err) == CQL_OK);
}

static cql_prepared *prepare(const table *t, const char *before, const char *behind)
{
    char cql[QUERY_MAX];
    cql_prepared *p = NULL;
    snprintf(cql, sizeof cql, "%s %s %s", before, t->name, behind);
    CHECK(cql_session_prepare_wait(t->s, cql, &p, &err) == CQL_OK);
    return p;
}

static void open_table(table *t)
{
    char cql[QUERY_MAX];
    const char *key = t->of->key ? t->of->type : "int";
    snprintf(cql, sizeof cql,
             "CREATE TABLE %s (p %s, c %s, v %s, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)", t->name,
             key, key, t->of->type);
    run(t->s, cql);
    t->insert = prepare(t, "INSERT INTO", "(p, c, v) VALUES (?, ?, ?)");
    t->find = prepare(t, "SELECT v, p, c, toJson(v) FROM", "WHERE p = ? AND c = ?");
}

static cql_result *execute(const table *t, const cql_statement *st)
{
    cql_result *res = NULL;
    CHECK(cql_session_execute_wait(t->s, st, &res, &err) == CQL_OK);
    return res;
}

static void same_bytes(cql_str a, cql_str b)
{
    CHECK(cql_str_equal(a, b));
}

/* The one row: its value, and its key where it is the same. */
static void compare(const table *t, cql_result *res, const cql_value *v)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    CHECK(cql_result_row_count(res) == 1 && cql_rows_next(&rows));
    for (size_t i = 0; i < (t->of->key ? 3u : 1u); i++) {
        cql_value got = cql_rows_value(&rows, i);
        CHECK(got.state == CQL_VALUE_SET);
        same_bytes(cql_value_bytes(&got), cql_value_bytes(v));
    }
    if (t->of->json) {
        char json[TEXT_MAX];
        CHECK(cql_value_print_json(v, cql_result_column_type(res, 0), json, sizeof json, NULL) == CQL_OK);
        doing = json;
        same_bytes(cql_rows_str(&rows, 3), cql_str_of(json));
        doing = t->of->type;
    }
    cql_result_unref(res);
}

/* As it stands in CQL: what is no number gets quotes. */
static void make_literal(const cql_type *type, const cql_value *v, char out[TEXT_MAX])
{
    size_t len = 0;
    CHECK(cql_value_print(v, type, shown, sizeof shown, &len) == CQL_OK && len < TEXT_MAX - 2);
    switch (cql_type_of(type)) {
    case CQL_TYPE_ASCII:
    case CQL_TYPE_TEXT:
    case CQL_TYPE_DATE:
    case CQL_TYPE_TIME:
    case CQL_TYPE_TIMESTAMP:
    case CQL_TYPE_INET:
        snprintf(out, TEXT_MAX, "'%.*s'", TEXT_MAX - 3, shown);
        break;
    default:
        memcpy(out, shown, len + 1);
        break;
    }
}

static void bind_key(const table *t, cql_statement *st, cql_value v)
{
    for (size_t i = 0; i < 2; i++)
        CHECK(cql_statement_bind_value(st, i, t->of->key ? v : cql_value_int32(1)) == CQL_OK);
}

/* Written as a literal, found by what is bound. */
static void literal_first(const table *t, const cql_value *v, const char *literal)
{
    char cql[QUERY_MAX];
    const char *key = t->of->key ? literal : "1";
    cql_statement *find = cql_prepared_bind(t->find);
    snprintf(cql, sizeof cql, "INSERT INTO %s (p, c, v) VALUES (%s, %s, %s)", t->name, key, key, literal);
    run(t->s, cql);
    bind_key(t, find, *v);
    compare(t, execute(t, find), v);
    snprintf(cql, sizeof cql, "DELETE FROM %s WHERE p = %s", t->name, key);
    run(t->s, cql);
    cql_statement_free(find);
}

/* Bound, as it is or by its text, and found by a literal. */
static void bound_first(const table *t, const cql_value *v, const char *literal, bool parsed)
{
    char cql[QUERY_MAX];
    const char *key = t->of->key ? literal : "1";
    cql_result *res = NULL;
    cql_statement *insert = cql_prepared_bind(t->insert);
    bind_key(t, insert, *v);
    if (parsed)
        CHECK(cql_statement_bind_parsed(insert, 2, shown, &err) == CQL_OK);
    else
        CHECK(cql_statement_bind_value(insert, 2, *v) == CQL_OK);
    cql_result_unref(execute(t, insert));
    snprintf(cql, sizeof cql, "SELECT v, p, c, toJson(v) FROM %s WHERE p = %s AND c = %s", t->name, key, key);
    CHECK(cql_session_query_wait(t->s, cql, &res, &err) == CQL_OK);
    compare(t, res, v);
    snprintf(cql, sizeof cql, "DELETE FROM %s WHERE p = %s", t->name, key);
    run(t->s, cql);
    cql_statement_free(insert);
}

static void one_round(const table *t)
{
    char literal[TEXT_MAX];
    const cql_type *type = cql_prepared_marker_type(t->insert, 2);
    cql_value v = random_value(type);
    while (t->of->key && cql_value_bytes(&v).len == 0) /* no key */
        v = random_value(type);
    make_literal(type, &v, literal);
    literal_first(t, &v, literal);
    bound_first(t, &v, literal, false);
    bound_first(t, &v, literal, true);
    forget_values();
}

static void one_type(cql_session *s, const char *keyspace, size_t i, unsigned rounds)
{
    table t = {.s = s, .of = &columns[i]};
    doing = t.of->type;
    snprintf(t.name, sizeof t.name, "%s.t%zu", keyspace, i);
    open_table(&t);
    while (rounds-- > 0)
        one_round(&t);
    cql_prepared_unref(t.insert);
    cql_prepared_unref(t.find);
}

/* --- a user type that is altered ------------------------------------------------------------------- */

static void run_in(cql_session *s, const char *before, const char *keyspace, const char *behind)
{
    char cql[QUERY_MAX];
    snprintf(cql, sizeof cql, "%s %s.%s", before, keyspace, behind);
    run(s, cql);
}

static cql_prepared *prepare_move(cql_session *s, const char *keyspace)
{
    char cql[QUERY_MAX];
    cql_prepared *p = NULL;
    snprintf(cql, sizeof cql, "INSERT INTO %s.moves (k, at) VALUES (?, ?)", keyspace);
    CHECK(cql_session_prepare_wait(s, cql, &p, &err) == CQL_OK);
    return p;
}

/* The number by that name; zip NULL: it is not known to the statement. */
static void move(cql_session *s, const cql_prepared *p, int32_t k, const char *number, const char *zip)
{
    const cql_type *type = cql_prepared_marker_type(p, 1);
    cql_collection *at = NULL;
    cql_statement *st = cql_prepared_bind(p);
    CHECK(st && cql_collection_new(CQL_TYPE_UDT, NULL, &at) == CQL_OK);
    CHECK(cql_collection_set_field(at, type, number, cql_value_int32(10 * k)) == CQL_OK);
    CHECK(cql_collection_set_field(at, type, "STREET", cql_value_text("Long Street")) == CQL_OK);
    CHECK(cql_collection_set_field(at, type, "zip", cql_value_text(zip)) == (zip ? CQL_OK : CQL_NO_SUCH_NAME));
    CHECK(cql_statement_bind(st, CQL_VALUES(cql_value_int32(k), cql_value_collection(at)), &err) == CQL_OK);
    CHECK(cql_session_execute_wait(s, st, NULL, &err) == CQL_OK);
    cql_statement_free(st);
    cql_collection_free(at);
}

static void check_moves(cql_session *s, const char *keyspace)
{
    char cql[QUERY_MAX];
    cql_result *res = NULL;
    cql_rows rows;
    cql_value no, zip, street;
    int32_t n;
    int seen = 0;
    snprintf(cql, sizeof cql, "SELECT k, at FROM %s.moves", keyspace);
    CHECK(cql_session_query_wait(s, cql, &res, &err) == CQL_OK);
    const cql_type *type = cql_result_column_type(res, 1);
    for (cql_rows_init(&rows, res); cql_rows_next(&rows); seen++) {
        int32_t k = cql_rows_int32(&rows, 0);
        cql_value at = cql_rows_value(&rows, 1);
        CHECK(cql_value_field(&at, type, "number", &no) == CQL_NO_SUCH_NAME);
        CHECK(cql_value_field(&at, type, "\"No\"", &no) == CQL_OK);
        CHECK(cql_value_as_int32(&no, &n) == CQL_OK && n == 10 * k);
        CHECK(cql_value_field(&at, type, "street", &street) == CQL_OK && !cql_value_is_null(&street));
        CHECK(cql_value_field(&at, type, "zip", &zip) == CQL_OK);
        CHECK(cql_value_is_null(&zip) == (k < 3)); /* those were written without it */
    }
    CHECK(seen == 3);
    cql_result_unref(res);
}

static void altered_type(cql_session *s, const char *keyspace)
{
    run_in(s, "CREATE TYPE", keyspace, "address (street text, number int)");
    run_in(s, "CREATE TABLE", keyspace, "moves (k int PRIMARY KEY, at frozen<address>)");
    cql_prepared *before = prepare_move(s, keyspace);
    move(s, before, 1, "number", NULL);
    run_in(s, "ALTER TYPE", keyspace, "address ADD zip text");
    run_in(s, "ALTER TYPE", keyspace, "address RENAME number TO \"No\"");
    move(s, before, 2, "number", NULL); /* what is known of it goes on */
    cql_prepared *after = prepare_move(s, keyspace);
    move(s, after, 3, "No", "12345");
    check_moves(s, keyspace);
    cql_prepared_unref(before);
    cql_prepared_unref(after);
}

int main(int argc, char **argv)
{
    char cql[QUERY_MAX];
    cql_session *s = NULL;
    size_t types = 0;
    if (argc != 6) {
        fprintf(stderr, "usage: types_differ URL KEYSPACE all|plain SEED ROUNDS\n");
        return 2;
    }
    state = strtoull(argv[4], NULL, 10);
    CHECK(cql_session_open_wait(argv[1], &s, &err) == CQL_OK);
    snprintf(cql, sizeof cql, "DROP KEYSPACE IF EXISTS %s", argv[2]);
    run(s, cql);
    snprintf(cql, sizeof cql,
             "CREATE KEYSPACE %s WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", argv[2]);
    run(s, cql);
    snprintf(cql, sizeof cql, "CREATE TYPE %s.pair (\"My field\" int, tags frozen<list<text>>, d decimal)", argv[2]);
    run(s, cql);
    for (size_t i = 0; i < CQL_COUNT(columns); i++) {
        if (columns[i].vector && strcmp(argv[3], "all") != 0)
            continue;
        one_type(s, argv[2], i, (unsigned)strtoul(argv[5], NULL, 10));
        types++;
    }
    doing = "a user type that is altered";
    altered_type(s, argv[2]);
    printf("%zu types, %s rounds each: bound, printed and read are the same\n", types, argv[5]);
    cql_session_close_wait(s);
    cql_session_free(s);
    return 0;
}
