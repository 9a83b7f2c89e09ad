/* The server inside the test. */
#include "schema_fake.h"

#include "base/error.h"
#include "schema/compare.h"
#include "schema/split.h"
#include "types/type.h"
#include "unit.h"

/* --- what the public types hold here ---------------------------------------------------------- */

struct cql_session {
    fake_server *fs;
};

struct cql_statement {
    char *text;
    char value[64];
    char bytes[FAKE_VALUES][200];
    size_t lens[FAKE_VALUES];
    cql_consistency level, serial;
    bool level_set;
    bool idempotence_said;
    size_t offset; /* paging state */
};

enum { MAX_COLUMNS = 16, MAX_ROWS = 64, MAX_BYTES = 8192 };

typedef struct fake_cell {
    bool null;
    size_t len;
    char bytes[MAX_BYTES];
} fake_cell;

struct cql_result {
    cql_result_kind kind;
    const char *names[MAX_COLUMNS];
    const cql_type *types[MAX_COLUMNS];
    size_t columns;
    size_t rows;
    fake_cell *cells;
    char keyspace[64];
    bool agreed;
    const char *warning;
    bool more;
    char state[16];
    char text[MAX_BYTES]; /* of cql_rows_cstr */
};

struct cql_hosts {
    fake_server *fs;
};

typedef struct fake_cursor {
    cql_result *res;
    size_t row; /* of the next one */
} fake_cursor;

static const cql_type *text_pair[2];
static cql_type map_type = {.id = CQL_TYPE_MAP, .count = 2, .items = text_pair};
static cql_type list_type = {.id = CQL_TYPE_LIST, .count = 1, .items = text_pair};

static const cql_type *text_type(void)
{
    text_pair[0] = text_pair[1] = cqln_type_scalar(CQL_TYPE_TEXT);
    return text_pair[0];
}

/* --- making results --------------------------------------------------------------------------- */

static cql_result *result_new(cql_result_kind kind)
{
    cql_result *res = calloc(1, sizeof *res);
    assert_non_null(res);
    res->kind = kind;
    res->agreed = true;
    (void)text_type();
    return res;
}

static void add_column(cql_result *res, const char *name, const cql_type *type)
{
    assert_true(res->columns < MAX_COLUMNS);
    res->names[res->columns] = name;
    res->types[res->columns++] = type;
}

static fake_cell *cell_at(const cql_result *res, size_t row, size_t column)
{
    return &res->cells[row * MAX_COLUMNS + column];
}

static void add_row(cql_result *res)
{
    res->cells = realloc(res->cells, (res->rows + 1) * MAX_COLUMNS * sizeof *res->cells);
    assert_non_null(res->cells);
    memset(cell_at(res, res->rows, 0), 0, MAX_COLUMNS * sizeof *res->cells);
    res->rows++;
}

static void put(fake_cell *c, const void *bytes, size_t len)
{
    assert_true(c->len + len <= sizeof c->bytes);
    if (len)
        memcpy(c->bytes + c->len, bytes, len);
    c->len += len;
}

static void put_int(fake_cell *c, uint32_t v)
{
    const uint8_t bytes[] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    put(c, bytes, sizeof bytes);
}

static void put_item(fake_cell *c, cql_str text)
{
    put_int(c, (uint32_t)text.len);
    put(c, text.ptr, text.len);
}

static void set_text(cql_result *res, size_t column, cql_str text)
{
    put(cell_at(res, res->rows - 1, column), text.ptr, text.len);
}

static void set_pairs(cql_result *res, size_t column, const cqlsch_list *pairs)
{
    fake_cell *c = cell_at(res, res->rows - 1, column);
    put_int(c, (uint32_t)pairs->count);
    for (size_t i = 0; i < pairs->count; i++) {
        put_item(c, CQLSCH_AT(cqlsch_pair, pairs, i)->key);
        put_item(c, CQLSCH_AT(cqlsch_pair, pairs, i)->value);
    }
}

/* --- system_schema ---------------------------------------------------------------------------- */

static void set_option(cql_result *res, const cqlsch_object *o, size_t column)
{
    const char *name = res->names[column];
    const cqlsch_option *option = cqlsch_option_find(o, cql_str_of(name));
    if (!option && strcmp(name, "default_time_to_live") == 0)
        set_text(res, column, cql_str_of("0"));
    else if (!option && strcmp(name, "gc_grace_seconds") == 0)
        set_text(res, column, cql_str_of("864000"));
    else if (!option)
        cell_at(res, res->rows - 1, column)->null = true;
    else if (option->is_map)
        set_pairs(res, column, &option->pairs);
    else
        set_text(res, column, option->value);
}

static void keyspace_rows(cql_result *res, const cqlsch_object *o)
{
    if (!res->columns) {
        add_column(res, "keyspace_name", text_type());
        add_column(res, "durable_writes", text_type());
        add_column(res, "replication", &map_type);
    }
    if (!o || o->kind != CQLSCH_KEYSPACE)
        return;
    add_row(res);
    set_text(res, 0, o->keyspace);
    set_option(res, o, 1);
    set_option(res, o, 2);
}

static void table_rows(cql_result *res, const cqlsch_object *o)
{
    if (!res->columns) {
        add_column(res, "table_name", text_type());
        add_column(res, "comment", text_type());
        add_column(res, "compaction", &map_type);
        add_column(res, "default_time_to_live", text_type());
        add_column(res, "gc_grace_seconds", text_type());
    }
    if (!o || o->kind != CQLSCH_TABLE)
        return;
    add_row(res);
    set_text(res, 0, o->name);
    for (size_t i = 1; i < res->columns; i++)
        set_option(res, o, i);
}

static void column_rows(cql_result *res, const cqlsch_object *o)
{
    static const char *const kinds[] = {"regular", "static", "clustering", "partition_key"};
    if (!res->columns) {
        add_column(res, "table_name", text_type());
        add_column(res, "column_name", text_type());
        add_column(res, "clustering_order", text_type());
        add_column(res, "kind", text_type());
        add_column(res, "position", cqln_type_scalar(CQL_TYPE_INT));
        add_column(res, "type", text_type());
    }
    bool has = o && (o->kind == CQLSCH_TABLE || o->kind == CQLSCH_VIEW);
    for (size_t i = 0; has && i < o->columns.count; i++) {
        const cqlsch_column *c = CQLSCH_AT(cqlsch_column, &o->columns, i);
        bool clustering = c->kind == CQLSCH_CLUSTERING;
        add_row(res);
        set_text(res, 0, o->name);
        set_text(res, 1, c->name);
        set_text(res, 2, cql_str_of(!clustering ? "none" : c->descending ? "desc" : "asc"));
        set_text(res, 3, cql_str_of(kinds[c->kind]));
        put_int(cell_at(res, res->rows - 1, 4), (uint32_t)c->position);
        set_text(res, 5, c->type);
    }
}

static void index_rows(cql_result *res, const cqlsch_object *o)
{
    cqlsch_pair pairs[2];
    cqlsch_list list = {pairs, 1, 2};
    if (!res->columns) {
        add_column(res, "table_name", text_type());
        add_column(res, "index_name", text_type());
        add_column(res, "options", &map_type);
    }
    if (!o || o->kind != CQLSCH_INDEX)
        return;
    pairs[0] = (cqlsch_pair){cql_str_of("target"), o->target};
    pairs[1] = (cqlsch_pair){cql_str_of("class_name"), o->class_name};
    list.count = o->class_name.len ? 2 : 1;
    add_row(res);
    set_text(res, 0, o->table);
    set_text(res, 1, o->name.len ? o->name : cql_str_of("server_made_idx"));
    set_pairs(res, 2, &list);
}

static void type_rows(cql_result *res, const cqlsch_object *o)
{
    if (!res->columns) {
        add_column(res, "type_name", text_type());
        add_column(res, "field_names", &list_type);
        add_column(res, "field_types", &list_type);
    }
    if (!o || o->kind != CQLSCH_TYPE)
        return;
    add_row(res);
    set_text(res, 0, o->name);
    put_int(cell_at(res, res->rows - 1, 1), (uint32_t)o->columns.count);
    put_int(cell_at(res, res->rows - 1, 2), (uint32_t)o->columns.count);
    for (size_t i = 0; i < o->columns.count; i++) {
        put_item(cell_at(res, res->rows - 1, 1), CQLSCH_AT(cqlsch_column, &o->columns, i)->name);
        put_item(cell_at(res, res->rows - 1, 2), CQLSCH_AT(cqlsch_column, &o->columns, i)->type);
    }
}

/* The parts of these names, in the columns from the one that comes next. */
static void part_columns(cql_result *res, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_column(res, names[i], text_type());
}

static void set_parts(cql_result *res, const cqlsch_object *o)
{
    for (size_t i = 0; i < res->columns; i++) {
        for (size_t k = 0; k < o->parts.count; k++) {
            const cqlsch_pair *p = CQLSCH_AT(cqlsch_pair, &o->parts, k);
            if (cqlsch_is(p->key, res->names[i]) && p->value.ptr)
                set_text(res, i, p->value);
            else if (cqlsch_is(p->key, res->names[i]))
                cell_at(res, res->rows - 1, i)->null = true;
        }
    }
}

static void view_rows(cql_result *res, const cqlsch_object *o)
{
    static const char *const parts[] = {"base_table_name", "include_all_columns", "where_clause"};
    if (!res->columns) {
        add_column(res, "view_name", text_type());
        add_column(res, "comment", text_type());
        part_columns(res, parts, CQL_COUNT(parts));
    }
    if (!o || o->kind != CQLSCH_VIEW)
        return;
    add_row(res);
    set_text(res, 0, o->name);
    set_option(res, o, 1);
    set_parts(res, o);
}

static void trigger_rows(cql_result *res, const cqlsch_object *o)
{
    cqlsch_list options = {NULL, 0, 0};
    if (!res->columns) {
        add_column(res, "trigger_name", text_type());
        add_column(res, "table_name", text_type());
        add_column(res, "options", &map_type);
    }
    if (!o || o->kind != CQLSCH_TRIGGER)
        return;
    options.items = o->parts.items;
    options.count = o->parts.count;
    add_row(res);
    set_text(res, 0, o->name);
    set_text(res, 1, o->table);
    set_pairs(res, 2, &options);
}

/* The types within "tuple<a, b>", one item each. */
static uint32_t put_types(fake_cell *c, cql_str signature)
{
    size_t from = cql_str_of("tuple<").len;
    size_t depth = 0;
    uint32_t count = 0;
    for (size_t i = from; i < signature.len; i++) {
        char letter = signature.ptr[i];
        bool last = i + 1 == signature.len;
        depth += letter == '<';
        depth -= letter == '>' && !last;
        if ((last && i > from) || (letter == ',' && depth == 0)) {
            put_item(c, (cql_str){signature.ptr + from, i - from});
            from = i + 2;
            count++;
        }
    }
    return count;
}

/* Names, argument types and parts of functions and aggregates. */
static void call_rows(cql_result *res, const cqlsch_object *o, cqlsch_kind kind, const char *column)
{
    static const char *const parts[] = {"called_on_null_input", "return_type", "language",  "body",
                                        "state_func",           "state_type",  "final_func", "initcond"};
    if (!res->columns) {
        add_column(res, column, text_type());
        add_column(res, "argument_types", &list_type);
        part_columns(res, kind == CQLSCH_FUNCTION ? parts : parts + 4, 4);
    }
    if (!o || o->kind != kind)
        return;
    fake_cell items = {0};
    uint32_t count = put_types(&items, o->signature);
    add_row(res);
    set_text(res, 0, o->name);
    put_int(cell_at(res, res->rows - 1, 1), count);
    put(cell_at(res, res->rows - 1, 1), items.bytes, items.len);
    set_parts(res, o);
}

static void schema_rows(cql_result *res, const char *table, const cqlsch_object *o)
{
    if (strcmp(table, "keyspaces") == 0)
        keyspace_rows(res, o);
    else if (strcmp(table, "tables") == 0)
        table_rows(res, o);
    else if (strcmp(table, "columns") == 0)
        column_rows(res, o);
    else if (strcmp(table, "indexes") == 0)
        index_rows(res, o);
    else if (strcmp(table, "types") == 0)
        type_rows(res, o);
    else if (strcmp(table, "views") == 0)
        view_rows(res, o);
    else if (strcmp(table, "functions") == 0)
        call_rows(res, o, CQLSCH_FUNCTION, "function_name");
    else if (strcmp(table, "aggregates") == 0)
        call_rows(res, o, CQLSCH_AGGREGATE, "aggregate_name");
    else
        trigger_rows(res, o);
}

static cql_result *answer_schema(fake_server *fs, const cql_statement *stmt)
{
    char table[32];
    cql_result *res = result_new(CQL_RESULT_ROWS);
    assert_int_equal(sscanf(stmt->text, "SELECT * FROM system_schema.%31[a-z] WHERE", table), 1);
    schema_rows(res, table, NULL);
    for (size_t i = 0; i < cqlsch_model_count(&fs->model); i++) {
        const cqlsch_object *o = cqlsch_model_at(&fs->model, i);
        if (!o->dropped && cql_str_equal(o->keyspace, cql_str_of(stmt->value)))
            schema_rows(res, table, o);
    }
    return res;
}

/* --- statements ------------------------------------------------------------------------------- */

static cql_status refuse(fake_server *fs, cql_status st, const char *message, bool maybe,
                         cql_error **err)
{
    cqln_error_info info = {.status = st, .maybe_applied = maybe};
    info.host = cql_str_of("10.0.0.1:9042");
    info.server_message = cql_str_of(message ? message : "");
    (void)fs;
    return cqln_error_give(err, cqln_error_make(cqln_alloc_default(), &info, NULL, 0, "%s: %s",
                                                cql_status_text(st), message ? message : "no"));
}

static bool has_keyspace(const fake_server *fs, cql_str keyspace)
{
    return cqlsch_model_find(&fs->model, CQLSCH_KEYSPACE, keyspace, cql_str_of("")) != NULL;
}

/* Executes one statement; *res is set on CQL_OK. */
static cql_status execute_text(fake_server *fs, const char *cql, cql_result **res, cql_error **err)
{
    cqlsch_ddl ddl;
    cql_str text = cqlsch_copy(&fs->mem, cql_str_of(cql));
    assert_int_equal(cqlsch_ddl_read(&fs->mem, text, &ddl), CQL_OK);
    cql_str keyspace = ddl.object.keyspace.len ? ddl.object.keyspace
                                               : cqlsch_copy(&fs->mem, cql_str_of(fs->keyspace));
    if (ddl.verb == CQLSCH_OTHER) {
        *res = result_new(CQL_RESULT_VOID);
        return CQL_OK;
    }
    if (!(ddl.verb == CQLSCH_CREATE && ddl.object.kind == CQLSCH_KEYSPACE) &&
        !(ddl.verb == CQLSCH_DROP && ddl.conditional) && !has_keyspace(fs, keyspace) &&
        !cql_str_equal(keyspace, cql_str_of("system")))
        return refuse(fs, CQL_SERVER_INVALID, "Keyspace does not exist", false, err);
    if (ddl.verb == CQLSCH_USE) {
        (void)snprintf(fs->keyspace, sizeof fs->keyspace, "%.*s", (int)keyspace.len, keyspace.ptr);
        *res = result_new(CQL_RESULT_SET_KEYSPACE);
        return CQL_OK;
    }
    cqlsch_object named = ddl.object;
    named.keyspace = keyspace;
    bool there = cqlsch_live_of(&fs->model, &named) != NULL;
    if (ddl.verb == CQLSCH_CREATE && there && !ddl.conditional && !ddl.replaces)
        return refuse(fs, CQL_SERVER_ALREADY_EXISTS, "Cannot add existing", false, err);
    bool same = ddl.verb == CQLSCH_CREATE && there && !ddl.replaces;
    *res = result_new(same ? CQL_RESULT_VOID : CQL_RESULT_SCHEMA_CHANGE);
    if ((*res)->kind == CQL_RESULT_SCHEMA_CHANGE)
        assert_int_equal(cqlsch_model_take(&fs->model, &ddl, keyspace, 0), CQL_OK);
    return CQL_OK;
}

static void note(fake_server *fs, const cql_statement *stmt)
{
    size_t used = strlen(fs->log);
    fs->statements++;
    (void)snprintf(fs->log + used, sizeof fs->log - used, "%s%s%s\n",
                   stmt->level_set ? cql_consistency_name((int)stmt->level) : "",
                   stmt->level_set ? " " : "", stmt->text);
}

/* The node that was asked goes down. */
static void lose_host(fake_server *fs)
{
    for (size_t i = 0; i < fs->host_count; i++) {
        if (fs->hosts[i].up && fs->hosts[i].statements) {
            fs->hosts[i].up = false;
            return;
        }
    }
}

static cql_status execute_logged(fake_server *fs, const cql_statement *stmt, cql_result **res,
                                 cql_error **err)
{
    if (stmt->offset == 0)
        note(fs, stmt);
    if (fs->others_at == fs->statements)
        fake_execute(fs, stmt->text);
    if (fs->fail_at == fs->statements) {
        fs->fail_at = 0;
        if (fs->fail_applied)
            fake_execute(fs, stmt->text);
        return refuse(fs, fs->fail_status, fs->fail_message, fs->fail_maybe, err);
    }
    cql_status st = execute_text(fs, stmt->text, res, err);
    if (st != CQL_OK)
        return st;
    (*res)->warning = fs->warning;
    (*res)->agreed = fs->disagree_at != fs->statements;
    if (fs->down_at == fs->statements)
        lose_host(fs);
    return CQL_OK;
}

/* Three rows with the numbers 1 to 3, in pages. */
static cql_result *answer_select(fake_server *fs, const cql_statement *stmt)
{
    size_t page = fs->page ? fs->page : 3;
    cql_result *res = result_new(CQL_RESULT_ROWS);
    add_column(res, "n", cqln_type_scalar(CQL_TYPE_INT));
    size_t at = stmt->offset;
    for (; at < 3 && res->rows < page; at++) {
        add_row(res);
        put_int(cell_at(res, res->rows - 1, 0), (uint32_t)at + 1);
    }
    res->more = at < 3;
    (void)snprintf(res->state, sizeof res->state, "%zu", at);
    return res;
}

static void count_host(fake_server *fs, const char *host)
{
    for (size_t i = 0; i < fs->host_count; i++) {
        if (host && fs->hosts[i].address && strcmp(fs->hosts[i].address, host) == 0)
            fs->hosts[i].statements++;
    }
}

cql_status cql_session_execute_with_wait(cql_session *s, const cql_statement *stmt,
                                         const cql_execute_options *opts, cql_result **res,
                                         cql_error **err)
{
    fake_server *fs = s->fs;
    *res = NULL;
    assert_int_equal(opts->size, sizeof *opts);
    fake_assert_said(stmt);
    count_host(fs, opts->host);
    if (!fs->connected)
        return refuse(fs, CQL_BAD_STATE, "not connected", false, err);
    if (strncmp(stmt->text, "SELECT now()", 12) == 0) {
        if (fs->refuse_queries && fs->refuse_queries--)
            return refuse(fs, CQL_TIMEOUT, "still starting", false, err);
        *res = answer_select(fs, stmt);
        return CQL_OK;
    }
    if (strstr(stmt->text, "system_schema.")) {
        *res = answer_schema(fs, stmt);
        if (fs->late && strstr(stmt->text, "columns")) {
            const char *late = fs->late;
            fs->late = NULL;
            fake_execute(fs, late);
        }
        return CQL_OK;
    }
    cql_status st = execute_logged(fs, stmt, res, err);
    if (st == CQL_OK && strncmp(stmt->text, "SELECT", 6) == 0) {
        cql_result_unref(*res);
        *res = answer_select(fs, stmt);
    }
    return st;
}

void fake_execute(fake_server *fs, const char *cql)
{
    cqlsch_splitter sp;
    cqlsch_piece piece;
    cqlsch_splitter_init(&sp, cql_str_of(cql));
    while (cqlsch_split(&sp, &piece) == CQL_OK) {
        cql_result *res = NULL;
        cql_error *err = NULL;
        (void)execute_text(fs, cqlsch_copy(&fs->mem, piece.text).ptr, &res, &err);
        cql_result_unref(res);
        cql_error_unref(err);
    }
}

/* --- session ---------------------------------------------------------------------------------- */

void fake_init(fake_server *fs)
{
    memset(fs, 0, sizeof *fs);
    cqlsch_mem_init(&fs->mem, NULL);
    cqlsch_model_init(&fs->model, &fs->mem);
}

void fake_fini(fake_server *fs)
{
    cqlsch_mem_fini(&fs->mem);
}

cql_session *fake_session(fake_server *fs)
{
    cql_session *s = cqlsch_alloc(&fs->mem, sizeof *s);
    assert_non_null(s);
    s->fs = fs;
    return s;
}

cql_status cql_session_connect_wait(cql_session *s, cql_error **err)
{
    fake_server *fs = s->fs;
    fs->connects++;
    if (fs->connected)
        return refuse(fs, CQL_BAD_STATE, "connected already", false, err);
    if (fs->refuse_connects && fs->refuse_connects--)
        return refuse(fs, fs->refuse_status, "refused", false, err);
    if (fs->refuse_logins && fs->refuse_logins--)
        return refuse(fs, CQL_SERVER_BAD_CREDENTIALS, "refused", false, err);
    fs->connected = true;
    return CQL_OK;
}

cql_status cql_session_agree_wait(cql_session *s, uint32_t timeout_ms, cql_error **err)
{
    (void)timeout_ms;
    if (s->fs->agreements && s->fs->agreements--)
        return CQL_OK;
    return s->fs->agree_status == CQL_OK
               ? CQL_OK
               : refuse(s->fs, s->fs->agree_status, "two versions", false, err);
}

const cql_allocator *cql_session_allocator(const cql_session *s)
{
    return s->fs->al;
}

cql_status cql_session_may_wait(const cql_session *s)
{
    return s->fs->may_wait;
}

cql_hosts *cql_session_hosts(cql_session *s)
{
    cql_hosts *hosts = calloc(1, sizeof *hosts);
    assert_non_null(hosts);
    hosts->fs = s->fs;
    return hosts;
}

size_t cql_hosts_count(const cql_hosts *hosts)
{
    return hosts->fs->host_count;
}

bool cql_hosts_at(const cql_hosts *hosts, size_t i, cql_host_info *out)
{
    if (i >= hosts->fs->host_count)
        return false;
    memset(out, 0, sizeof *out);
    out->data_center = hosts->fs->hosts[i].data_center;
    out->up = hosts->fs->hosts[i].up;
    out->address = hosts->fs->hosts[i].address ? hosts->fs->hosts[i].address : "";
    out->host_id.bytes[0] = hosts->fs->hosts[i].id;
    return true;
}

void cql_hosts_free(cql_hosts *hosts)
{
    free(hosts);
}

/* --- statement -------------------------------------------------------------------------------- */

/* Takes and gives back a byte of the module's memory, so that a failure there is met here too. */
cql_status cql_statement_new(const char *cql, size_t markers, const cql_allocator *al,
                             cql_statement **out)
{
    void *probe = al->malloc_fn(al->context, 1);
    (void)markers;
    *out = NULL;
    if (!probe)
        return CQL_NO_MEMORY;
    al->free_fn(al->context, probe);
    *out = calloc(1, sizeof **out);
    assert_non_null(*out);
    (*out)->text = strdup(cql);
    assert_non_null((*out)->text);
    return CQL_OK;
}

void cql_statement_free(cql_statement *stmt)
{
    if (stmt)
        free(stmt->text);
    free(stmt);
}

cql_status cql_statement_bind(cql_statement *stmt, cql_values values, cql_error **err)
{
    cql_str text = cql_value_bytes(&values.ptr[0]);
    (void)err;
    assert_true(values.count >= 1); /* the module asks by keyspace, which comes first */
    (void)snprintf(stmt->value, sizeof stmt->value, "%.*s", (int)text.len, text.ptr);
    assert_true(values.count <= FAKE_VALUES);
    for (size_t i = 0; i < values.count; i++) {
        cql_str bytes = cql_value_bytes(&values.ptr[i]);
        stmt->lens[i] = bytes.len < sizeof stmt->bytes[i] ? bytes.len : sizeof stmt->bytes[i];
        if (bytes.ptr)
            memcpy(stmt->bytes[i], bytes.ptr, stmt->lens[i]);
    }
    return CQL_OK;
}

const char *fake_text(const cql_statement *stmt)
{
    return stmt->text;
}

cql_str fake_value(const cql_statement *stmt, size_t i)
{
    return (cql_str){stmt->bytes[i], stmt->lens[i]};
}

int fake_serial(const cql_statement *stmt)
{
    return (int)stmt->serial;
}

cql_result *fake_result(const char *types)
{
    cql_result *res = result_new(CQL_RESULT_ROWS);
    for (; *types; types++)
        add_column(res, "", *types == 'i' ? cqln_type_scalar(CQL_TYPE_INT) : text_type());
    return res;
}

void fake_row(cql_result *res, const cql_str *cells)
{
    add_row(res);
    for (size_t i = 0; i < res->columns; i++) {
        cell_at(res, res->rows - 1, i)->null = !cells[i].ptr;
        set_text(res, i, cells[i]);
    }
}

void cql_statement_set_consistency(cql_statement *stmt, cql_consistency level)
{
    stmt->level = level;
    stmt->level_set = true;
}

cql_status cql_statement_set_serial_consistency(cql_statement *stmt, cql_consistency level)
{
    assert_true(level == CQL_CONSISTENCY_SERIAL || level == CQL_CONSISTENCY_LOCAL_SERIAL);
    stmt->serial = level;
    return CQL_OK;
}

void cql_statement_set_idempotent(cql_statement *stmt, bool idempotent)
{
    (void)idempotent;
    stmt->idempotence_said = true;
}

/* The module says it itself, so that no option of the session can make a statement of it run twice. */
void fake_assert_said(const cql_statement *stmt)
{
    assert_true(stmt->idempotence_said);
}

cql_status cql_statement_set_page_size(cql_statement *stmt, int32_t rows)
{
    (void)stmt;
    assert_true(rows > 0);
    return CQL_OK;
}

cql_status cql_statement_set_paging_state(cql_statement *stmt, cql_str state)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%.*s", (int)state.len, state.ptr);
    stmt->offset = strtoul(text, NULL, 10);
    return CQL_OK;
}

/* --- result ----------------------------------------------------------------------------------- */

void cql_result_unref(cql_result *res)
{
    if (res)
        free(res->cells);
    free(res);
}

cql_result_kind cql_result_kind_of(const cql_result *res)
{
    return res->kind;
}

size_t cql_result_column_count(const cql_result *res)
{
    return res->columns;
}

cql_str cql_result_column_name(const cql_result *res, size_t i)
{
    return cql_str_of(i < res->columns ? res->names[i] : "");
}

const cql_type *cql_result_column_type(const cql_result *res, size_t i)
{
    return i < res->columns ? res->types[i] : NULL;
}

cql_status cql_result_column_index(const cql_result *res, const char *name, size_t *i)
{
    for (size_t k = 0; k < res->columns; k++) {
        if (strcmp(res->names[k], name) == 0) {
            *i = k;
            return CQL_OK;
        }
    }
    return CQL_NO_SUCH_NAME;
}

bool cql_result_has_more(const cql_result *res)
{
    return res->more;
}

cql_str cql_result_paging_state(const cql_result *res)
{
    return cql_str_of(res->state);
}

size_t cql_result_warning_count(const cql_result *res)
{
    return res->warning ? 1 : 0;
}

cql_str cql_result_warning(const cql_result *res, size_t i)
{
    assert_int_equal(i, 0);
    return cql_str_of(res->warning);
}

bool cql_result_schema_agreed(const cql_result *res)
{
    return res->agreed;
}

static fake_cursor load(const cql_rows *rows)
{
    fake_cursor at;
    memcpy(&at, rows->opaque, sizeof at);
    return at;
}

static void store(cql_rows *rows, fake_cursor at)
{
    memcpy(rows->opaque, &at, sizeof at);
}

static const fake_cell *cell_of(const cql_rows *rows, size_t column)
{
    fake_cursor at = load(rows);
    assert_true(at.row > 0 && column < at.res->columns);
    return cell_at(at.res, at.row - 1, column);
}

void cql_rows_init(cql_rows *rows, const cql_result *res)
{
    fake_cursor at = {NULL, 0};
    memcpy(&at.res, &res, sizeof res);
    store(rows, at);
}

bool cql_rows_next(cql_rows *rows)
{
    fake_cursor at = load(rows);
    if (at.row >= at.res->rows)
        return false;
    at.row++;
    store(rows, at);
    return true;
}

cql_status cql_rows_status(const cql_rows *rows)
{
    (void)rows;
    return CQL_OK;
}

bool cql_rows_is_null(const cql_rows *rows, size_t column)
{
    return cell_of(rows, column)->null;
}

cql_str cql_rows_str(cql_rows *rows, size_t column)
{
    const fake_cell *c = cell_of(rows, column);
    return (cql_str){c->bytes, c->len};
}

cql_value cql_rows_value(cql_rows *rows, size_t column)
{
    const fake_cell *c = cell_of(rows, column);
    return c->null ? cql_value_null()
                   : cql_value_raw(cql_type_of(load(rows).res->types[column]), c->bytes, c->len);
}

int32_t cql_rows_int32(cql_rows *rows, size_t column)
{
    int32_t out = 0;
    cql_value v = cql_rows_value(rows, column);
    assert_int_equal(cql_value_as_int32(&v, &out), CQL_OK);
    return out;
}

const char *cql_rows_cstr(cql_rows *rows, size_t column)
{
    const fake_cell *c = cell_of(rows, column);
    cql_result *res = load(rows).res;
    (void)snprintf(res->text, sizeof res->text, "%.*s", (int)c->len, c->bytes);
    return res->text;
}

/* --- levels ----------------------------------------------------------------------------------- */

const char *cql_consistency_name(int consistency)
{
    return consistency == CQL_CONSISTENCY_QUORUM ? "QUORUM" : "ANOTHER";
}

cql_status cql_consistency_parse(cql_str name, cql_consistency *out)
{
    if (cqlsch_same_word(name, "QUORUM"))
        *out = CQL_CONSISTENCY_QUORUM;
    else if (cqlsch_same_word(name, "SERIAL"))
        *out = CQL_CONSISTENCY_SERIAL;
    else
        return CQL_BAD_VALUE;
    return CQL_OK;
}
