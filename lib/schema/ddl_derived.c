/* Reading DDL: views, functions, aggregates and triggers. What they say goes into parts named as the
 * columns of system_schema that keep it. */
#include "schema/ddl_parse.h"
#include "schema/split.h"

#include <string.h>

/* value.ptr NULL: the text does not say it. */
static void add_part(cqlsch_cursor *c, cqlsch_object *o, const char *name, cql_str value)
{
    cqlsch_pair *part = cqlsch_push(c->mem, &o->parts, sizeof *part);
    if (part)
        *part = (cqlsch_pair){cql_str_of(name), value};
}

static const cql_str nothing = {NULL, 0};

/* These words, with a blank between them. */
static void expect(cqlsch_cursor *c, const char *words)
{
    for (size_t len; *words; words += len + (words[len] == ' ')) {
        len = strcspn(words, " ");
        const char *word = cqlsch_format(c->mem, "%.*s", (int)len, words);
        if (!cqlsch_accept(c, word))
            cqlsch_lost(c, cqlsch_format(c->mem, "%s was expected", word));
    }
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
    if (c->token.kind != CQLSCH_STRING)
        cqlsch_lost(c, "a string was expected");
    if (c->why)
        return nothing;
    cql_str text = cqlsch_plain(c->mem, &c->token);
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
    do { /* the types are those of the table */
        if (!cqlsch_take_column(c, o))
            return;
    } while (cqlsch_more(c));
}

/* AS SELECT columns FROM table [WHERE relations] PRIMARY KEY (...) [WITH options] */
static void take_view(cqlsch_cursor *c, cqlsch_object *o)
{
    cql_str keyspace = CQLSCH_NONE;
    cql_str where = CQLSCH_NONE;
    expect(c, "AS SELECT");
    take_selection(c, o);
    expect(c, "FROM");
    cqlsch_take_full_name(c, &keyspace, &o->table);
    add_part(c, o, "base_table_name", o->table);
    if (cqlsch_accept(c, "WHERE"))
        where = take_until(c, "PRIMARY");
    add_part(c, o, "where_clause", where);
    expect(c, "PRIMARY KEY");
    cqlsch_take_view_key(c, o);
    if (!c->why && cqlsch_accept(c, "WITH"))
        cqlsch_take_options(c, o);
}

/* --- clauses ---------------------------------------------------------------------------------- */

typedef enum take { NAME, TYPE, STRING, TERM } take;

/* A word and what follows it: the part that it is. */
typedef struct clause {
    char word[10];
    bool optional;
    uint8_t take;
    char part[12];
} clause;

/* LANGUAGE name AS 'body' */
static const clause function_clauses[] = {
    {"RETURNS", false, TYPE, "return_type"},
    {"LANGUAGE", false, NAME, "language"},
    {"AS", false, STRING, "body"},
};

/* Behind the arguments. */
static const clause aggregate_clauses[] = {
    {"SFUNC", false, NAME, "state_func"},
    {"STYPE", false, TYPE, "state_type"},
    {"FINALFUNC", true, NAME, "final_func"},
    {"INITCOND", true, TERM, "initcond"},
};

/* Behind the table. */
static const clause trigger_clauses[] = {{"USING", false, STRING, "class"}};

static cql_str take_part(cqlsch_cursor *c, take what)
{
    switch (what) {
    case NAME:
        return cqlsch_take_name(c);
    case TYPE:
        return cqlsch_take_type(c);
    case STRING:
        return take_string(c);
    case TERM:
        break;
    }
    return cqlsch_accept(c, "NULL") ? nothing : take_until(c, "");
}

static void take_clauses(cqlsch_cursor *c, cqlsch_object *o, const clause *clauses, size_t count)
{
    for (const clause *k = clauses; k < clauses + count; k++) {
        bool there = cqlsch_accept(c, k->word);
        if (!there && !k->optional)
            cqlsch_lost(c, cqlsch_format(c->mem, "%s was expected", k->word));
        add_part(c, o, k->part, there ? take_part(c, (take)k->take) : nothing);
    }
}

/* {CALLED | RETURNS NULL} ON NULL INPUT, behind the arguments */
static void take_call(cqlsch_cursor *c, cqlsch_object *o)
{
    bool called = cqlsch_accept(c, "CALLED");
    expect(c, called ? "ON NULL INPUT" : "RETURNS NULL ON NULL INPUT");
    add_part(c, o, "called_on_null_input", cql_str_of(called ? "true" : "false"));
}

void cqlsch_take_derived(cqlsch_cursor *c, cqlsch_object *o)
{
    cqlsch_take_distinction(c, o, true);
    if (o->kind == CQLSCH_VIEW) {
        take_view(c, o);
    } else if (o->kind == CQLSCH_FUNCTION) {
        take_call(c, o);
        take_clauses(c, o, function_clauses, CQL_COUNT(function_clauses));
    } else if (o->kind == CQLSCH_AGGREGATE) {
        take_clauses(c, o, aggregate_clauses, CQL_COUNT(aggregate_clauses));
    } else {
        take_clauses(c, o, trigger_clauses, CQL_COUNT(trigger_clauses));
    }
    if (c->token.kind != CQLSCH_END)
        cqlsch_lost(c, "the end was expected");
}
