/* Comparing expected objects with live ones: existence, columns, fields, indexes. Options: see
 * compare_options.c; views, functions and the like: compare_derived.c. */
#include "schema/compare.h"

void cqlsch_differ(cqlsch_comparison *c, bool note, const char *subject, const char *expected,
                   const char *found)
{
    cql_schema_difference *d = cqlsch_push(c->mem, &c->differences, sizeof *d);
    if (!d)
        return;
    d->subject = subject;
    d->expected = expected ? expected : "";
    d->found = found ? found : "";
    d->note = note;
    if (!expected)
        d->text = cqlsch_format(c->mem, "%s: not in the CQL, found %s", subject, d->found);
    else if (!found)
        d->text = cqlsch_format(c->mem, "%s: missing, expected %s", subject, d->expected);
    else
        d->text = cqlsch_format(c->mem, "%s: expected %s, found %s", subject, expected, found);
}

void cqlsch_differ_in(cqlsch_comparison *c, bool note, const char *subject, const cql_str *expected,
                      const cql_str *found)
{
    cqlsch_differ(c, note, subject, expected ? cqlsch_copy(c->mem, *expected).ptr : NULL,
                  found ? cqlsch_copy(c->mem, *found).ptr : NULL);
}

/* A difference that is no pair of values. */
static void remark(cqlsch_comparison *c, bool note, const char *subject, const char *text)
{
    cql_schema_difference *d = cqlsch_push(c->mem, &c->differences, sizeof *d);
    if (d)
        *d = (cql_schema_difference){subject, "", "", text, note};
}

size_t cqlsch_comparison_count(const cqlsch_comparison *c)
{
    size_t count = 0;
    for (size_t i = 0; i < c->differences.count; i++)
        count += CQLSCH_AT(cql_schema_difference, &c->differences, i)->note ? 0 : 1;
    return count;
}

/* --- columns -----------------------------------------------------------------------------------
 */

static const char *role_of(cqlsch_mem *mem, const cqlsch_column *column)
{
    switch (column->kind) {
    case CQLSCH_PARTITION:
        return cqlsch_format(mem, "partition key %d", column->position + 1);
    case CQLSCH_CLUSTERING:
        return cqlsch_format(mem, "clustering key %d", column->position + 1);
    case CQLSCH_STATIC:
        return "static column";
    case CQLSCH_REGULAR:
        break;
    }
    return "regular column";
}

static const char *subject_of(cqlsch_mem *mem, const char *what, cql_str name)
{
    return cqlsch_format(mem, "%s %s", what, cqlsch_identifier(mem, name).ptr);
}

static void compare_column(cqlsch_comparison *c, const cqlsch_column *want,
                           const cqlsch_column *has)
{
    const char *subject = subject_of(c->mem, "column", want->name);
    if (!has && want->type.len)
        cqlsch_differ_in(c, false, subject, &want->type, NULL);
    else if (!has)
        cqlsch_differ(c, false, subject, role_of(c->mem, want), NULL);
    if (!has)
        return;
    if (want->type.len && !cql_str_equal(want->type, has->type))
        cqlsch_differ_in(c, false, subject, &want->type, &has->type);
    if (want->kind != has->kind || want->position != has->position)
        cqlsch_differ(c, false, subject, role_of(c->mem, want), role_of(c->mem, has));
    if (want->kind == CQLSCH_CLUSTERING && has->kind == CQLSCH_CLUSTERING &&
        want->descending != has->descending && (want->ordered || want->type.len))
        cqlsch_differ(c, false, subject_of(c->mem, "clustering order of", want->name),
                      want->descending ? "DESC" : "ASC", has->descending ? "DESC" : "ASC");
}

/* `all`: other columns than the expected ones may be there. */
static void compare_columns(cqlsch_comparison *c, const cqlsch_object *expected,
                            const cqlsch_object *live, bool all)
{
    for (size_t i = 0; i < expected->columns.count; i++) {
        const cqlsch_column *want = CQLSCH_AT(cqlsch_column, &expected->columns, i);
        compare_column(c, want, cqlsch_column_find(live, want->name));
    }
    for (size_t i = 0; !all && i < live->columns.count; i++) {
        const cqlsch_column *has = CQLSCH_AT(cqlsch_column, &live->columns, i);
        if (!cqlsch_column_find(expected, has->name))
            cqlsch_differ_in(c, false, subject_of(c->mem, "column", has->name), NULL, &has->type);
    }
}

static void compare_table(cqlsch_comparison *c, const cqlsch_object *expected,
                          const cqlsch_object *live)
{
    compare_columns(c, expected, live, false);
    cqlsch_compare_options(c, expected, live);
}

static void compare_view(cqlsch_comparison *c, const cqlsch_object *expected,
                         const cqlsch_object *live)
{
    cqlsch_compare_parts(c, expected, live);
    compare_columns(c, expected, live, cqlsch_selects_all(expected));
    cqlsch_compare_named(c, expected, live);
}

/* --- types --------------------------------------------------------------------------------------
 */

static const char *field_text(cqlsch_mem *mem, const cqlsch_object *o, size_t i)
{
    if (i >= o->columns.count)
        return NULL;
    const cqlsch_column *field = CQLSCH_AT(cqlsch_column, &o->columns, i);
    return cqlsch_format(mem, "%s %.*s", cqlsch_identifier(mem, field->name).ptr,
                         (int)field->type.len, field->type.ptr);
}

/* Fields count by their order: values hold no names. */
static void compare_type(cqlsch_comparison *c, const cqlsch_object *expected,
                         const cqlsch_object *live)
{
    for (size_t i = 0; i < expected->columns.count || i < live->columns.count; i++) {
        const char *want = field_text(c->mem, expected, i);
        const char *has = field_text(c->mem, live, i);
        if (!want || !has || !cqlsch_is(cql_str_of(want), has))
            cqlsch_differ(c, false, cqlsch_format(c->mem, "field %zu", i + 1), want, has);
    }
}

/* --- indexes ------------------------------------------------------------------------------------
 */

/* The server writes values(col) for the plain index of a collection. */
static bool same_target(cqlsch_mem *mem, cql_str want, cql_str has)
{
    cql_str values = cql_str_of(cqlsch_format(mem, "values(%.*s)", (int)want.len, want.ptr));
    return cql_str_equal(want, has) || cql_str_equal(values, has);
}

/* Index kinds by one name each; servers from 5.0 may make their default kind of a plain CREATE
 * INDEX. */
static bool same_index_class(cql_str want, cql_str has)
{
    cql_str names[] = {cqlsch_short_class(want), cqlsch_short_class(has)};
    for (size_t i = 0; i < CQL_COUNT(names); i++) {
        if (cqlsch_same_word(names[i], "StorageAttachedIndex"))
            names[i] = CQLSCH_TEXT("sai");
        else if (cqlsch_same_word(names[i], "legacy_local_table"))
            names[i] = CQLSCH_NONE;
    }
    return cqlsch_same_nocase(names[0], names[1]) ||
           (want.len == 0 && cqlsch_same_word(names[1], "sai"));
}

static const char *class_text(cqlsch_mem *mem, cql_str name)
{
    return name.len ? cqlsch_copy(mem, cqlsch_short_class(name)).ptr : "a plain index";
}

/* Options that the text does not name: perhaps the server's own. */
static void compare_index_options(cqlsch_comparison *c, const cqlsch_object *expected,
                                  const cqlsch_object *live)
{
    static const char *const own[] = {"target", "class_name"};
    const cqlsch_option *want = cqlsch_option_find(expected, CQLSCH_TEXT("options"));
    const cqlsch_option *has = cqlsch_option_find(live, CQLSCH_TEXT("options"));
    for (size_t i = 0; has && i < has->pairs.count; i++) {
        const cqlsch_pair *p = CQLSCH_AT(cqlsch_pair, &has->pairs, i);
        if (cqlsch_is(p->key, own[0]) || cqlsch_is(p->key, own[1]) ||
            (want && cqlsch_pair_find(want, p->key)))
            continue;
        cqlsch_differ_in(c, true,
                         cqlsch_format(c->mem, "options.%.*s", (int)p->key.len, p->key.ptr), NULL,
                         &p->value);
    }
}

static void compare_index(cqlsch_comparison *c, const cqlsch_object *expected,
                          const cqlsch_object *live)
{
    if (!cql_str_equal(expected->table, live->table))
        cqlsch_differ_in(c, false, "table", &expected->table, &live->table);
    if (!same_target(c->mem, expected->target, live->target))
        cqlsch_differ_in(c, false, "target", &expected->target, &live->target);
    if (!same_index_class(expected->class_name, live->class_name))
        cqlsch_differ(c, false, "class", class_text(c->mem, expected->class_name),
                      class_text(c->mem, live->class_name));
    cqlsch_compare_named(c, expected, live);
    compare_index_options(c, expected, live);
}

cqlsch_object *cqlsch_live_of(const cqlsch_model *live, const cqlsch_object *expected)
{
    if (expected->kind != CQLSCH_INDEX || expected->name.len)
        return cqlsch_model_find_like(live, expected);
    for (size_t i = 0; i < cqlsch_model_count(live); i++) {
        cqlsch_object *o = cqlsch_model_at(live, i);
        if (o->kind == CQLSCH_INDEX && !o->dropped &&
            cql_str_equal(o->keyspace, expected->keyspace) &&
            cql_str_equal(o->table, expected->table) &&
            same_target(live->mem, expected->target, o->target))
            return o;
    }
    return NULL;
}

static bool is_expected(const cqlsch_model *expected, const cqlsch_object *index,
                        const cqlsch_model *live)
{
    for (size_t i = 0; i < cqlsch_model_count(expected); i++) {
        const cqlsch_object *o = cqlsch_model_at(expected, i);
        if (o->kind == CQLSCH_INDEX && !o->dropped && cqlsch_live_of(live, o) == index)
            return true;
    }
    return false;
}

void cqlsch_compare_extra_indexes(cqlsch_comparison *c, const cqlsch_object *table,
                                  const cqlsch_model *expected, const cqlsch_model *live)
{
    if (c->verify == CQL_SCHEMA_VERIFY_OFF)
        return;
    for (size_t i = 0; i < cqlsch_model_count(live); i++) {
        const cqlsch_object *o = cqlsch_model_at(live, i);
        if (o->kind != CQLSCH_INDEX || o->dropped || !cql_str_equal(o->keyspace, table->keyspace) ||
            !cql_str_equal(o->table, table->name) || is_expected(expected, o, live))
            continue;
        cqlsch_differ(c, false, subject_of(c->mem, "index", o->name), NULL,
                      cqlsch_format(c->mem, "an index on %s", cqlsch_copy(c->mem, o->target).ptr));
    }
}

/* --- all ----------------------------------------------------------------------------------------
 */

void cqlsch_compare(cqlsch_comparison *c, const cqlsch_object *expected, const cqlsch_object *live)
{
    const char *kind = cqlsch_kind_name(expected->kind);
    if (!live) {
        remark(c, false, "existence", cqlsch_format(c->mem, "the %s does not exist", kind));
        return;
    }
    if (c->verify == CQL_SCHEMA_VERIFY_OFF)
        return;
    if (expected->unread) {
        remark(c, true, "shape",
               cqlsch_format(c->mem, "the %s is not compared: %s", kind, expected->unread));
        return;
    }
    switch (expected->kind) {
    case CQLSCH_KEYSPACE:
        cqlsch_compare_replication(c, expected, live);
        break;
    case CQLSCH_TABLE:
        compare_table(c, expected, live);
        break;
    case CQLSCH_TYPE:
        compare_type(c, expected, live);
        break;
    case CQLSCH_INDEX:
        compare_index(c, expected, live);
        break;
    case CQLSCH_VIEW:
        compare_view(c, expected, live);
        break;
    case CQLSCH_FUNCTION:
    case CQLSCH_AGGREGATE:
    case CQLSCH_TRIGGER:
        cqlsch_compare_parts(c, expected, live);
        break;
    case CQLSCH_NO_OBJECT:
        break;
    }
}
