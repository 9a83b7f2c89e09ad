/* Canonical type texts: a parser over the CQL lexer that writes as it goes. */
#include "schema/typetext.h"

#include "schema/lexer.h"
#include "schema/model.h"
#include "schema/split.h"

enum { MAX_DEPTH = 32 };

typedef struct parser {
    cqlsch_mem *mem;
    cql_str keyspace;
    cqlsch_lexer lexer;
    cqlsch_token token;
    bool bad;
} parser;

static void next(parser *p)
{
    p->token = cqlsch_lex(&p->lexer);
}

/* The CQL type of a server class, empty when it has none. */
static cql_str type_of_class(cql_str name)
{
    static const struct {
        const char *class_name, *type;
    } known[] = {
        {"AsciiType", "ascii"},
        {"BooleanType", "boolean"},
        {"ByteType", "tinyint"},
        {"BytesType", "blob"},
        {"CounterColumnType", "counter"},
        {"DecimalType", "decimal"},
        {"DoubleType", "double"},
        {"DurationType", "duration"},
        {"FloatType", "float"},
        {"InetAddressType", "inet"},
        {"Int32Type", "int"},
        {"IntegerType", "varint"},
        {"LongType", "bigint"},
        {"ShortType", "smallint"},
        {"SimpleDateType", "date"},
        {"TimeType", "time"},
        {"TimeUUIDType", "timeuuid"},
        {"TimestampType", "timestamp"},
        {"UTF8Type", "text"},
        {"UUIDType", "uuid"},
    };
    for (size_t i = 0; i < CQL_COUNT(known); i++) {
        if (cqlsch_is(name, known[i].class_name))
            return cql_str_of(known[i].type);
    }
    return cql_str_of(NULL);
}

static bool is_class_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '.';
}

/* 'org.apache.cassandra.db.marshal.X(a=>org.apache…Y)' as 'X(a=>Y)', or the CQL type it stands for.
 */
static cql_str class_text(parser *p, const cqlsch_token *quoted_class)
{
    cql_str name = cqlsch_plain(p->mem, quoted_class);
    cqlsch_text out;
    cqlsch_text_init(&out, p->mem);
    size_t i = 0;
    while (i < name.len) {
        size_t end = i;
        size_t last = i;
        while (end < name.len && is_class_char(name.ptr[end])) {
            if (name.ptr[end] == '.')
                last = end + 1;
            end++;
        }
        if (end > i)
            cqlsch_text_add(&out, cqlsch_sub(name, last, end));
        else if (name.ptr[end++] != ' ')
            cqlsch_text_add(&out, cqlsch_sub(name, i, end));
        i = end;
    }
    cql_str type = type_of_class(cqlsch_text_str(&out));
    return type.len ? type : cqlsch_quote(p->mem, cqlsch_text_str(&out));
}

static cql_str parse_type(parser *p, bool nested, unsigned depth);

/* <type, type …> or <type, number>, the opening bracket being the current token. */
static void parse_arguments(parser *p, cqlsch_text *out, unsigned depth)
{
    const char *separator = "<";
    do {
        next(p);
        cqlsch_text_add_c(out, separator);
        separator = ", ";
        if (p->token.kind == CQLSCH_NUMBER) {
            cqlsch_text_add(out, p->token.text);
            next(p);
        } else {
            cqlsch_text_add(out, parse_type(p, true, depth));
        }
    } while (!p->bad && cqlsch_is_punct(&p->token, ','));
    if (!cqlsch_is_punct(&p->token, '>'))
        p->bad = true;
    cqlsch_text_add_c(out, ">");
    next(p);
}

/* frozen<type>, the current token being the bracket: what is frozen in any case loses the word. */
static cql_str parse_frozen(parser *p, bool nested, unsigned depth)
{
    next(p);
    bool always =
        nested || cqlsch_is_word(&p->token, "tuple") || cqlsch_is_word(&p->token, "vector");
    cql_str inner = parse_type(p, nested, depth);
    if (!cqlsch_is_punct(&p->token, '>'))
        p->bad = true;
    next(p);
    if (always)
        return inner;
    return cql_str_of(cqlsch_format(p->mem, "frozen<%.*s>", (int)inner.len, inner.ptr));
}

static bool takes_arguments(cql_str name)
{
    static const char *const names[] = {"list", "set", "map", "tuple", "vector"};
    for (size_t i = 0; i < CQL_COUNT(names); i++) {
        if (cqlsch_is(name, names[i]))
            return true;
    }
    return false;
}

/* A name without or with a keyspace before it. */
static cql_str parse_plain(parser *p, cql_str name, bool word)
{
    if (word && cqlsch_is(name, "varchar"))
        return CQLSCH_TEXT("text");
    if (!cqlsch_is_punct(&p->token, '.'))
        return cqlsch_identifier(p->mem, name);
    next(p);
    if (p->token.kind != CQLSCH_WORD && p->token.kind != CQLSCH_NAME) {
        p->bad = true;
        return name;
    }
    cql_str type = cqlsch_identifier(p->mem, cqlsch_plain(p->mem, &p->token));
    next(p);
    if (cql_str_equal(name, p->keyspace))
        return type;
    cql_str keyspace = cqlsch_identifier(p->mem, name);
    return cql_str_of(cqlsch_format(p->mem, "%s.%s", keyspace.ptr, type.ptr));
}

static cql_str parse_type(parser *p, bool nested, unsigned depth)
{
    cqlsch_token t = p->token;
    if (depth >= MAX_DEPTH || p->bad) {
        p->bad = true;
        return CQLSCH_NONE;
    }
    next(p);
    if (t.kind == CQLSCH_STRING)
        return class_text(p, &t);
    if (t.kind != CQLSCH_WORD && t.kind != CQLSCH_NAME) {
        p->bad = true;
        return CQLSCH_NONE;
    }
    cql_str name = cqlsch_plain(p->mem, &t);
    bool word = t.kind == CQLSCH_WORD;
    if (!word || !cqlsch_is_punct(&p->token, '<'))
        return parse_plain(p, name, word);
    if (cqlsch_is(name, "frozen"))
        return parse_frozen(p, nested, depth + 1);
    if (!takes_arguments(name)) {
        p->bad = true;
        return name;
    }
    cqlsch_text out;
    cqlsch_text_init(&out, p->mem);
    cqlsch_text_add(&out, name);
    parse_arguments(p, &out, depth + 1);
    return cqlsch_text_str(&out);
}

cql_str cqlsch_type_text(cqlsch_mem *mem, cql_str keyspace, cql_str text)
{
    parser p = {.mem = mem, .keyspace = keyspace};
    cqlsch_lexer_init(&p.lexer, text);
    next(&p);
    cql_str out = parse_type(&p, false, 0);
    if (p.bad || p.token.kind != CQLSCH_END)
        return cqlsch_copy(mem, text);
    return out;
}
