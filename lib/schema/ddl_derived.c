/* Reading DDL: views, functions, aggregates and triggers. What they say goes into parts named as the
 * columns of system_schema that keep it. */
#include "schema/ddl_parse.h"
#include "schema/split.h"

/* value.ptr NULL: the text does not say it. */
static void add_part(cqlsch_cursor *c, cqlsch_object *o, const char *name, cql_str value)
{
    cqlsch_pair *part = cqlsch_push(c->mem, &o->parts, sizeof *part);
    if (part)
        *part = (cqlsch_pair){cql_str_of(name), value};
}

static const cql_str nothing = {NULL, 0};

static void expect(cqlsch_cursor *c, const char *word)
{
    if (!cqlsch_accept(c, word))
        cqlsch_lost(c, cqlsch_format(c->mem, "%s was expected", word));
}

/* The text from here to before this word, or to the end. */
static cql_str take_until(cqlsch_cursor *c, const char *word)
{
    size_t from = c->token.offset;
    while (c->token.kind != CQLSCH_END && c->token.kind != CQLSCH_BAD && !cqlsch_is_word(&c->token, word))
        cqlsch_next(c);
    return cqlsch_sub(c->text, from, c->last_end > from ? c->last_end : from);
}

static cql_str take_string(cqlsch_cursor *c)
{
    char *buffer = cqlsch_alloc(c->mem, c->token.text.len + 1);
    if (c->token.kind != CQLSCH_STRING)
        cqlsch_lost(c, "a string was expected");
    if (c->why || !buffer)
        return nothing;
    cql_str text = cqlsch_unquote(c->token.text, buffer);
    cqlsch_next(c);
    return text;
}

/* --- what tells objects of one name apart ------------------------------------------------------ */

/* (name type, name type …), or the types alone, as the text of a tuple, which has a canonical form. What is not
 * understood leaves no signature. */
static void take_signature(cqlsch_cursor *c, cqlsch_object *o, bool named)
{
    cqlsch_text types;
    cqlsch_text names;
    cqlsch_text_init(&types, c->mem);
    cqlsch_text_init(&names, c->mem);
    cqlsch_text_add_c(&types, "tuple<");
    if (c->why || !cqlsch_accept_punct(c, '('))
        return;
    for (bool first = true; !c->why && !cqlsch_is_punct(&c->token, ')'); first = false) {
        if (!first)
            (void)cqlsch_expect_punct(c, ',');
        cqlsch_text_add_c(&names, first ? "" : ", ");
        if (named)
            cqlsch_text_add(&names, cqlsch_take_name(c));
        cqlsch_text_add_c(&types, first ? "" : ", ");
        cqlsch_text_add(&types, cqlsch_take_type(c));
    }
    cqlsch_text_add_c(&types, ">");
    if (c->why || !cqlsch_expect_punct(c, ')'))
        return;
    o->signature = cqlsch_text_str(&types);
    if (named)
        add_part(c, o, "argument_names", cqlsch_text_str(&names));
}

void cqlsch_take_distinction(cqlsch_cursor *c, cqlsch_object *o, bool named)
{
    if (o->kind == CQLSCH_FUNCTION || o->kind == CQLSCH_AGGREGATE) {
        take_signature(c, o, named && o->kind == CQLSCH_FUNCTION);
    } else if (o->kind == CQLSCH_TRIGGER && cqlsch_accept(c, "ON")) {
        cql_str none = CQLSCH_NONE;
        cqlsch_take_full_name(c, o->keyspace.len ? &none : &o->keyspace, &o->table);
        o->signature = o->table;
    }
}

/* --- views ------------------------------------------------------------------------------------ */

/* * or a, b, c */
static void take_selection(cqlsch_cursor *c, cqlsch_object *o)
{
    bool all = cqlsch_accept_punct(c, '*');
    add_part(c, o, "include_all_columns", cql_str_of(all ? "true" : "false"));
    if (all)
        return;
    do {
        cqlsch_column *column = cqlsch_push(c->mem, &o->columns, sizeof *column);
        if (!column)
            return;
        column->position = -1;
        column->type = CQLSCH_NONE; /* that of the table */
        column->name = cqlsch_take_name(c);
    } while (!c->why && cqlsch_accept_punct(c, ','));
}

/* AS SELECT columns FROM table [WHERE relations] PRIMARY KEY (...) [WITH options] */
static void take_view(cqlsch_cursor *c, cqlsch_object *o)
{
    cql_str keyspace = CQLSCH_NONE;
    cql_str where = CQLSCH_NONE;
    expect(c, "AS");
    expect(c, "SELECT");
    take_selection(c, o);
    expect(c, "FROM");
    if (!c->why)
        cqlsch_take_full_name(c, &keyspace, &o->table);
    add_part(c, o, "base_table_name", o->table);
    if (cqlsch_accept(c, "WHERE"))
        where = take_until(c, "PRIMARY");
    add_part(c, o, "where_clause", where);
    expect(c, "PRIMARY");
    expect(c, "KEY");
    if (!c->why)
        cqlsch_take_view_key(c, o);
    if (!c->why && cqlsch_accept(c, "WITH"))
        cqlsch_take_options(c, o);
}

/* --- functions -------------------------------------------------------------------------------- */

/* {CALLED | RETURNS NULL} ON NULL INPUT RETURNS type LANGUAGE name AS 'body', behind the arguments */
static void take_function(cqlsch_cursor *c, cqlsch_object *o)
{
    bool called = cqlsch_accept(c, "CALLED");
    if (!called) {
        expect(c, "RETURNS");
        expect(c, "NULL");
    }
    expect(c, "ON");
    expect(c, "NULL");
    expect(c, "INPUT");
    expect(c, "RETURNS");
    add_part(c, o, "called_on_null_input", cql_str_of(called ? "true" : "false"));
    add_part(c, o, "return_type", c->why ? nothing : cqlsch_take_type(c));
    expect(c, "LANGUAGE");
    add_part(c, o, "language", c->why ? nothing : cqlsch_take_name(c));
    expect(c, "AS");
    add_part(c, o, "body", take_string(c));
}

/* SFUNC f STYPE type [FINALFUNC g] [INITCOND term], behind the arguments */
static void take_aggregate(cqlsch_cursor *c, cqlsch_object *o)
{
    expect(c, "SFUNC");
    add_part(c, o, "state_func", c->why ? nothing : cqlsch_take_name(c));
    expect(c, "STYPE");
    add_part(c, o, "state_type", c->why ? nothing : cqlsch_take_type(c));
    add_part(c, o, "final_func", cqlsch_accept(c, "FINALFUNC") ? cqlsch_take_name(c) : nothing);
    add_part(c, o, "initcond", cqlsch_accept(c, "INITCOND") && !cqlsch_accept(c, "NULL") ? take_until(c, "") : nothing);
}

/* USING 'class', behind the table */
static void take_trigger(cqlsch_cursor *c, cqlsch_object *o)
{
    expect(c, "USING");
    add_part(c, o, "class", take_string(c));
}

void cqlsch_take_derived(cqlsch_cursor *c, cqlsch_object *o)
{
    cqlsch_take_distinction(c, o, true);
    if (o->kind == CQLSCH_VIEW)
        take_view(c, o);
    else if (o->kind == CQLSCH_FUNCTION)
        take_function(c, o);
    else if (o->kind == CQLSCH_AGGREGATE)
        take_aggregate(c, o);
    else
        take_trigger(c, o);
    if (c->token.kind != CQLSCH_END)
        cqlsch_lost(c, "the end was expected");
}
