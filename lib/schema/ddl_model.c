/* What statements do to the model of expected objects. */
#include "schema/ddl.h"
#include "schema/typetext.h"

/* Types in canonical form, now that the keyspace is known. */
static void settle_types(cqlsch_model *m, cqlsch_object *o)
{
    for (size_t i = 0; i < o->columns.count; i++) {
        cqlsch_column *column = CQLSCH_AT(cqlsch_column, &o->columns, i);
        column->type = cqlsch_type_text(m->mem, o->keyspace, column->type);
    }
}

/* Canonical too, now that the keyspace is known. */
static void settle_signature(cqlsch_model *m, cqlsch_object *o)
{
    if ((o->kind == CQLSCH_FUNCTION || o->kind == CQLSCH_AGGREGATE) && o->signature.len)
        o->signature = cqlsch_type_text(m->mem, o->keyspace, o->signature);
}

/* Several indexes may go without a name; the server makes one for each. */
static bool is_unnamed(const cqlsch_object *o)
{
    return o->kind == CQLSCH_INDEX && o->name.len == 0;
}

/* A view keeps the order of its table where it says no other. */
static void take_orders(const cqlsch_model *m, cqlsch_object *view)
{
    const cqlsch_object *table = cqlsch_model_find(m, CQLSCH_TABLE, view->keyspace, view->table);
    for (size_t i = 0; table && i < view->columns.count; i++) {
        cqlsch_column *column = CQLSCH_AT(cqlsch_column, &view->columns, i);
        const cqlsch_column *of = cqlsch_column_find(table, column->name);
        if (column->ordered || !of)
            continue;
        column->descending = of->descending;
        column->ordered = true;
    }
}

/* `o`: the object that this one takes the place of, else a new one. */
static void take_create(cqlsch_model *m, const cqlsch_ddl *ddl, cql_str keyspace, cqlsch_object *o,
                        size_t step)
{
    if (!o)
        o = cqlsch_model_add(m, ddl->object.kind, keyspace, ddl->object.name);
    if (!o)
        return;
    *o = ddl->object;
    o->altered = ddl->replaces;
    /* The statement as read stays as it is: other runs use it. Parts never change. */
    o->columns = cqlsch_list_copy(m->mem, &ddl->object.columns, sizeof(cqlsch_column));
    o->options = cqlsch_list_copy(m->mem, &ddl->object.options, sizeof(cqlsch_option));
    o->keyspace = keyspace;
    o->step = step;
    settle_signature(m, o);
    settle_types(m, o);
    if (o->kind == CQLSCH_VIEW)
        take_orders(m, o);
}

static void add_columns(cqlsch_model *m, cqlsch_object *o, const cqlsch_ddl *ddl)
{
    for (size_t i = 0; i < ddl->object.columns.count; i++) {
        const cqlsch_column *column = CQLSCH_AT(cqlsch_column, &ddl->object.columns, i);
        if (cqlsch_column_find(o, column->name))
            continue;
        cqlsch_column *added = cqlsch_push(m->mem, &o->columns, sizeof *added);
        if (!added)
            return;
        *added = *column;
        added->type = cqlsch_type_text(m->mem, o->keyspace, column->type);
    }
}

static void drop_columns(cqlsch_object *o, const cqlsch_ddl *ddl)
{
    for (size_t i = 0; i < ddl->object.columns.count; i++) {
        const cqlsch_column *gone = CQLSCH_AT(cqlsch_column, &ddl->object.columns, i);
        cqlsch_column *found = cqlsch_column_find(o, gone->name);
        if (!found)
            continue;
        *found = *CQLSCH_AT(cqlsch_column, &o->columns, o->columns.count - 1);
        o->columns.count--;
    }
}

/* The server renames the columns in them, too. */
static void leave_views(cqlsch_model *m, cql_str keyspace, cql_str table)
{
    for (size_t i = 0; i < cqlsch_model_count(m); i++) {
        cqlsch_object *o = cqlsch_model_at(m, i);
        if (o->kind == CQLSCH_VIEW && cql_str_equal(o->keyspace, keyspace) &&
            cql_str_equal(o->table, table))
            o->unread = "a column of its table gets another name";
    }
}

static void rename_columns(cqlsch_object *o, const cqlsch_ddl *ddl)
{
    for (size_t i = 0; i < ddl->renames.count; i++) {
        const cqlsch_pair *r = CQLSCH_AT(cqlsch_pair, &ddl->renames, i);
        cqlsch_column *found = cqlsch_column_find(o, r->key);
        if (found)
            found->name = r->value;
    }
}

static void set_options(cqlsch_model *m, cqlsch_object *o, const cqlsch_ddl *ddl)
{
    for (size_t i = 0; i < ddl->object.options.count; i++) {
        const cqlsch_option *option = CQLSCH_AT(cqlsch_option, &ddl->object.options, i);
        cqlsch_option *found = cqlsch_option_find(o, option->name);
        if (!found)
            found = cqlsch_push(m->mem, &o->options, sizeof *found);
        if (found)
            *found = *option;
    }
}

static void take_alter(cqlsch_model *m, const cqlsch_ddl *ddl, cql_str keyspace)
{
    cqlsch_object *o = cqlsch_model_find(m, ddl->object.kind, keyspace, ddl->object.name);
    if (ddl->object.kind == CQLSCH_TABLE && ddl->change == CQLSCH_RENAME_COLUMNS)
        leave_views(m, keyspace, ddl->object.name);
    if (!o)
        return;
    o->altered = true;
    switch (ddl->change) {
    case CQLSCH_ADD_COLUMNS:
        add_columns(m, o, ddl);
        break;
    case CQLSCH_DROP_COLUMNS:
        drop_columns(o, ddl);
        break;
    case CQLSCH_RENAME_COLUMNS:
        rename_columns(o, ddl);
        break;
    case CQLSCH_SET_OPTIONS:
        set_options(m, o, ddl);
        break;
    case CQLSCH_CHANGE_UNKNOWN:
        break;
    }
    if (ddl->object.unread)
        o->unread = ddl->object.unread;
}

/* The object that a statement is about, to compare with. */
static cqlsch_object settled(cqlsch_model *m, const cqlsch_object *object, cql_str keyspace)
{
    cqlsch_object o = *object;
    o.keyspace = keyspace;
    settle_signature(m, &o);
    return o;
}

/* A dropped keyspace takes all that is in it, a table its indexes. */
static void take_drop(cqlsch_model *m, const cqlsch_object *gone)
{
    for (size_t i = 0; i < cqlsch_model_count(m); i++) {
        cqlsch_object *o = cqlsch_model_at(m, i);
        if (!cql_str_equal(o->keyspace, gone->keyspace))
            continue;
        bool inside =
            gone->kind == CQLSCH_KEYSPACE ||
            (gone->kind == CQLSCH_TABLE && o->table.len && cql_str_equal(o->table, gone->name));
        if (inside || cqlsch_same_object(o, gone))
            o->dropped = true;
    }
}

cql_status cqlsch_model_take(cqlsch_model *m, const cqlsch_ddl *ddl, cql_str keyspace, size_t step)
{
    cqlsch_object *there = NULL;
    if (ddl->object.keyspace.len)
        keyspace = ddl->object.keyspace;
    cqlsch_object about = settled(m, &ddl->object, keyspace);
    switch (ddl->verb) {
    case CQLSCH_CREATE:
        if (!is_unnamed(&about))
            there = cqlsch_model_find_like(m, &about);
        if (!there || ddl->replaces)
            take_create(m, ddl, keyspace, there, there ? there->step : step);
        break;
    case CQLSCH_ALTER:
        take_alter(m, ddl, keyspace);
        break;
    case CQLSCH_DROP:
        take_drop(m, &about);
        break;
    case CQLSCH_OTHER:
    case CQLSCH_USE:
        break;
    }
    return cqlsch_mem_status(m->mem);
}
