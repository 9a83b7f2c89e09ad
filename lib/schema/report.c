/* What is told of the objects: created, exists, differs. */
#include "schema/live.h"
#include "schema/run.h"

enum { MAX_LOOKS = 4, LOOKS_PER_RETRY = 8 };

/* The word for a verdict, and where it is counted. */
static const struct {
    char word[8];
    size_t count;
} verdicts[] = {
    [CQL_SCHEMA_OBJECT_CREATED] = {"created", offsetof(cql_schema_summary, created)},
    [CQL_SCHEMA_OBJECT_EXISTS] = {"exists", offsetof(cql_schema_summary, existing)},
    [CQL_SCHEMA_OBJECT_DIFFERS] = {"differs", offsetof(cql_schema_summary, differing)},
    [CQL_SCHEMA_OBJECT_DROPPED] = {"dropped", offsetof(cql_schema_summary, dropped)},
    [CQL_SCHEMA_OBJECT_ABSENT] = {"absent", offsetof(cql_schema_summary, absent)},
};

size_t cqlsch_run_object_of(const cqlsch_run *r, size_t step)
{
    for (size_t i = 0; i < cqlsch_model_count(&r->plan.model); i++) {
        if (cqlsch_model_at(&r->plan.model, i)->step == step)
            return i;
    }
    return (size_t)-1;
}

static bool knows_keyspace(const cqlsch_list *list, cql_str keyspace)
{
    for (size_t i = 0; i < list->count; i++) {
        if (cql_str_equal(*CQLSCH_AT(cql_str, list, i), keyspace))
            return true;
    }
    return false;
}

cql_status cqlsch_run_look(cqlsch_run *r)
{
    cqlsch_list seen = {NULL, 0, 0};
    cql_status st = CQL_OK;
    cqlsch_model_init(&r->live, r->mem);
    for (size_t i = 0; st == CQL_OK && i < cqlsch_model_count(&r->plan.model); i++) {
        cql_str keyspace = cqlsch_model_at(&r->plan.model, i)->keyspace;
        if (knows_keyspace(&seen, keyspace))
            continue;
        cql_str *added = cqlsch_push(r->mem, &seen, sizeof *added);
        if (!added)
            return CQL_NO_MEMORY;
        *added = keyspace;
        st = cqlsch_live_read(&r->sender, &r->live, keyspace, r->err);
    }
    return st;
}

/* The name that the server gives an index without one: table_column_idx, letters and digits only.
 */
static cql_str index_name(cqlsch_run *r, const cqlsch_object *o)
{
    size_t from = 0;
    size_t to = o->target.len;
    cqlsch_text out;
    while (from < to && o->target.ptr[from] != '(')
        from++;
    from = from == to ? 0 : from + 1;
    cqlsch_text_init(&out, r->mem);
    cqlsch_text_add(&out, o->table);
    cqlsch_text_add_c(&out, "_");
    for (; from < to; from++) {
        char c = o->target.ptr[from];
        if (c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            cqlsch_text_add(&out, cqlsch_sub(o->target, from, from + 1));
    }
    cqlsch_text_add_c(&out, "_idx");
    return cqlsch_text_str(&out);
}

static const char *name_of(cqlsch_run *r, const cqlsch_object *o)
{
    cqlsch_object named = *o;
    const cqlsch_object *live = cqlsch_live_of(&r->live, o);
    if (o->kind == CQLSCH_INDEX && o->name.len == 0)
        named.name = live && live->name.len ? live->name : index_name(r, o);
    return cqlsch_full_name(r->mem, &named);
}

static void compare(cqlsch_run *r, const cqlsch_object *o, cqlsch_comparison *c)
{
    const cqlsch_object *live = cqlsch_live_of(&r->live, o);
    *c = (cqlsch_comparison){.mem = r->mem, .verify = r->opts->verify};
    cqlsch_compare(c, o, live);
    if (live && o->kind == CQLSCH_TABLE && !o->unread)
        cqlsch_compare_extra_indexes(c, o, &r->plan.model, &r->live);
}

static void tell(cqlsch_run *r, size_t object, cql_schema_verdict verdict,
                 const cqlsch_comparison *c)
{
    const cqlsch_object *o = cqlsch_model_at(&r->plan.model, object);
    const cqlsch_step *step = cqlsch_plan_step(&r->plan, o->step);
    size_t real = cqlsch_comparison_count(c);
    cql_schema_object out = {.verdict = verdict,
                             .word = verdicts[verdict].word,
                             .kind = cqlsch_kind_name(o->kind),
                             .name = name_of(r, o),
                             .file = step->file,
                             .line = step->place.line,
                             .differences = c->differences.items,
                             .difference_count = c->differences.count};
    r->told[object] = (unsigned char)verdict;
    r->summary->differences += real;
    r->summary->notes += c->differences.count - real;
    ++*(size_t *)(void *)((char *)r->summary + verdicts[verdict].count);
    if (r->opts->on_object)
        r->opts->on_object(&out, r->opts->user);
}

/* What differs may be half made by somebody else: looks again after a moment, a few times in a run.
 */
static cql_status compare_surely(cqlsch_run *r, const cqlsch_object *o, cqlsch_comparison *c)
{
    cql_status st = CQL_OK;
    compare(r, o, c);
    while (st == CQL_OK && cqlsch_comparison_count(c) && r->looks < MAX_LOOKS) {
        r->looks++;
        cqlsch_pause_ms(cqlsch_retry_ms(&r->sender) / LOOKS_PER_RETRY);
        st = cqlsch_run_look(r);
        if (st == CQL_OK)
            compare(r, o, c);
    }
    return st;
}

cql_status cqlsch_run_tell(cqlsch_run *r, size_t object, cql_schema_verdict verdict)
{
    cqlsch_comparison c = {.mem = r->mem};
    const cqlsch_object *o = cqlsch_model_at(&r->plan.model, object);
    bool pending = r->opts->dry_run && o->altered; /* what would mend it was not sent */
    if (verdict == CQL_SCHEMA_OBJECT_EXISTS && !pending) {
        cql_status st = compare_surely(r, o, &c);
        if (st != CQL_OK)
            return st;
        verdict =
            cqlsch_comparison_count(&c) ? CQL_SCHEMA_OBJECT_DIFFERS : CQL_SCHEMA_OBJECT_EXISTS;
    }
    tell(r, object, verdict, &c);
    return cqlsch_mem_status(r->mem);
}

/* An object that this run created is only told of again when it is not what it should be: somebody
 * else was at it. */
static void check_created(cqlsch_run *r, size_t object)
{
    cqlsch_comparison c;
    compare(r, cqlsch_model_at(&r->plan.model, object), &c);
    if (cqlsch_comparison_count(&c))
        tell(r, object, CQL_SCHEMA_OBJECT_DIFFERS, &c);
}

cql_status cqlsch_run_verify(cqlsch_run *r)
{
    cql_status st = CQL_OK;
    if (r->changed)
        st = cqlsch_run_look(r);
    for (size_t i = 0; st == CQL_OK && i < cqlsch_model_count(&r->plan.model); i++) {
        if (cqlsch_model_at(&r->plan.model, i)->dropped)
            continue;
        if (r->told[i] == 0)
            st = cqlsch_run_tell(r, i, CQL_SCHEMA_OBJECT_EXISTS);
        else if (r->told[i] == CQL_SCHEMA_OBJECT_CREATED)
            check_created(r, i);
    }
    return st == CQL_OK ? cqlsch_mem_status(r->mem) : st;
}
