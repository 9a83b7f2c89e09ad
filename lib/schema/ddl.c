/* Reading DDL: which statement it is, and the shape of keyspaces, types and indexes. Tables: see
 * ddl_table.c; the rest: see ddl_derived.c. */
#include "schema/ddl.h"

#include "schema/ddl_parse.h"
#include "schema/split.h"

void cqlsch_cursor_init(cqlsch_cursor *c, cqlsch_mem *mem, cql_str text)
{
    *c = (cqlsch_cursor){.mem = mem, .text = text};
    cqlsch_lexer_init(&c->lexer, text);
    cqlsch_next(c);
}

void cqlsch_next(cqlsch_cursor *c)
{
    c->last_end = c->token.offset + c->token.text.len;
    c->token = cqlsch_lex(&c->lexer);
}

void cqlsch_lost(cqlsch_cursor *c, const char *what)
{
    if (!c->why)
        c->why = cqlsch_format(c->mem, "%s (line %u, column %u of the statement)", what,
                               c->token.place.line, c->token.place.column);
}

bool cqlsch_accept(cqlsch_cursor *c, const char *word)
{
    if (!cqlsch_is_word(&c->token, word))
        return false;
    cqlsch_next(c);
    return true;
}

bool cqlsch_accept_punct(cqlsch_cursor *c, char punct)
{
    if (!cqlsch_is_punct(&c->token, punct))
        return false;
    cqlsch_next(c);
    return true;
}

bool cqlsch_expect_punct(cqlsch_cursor *c, char punct)
{
    if (cqlsch_accept_punct(c, punct))
        return true;
    cqlsch_lost(c, cqlsch_format(c->mem, "'%c' was expected", punct));
    return false;
}

bool cqlsch_more(cqlsch_cursor *c)
{
    return !c->why && cqlsch_accept_punct(c, ',');
}

cql_str cqlsch_take_name(cqlsch_cursor *c)
{
    cqlsch_token t = c->token;
    if (t.kind != CQLSCH_WORD && t.kind != CQLSCH_NAME) {
        cqlsch_lost(c, "a name was expected");
        return CQLSCH_NONE;
    }
    cqlsch_next(c);
    return cqlsch_plain(c->mem, &t);
}

cqlsch_column *cqlsch_take_column(cqlsch_cursor *c, cqlsch_object *o)
{
    cqlsch_column *column = cqlsch_push(c->mem, &o->columns, sizeof *column);
    if (column)
        *column = (cqlsch_column){
            .name = cqlsch_take_name(c), .type = CQLSCH_NONE, .position = -1};
    return column;
}

void cqlsch_take_full_name(cqlsch_cursor *c, cql_str *keyspace, cql_str *name)
{
    *name = cqlsch_take_name(c);
    if (cqlsch_accept_punct(c, '.')) {
        *keyspace = *name;
        *name = cqlsch_take_name(c);
    }
}

cql_str cqlsch_take_type(cqlsch_cursor *c)
{
    size_t from = c->token.offset;
    unsigned depth = 0;
    if (c->token.kind != CQLSCH_WORD && c->token.kind != CQLSCH_NAME &&
        c->token.kind != CQLSCH_STRING) {
        cqlsch_lost(c, "a type was expected");
        return CQLSCH_NONE;
    }
    cqlsch_next(c);
    if (cqlsch_accept_punct(c, '.'))
        cqlsch_next(c);
    if (cqlsch_is_punct(&c->token, '<')) {
        do {
            depth += cqlsch_is_punct(&c->token, '<') ? 1 : 0;
            depth -= cqlsch_is_punct(&c->token, '>') ? 1 : 0;
            cqlsch_next(c);
        } while (depth && c->token.kind != CQLSCH_END && c->token.kind != CQLSCH_BAD);
    }
    return cqlsch_sub(c->text, from, c->last_end);
}

/* IF NOT EXISTS or IF EXISTS. */
static bool take_condition(cqlsch_cursor *c)
{
    if (!cqlsch_accept(c, "IF"))
        return false;
    (void)cqlsch_accept(c, "NOT");
    return cqlsch_accept(c, "EXISTS");
}

static void take_object_name(cqlsch_cursor *c, cqlsch_ddl *out)
{
    if (out->object.kind == CQLSCH_KEYSPACE)
        out->object.keyspace = cqlsch_take_name(c);
    else
        cqlsch_take_full_name(c, &out->object.keyspace, &out->object.name);
}

/* A word and what it means, never 0. */
typedef struct meaning {
    char word[15];
    uint8_t what;
} meaning;

/* What the current token means, stepping over it; 0: none of these. */
static int take_meaning(cqlsch_cursor *c, const meaning *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (cqlsch_accept(c, words[i].word))
            return words[i].what;
    }
    return 0;
}

static const meaning verbs[] = {
    {"CREATE", CQLSCH_CREATE},
    {"ALTER", CQLSCH_ALTER},
    {"DROP", CQLSCH_DROP},
    {"USE", CQLSCH_USE},
};

static const meaning kinds[] = {
    {"KEYSPACE", CQLSCH_KEYSPACE}, {"SCHEMA", CQLSCH_KEYSPACE},
    {"TABLE", CQLSCH_TABLE},       {"COLUMNFAMILY", CQLSCH_TABLE},
    {"TYPE", CQLSCH_TYPE},         {"INDEX", CQLSCH_INDEX},
    {"FUNCTION", CQLSCH_FUNCTION}, {"AGGREGATE", CQLSCH_AGGREGATE},
    {"TRIGGER", CQLSCH_TRIGGER},   {"VIEW", CQLSCH_VIEW},
};

static const meaning changes[] = {
    {"ADD", CQLSCH_ADD_COLUMNS},
    {"DROP", CQLSCH_DROP_COLUMNS},
    {"RENAME", CQLSCH_RENAME_COLUMNS},
    {"WITH", CQLSCH_SET_OPTIONS},
};

/* name type, name type … up to the closing bracket: the fields of a type, or columns to add. */
static void take_fields(cqlsch_cursor *c, cqlsch_object *o)
{
    do {
        cqlsch_column *f = cqlsch_take_column(c, o);
        if (!f)
            return;
        f->type = cqlsch_take_type(c);
        if (cqlsch_accept(c, "STATIC"))
            f->kind = CQLSCH_STATIC;
    } while (cqlsch_more(c));
}

static void expect_end(cqlsch_cursor *c)
{
    if (c->token.kind != CQLSCH_END)
        cqlsch_lost(c, "the end was expected");
}

static void create_type(cqlsch_cursor *c, cqlsch_ddl *out)
{
    if (!cqlsch_expect_punct(c, '('))
        return;
    take_fields(c, &out->object);
    (void)cqlsch_expect_punct(c, ')');
    expect_end(c);
}

static void create_keyspace(cqlsch_cursor *c, cqlsch_ddl *out)
{
    out->has_with = cqlsch_accept(c, "WITH");
    if (out->has_with)
        cqlsch_take_options(c, &out->object);
    else
        expect_end(c);
}

/* The target of an index in the server's spelling: col, "Col", values(col). */
static cql_str take_target(cqlsch_cursor *c)
{
    cqlsch_token t = c->token;
    cql_str name = cqlsch_take_name(c);
    if (t.kind == CQLSCH_WORD && cqlsch_accept_punct(c, '(')) {
        cql_str column = cqlsch_identifier(c->mem, cqlsch_take_name(c));
        (void)cqlsch_expect_punct(c, ')');
        return cql_str_of(cqlsch_format(c->mem, "%.*s(%.*s)", (int)name.len, name.ptr,
                                        (int)column.len, column.ptr));
    }
    return cqlsch_identifier(c->mem, name);
}

/* CREATE [CUSTOM] INDEX [IF NOT EXISTS] [name] ON [ks.]table (target) [USING 'class'] [WITH …] */
static void create_index(cqlsch_cursor *c, cqlsch_ddl *out)
{
    cqlsch_object *o = &out->object;
    if (!cqlsch_is_word(&c->token, "ON"))
        o->name = cqlsch_take_name(c);
    if (!cqlsch_accept(c, "ON"))
        cqlsch_lost(c, "ON was expected");
    cqlsch_take_full_name(c, &o->keyspace, &o->table);
    (void)cqlsch_expect_punct(c, '(');
    o->target = take_target(c);
    if (cqlsch_accept_punct(c, ','))
        cqlsch_lost(c, "an index on several columns");
    (void)cqlsch_expect_punct(c, ')');
    if (cqlsch_accept(c, "USING") && c->token.kind == CQLSCH_STRING) {
        o->class_name = cqlsch_plain(c->mem, &c->token);
        cqlsch_next(c);
    }
    if (cqlsch_accept(c, "WITH"))
        cqlsch_take_options(c, o);
}

static void create(cqlsch_cursor *c, cqlsch_ddl *out)
{
    switch (out->object.kind) {
    case CQLSCH_KEYSPACE:
        create_keyspace(c, out);
        break;
    case CQLSCH_TYPE:
        create_type(c, out);
        break;
    case CQLSCH_TABLE:
        cqlsch_take_table(c, out);
        break;
    case CQLSCH_INDEX:
        create_index(c, out);
        break;
    default:
        cqlsch_take_derived(c, &out->object);
        break;
    }
}

/* a TO b AND c TO d */
static void take_renames(cqlsch_cursor *c, cqlsch_ddl *out)
{
    do {
        cqlsch_pair *r = cqlsch_push(c->mem, &out->renames, sizeof *r);
        if (!r)
            return;
        r->key = cqlsch_take_name(c);
        if (!cqlsch_accept(c, "TO"))
            cqlsch_lost(c, "TO was expected");
        r->value = cqlsch_take_name(c);
    } while (!c->why && cqlsch_accept(c, "AND"));
}

/* a or (a, b), of which only the names count. */
static void take_names(cqlsch_cursor *c, cqlsch_object *o)
{
    bool bracket = cqlsch_accept_punct(c, '(');
    do {
        if (!cqlsch_take_column(c, o))
            return;
    } while (bracket && cqlsch_more(c));
}

static void alter(cqlsch_cursor *c, cqlsch_ddl *out)
{
    bool bracket;
    out->change = (cqlsch_change)take_meaning(c, changes, CQL_COUNT(changes));
    (void)take_condition(c);
    switch (out->change) {
    case CQLSCH_ADD_COLUMNS:
        bracket = cqlsch_accept_punct(c, '(');
        take_fields(c, &out->object);
        if (bracket)
            (void)cqlsch_expect_punct(c, ')');
        break;
    case CQLSCH_DROP_COLUMNS:
        take_names(c, &out->object);
        break;
    case CQLSCH_RENAME_COLUMNS:
        take_renames(c, out);
        break;
    case CQLSCH_SET_OPTIONS:
        out->has_with = true;
        cqlsch_take_options(c, &out->object);
        break;
    case CQLSCH_CHANGE_UNKNOWN:
        cqlsch_lost(c, "an ALTER of this form");
        break;
    }
}

/* CREATE, ALTER or DROP, behind the verb. */
static void change(cqlsch_cursor *c, cqlsch_ddl *out)
{
    bool create_it = out->verb == CQLSCH_CREATE;
    if (create_it && cqlsch_accept(c, "OR"))
        out->replaces = cqlsch_accept(c, "REPLACE");
    if (!create_it || !cqlsch_accept(c, "CUSTOM"))
        (void)cqlsch_accept(c, "MATERIALIZED");
    out->object.kind = (cqlsch_kind)take_meaning(c, kinds, CQL_COUNT(kinds));
    if (out->object.kind == CQLSCH_NO_OBJECT) {
        out->verb = CQLSCH_OTHER;
        return;
    }
    out->conditional = take_condition(c);
    if (!create_it || out->object.kind != CQLSCH_INDEX) /* which stands by its table */
        take_object_name(c, out);
    if (create_it)
        create(c, out);
    else if (out->verb == CQLSCH_ALTER)
        alter(c, out);
    else
        cqlsch_take_distinction(c, &out->object, false);
}

cql_status cqlsch_ddl_read(cqlsch_mem *mem, cql_str text, cqlsch_ddl *out)
{
    cqlsch_cursor c;
    *out = (cqlsch_ddl){.verb = CQLSCH_OTHER};
    cqlsch_cursor_init(&c, mem, text);
    out->verb = (cqlsch_verb)take_meaning(&c, verbs, CQL_COUNT(verbs));
    if (out->verb == CQLSCH_USE) {
        out->object.kind = CQLSCH_KEYSPACE;
        out->object.keyspace = cqlsch_take_name(&c);
    } else if (out->verb != CQLSCH_OTHER) {
        change(&c, out);
    }
    if (out->verb != CQLSCH_OTHER && c.why && !out->object.unread)
        out->object.unread = c.why;
    return cqlsch_mem_status(mem);
}
