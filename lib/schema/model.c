/* Objects of a schema: adding, finding, naming. */
#include "schema/model.h"

void cqlsch_model_init(cqlsch_model *m, cqlsch_mem *mem)
{
    *m = (cqlsch_model){.mem = mem};
}

cqlsch_object *cqlsch_model_add(cqlsch_model *m, cqlsch_kind kind, cql_str keyspace, cql_str name)
{
    cqlsch_object *o = cqlsch_push(m->mem, &m->objects, sizeof *o);
    if (!o)
        return NULL;
    o->kind = kind;
    o->keyspace = keyspace;
    o->name = name;
    return o;
}

size_t cqlsch_model_count(const cqlsch_model *m)
{
    return m->objects.count;
}

cqlsch_object *cqlsch_model_at(const cqlsch_model *m, size_t i)
{
    return CQLSCH_AT(cqlsch_object, &m->objects, i);
}

static bool same_signature(cql_str a, cql_str b)
{
    return a.len == 0 || b.len == 0 || cql_str_equal(a, b);
}

bool cqlsch_same_object(const cqlsch_object *a, const cqlsch_object *b)
{
    return a->kind == b->kind && cql_str_equal(a->name, b->name) &&
           cql_str_equal(a->keyspace, b->keyspace) && same_signature(a->signature, b->signature);
}

cqlsch_object *cqlsch_model_find_like(const cqlsch_model *m, const cqlsch_object *o)
{
    for (size_t i = 0; i < m->objects.count; i++) {
        cqlsch_object *there = cqlsch_model_at(m, i);
        if (!there->dropped && cqlsch_same_object(there, o))
            return there;
    }
    return NULL;
}

cqlsch_object *cqlsch_model_find(const cqlsch_model *m, cqlsch_kind kind, cql_str keyspace,
                                 cql_str name)
{
    cqlsch_object o = {.kind = kind, .keyspace = keyspace, .name = name};
    return cqlsch_model_find_like(m, &o);
}

/* Of items that begin with their name, the one of this name. */
static void *find(const cqlsch_list *list, cql_str name, size_t item_size)
{
    char *item = list->items;
    for (size_t i = 0; i < list->count; i++, item += item_size) {
        if (cql_str_equal(*(const cql_str *)(const void *)item, name))
            return item;
    }
    return NULL;
}

cqlsch_column *cqlsch_column_find(const cqlsch_object *o, cql_str name)
{
    return find(&o->columns, name, sizeof(cqlsch_column));
}

cqlsch_option *cqlsch_option_find(const cqlsch_object *o, cql_str name)
{
    return find(&o->options, name, sizeof(cqlsch_option));
}

const cqlsch_pair *cqlsch_part_find(const cqlsch_object *o, cql_str name)
{
    return find(&o->parts, name, sizeof(cqlsch_pair));
}

const cqlsch_pair *cqlsch_pair_find(const cqlsch_option *option, cql_str key)
{
    return find(&option->pairs, key, sizeof(cqlsch_pair));
}

const char *cqlsch_kind_name(cqlsch_kind kind)
{
    switch (kind) {
    case CQLSCH_NO_OBJECT:
        return "statement";
    case CQLSCH_KEYSPACE:
        return "keyspace";
    case CQLSCH_TYPE:
        return "type";
    case CQLSCH_TABLE:
        return "table";
    case CQLSCH_INDEX:
        return "index";
    case CQLSCH_VIEW:
        return "view";
    case CQLSCH_FUNCTION:
        return "function";
    case CQLSCH_AGGREGATE:
        return "aggregate";
    case CQLSCH_TRIGGER:
        return "trigger";
    }
    return "object";
}

/* Words that the server's grammar does not take as a name without quotes. */
static bool is_reserved(cql_str name)
{
    static const char *const words[] = {
        "add",    "allow",       "alter",  "and",          "apply",    "asc",      "authorize",
        "batch",  "begin",       "by",     "columnfamily", "create",   "default",  "delete",
        "desc",   "describe",    "drop",   "entries",      "execute",  "from",     "full",
        "grant",  "if",          "in",     "index",        "infinity", "insert",   "into",
        "is",     "keyspace",    "limit",  "materialized", "mbean",    "mbeans",   "modify",
        "nan",    "norecursive", "not",    "null",         "of",       "on",       "or",
        "order",  "primary",     "rename", "replace",      "revoke",   "schema",   "select",
        "set",    "table",       "to",     "token",        "truncate", "unlogged", "unset",
        "update", "use",         "using",  "view",         "where",    "with",
    };
    for (size_t i = 0; i < CQL_COUNT(words); i++) {
        if (cqlsch_is(name, words[i]))
            return true;
    }
    return false;
}

static bool is_plain(cql_str name)
{
    if (name.len == 0 || name.ptr[0] < 'a' || name.ptr[0] > 'z')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return !is_reserved(name);
}

static cql_str quoted(cqlsch_mem *mem, cql_str text, const char *quote)
{
    cqlsch_text out;
    cqlsch_text_init(&out, mem);
    cqlsch_text_add_c(&out, quote);
    for (size_t i = 0; i < text.len; i++) {
        cqlsch_text_add(&out, cqlsch_sub(text, i, i + 1));
        if (text.ptr[i] == quote[0])
            cqlsch_text_add_c(&out, quote);
    }
    cqlsch_text_add_c(&out, quote);
    return cqlsch_text_str(&out);
}

cql_str cqlsch_identifier(cqlsch_mem *mem, cql_str name)
{
    return is_plain(name) ? cqlsch_copy(mem, name) : quoted(mem, name, "\"");
}

cql_str cqlsch_quote(cqlsch_mem *mem, cql_str text)
{
    return quoted(mem, text, "'");
}

const char *cqlsch_full_name(cqlsch_mem *mem, const cqlsch_object *o)
{
    cqlsch_text out;
    cqlsch_text_init(&out, mem);
    cqlsch_text_add(&out, cqlsch_identifier(mem, o->keyspace));
    if (o->kind != CQLSCH_KEYSPACE) {
        cqlsch_text_add_c(&out, ".");
        cqlsch_text_add(&out, cqlsch_identifier(mem, o->name));
    }
    return cqlsch_text_str(&out).ptr;
}
