/* Reading DDL in tests: statements to a model, a model to text. */
#include "schema_help.h"

#include "schema/compare.h"
#include "schema/split.h"

#include "unit.h"

void schema_read(cqlsch_mem *mem, const char *cql, cqlsch_model *out)
{
    cqlsch_splitter sp;
    cqlsch_piece piece;
    cql_str keyspace = cql_str_of("ks");
    cqlsch_model_init(out, mem);
    cqlsch_splitter_init(&sp, cql_str_of(cql));
    for (size_t step = 0; cqlsch_split(&sp, &piece) == CQL_OK; step++) {
        cqlsch_ddl ddl;
        assert_int_equal(cqlsch_ddl_read(mem, piece.text, &ddl), CQL_OK);
        if (ddl.verb == CQLSCH_USE)
            keyspace = ddl.object.keyspace;
        else
            assert_int_equal(cqlsch_model_take(out, &ddl, keyspace, step), CQL_OK);
    }
}

static void add_column(cqlsch_text *t, const cqlsch_column *c)
{
    static const char *const roles[] = {"", " static", " ck", " pk"};
    cqlsch_text_add_c(t, " [");
    cqlsch_text_add(t, c->name);
    cqlsch_text_add_c(t, " ");
    cqlsch_text_add(t, c->type);
    cqlsch_text_add_c(t, roles[c->kind]);
    if (c->position >= 0)
        cqlsch_text_add_c(t, cqlsch_format(t->mem, "%d", c->position));
    cqlsch_text_add_c(t, c->descending ? " desc]" : "]");
}

const char *schema_print(cqlsch_mem *mem, const cqlsch_object *o)
{
    cqlsch_text t;
    cqlsch_text_init(&t, mem);
    cqlsch_text_add_c(&t, cqlsch_kind_name(o->kind));
    cqlsch_text_add_c(&t, " ");
    cqlsch_text_add_c(&t, cqlsch_full_name(mem, o));
    if (o->unread) {
        cqlsch_text_add_c(&t, " unread: ");
        cqlsch_text_add_c(&t, o->unread);
        return cqlsch_text_str(&t).ptr;
    }
    for (size_t i = 0; i < o->columns.count; i++)
        add_column(&t, CQLSCH_AT(cqlsch_column, &o->columns, i));
    if (o->kind == CQLSCH_INDEX) {
        cqlsch_text_add_c(&t, " on ");
        cqlsch_text_add(&t, o->table);
        cqlsch_text_add_c(&t, "(");
        cqlsch_text_add(&t, o->target);
        cqlsch_text_add_c(&t, ") ");
        cqlsch_text_add(&t, o->class_name);
    }
    for (size_t i = 0; i < o->parts.count; i++) {
        const cqlsch_pair *part = CQLSCH_AT(cqlsch_pair, &o->parts, i);
        cqlsch_text_add_c(&t, " ");
        cqlsch_text_add(&t, part->key);
        cqlsch_text_add_c(&t, part->value.ptr ? "=" : " null");
        cqlsch_text_add(&t, part->value);
    }
    for (size_t i = 0; i < o->options.count; i++) {
        const cqlsch_option *option = CQLSCH_AT(cqlsch_option, &o->options, i);
        cqlsch_text_add_c(&t, " ");
        cqlsch_text_add(&t, option->name);
        cqlsch_text_add_c(&t, "=");
        cqlsch_text_add(&t, cqlsch_option_text(mem, option));
    }
    return cqlsch_text_str(&t).ptr;
}

const char *schema_print_all(cqlsch_mem *mem, const cqlsch_model *m)
{
    cqlsch_text t;
    cqlsch_text_init(&t, mem);
    for (size_t i = 0; i < cqlsch_model_count(m); i++) {
        if (cqlsch_model_at(m, i)->dropped)
            continue;
        cqlsch_text_add_c(&t, schema_print(mem, cqlsch_model_at(m, i)));
        cqlsch_text_add_c(&t, "\n");
    }
    return cqlsch_text_str(&t).ptr;
}

cql_str schema_slurp(cqlsch_mem *mem, const char *path)
{
    char buffer[4096];
    cqlsch_text t;
    size_t got;
    FILE *file = fopen(cqlsch_format(mem, "%s/%s", TEST_SRCDIR, path), "rb");
    assert_non_null(file);
    cqlsch_text_init(&t, mem);
    while ((got = fread(buffer, 1, sizeof buffer, file)) > 0)
        cqlsch_text_add(&t, (cql_str){buffer, got});
    fclose(file);
    return cqlsch_text_str(&t);
}
