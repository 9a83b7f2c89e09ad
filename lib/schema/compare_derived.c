/* Comparing views, functions, aggregates and triggers by what system_schema keeps of them. */
#include "schema/compare.h"
#include "schema/lexer.h"
#include "schema/model.h"
#include "schema/split.h"
#include "schema/typetext.h"

/* --- texts that mean the same ------------------------------------------------------------------ */

static cql_str token_text(cqlsch_mem *mem, const cqlsch_token *t)
{
    cql_str text = cqlsch_plain(mem, t);
    if (t->kind == CQLSCH_STRING)
        return cqlsch_quote(mem, text);
    return t->kind == CQLSCH_NAME ? cqlsch_identifier(mem, text) : text;
}

/* The next token of the relations of a view. Round brackets do not count: without them none of the
 * relations would mean another one. */
static cqlsch_token next_of_relation(cqlsch_lexer *lx)
{
    cqlsch_token t;
    do {
        t = cqlsch_lex(lx);
    } while (cqlsch_is_punct(&t, '(') || cqlsch_is_punct(&t, ')'));
    return t;
}

static bool holds_quote(const cqlsch_token *t)
{
    for (size_t i = 1; t->kind == CQLSCH_STRING && i + 1 < t->text.len; i++) {
        if (t->text.ptr[i] == '\'')
            return true;
    }
    return false;
}

/* Servers keep a quote in a string without doubling it: what follows one is taken for the same. */
static bool same_relations(cqlsch_mem *mem, cql_str a, cql_str b)
{
    cqlsch_lexer lx;
    cqlsch_lexer ly;
    cqlsch_lexer_init(&lx, a);
    cqlsch_lexer_init(&ly, b);
    for (;;) {
        cqlsch_token x = next_of_relation(&lx);
        cqlsch_token y = next_of_relation(&ly);
        if (x.kind == CQLSCH_BAD || y.kind == CQLSCH_BAD || holds_quote(&x))
            return true;
        if (x.kind == CQLSCH_END || y.kind == CQLSCH_END)
            return x.kind == y.kind;
        if (!cql_str_equal(token_text(mem, &x), token_text(mem, &y)))
            return false;
    }
}

/* What is within another type is frozen, said or not. */
static cql_str inner_type(cqlsch_mem *mem, cql_str keyspace, cql_str text)
{
    const char *tuple = cqlsch_format(mem, "tuple<%.*s>", (int)text.len, text.ptr);
    return cqlsch_type_text(mem, keyspace, cql_str_of(tuple));
}

/* --- the first value of an aggregate ----------------------------------------------------------- */

/* Of the other types the server writes values in a way of its own. */
static bool is_written_alike(const cqlsch_token *t)
{
    static const char *const words[] = {
        "ascii", "bigint", "blob",    "boolean", "decimal", "double",   "float",  "frozen",
        "int",   "list",   "map",     "set",     "smallint", "text",    "timeuuid", "tinyint",
        "tuple", "uuid",   "varchar", "varint",  "vector",
    };
    for (size_t i = 0; i < CQL_COUNT(words); i++) {
        if (cqlsch_is_word(t, words[i]))
            return true;
    }
    return t->kind == CQLSCH_PUNCT || t->kind == CQLSCH_NUMBER;
}

static bool is_comparable(cql_str type)
{
    cqlsch_lexer lx;
    cqlsch_lexer_init(&lx, type);
    for (;;) {
        cqlsch_token t = cqlsch_lex(&lx);
        if (t.kind == CQLSCH_END)
            return true;
        if (!is_written_alike(&t))
            return false;
    }
}

static cqlsch_list tokens_of(cqlsch_mem *mem, cql_str text, bool *unordered)
{
    cqlsch_lexer lx;
    cqlsch_list out = {NULL, 0, 0};
    cqlsch_lexer_init(&lx, text);
    for (;;) {
        cqlsch_token t = cqlsch_lex(&lx);
        cql_str *added = NULL;
        if (t.kind != CQLSCH_END && t.kind != CQLSCH_BAD)
            added = cqlsch_push(mem, &out, sizeof *added);
        if (!added)
            return out;
        *added = token_text(mem, &t);
        *unordered = *unordered || cqlsch_is_punct(&t, '{');
    }
}

static bool same_token(cql_str a, cql_str b)
{
    return a.len && a.ptr[0] == '\'' ? cql_str_equal(a, b) : cqlsch_same_value(CQLSCH_NONE, a, b);
}

/* Sets and maps come back in the server's order. */
static bool same_term(cqlsch_mem *mem, cql_str a, cql_str b)
{
    bool unordered = false;
    cqlsch_list x = tokens_of(mem, a, &unordered);
    cqlsch_list y = tokens_of(mem, b, &unordered);
    for (size_t i = 0; i < x.count && x.count == y.count; i++) {
        size_t k = unordered ? 0 : i;
        size_t end = unordered ? y.count : i + 1;
        while (k < end && !same_token(*CQLSCH_AT(cql_str, &x, i), *CQLSCH_AT(cql_str, &y, k)))
            k++;
        if (k == end)
            return false;
    }
    return x.count == y.count;
}

/* --- parts ------------------------------------------------------------------------------------- */

typedef enum part_kind { NAME, WORD, TYPE, RELATIONS, TERM, CODE } part_kind;

static const struct {
    const char *column, *subject;
    part_kind kind;
} parts[] = {
    {"base_table_name", "table", NAME},
    {"include_all_columns", "selection of all columns", WORD},
    {"where_clause", "where", RELATIONS},
    {"argument_names", "argument names", NAME},
    {"called_on_null_input", "called on null input", WORD},
    {"return_type", "return type", TYPE},
    {"language", "language", WORD},
    {"body", "body", CODE},
    {"state_func", "state function", NAME},
    {"state_type", "state type", TYPE},
    {"final_func", "final function", NAME},
    {"initcond", "initial condition", TERM},
    {"class", "class", NAME},
};

bool cqlsch_selects_all(const cqlsch_object *view)
{
    const cqlsch_pair *all = cqlsch_part_find(view, CQLSCH_TEXT("include_all_columns"));
    return all && cqlsch_is(all->value, "true");
}

static size_t at_crlf(cql_str text, size_t at)
{
    return at + 1 < text.len && text.ptr[at] == '\r' && text.ptr[at + 1] == '\n';
}

/* Line ends of either kind are the same. Of the first line that is not: its number, from 1, and where it begins. */
static bool same_code(cql_str a, cql_str b, unsigned *line, size_t *line_of_a, size_t *line_of_b)
{
    size_t i = 0;
    size_t k = 0;
    *line = 1;
    *line_of_a = *line_of_b = 0;
    for (;; i++, k++) {
        i += at_crlf(a, i);
        k += at_crlf(b, k);
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if (a.ptr[i] != b.ptr[k])
            return false;
        if (a.ptr[i] != '\n')
            continue;
        ++*line;
        *line_of_a = i + 1;
        *line_of_b = k + 1;
    }
}

static bool same_part(cqlsch_mem *mem, const cqlsch_object *o, part_kind kind, cql_str a, cql_str b)
{
    switch (kind) {
    case WORD:
        return cqlsch_same_nocase(a, b);
    case TYPE:
        return cql_str_equal(inner_type(mem, o->keyspace, a), inner_type(mem, o->keyspace, b));
    case RELATIONS:
        return same_relations(mem, a, b);
    case TERM: {
        const cqlsch_pair *type = cqlsch_part_find(o, CQLSCH_TEXT("state_type"));
        return (type && !is_comparable(type->value)) || same_term(mem, a, b);
    }
    case CODE: {
        unsigned line;
        size_t from;
        return same_code(a, b, &line, &from, &from);
    }
    case NAME:
        break;
    }
    return cql_str_equal(a, b);
}

static cql_str line_at(cql_str text, size_t from)
{
    size_t to = from;
    while (to < text.len && text.ptr[to] != '\n')
        to++;
    while (to > from && text.ptr[to - 1] == '\r')
        to--;
    while (from < to && (text.ptr[from] == ' ' || text.ptr[from] == '\t'))
        from++;
    return cqlsch_sub(text, from, to);
}

static void differ_in_code(cqlsch_comparison *c, cql_str want, cql_str has)
{
    size_t line_of_want;
    size_t line_of_has;
    unsigned line;
    (void)same_code(want, has, &line, &line_of_want, &line_of_has);
    cqlsch_differ(c, false, cqlsch_format(c->mem, "body, line %u", line),
                  cqlsch_copy(c->mem, line_at(want, line_of_want)).ptr,
                  cqlsch_copy(c->mem, line_at(has, line_of_has)).ptr);
}

/* In one line; truth values, which servers write True, as CQL does. */
static const char *shown(cqlsch_mem *mem, part_kind kind, cql_str text)
{
    char *out = text.ptr ? cqlsch_alloc(mem, text.len + 1) : NULL;
    size_t len = 0;
    for (size_t i = 0; out && i < text.len; i++) {
        char c = kind == WORD ? cqlsch_lower(text.ptr[i]) : text.ptr[i];
        c = c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
        if (c != ' ' || (len && out[len - 1] != ' '))
            out[len++] = c;
    }
    return out;
}

void cqlsch_compare_parts(cqlsch_comparison *c, const cqlsch_object *expected,
                          const cqlsch_object *live)
{
    for (size_t i = 0; i < CQL_COUNT(parts); i++) {
        cql_str name = cql_str_of(parts[i].column);
        const cqlsch_pair *want = cqlsch_part_find(expected, name);
        const cqlsch_pair *has = cqlsch_part_find(live, name);
        part_kind kind = parts[i].kind;
        if (!want || !has) /* the server does not keep it */
            continue;
        if ((!want->value.ptr && !has->value.ptr) ||
            (want->value.ptr && has->value.ptr &&
             same_part(c->mem, expected, kind, want->value, has->value)))
            continue;
        if (kind == CODE)
            differ_in_code(c, want->value, has->value);
        else
            cqlsch_differ(c, false, parts[i].subject, shown(c->mem, kind, want->value),
                          shown(c->mem, kind, has->value));
    }
}
