/* A plan made ready for one run: replication and settings put in, keyspaces in use worked out, the
 * objects that are expected. */
#include "schema/settle.h"

#include "schema/fail.h"
#include "schema/rewrite.h"

#include <string.h>

static bool about_keyspace(const cqlsch_step *step)
{
    return step->ddl.object.kind == CQLSCH_KEYSPACE &&
           (step->ddl.verb == CQLSCH_CREATE || step->ddl.verb == CQLSCH_ALTER);
}

static cql_status set_replication(cql_schema_plan *plan, const char *text, const char **why)
{
    cql_str map;
    cql_str name = CQLSCH_TEXT("replication");
    cql_status st = cqlsch_replication_map(&plan->mem, cql_str_of(text), &map, why);
    for (size_t i = 0; st == CQL_OK && i < plan->steps.count; i++) {
        cqlsch_step *step = cqlsch_plan_step(plan, i);
        bool named = cqlsch_option_find(&step->ddl.object, name) != NULL;
        if (about_keyspace(step) && (named || step->ddl.verb == CQLSCH_CREATE))
            st = cqlsch_step_set_option(&plan->mem, step, name, map);
    }
    return st;
}

static bool is_table(const cqlsch_step *step, const cqlsch_setting *setting)
{
    return step->ddl.object.kind == CQLSCH_TABLE &&
           cql_str_equal(step->ddl.object.name, setting->table) &&
           cql_str_equal(cqlsch_step_keyspace(step), setting->keyspace);
}

/* Puts a setting into the CREATE of its table, and into an ALTER that sets the same option. */
static cql_status apply_setting(cql_schema_plan *plan, const cqlsch_setting *setting,
                                const char **why)
{
    bool found = false;
    cql_status st = CQL_OK;
    for (size_t i = 0; st == CQL_OK && i < plan->steps.count; i++) {
        cqlsch_step *step = cqlsch_plan_step(plan, i);
        if (!is_table(step, setting))
            continue;
        bool create = step->ddl.verb == CQLSCH_CREATE;
        bool alters = step->ddl.verb == CQLSCH_ALTER &&
                      cqlsch_option_find(&step->ddl.object, setting->option.name);
        found = found || create;
        if (create || alters)
            st = cqlsch_step_set_option(&plan->mem, step, setting->option.name, setting->text);
    }
    if (st == CQL_OK && !found) {
        *why = cqlsch_format(&plan->mem, "table %.*s.%.*s has no CREATE TABLE in the CQL",
                             (int)setting->keyspace.len, setting->keyspace.ptr,
                             (int)setting->table.len, setting->table.ptr);
        st = CQL_BAD_ARGUMENT;
    }
    return st;
}

static cql_status take_settings(cql_schema_plan *plan, const cql_schema_options *opts,
                                const char **why)
{
    cql_status st = CQL_OK;
    for (size_t i = 0; st == CQL_OK && i < opts->setting_count; i++) {
        cqlsch_setting *setting = cqlsch_push(&plan->mem, &plan->settings, sizeof *setting);
        if (!setting)
            return CQL_NO_MEMORY;
        st = cqlsch_setting_read(&plan->mem, cql_str_of(opts->settings[i]), setting, why);
        if (st == CQL_OK)
            st = apply_setting(plan, setting, why);
    }
    return st;
}

/* The keyspace in use at each step. */
static void follow_use(cql_schema_plan *plan)
{
    cql_str keyspace = plan->first_keyspace;
    size_t part = 0;
    for (size_t i = 0; i < plan->steps.count; i++) {
        cqlsch_step *step = cqlsch_plan_step(plan, i);
        if (step->part != part) {
            keyspace = plan->first_keyspace;
            part = step->part;
        }
        step->keyspace = keyspace;
        if (step->ddl.verb == CQLSCH_USE)
            keyspace = step->ddl.object.keyspace;
    }
}

/* Statements about objects whose keyspace nobody knows are sent, and that is all. */
static void leave_nameless(cql_schema_plan *plan)
{
    for (size_t i = 0; i < plan->steps.count; i++) {
        cqlsch_step *step = cqlsch_plan_step(plan, i);
        if (step->ddl.verb == CQLSCH_USE || step->ddl.verb == CQLSCH_OTHER ||
            cqlsch_step_keyspace(step).len)
            continue;
        step->ddl.verb = CQLSCH_OTHER;
        step->ddl.nameless = true;
    }
}

static cql_status build_model(cql_schema_plan *plan)
{
    cql_status st = cqlsch_mem_status(&plan->mem);
    cqlsch_model_init(&plan->model, &plan->mem);
    for (size_t i = 0; st == CQL_OK && i < plan->steps.count; i++) {
        const cqlsch_step *step = cqlsch_plan_step(plan, i);
        st = cqlsch_model_take(&plan->model, &step->ddl, step->keyspace, i);
    }
    for (size_t i = 0; st == CQL_OK && i < plan->settings.count; i++) {
        const cqlsch_setting *s = CQLSCH_AT(cqlsch_setting, &plan->settings, i);
        cqlsch_object *table = cqlsch_model_find(&plan->model, CQLSCH_TABLE, s->keyspace, s->table);
        if (table)
            table->altered = true;
    }
    return st;
}

static void keep_keyspaces(cql_schema_plan *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->steps.count; i++) {
        const cqlsch_step *step = cqlsch_plan_step(plan, i);
        if (about_keyspace(step))
            *cqlsch_plan_step(plan, kept++) = *step;
    }
    plan->steps.count = kept;
}

static cql_status copy_steps(const cql_schema_plan *from, cql_schema_plan *out)
{
    for (size_t i = 0; i < from->steps.count; i++) {
        cqlsch_step *step = cqlsch_push(&out->mem, &out->steps, sizeof *step);
        if (!step)
            return CQL_NO_MEMORY;
        *step = *cqlsch_plan_step(from, i);
    }
    return CQL_OK;
}

cql_status cqlsch_settle(const cql_schema_plan *from, const cql_schema_options *opts,
                         cql_schema_plan *out, cql_error **err)
{
    const char *why = NULL;
    memset(out, 0, sizeof *out);
    cqlsch_mem_init(&out->mem, &from->mem.al);
    cql_status st = copy_steps(from, out);
    out->first_keyspace = cqlsch_copy(&out->mem, cql_str_of(opts->keyspace));
    if (st == CQL_OK)
        follow_use(out);
    if (st == CQL_OK && opts->keyspaces_only)
        keep_keyspaces(out);
    if (st == CQL_OK && opts->replication)
        st = set_replication(out, opts->replication, &why);
    if (st == CQL_OK && !opts->keyspaces_only)
        st = take_settings(out, opts, &why);
    leave_nameless(out);
    if (st == CQL_OK)
        st = build_model(out);
    if (st == CQL_NO_MEMORY)
        return cqlsch_no_memory(err, &out->mem.al);
    return st == CQL_OK ? st : cqlsch_fail(err, &out->mem.al, st, NULL, why ? why : "bad option");
}
