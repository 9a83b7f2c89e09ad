/* Reading DDL: the body of CREATE TABLE, keys, and the options after WITH. */
#include "schema/ddl_parse.h"
#include "schema/split.h"

#include <string.h>

/* --- options ---------------------------------------------------------------------------------- */

/* One value without brackets: a string without its quotes, a number with its sign, a word. */
static cql_str take_scalar(cqlsch_cursor *c)
{
    cqlsch_token t = c->token;
    size_t from = t.offset;
    if (cqlsch_is_punct(&t, '-') || cqlsch_is_punct(&t, '+'))
        cqlsch_next(c);
    if (c->token.kind == CQLSCH_PUNCT || c->token.kind == CQLSCH_END ||
        c->token.kind == CQLSCH_BAD) {
        cqlsch_lost(c, "a value was expected");
        return CQLSCH_NONE;
    }
    cqlsch_next(c);
    return t.kind == CQLSCH_STRING ? cqlsch_plain(c->mem, &t)
                                   : cqlsch_sub(c->text, from, c->last_end);
}

static void take_map(cqlsch_cursor *c, cqlsch_option *option)
{
    option->is_map = true;
    cqlsch_next(c);
    if (cqlsch_accept_punct(c, '}'))
        return;
    do {
        cqlsch_pair *p = cqlsch_push(c->mem, &option->pairs, sizeof *p);
        if (!p)
            return;
        p->key = take_scalar(c);
        (void)cqlsch_expect_punct(c, ':');
        p->value = take_scalar(c);
    } while (cqlsch_more(c));
    (void)cqlsch_expect_punct(c, '}');
}

/* The value of an option, up to AND or the end; what is more than one value (a UUID) stays as text.
 */
static void take_value(cqlsch_cursor *c, cqlsch_option *option)
{
    option->from = c->token.offset;
    if (cqlsch_is_punct(&c->token, '{'))
        take_map(c, option);
    else
        option->value = take_scalar(c);
    bool more = false;
    while (!c->why && !cqlsch_is_word(&c->token, "AND") && c->token.kind != CQLSCH_END) {
        if (c->token.kind == CQLSCH_BAD) {
            cqlsch_lost(c, "an option's value");
            return;
        }
        more = true;
        cqlsch_next(c);
    }
    option->to = c->last_end;
    if (more)
        option->value = cqlsch_sub(c->text, option->from, option->to);
}

/* CLUSTERING ORDER BY (a DESC, b), the first word being taken. */
static void take_order(cqlsch_cursor *c, cqlsch_object *o)
{
    if (!cqlsch_accept(c, "ORDER") || !cqlsch_accept(c, "BY")) {
        cqlsch_lost(c, "ORDER BY was expected");
        return;
    }
    (void)cqlsch_expect_punct(c, '(');
    do {
        cql_str name = cqlsch_take_name(c);
        bool descending = cqlsch_accept(c, "DESC");
        if (!descending)
            (void)cqlsch_accept(c, "ASC");
        cqlsch_column *column = cqlsch_column_find(o, name);
        if (column) {
            column->descending = descending;
            column->ordered = true;
        }
    } while (cqlsch_more(c));
    (void)cqlsch_expect_punct(c, ')');
}

void cqlsch_take_options(cqlsch_cursor *c, cqlsch_object *o)
{
    do {
        cql_str name = cqlsch_take_name(c);
        if (cqlsch_is(name, "clustering")) {
            take_order(c, o);
        } else if (cqlsch_is(name, "compact") && cqlsch_accept(c, "STORAGE")) {
            o->unread = "COMPACT STORAGE";
        } else {
            (void)cqlsch_expect_punct(c, '=');
            cqlsch_option *option = cqlsch_push(c->mem, &o->options, sizeof *option);
            if (!option)
                return;
            option->name = name;
            take_value(c, option);
        }
    } while (!c->why && cqlsch_accept(c, "AND"));
    if (c->token.kind != CQLSCH_END)
        cqlsch_lost(c, "an option of this form");
}

cql_status cqlsch_option_read(cqlsch_mem *mem, cql_str name, cql_str value, cqlsch_option *out)
{
    cqlsch_cursor c;
    cqlsch_cursor_init(&c, mem, value);
    *out = (cqlsch_option){.name = name};
    take_value(&c, out);
    if (mem->failed)
        return CQL_NO_MEMORY;
    return c.why || c.token.kind != CQLSCH_END ? CQL_BAD_ARGUMENT : CQL_OK;
}

/* --- the body of a table -----------------------------------------------------------------------
 */

static void set_key(cqlsch_cursor *c, cqlsch_object *o, cql_str name, cqlsch_column_kind kind,
                    int32_t position)
{
    cqlsch_column *column = cqlsch_column_find(o, name);
    if (!column) {
        cqlsch_lost(c, "the primary key names a column that is not there");
        return;
    }
    column->kind = kind;
    column->position = position;
}

/* PRIMARY KEY ((a, b), c, d); the columns may come later, so names are kept until the end. */
typedef struct key_names {
    cqlsch_list partition; /* cql_str */
    cqlsch_list clustering;
} key_names;

static void take_key_name(cqlsch_cursor *c, cqlsch_list *list)
{
    cql_str *name = cqlsch_push(c->mem, list, sizeof *name);
    if (name)
        *name = cqlsch_take_name(c);
}

static void take_key(cqlsch_cursor *c, key_names *key)
{
    (void)cqlsch_expect_punct(c, '(');
    if (cqlsch_accept_punct(c, '(')) {
        do {
            take_key_name(c, &key->partition);
        } while (cqlsch_more(c));
        (void)cqlsch_expect_punct(c, ')');
    } else {
        take_key_name(c, &key->partition);
    }
    while (cqlsch_more(c))
        take_key_name(c, &key->clustering);
    (void)cqlsch_expect_punct(c, ')');
}

static void take_column(cqlsch_cursor *c, cqlsch_object *o, key_names *key)
{
    cqlsch_column *column = cqlsch_take_column(c, o);
    if (!column)
        return;
    column->type = cqlsch_take_type(c);
    if (cqlsch_accept(c, "STATIC"))
        column->kind = CQLSCH_STATIC;
    if (cqlsch_accept(c, "PRIMARY")) {
        cql_str *name = cqlsch_push(c->mem, &key->partition, sizeof *name);
        if (name)
            *name = column->name;
        if (!cqlsch_accept(c, "KEY"))
            cqlsch_lost(c, "KEY was expected");
    }
}

static void set_keys(cqlsch_cursor *c, cqlsch_object *o, const key_names *key)
{
    if (key->partition.count == 0)
        cqlsch_lost(c, "there is no primary key");
    for (size_t i = 0; i < key->partition.count; i++)
        set_key(c, o, *CQLSCH_AT(cql_str, &key->partition, i), CQLSCH_PARTITION, (int32_t)i);
    for (size_t i = 0; i < key->clustering.count; i++)
        set_key(c, o, *CQLSCH_AT(cql_str, &key->clustering, i), CQLSCH_CLUSTERING, (int32_t)i);
}

static void add_missing(cqlsch_cursor *c, cqlsch_object *o, const cqlsch_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        cql_str name = *CQLSCH_AT(cql_str, names, i);
        cqlsch_column *column = NULL;
        if (!cqlsch_column_find(o, name))
            column = cqlsch_push(c->mem, &o->columns, sizeof *column);
        if (column)
            *column = (cqlsch_column){.name = name, .type = CQLSCH_NONE, .position = -1};
    }
}

void cqlsch_take_view_key(cqlsch_cursor *c, cqlsch_object *o)
{
    key_names key;
    memset(&key, 0, sizeof key);
    take_key(c, &key);
    add_missing(c, o, &key.partition);
    add_missing(c, o, &key.clustering);
    if (!c->why)
        set_keys(c, o, &key);
}

void cqlsch_take_table(cqlsch_cursor *c, cqlsch_ddl *out)
{
    cqlsch_object *o = &out->object;
    key_names key;
    memset(&key, 0, sizeof key);
    if (!cqlsch_expect_punct(c, '('))
        return;
    do {
        cqlsch_lexer before = c->lexer;
        cqlsch_token second = cqlsch_lex(&before);
        if (cqlsch_is_word(&c->token, "PRIMARY") && cqlsch_is_word(&second, "KEY")) {
            cqlsch_next(c);
            cqlsch_next(c);
            take_key(c, &key);
        } else {
            take_column(c, o, &key);
        }
    } while (cqlsch_more(c));
    (void)cqlsch_expect_punct(c, ')');
    if (!c->why)
        set_keys(c, o, &key);
    if (!c->why && cqlsch_accept(c, "WITH")) {
        out->has_with = true;
        cqlsch_take_options(c, o);
    } else if (!c->why && c->token.kind != CQLSCH_END) {
        cqlsch_lost(c, "what follows the columns");
    }
}
