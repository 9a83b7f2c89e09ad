/* Applying a plan: step by step, in order, each schema change agreed upon before the next. */
#include "schema/fail.h"
#include "schema/live.h"
#include "schema/run.h"

#include <string.h>

enum { AGREE_MS = 30000, TRIES = 3 };

/* --- failures --------------------------------------------------------------------------------- */

/* "line 3:14 …", as the server begins a syntax error: lines from 1, columns from 0. */
static bool place_in_message(const char *message, unsigned *line, unsigned *column)
{
    unsigned *numbers[] = {line, column};
    cql_str text = cql_str_of(message);
    size_t at = 5;
    if (!cqlsch_same_word(cqlsch_sub(text, 0, at), "line "))
        return false;
    for (size_t i = 0; i < CQL_COUNT(numbers); i++) {
        size_t from = at;
        *numbers[i] = 0;
        for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9' && at < from + 7; at++)
            *numbers[i] = *numbers[i] * 10 + (unsigned)(text.ptr[at] - '0');
        if (at == from || at == text.len || text.ptr[at] != (i == 0 ? ':' : ' '))
            return false;
        at++;
    }
    return *line > 0;
}

/* Where in the file: the statement's own place, or the one inside it that the server names. */
static const char *place_of(cqlsch_run *r, const cqlsch_step *step, const cql_error *cause)
{
    unsigned line;
    unsigned column;
    const char *message = cause ? cql_error_server_message(cause) : "";
    if (step->rewritten || !place_in_message(message, &line, &column))
        return cqlsch_format(r->mem, "%s:%u", step->file, step->place.line);
    unsigned file_line = step->place.line + line - 1;
    column = line == 1 ? step->place.column + column : column + 1;
    if (file_line == step->place.line)
        return cqlsch_format(r->mem, "%s:%u:%u", step->file, file_line, column);
    return cqlsch_format(r->mem, "%s:%u:%u (statement of line %u)", step->file, file_line, column,
                         step->place.line);
}

/* Says which statement it was, on top of what the session said. */
static cql_status fail_step(cqlsch_run *r, const cqlsch_step *step, cql_status st, cql_error *cause)
{
    const char *why = cause ? cql_error_text(cause) : cql_status_text(st);
    st = cqlsch_failf(r->mem, r->err, st, cause, "%s: %s", place_of(r, step, cause), why);
    cql_error_unref(cause);
    return st;
}

/* --- one statement ---------------------------------------------------------------------------- */

static void tell_warnings(cqlsch_run *r, const cqlsch_step *step, const cql_result *res)
{
    for (size_t i = 0; i < cql_result_warning_count(res); i++)
        cqlsch_tell(&r->sender, CQL_SCHEMA_MESSAGE_WARNING,
                    cqlsch_copy(r->mem, cql_result_warning(res, i)).ptr, step->file,
                    step->place.line);
}

/* A change that not all nodes know yet must not be followed by another one. */
static cql_status await_agreement(cqlsch_run *r, const cqlsch_step *step, const cql_result *res)
{
    cql_error *cause = NULL;
    if (cql_result_kind_of(res) != CQL_RESULT_SCHEMA_CHANGE || cql_result_schema_agreed(res))
        return CQL_OK;
    cql_status st = cql_session_agree_wait(r->sender.s, AGREE_MS, &cause);
    if (st == CQL_OK)
        return CQL_OK;
    st = cqlsch_failf(r->mem, r->err, CQL_NOT_AGREED, cause,
                      "%s: the change was made, but not all nodes know it yet, so "
                      "nothing more was sent; run again when they do (%s)",
                      cqlsch_step_place(r->mem, step),
                      cause ? cql_error_text(cause) : cql_status_text(st));
    cql_error_unref(cause);
    return st;
}

static void tell_rows(cqlsch_run *r, const cqlsch_step *step, const cql_result *res, bool first)
{
    const char *keyspace = cqlsch_copy(r->mem, step->keyspace).ptr;
    cql_schema_rows rows = {res, step->text.ptr, keyspace, first, !cql_result_has_more(res)};
    if (r->opts->on_rows && cql_result_kind_of(res) == CQL_RESULT_ROWS)
        r->opts->on_rows(&rows, r->opts->user);
}

/* Sends a statement and hands its pages on. *kind: that of the first answer. The cause of a failure
 * is left in *cause. */
static cql_status send_step(cqlsch_run *r, const cqlsch_step *step, cql_result_kind *kind,
                            cql_error **cause)
{
    bool change = step->ddl.verb == CQLSCH_CREATE || step->ddl.verb == CQLSCH_ALTER ||
                  step->ddl.verb == CQLSCH_DROP;
    cql_str state = CQLSCH_NONE;
    bool more = true;
    for (bool first = true; more; first = false) {
        cql_result *res = NULL;
        cql_status st = cqlsch_send(&r->sender, step->text.ptr, change, state, &res, cause);
        if (st != CQL_OK)
            return st;
        if (first)
            *kind = cql_result_kind_of(res);
        r->changed = r->changed || *kind == CQL_RESULT_SCHEMA_CHANGE;
        tell_warnings(r, step, res);
        tell_rows(r, step, res, first);
        more = r->opts->on_rows && cql_result_has_more(res);
        state = more ? cqlsch_copy(r->mem, cql_result_paging_state(res)) : state;
        st = await_agreement(r, step, res);
        cql_result_unref(res);
        if (st != CQL_OK)
            return st;
    }
    return cqlsch_mem_status(r->mem);
}

static void tell_sending(cqlsch_run *r, const char *text, const cqlsch_step *step)
{
    cqlsch_tell(&r->sender, CQL_SCHEMA_MESSAGE_SENDING, text, step ? step->file : "",
                step ? step->place.line : 0);
}

/* One of several texts, with a bar between them. */
static bool mentions(const cql_error *err, const char *what)
{
    cql_str text = cql_str_of(cql_error_server_message(err));
    for (; *what; what += *what == '|') {
        size_t length = strcspn(what, "|");
        for (size_t i = 0; i + length <= text.len; i++) {
            if (cqlsch_same_nocase(cqlsch_sub(text, i, i + length), (cql_str){what, length}))
                return true;
        }
        what += length;
    }
    return false;
}

/* The failure of a statement that an earlier run may have done: what it makes is there, or what it takes
 * away is gone. */
static bool is_done_before(const cqlsch_run *r, const cqlsch_step *step, const cql_error *err)
{
    const cqlsch_stepping *sp = r->stepping;
    bool change = step->ddl.verb == CQLSCH_ALTER || step->ddl.verb == CQLSCH_CREATE;
    if (!sp || !sp->uncertain || !err || step != cqlsch_plan_step(&r->plan, sp->first))
        return false;
    if (step->ddl.verb == CQLSCH_DROP)
        return mentions(err, "doesn't exist|not found|unknown|could not be found");
    /* "unkown": so servers spell it */
    return change && (cql_error_status(err) == CQL_SERVER_ALREADY_EXISTS ||
                      mentions(err, "already exist|existing column|was not found|undefined column|"
                                    "unkown field|unknown field"));
}

/* Any statement that creates no tracked object. */
static cql_status run_other(cqlsch_run *r, const cqlsch_step *step)
{
    cql_error *cause = NULL;
    cql_result_kind kind = CQL_RESULT_VOID;
    tell_sending(r, step->text.ptr, step);
    if (!r->opts->dry_run) {
        cql_status st = send_step(r, step, &kind, &cause);
        if (st == CQL_NOT_AGREED)
            return st;
        if (st != CQL_OK && is_done_before(r, step, cause)) {
            cqlsch_tell(&r->sender, CQL_SCHEMA_MESSAGE_NOTE,
                        "an earlier run that was cut short had done this statement", step->file,
                        step->place.line);
            cql_error_unref(cause);
        } else if (st != CQL_OK) {
            return fail_step(r, step, st, cause);
        }
    }
    if (step->ddl.verb != CQLSCH_USE)
        r->summary->statements++;
    if (step->ddl.verb == CQLSCH_DROP)
        return cqlsch_model_take(&r->live, &step->ddl, step->keyspace, 0);
    return CQL_OK;
}

/* --- one object ------------------------------------------------------------------------------- */

/* The object is there now, as far as this run is concerned. */
static cql_status note_presence(cqlsch_run *r, const cqlsch_object *o)
{
    cqlsch_object *live = cqlsch_model_add(&r->live, o->kind, o->keyspace, o->name);
    if (!live)
        return CQL_NO_MEMORY;
    *live = *o;
    live->dropped = false;
    return CQL_OK;
}

/* After an answer that leaves open whether the object was made: looks. */
static cql_status look_again(cqlsch_run *r, const cqlsch_object *o, bool *there)
{
    cqlsch_model now;
    cqlsch_model_init(&now, r->mem);
    cql_status st = cqlsch_reach(&r->sender, r->err);
    if (st == CQL_OK)
        st = cql_session_agree_wait(r->sender.s, AGREE_MS, r->err);
    if (st == CQL_OK)
        st = cqlsch_live_read(&r->sender, &now, o->keyspace, r->err);
    *there = st == CQL_OK && cqlsch_live_of(&now, o);
    return st;
}

/* True when the node answered as one that does not know yet what others do: about a keyspace that
 * is there, or about an id that another node gave to the same table. */
static bool is_behind(const cqlsch_run *r, const cqlsch_object *o, cql_status st,
                      const cql_error *err)
{
    bool keyspace =
        cqlsch_model_find(&r->live, CQLSCH_KEYSPACE, o->keyspace, CQLSCH_NONE) != NULL;
    if (st == CQL_SERVER_INVALID)
        return keyspace && o->kind != CQLSCH_KEYSPACE && mentions(err, "keyspace") &&
               mentions(err, "doesn't exist|does not exist");
    return (st == CQL_SERVER_CONFIG_ERROR || st == CQL_SERVER_ERROR) && mentions(err, "mismatch");
}

/* Sends CREATE. Another initialiser may have been faster: the server then answers with a result
 * that changes nothing, or with AlreadyExists. An answer that got lost is made up for by looking.
 */
static cql_status send_create(cqlsch_run *r, const cqlsch_step *step, const cqlsch_object *o,
                              cql_schema_verdict *verdict)
{
    *verdict = CQL_SCHEMA_OBJECT_CREATED;
    for (int tries = 1;; tries++) {
        cql_error *cause = NULL;
        cql_result_kind kind = CQL_RESULT_VOID;
        bool there = false;
        cql_status st = send_step(r, step, &kind, &cause);
        r->changed = true;
        if (st == CQL_SERVER_ALREADY_EXISTS || (st == CQL_OK && kind != CQL_RESULT_SCHEMA_CHANGE)) {
            *verdict = CQL_SCHEMA_OBJECT_EXISTS;
            cql_error_unref(cause);
            return CQL_OK;
        }
        if (st == CQL_OK || st == CQL_NOT_AGREED)
            return st;
        bool unclear = cause && (cql_error_maybe_applied(cause) || cql_error_retriable(cause) ||
                                 is_behind(r, o, st, cause));
        if (!unclear || !step->ddl.conditional || tries == TRIES)
            return fail_step(r, step, st, cause);
        cql_status look = look_again(r, o, &there);
        if (look != CQL_OK)
            return fail_step(r, step, st, cause);
        cql_error_unref(cause);
        if (there)
            return CQL_OK;
    }
}

static cql_status run_create(cqlsch_run *r, const cqlsch_step *step, size_t object)
{
    const cqlsch_object *o = cqlsch_model_at(&r->plan.model, object);
    cql_schema_verdict verdict = CQL_SCHEMA_OBJECT_ABSENT;
    cql_status st = CQL_OK;
    if (cqlsch_live_of(&r->live, o)) {
        if (step->ddl.replaces)
            st = run_other(r, step);
        if (st != CQL_OK)
            return st;
        /* What later statements change is told of at the end. */
        return o->altered ? CQL_OK : cqlsch_run_tell(r, object, CQL_SCHEMA_OBJECT_EXISTS);
    }
    tell_sending(r, step->text.ptr, step);
    if (!r->opts->dry_run)
        st = send_create(r, step, o, &verdict);
    if (st == CQL_OK)
        st = note_presence(r, o);
    if (st == CQL_OK && verdict != CQL_SCHEMA_OBJECT_EXISTS)
        st = cqlsch_run_tell(r, object, verdict);
    return st;
}

/* --- settings --------------------------------------------------------------------------------- */

static cql_status alter_for(cqlsch_run *r, const cqlsch_setting *s, const cqlsch_object *table)
{
    cqlsch_comparison c = {.mem = r->mem};
    cqlsch_object wanted = *table;
    cqlsch_option *option;
    wanted.options = (cqlsch_list){NULL, 0, 0};
    option = cqlsch_push(r->mem, &wanted.options, sizeof *option);
    if (!option)
        return CQL_NO_MEMORY;
    *option = s->option;
    cqlsch_compare_named(&c, &wanted, table);
    if (cqlsch_comparison_count(&c) == 0)
        return CQL_OK;
    cqlsch_step step = {.kind = CQLSCH_STATEMENT, .file = "--set", .place = {1, 1}};
    step.text = cql_str_of(
        cqlsch_format(r->mem, "ALTER TABLE %s WITH %s = %s", cqlsch_full_name(r->mem, table),
                      cqlsch_identifier(r->mem, s->option.name).ptr, s->text.ptr));
    step.rewritten = true;
    cql_status st = cqlsch_ddl_read(r->mem, step.text, &step.ddl);
    return st == CQL_OK ? run_other(r, &step) : st;
}

/* Tables that were there before get their options by ALTER. */
static cql_status apply_settings(cqlsch_run *r)
{
    cql_status st = CQL_OK;
    for (size_t i = 0; st == CQL_OK && i < r->plan.settings.count; i++) {
        const cqlsch_setting *s = CQLSCH_AT(cqlsch_setting, &r->plan.settings, i);
        const cqlsch_object *table =
            cqlsch_model_find(&r->live, CQLSCH_TABLE, s->keyspace, s->table);
        if (table)
            st = alter_for(r, s, table);
    }
    return st;
}

/* --- all -------------------------------------------------------------------------------------- */

/* A statement that would fall into the keyspace that stands for none. */
static cql_status refuse_nameless(cqlsch_run *r, const cqlsch_step *step)
{
    return cqlsch_failf(r->mem, r->err, CQL_BAD_CQL_FILE, NULL,
                        "%s: %s %.*s has no keyspace: name it, or USE one in this text "
                        "(the USE of another text does not count)",
                        cqlsch_step_place(r->mem, step), cqlsch_kind_name(step->ddl.object.kind),
                        (int)step->ddl.object.name.len, step->ddl.object.name.ptr);
}

static cql_status run_step(cqlsch_run *r, size_t i)
{
    const cqlsch_step *step = cqlsch_plan_step(&r->plan, i);
    size_t object = cqlsch_run_object_of(r, i);
    if (step->ddl.verb == CQLSCH_USE)
        r->left = false;
    else if (r->left && step->ddl.nameless)
        return refuse_nameless(r, step);
    if (step->kind == CQLSCH_CONSISTENCY) {
        r->sender.level = step->level;
        r->sender.level_set = true;
        return CQL_OK;
    }
    if (step->ddl.verb == CQLSCH_CREATE && object != (size_t)-1)
        return run_create(r, step, object);
    return run_other(r, step);
}

/* Did the text that ends with this step use a keyspace of its own? */
static bool has_used(const cqlsch_run *r, const cqlsch_step *last)
{
    return last->ddl.verb == CQLSCH_USE || !cql_str_equal(last->keyspace, r->plan.first_keyspace);
}

/* The keyspace of one text must not become that of the next. There is no way back to none, so it is
 * one in which nothing can be made and no table of a user's is. */
static cql_status leave_keyspace(cqlsch_run *r, const cqlsch_step *at)
{
    cqlsch_step step = *at;
    if (r->opts->dry_run)
        return CQL_OK;
    cql_str back = r->plan.first_keyspace.len ? r->plan.first_keyspace : CQLSCH_TEXT("system");
    step.text = cql_str_of(cqlsch_format(r->mem, "USE %s", cqlsch_identifier(r->mem, back).ptr));
    step.ddl = (cqlsch_ddl){.verb = CQLSCH_USE};
    step.rewritten = true;
    r->left = r->plan.first_keyspace.len == 0;
    return run_other(r, &step);
}

/* A step of a run that is followed. */
static cql_status run_watched(cqlsch_run *r, size_t i)
{
    const cqlsch_stepping *sp = r->stepping;
    const cqlsch_step *step = cqlsch_plan_step(&r->plan, i);
    cql_status st = CQL_OK;
    if (!sp)
        return run_step(r, i);
    if (i < sp->first) {
        bool again = step->ddl.verb == CQLSCH_USE || step->kind == CQLSCH_CONSISTENCY;
        return again ? run_step(r, i) : CQL_OK;
    }
    st = sp->before(sp->user, i, r->err);
    if (st == CQL_OK)
        st = run_step(r, i);
    return st == CQL_OK ? sp->after(sp->user, i, r->err) : st;
}

cql_status cqlsch_run_apply(cqlsch_run *r)
{
    cql_status st = CQL_OK;
    size_t count = r->plan.steps.count;
    cqlsch_use *use = r->stepping ? r->stepping->use : NULL;
    r->left = use && use->left;
    if (use && use->used && count) {
        st = leave_keyspace(r, cqlsch_plan_step(&r->plan, 0));
        use->used = false;
    }
    for (size_t i = 0; st == CQL_OK && i < count; i++) {
        const cqlsch_step *step = cqlsch_plan_step(&r->plan, i);
        if (i && step->part != step[-1].part && has_used(r, &step[-1]))
            st = leave_keyspace(r, &step[-1]);
        if (st == CQL_OK)
            st = run_watched(r, i);
    }
    if (use && count) { /* behind the last text the session stays where that led it */
        use->used = has_used(r, cqlsch_plan_step(&r->plan, count - 1));
        use->left = r->left;
    }
    return st == CQL_OK ? apply_settings(r) : st;
}

cql_status cqlsch_run_drop(cqlsch_run *r)
{
    cql_status st = CQL_OK;
    for (size_t i = 0; st == CQL_OK && i < cqlsch_model_count(&r->plan.model); i++) {
        const cqlsch_object *o = cqlsch_model_at(&r->plan.model, i);
        if (o->kind != CQLSCH_KEYSPACE || !cqlsch_live_of(&r->live, o))
            continue;
        cqlsch_step step = *cqlsch_plan_step(&r->plan, o->step);
        step.text = cql_str_of(
            cqlsch_format(r->mem, "DROP KEYSPACE IF EXISTS %s", cqlsch_full_name(r->mem, o)));
        step.rewritten = true;
        st = cqlsch_ddl_read(r->mem, step.text, &step.ddl);
        if (st != CQL_OK)
            return st;
        st = run_other(r, &step);
        if (st != CQL_OK)
            return st;
        r->summary->statements--; /* it is told of as an object */
        if (!r->opts->dry_run)
            st = cqlsch_run_tell(r, i, CQL_SCHEMA_OBJECT_DROPPED);
        r->told[i] = 0; /* it comes again */
    }
    return st;
}
