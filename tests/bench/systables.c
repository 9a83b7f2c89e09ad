/*
 * A table of tables and just enough of SELECT to answer from it.
 */
#include "systables.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>

#include "workload.h"

enum { MAX_COLUMNS = 48, MAX_ROWS = 5, MAX_WHERE = 4, MAX_WORD = 64 };

typedef enum kind {
    TEXT,
    BLOB,
    INT,
    BIGINT,
    BOOLEAN,
    DOUBLE,
    UUID,
    INET,
    TIMESTAMP,
    TEXT_SET,
    TEXT_LIST,
    TEXT_MAP,
    BLOB_MAP,
} kind;

typedef struct column {
    const char *name;
    kind kind;
} column;

/* A cell is written as text: "a|b" is a collection of two, "k=v" a pair, NULL a null. */
typedef struct systable {
    const char *keyspace;
    const char *name;
    column columns[MAX_COLUMNS];
    size_t rows;
    bool peers; /* it has no more rows than there are other nodes */
    const char *cells[MAX_ROWS][MAX_COLUMNS];
} systable;

#define HOST_ID     "6d1f3a52-9c0e-4b77-8f21-5a2be4c90d11"
#define SCHEMA_ID   "2207c2a9-f598-3971-986b-2926e09e239d"
#define PARTITIONER "org.apache.cassandra.dht.Murmur3Partitioner"
#define HOST_ID2    "6d1f3a52-9c0e-4b77-8f21-5a2be4c90d12"
#define HOST_ID3    "6d1f3a52-9c0e-4b77-8f21-5a2be4c90d13"
#define HOST_ID4    "6d1f3a52-9c0e-4b77-8f21-5a2be4c90d14"
#define SIMPLE      "class=org.apache.cassandra.locator.SimpleStrategy|replication_factor=3"
#define FIRST_TOKEN "-9223372036854775808"
#define TOKEN2      "-3074457345618258603"
#define TOKEN3      "3074457345618258602"
#define TOKEN4      "6148914691236517204"

static char node_address[INET6_ADDRSTRLEN] = "127.0.0.1";
static char second_address[INET6_ADDRSTRLEN], third_address[INET6_ADDRSTRLEN];
static char fourth_address[INET6_ADDRSTRLEN];
static char node_port[8] = "9042";
static unsigned peer_count; /* of the three that are in the tables */

static const systable tables[] = {
    {.keyspace = "system",
     .name = "local",
     .columns = {{"key", TEXT},
                 {"bootstrapped", TEXT},
                 {"broadcast_address", INET},
                 {"broadcast_port", INT},
                 {"cluster_name", TEXT},
                 {"cql_version", TEXT},
                 {"data_center", TEXT},
                 {"gossip_generation", INT},
                 {"host_id", UUID},
                 {"listen_address", INET},
                 {"listen_port", INT},
                 {"native_protocol_version", TEXT},
                 {"partitioner", TEXT},
                 {"rack", TEXT},
                 {"release_version", TEXT},
                 {"rpc_address", INET},
                 {"rpc_port", INT},
                 {"schema_version", UUID},
                 {"tokens", TEXT_SET},
                 {"truncated_at", BLOB_MAP}},
     .rows = 1,
     .cells = {{"local",      "COMPLETED",   node_address, "7000",      "bench responder",
                "3.4.7",      "datacenter1", "1700000000", HOST_ID,     node_address,
                "7000",       "5",           PARTITIONER,  "rack1",     "5.0.6",
                node_address, node_port,     SCHEMA_ID,    FIRST_TOKEN, NULL}}},
    {.keyspace = "system",
     .name = "peers_v2",
     .columns = {{"peer", INET},
                 {"peer_port", INT},
                 {"data_center", TEXT},
                 {"host_id", UUID},
                 {"native_address", INET},
                 {"native_port", INT},
                 {"preferred_ip", INET},
                 {"preferred_port", INT},
                 {"rack", TEXT},
                 {"release_version", TEXT},
                 {"schema_version", UUID},
                 {"tokens", TEXT_SET}},
     .peers = true,
     .rows = 3,
     .cells = {{second_address, "7000", "datacenter1", HOST_ID2, second_address, node_port, NULL,
                NULL, "rack1", "5.0.6", SCHEMA_ID, TOKEN2},
               {third_address, "7000", "datacenter1", HOST_ID3, third_address, node_port, NULL, NULL,
                "rack1", "5.0.6", SCHEMA_ID, TOKEN3},
               {fourth_address, "7000", "datacenter1", HOST_ID4, fourth_address, node_port, NULL,
                NULL, "rack1", "5.0.6", SCHEMA_ID, TOKEN4}}},
    {.keyspace = "system",
     .name = "peers",
     .columns = {{"peer", INET},
                 {"data_center", TEXT},
                 {"host_id", UUID},
                 {"preferred_ip", INET},
                 {"rack", TEXT},
                 {"release_version", TEXT},
                 {"rpc_address", INET},
                 {"schema_version", UUID},
                 {"tokens", TEXT_SET}}},
    {.keyspace = "system_schema",
     .name = "keyspaces",
     .columns = {{"keyspace_name", TEXT}, {"durable_writes", BOOLEAN}, {"replication", TEXT_MAP}},
     .rows = 1,
     .cells = {{BENCH_KEYSPACE, "true", SIMPLE}}},
    {.keyspace = "system_schema",
     .name = "tables",
     .columns = {{"keyspace_name", TEXT},
                 {"table_name", TEXT},
                 {"additional_write_policy", TEXT},
                 {"allow_auto_snapshot", BOOLEAN},
                 {"bloom_filter_fp_chance", DOUBLE},
                 {"caching", TEXT_MAP},
                 {"cdc", BOOLEAN},
                 {"comment", TEXT},
                 {"compaction", TEXT_MAP},
                 {"compression", TEXT_MAP},
                 {"crc_check_chance", DOUBLE},
                 {"default_time_to_live", INT},
                 {"extensions", BLOB_MAP},
                 {"flags", TEXT_SET},
                 {"gc_grace_seconds", INT},
                 {"id", UUID},
                 {"incremental_backups", BOOLEAN},
                 {"max_index_interval", INT},
                 {"memtable", TEXT},
                 {"memtable_flush_period_in_ms", INT},
                 {"min_index_interval", INT},
                 {"read_repair", TEXT},
                 {"speculative_retry", TEXT}},
     .rows = 1,
     .cells = {{BENCH_KEYSPACE,
                BENCH_TABLE,
                "99p",
                NULL,
                "0.01",
                "keys=ALL|rows_per_partition=NONE",
                NULL,
                "",
                "class=org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy",
                "class=org.apache.cassandra.io.compress.LZ4Compressor",
                "1",
                "0",
                "",
                "compound",
                "864000",
                "5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5",
                NULL,
                "2048",
                NULL,
                "0",
                "128",
                "BLOCKING",
                "99p"}}},
    {.keyspace = "system_schema",
     .name = "columns",
     .columns = {{"keyspace_name", TEXT},
                 {"table_name", TEXT},
                 {"column_name", TEXT},
                 {"clustering_order", TEXT},
                 {"column_name_bytes", BLOB},
                 {"kind", TEXT},
                 {"position", INT},
                 {"type", TEXT}},
     .rows = 5,
     .cells = {{BENCH_KEYSPACE, BENCH_TABLE, "at", "none", "at", "regular", "-1", "timestamp"},
               {BENCH_KEYSPACE, BENCH_TABLE, "data", "none", "data", "regular", "-1", "blob"},
               {BENCH_KEYSPACE, BENCH_TABLE, "id", "none", "id", "partition_key", "0", "bigint"},
               {BENCH_KEYSPACE, BENCH_TABLE, "name", "none", "name", "regular", "-1", "text"},
               {BENCH_KEYSPACE, BENCH_TABLE, "number", "none", "number", "regular", "-1", "int"}}},
    {.keyspace = "system_schema",
     .name = "types",
     .columns = {{"keyspace_name", TEXT},
                 {"type_name", TEXT},
                 {"field_names", TEXT_LIST},
                 {"field_types", TEXT_LIST}}},
    {.keyspace = "system_schema",
     .name = "functions",
     .columns = {{"keyspace_name", TEXT},
                 {"function_name", TEXT},
                 {"argument_types", TEXT_LIST},
                 {"argument_names", TEXT_LIST},
                 {"body", TEXT},
                 {"called_on_null_input", BOOLEAN},
                 {"language", TEXT},
                 {"return_type", TEXT}}},
    {.keyspace = "system_schema",
     .name = "aggregates",
     .columns = {{"keyspace_name", TEXT},
                 {"aggregate_name", TEXT},
                 {"argument_types", TEXT_LIST},
                 {"final_func", TEXT},
                 {"initcond", TEXT},
                 {"return_type", TEXT},
                 {"state_func", TEXT},
                 {"state_type", TEXT}}},
    {.keyspace = "system_schema",
     .name = "views",
     .columns = {{"keyspace_name", TEXT},
                 {"view_name", TEXT},
                 {"base_table_id", UUID},
                 {"base_table_name", TEXT},
                 {"id", UUID},
                 {"include_all_columns", BOOLEAN},
                 {"where_clause", TEXT}}},
    {.keyspace = "system_schema",
     .name = "indexes",
     .columns = {{"keyspace_name", TEXT},
                 {"table_name", TEXT},
                 {"index_name", TEXT},
                 {"kind", TEXT},
                 {"options", TEXT_MAP}}},
    {.keyspace = "system_schema",
     .name = "triggers",
     .columns = {{"keyspace_name", TEXT},
                 {"table_name", TEXT},
                 {"trigger_name", TEXT},
                 {"options", TEXT_MAP}}},
    {.keyspace = "system_schema",
     .name = "dropped_columns",
     .columns = {{"keyspace_name", TEXT},
                 {"table_name", TEXT},
                 {"column_name", TEXT},
                 {"dropped_time", TIMESTAMP},
                 {"kind", TEXT},
                 {"type", TEXT}}},
    {.keyspace = "system_schema",
     .name = "column_masks",
     .columns = {{"keyspace_name", TEXT},
                 {"table_name", TEXT},
                 {"column_name", TEXT},
                 {"function_argument_types", TEXT_LIST},
                 {"function_argument_values", TEXT_LIST},
                 {"function_keyspace", TEXT},
                 {"function_name", TEXT}}},
    {.keyspace = "system_virtual_schema",
     .name = "keyspaces",
     .columns = {{"keyspace_name", TEXT}}},
    {.keyspace = "system_virtual_schema",
     .name = "tables",
     .columns = {{"keyspace_name", TEXT}, {"table_name", TEXT}, {"comment", TEXT}}},
    {.keyspace = "system_virtual_schema",
     .name = "columns",
     .columns = {{"keyspace_name", TEXT},
                 {"table_name", TEXT},
                 {"column_name", TEXT},
                 {"clustering_order", TEXT},
                 {"column_name_bytes", BLOB},
                 {"kind", TEXT},
                 {"position", INT},
                 {"type", TEXT}}},
};

static void next_address(const char *address, unsigned step, char out[INET6_ADDRSTRLEN])
{
    struct in_addr a = {0};

    inet_pton(AF_INET, address, &a);
    a.s_addr = htonl(ntohl(a.s_addr) + step);
    inet_ntop(AF_INET, &a, out, INET6_ADDRSTRLEN);
}

void systables_init(const char *address, unsigned port, unsigned nodes)
{
    snprintf(node_address, sizeof node_address, "%s", address);
    snprintf(node_port, sizeof node_port, "%u", port);
    next_address(address, 1, second_address);
    next_address(address, 2, third_address);
    next_address(address, 3, fourth_address);
    peer_count = nodes - 1;
}

/* ---- values and metadata ---- */

static void put_type(buf *b, kind k)
{
    static const uint8_t ids[] = {
        [TEXT] = TYPE_TEXT,     [BLOB] = TYPE_BLOB,       [INT] = TYPE_INT,
        [BIGINT] = TYPE_BIGINT, [BOOLEAN] = TYPE_BOOLEAN, [DOUBLE] = TYPE_DOUBLE,
        [UUID] = TYPE_UUID,     [INET] = TYPE_INET,       [TIMESTAMP] = TYPE_TIMESTAMP,
        [TEXT_SET] = TYPE_SET,  [TEXT_LIST] = TYPE_LIST,  [TEXT_MAP] = TYPE_MAP,
        [BLOB_MAP] = TYPE_MAP,
    };

    buf_u16(b, ids[k]);
    if (k >= TEXT_SET)
        buf_u16(b, TYPE_TEXT);
    if (k == TEXT_MAP || k == BLOB_MAP)
        buf_u16(b, k == TEXT_MAP ? TYPE_TEXT : TYPE_BLOB);
}

static void put_collection(buf *b, const char *text)
{
    size_t at = b->size;
    uint32_t count = 0;

    buf_u32(b, 0);
    while (*text) {
        size_t n = strcspn(text, "|");
        const char *eq = memchr(text, '=', n);
        size_t key = eq ? (size_t)(eq - text) : n;
        buf_cell(b, text, key);
        if (eq)
            buf_cell(b, eq + 1, n - key - 1);
        count++;
        text += n + (text[n] == '|');
    }
    put_u32(b->data + at, count);
}

static void put_uuid(buf *b, const char *text)
{
    for (; *text; text += 2) {
        text += *text == '-';
        const char digits[3] = {text[0], text[1], 0};
        buf_u8(b, (unsigned)strtoul(digits, NULL, 16));
    }
}

static void put_value(buf *b, kind k, const char *text)
{
    uint8_t addr[16];

    switch (k) {
    case TEXT:
    case BLOB:
        buf_bytes(b, text, strlen(text));
        return;
    case INT:
        buf_u32(b, (uint32_t)strtol(text, NULL, 10));
        return;
    case BIGINT:
    case TIMESTAMP:
        buf_u64(b, (uint64_t)strtoll(text, NULL, 10));
        return;
    case BOOLEAN:
        buf_u8(b, text[0] == 't');
        return;
    case DOUBLE: {
        double d = strtod(text, NULL);
        uint64_t bits;
        memcpy(&bits, &d, sizeof bits);
        buf_u64(b, bits);
        return;
    }
    case UUID:
        put_uuid(b, text);
        return;
    case INET: {
        bool six = strchr(text, ':') != NULL;
        inet_pton(six ? AF_INET6 : AF_INET, text, addr);
        buf_bytes(b, addr, six ? 16 : 4);
        return;
    }
    case TEXT_SET:
    case TEXT_LIST:
    case TEXT_MAP:
    case BLOB_MAP:
        put_collection(b, text);
        return;
    }
}

/* [bytes] */
static void put_cell(buf *b, kind k, const char *text)
{
    size_t at = b->size;

    buf_u32(b, 0xffffffff);
    if (!text)
        return;
    put_value(b, k, text);
    put_u32(b->data + at, (uint32_t)(b->size - at - 4));
}

/* ---- just enough of SELECT ---- */

typedef struct lexer {
    const char *p;
    const char *end;
    char word[MAX_WORD]; /* the token: a name or keyword in lower case, a literal, or one sign */
    bool literal;        /* it was in single quotes */
} lexer;

static void add_char(lexer *lx, size_t *n, char c)
{
    if (*n + 1 < sizeof lx->word)
        lx->word[(*n)++] = c;
    lx->word[*n] = 0;
}

static void read_quoted(lexer *lx, char quote)
{
    size_t n = 0;

    for (lx->p++; lx->p < lx->end; lx->p++) {
        if (*lx->p == quote && (lx->p + 1 == lx->end || lx->p[1] != quote))
            break;
        lx->p += *lx->p == quote;
        add_char(lx, &n, *lx->p);
    }
    lx->p += lx->p < lx->end;
    lx->literal = quote == '\'';
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Reads the next token; an empty word is the end. */
static void next_word(lexer *lx)
{
    size_t n = 0;

    lx->word[0] = 0;
    lx->literal = false;
    while (lx->p < lx->end && (isspace((unsigned char)*lx->p) || *lx->p == ';'))
        lx->p++;
    if (lx->p == lx->end)
        return;
    if (*lx->p == '\'' || *lx->p == '"') {
        read_quoted(lx, *lx->p);
        return;
    }
    if (!is_name(*lx->p)) {
        add_char(lx, &n, *lx->p++);
        return;
    }
    for (; lx->p < lx->end && is_name(*lx->p); lx->p++)
        add_char(lx, &n, (char)tolower((unsigned char)*lx->p));
}

static bool is_word(const lexer *lx, const char *word)
{
    return !lx->literal && strcmp(lx->word, word) == 0;
}

typedef struct condition {
    char column[MAX_WORD];
    char text[MAX_WORD];
    const bound *value; /* set for a '?' */
} condition;

typedef struct query {
    char columns[MAX_COLUMNS][MAX_WORD];
    size_t column_count; /* 0 for '*' */
    char keyspace[MAX_WORD];
    char table[MAX_WORD];
    condition where[MAX_WHERE];
    size_t where_count;
} query;

static bool parse_columns(lexer *lx, query *q)
{
    next_word(lx);
    if (is_word(lx, "*")) {
        next_word(lx);
        return is_word(lx, "from");
    }
    while (q->column_count < MAX_COLUMNS && lx->word[0]) {
        memcpy(q->columns[q->column_count++], lx->word, MAX_WORD);
        next_word(lx);
        if (is_word(lx, "from"))
            return true;
        if (!is_word(lx, ","))
            return false;
        next_word(lx);
    }
    return false;
}

static bool parse_where(lexer *lx, query *q, const bound *values, size_t count)
{
    size_t used = 0;

    do {
        if (q->where_count == MAX_WHERE)
            return false;
        condition *c = &q->where[q->where_count++];
        next_word(lx);
        memcpy(c->column, lx->word, MAX_WORD);
        next_word(lx);
        if (!is_word(lx, "="))
            return false;
        next_word(lx);
        if (is_word(lx, "?") && used == count)
            return false;
        if (is_word(lx, "?"))
            c->value = &values[used++];
        memcpy(c->text, lx->word, MAX_WORD);
        next_word(lx);
    } while (is_word(lx, "and"));
    return true;
}

/* False for what this small parser does not know; LIMIT and ALLOW FILTERING change nothing here. */
static bool parse_select(const char *cql, size_t n, const bound *values, size_t count, query *q)
{
    lexer lx = {.p = cql, .end = cql + n};

    next_word(&lx);
    if (!is_word(&lx, "select") || !parse_columns(&lx, q))
        return false;
    next_word(&lx);
    memcpy(q->keyspace, lx.word, MAX_WORD);
    next_word(&lx);
    if (!is_word(&lx, "."))
        return false;
    next_word(&lx);
    memcpy(q->table, lx.word, MAX_WORD);
    next_word(&lx);
    return !is_word(&lx, "where") || parse_where(&lx, q, values, count);
}

/* ---- the answer ---- */

static const systable *find_table(const query *q)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strcmp(tables[i].keyspace, q->keyspace) == 0 && strcmp(tables[i].name, q->table) == 0)
            return &tables[i];
    return NULL;
}

static size_t find_column(const systable *t, const char *name)
{
    size_t i = 0;
    while (i < MAX_COLUMNS && t->columns[i].name && strcmp(t->columns[i].name, name) != 0)
        i++;
    return i < MAX_COLUMNS && t->columns[i].name ? i : MAX_COLUMNS;
}

static bool row_matches(const systable *t, size_t row, const query *q)
{
    bool all = true;

    for (size_t i = 0; i < q->where_count && all; i++) {
        const condition *c = &q->where[i];
        size_t col = find_column(t, c->column);
        const char *cell = t->cells[row][col];
        if (!c->value) {
            all = cell && strcmp(cell, c->text) == 0;
            continue;
        }
        buf b = {0};
        if (cell)
            put_value(&b, t->columns[col].kind, cell);
        all = cell && c->value->p && c->value->size == b.size &&
              memcmp(c->value->p, b.data, b.size) == 0;
        free(b.data);
    }
    return all;
}

static void put_answer(const systable *t, const query *q, const size_t *picked, size_t count,
                       buf *b)
{
    buf_u32(b, KIND_ROWS);
    buf_u32(b, ROWS_GLOBAL_SPEC);
    buf_u32(b, (uint32_t)count);
    buf_string(b, t->keyspace);
    buf_string(b, t->name);
    for (size_t i = 0; i < count; i++) {
        buf_string(b, t->columns[picked[i]].name);
        put_type(b, t->columns[picked[i]].kind);
    }
    size_t at = b->size;
    uint32_t rows = 0;
    buf_u32(b, 0);
    for (size_t r = 0; r < t->rows && (!t->peers || r < peer_count); r++) {
        if (!row_matches(t, r, q))
            continue;
        rows++;
        for (size_t i = 0; i < count; i++)
            put_cell(b, t->columns[picked[i]].kind, t->cells[r][picked[i]]);
    }
    put_u32(b->data + at, rows);
}

const char *systables_select(const char *cql, size_t n, const bound *values, size_t count,
                             buf *body)
{
    static query q; /* some kilobytes; one thread */
    size_t picked[MAX_COLUMNS];
    size_t columns = 0;

    q = (query){0};
    if (!parse_select(cql, n, values, count, &q))
        return "the responder answers SELECT columns FROM keyspace.table WHERE column = value only";
    const systable *t = find_table(&q);
    if (!t)
        return "the responder has no such table";
    for (size_t i = 0; i < q.where_count; i++)
        if (find_column(t, q.where[i].column) == MAX_COLUMNS)
            return "undefined column in WHERE";
    for (; columns < q.column_count; columns++) {
        picked[columns] = find_column(t, q.columns[columns]);
        if (picked[columns] == MAX_COLUMNS)
            return "undefined column";
    }
    for (; q.column_count == 0 && columns < MAX_COLUMNS && t->columns[columns].name; columns++)
        picked[columns] = columns;
    put_answer(t, &q, picked, columns, body);
    return NULL;
}
