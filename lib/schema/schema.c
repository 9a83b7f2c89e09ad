/* The public calls: a plan, a session, a run. */
#include "schema/fail.h"
#include "schema/run.h"
#include "schema/settle.h"

#include <string.h>

#define WRONG_THREAD_TEXT "a call that blocks cannot be made on the session's loop"

typedef enum run_mode { MODE_APPLY, MODE_VERIFY, MODE_RESET } run_mode;

static cql_status finish(cqlsch_run *r)
{
    cql_status st = CQL_OK;
    if (r->sender.s)
        st = cqlsch_run_verify(r);
    if (st != CQL_OK)
        return st;
    if (r->sender.s && !r->opts->dry_run)
        cqlsch_run_count_copies(r);
    if (r->summary->differences == 0)
        return CQL_OK;
    return cqlsch_failf(r->mem, r->err, CQL_SCHEMA_DIFFERS, NULL,
                        "the live schema differs from the CQL in %zu %s", r->summary->differences,
                        r->summary->differences == 1 ? "point" : "points");
}

static cql_status run(cqlsch_run *r, run_mode mode)
{
    cql_status st = CQL_OK;
    bool tracked = cqlsch_model_count(&r->plan.model) > 0;
    cqlsch_model_init(&r->live, r->mem);
    r->told = cqlsch_alloc(r->mem, cqlsch_model_count(&r->plan.model) + 1);
    if (!r->told)
        return CQL_NO_MEMORY;
    if (r->sender.s && !r->opts->reached)
        st = cqlsch_reach(&r->sender, r->err);
    if (st == CQL_OK && r->sender.s && tracked)
        st = cqlsch_run_look(r);
    if (st == CQL_OK && mode == MODE_RESET)
        st = cqlsch_run_drop(r);
    if (st == CQL_OK && mode != MODE_VERIFY)
        st = cqlsch_run_apply(r);
    return st == CQL_OK ? finish(r) : st;
}

static cql_status check(const cql_session *s, const cql_schema_plan *plan,
                        const cql_schema_options *opts, run_mode mode, cql_error **err)
{
    if (!plan || (!s && !(opts->dry_run && mode == MODE_APPLY)))
        return cqlsch_fail(err, NULL, CQL_BAD_ARGUMENT, NULL, "a session and CQL are needed");
    if (opts->setting_count && !opts->settings)
        return cqlsch_fail(err, NULL, CQL_BAD_ARGUMENT, NULL, "settings are missing");
    if (mode == MODE_RESET && !opts->drop_all_data)
        return cqlsch_fail(err, NULL, CQL_BAD_STATE, NULL,
                           "a reset drops the keyspaces with all their data and was not confirmed; "
                           "nothing was done");
    if (s && cql_session_may_wait(s) != CQL_OK)
        return cqlsch_fail(err, NULL, CQL_WRONG_THREAD, NULL, WRONG_THREAD_TEXT);
    return CQL_OK;
}

static cql_status set_level(cqlsch_sender *sender, cql_error **err)
{
    const char *level = sender->opts->consistency;
    if (!level)
        return CQL_OK;
    cql_status st = cql_consistency_parse(cql_str_of(level), &sender->level);
    sender->level_set = st == CQL_OK;
    if (st == CQL_OK)
        return CQL_OK;
    return cqlsch_failf(sender->mem, err, CQL_BAD_ARGUMENT, NULL, "'%s' is no consistency level",
                        level);
}

static cql_status run_plan(cql_session *s, const cql_schema_plan *plan,
                           const cql_schema_options *given, run_mode mode,
                           const cqlsch_stepping *stepping, cql_error **err)
{
    cql_schema_options opts;
    cql_schema_summary own;
    cqlsch_take_sized(&opts, sizeof opts, given);
    cql_schema_summary *summary = opts.summary ? opts.summary : &own;
    cqlsch_run r = {.stepping = stepping, .opts = &opts, .summary = summary, .err = err};
    memset(summary, 0, sizeof *summary);
    cql_status st = check(s, plan, &opts, mode, err);
    if (st != CQL_OK)
        return st;
    r.mem = &r.plan.mem;
    r.sender = (cqlsch_sender){.s = s, .mem = r.mem, .opts = &opts, .summary = summary};
    st = cqlsch_settle(plan, &opts, &r.plan, err);
    if (st == CQL_OK)
        st = set_level(&r.sender, err);
    if (st == CQL_OK)
        st = run(&r, mode);
    if (st == CQL_NO_MEMORY)
        (void)cqlsch_no_memory(err, &r.mem->al);
    cqlsch_mem_fini(r.mem);
    return st;
}

cql_status cqlsch_apply_stepping(cql_session *s, const cql_schema_plan *plan,
                                 const cql_schema_options *opts, const cqlsch_stepping *stepping,
                                 cql_error **err)
{
    return run_plan(s, plan, opts, MODE_APPLY, stepping, err);
}

cql_status cql_schema_plan_apply_wait(cql_session *s, const cql_schema_plan *plan,
                                      const cql_schema_options *opts, cql_error **err)
{
    return run_plan(s, plan, opts, MODE_APPLY, NULL, err);
}

cql_status cql_schema_plan_verify_wait(cql_session *s, const cql_schema_plan *plan,
                                       const cql_schema_options *opts, cql_error **err)
{
    return run_plan(s, plan, opts, MODE_VERIFY, NULL, err);
}

cql_status cql_schema_plan_reset_wait(cql_session *s, const cql_schema_plan *plan,
                                      const cql_schema_options *opts, cql_error **err)
{
    return run_plan(s, plan, opts, MODE_RESET, NULL, err);
}

cql_status cql_schema_reach_wait(cql_session *s, const cql_schema_options *given, cql_error **err)
{
    cql_schema_options opts;
    cql_schema_summary summary;
    cqlsch_mem mem;
    memset(&summary, 0, sizeof summary);
    cqlsch_take_sized(&opts, sizeof opts, given);
    if (!s)
        return cqlsch_fail(err, NULL, CQL_BAD_ARGUMENT, NULL, "a session is needed");
    if (cql_session_may_wait(s) != CQL_OK)
        return cqlsch_fail(err, NULL, CQL_WRONG_THREAD, NULL, WRONG_THREAD_TEXT);
    cqlsch_mem_init(&mem, cql_session_allocator(s));
    cqlsch_sender sender = {.s = s, .mem = &mem, .opts = &opts, .summary = &summary};
    cql_status st = cqlsch_reach(&sender, err);
    cqlsch_mem_fini(&mem);
    return st;
}

static cql_status run_text(cql_session *s, const char *text, const cql_schema_options *opts,
                           run_mode mode, cql_error **err)
{
    cql_schema_plan *plan = NULL;
    if (!s || !text)
        return cqlsch_fail(err, NULL, CQL_BAD_ARGUMENT, NULL, "a session and CQL are needed");
    cql_status st = cql_schema_plan_new(cql_session_allocator(s), &plan);
    if (st == CQL_OK)
        st = cql_schema_plan_add_text(plan, NULL, NULL, cql_str_of(text), err);
    else
        (void)cqlsch_no_memory(err, NULL);
    if (st == CQL_OK)
        st = run_plan(s, plan, opts, mode, NULL, err);
    cql_schema_plan_free(plan);
    return st;
}

cql_status cql_schema_apply_wait(cql_session *s, const char *text, const cql_schema_options *opts,
                                 cql_error **err)
{
    return run_text(s, text, opts, MODE_APPLY, err);
}

cql_status cql_schema_verify_wait(cql_session *s, const char *text, const cql_schema_options *opts,
                                  cql_error **err)
{
    return run_text(s, text, opts, MODE_VERIFY, err);
}

cql_status cql_schema_reset_wait(cql_session *s, const char *text, const cql_schema_options *opts,
                                 cql_error **err)
{
    return run_text(s, text, opts, MODE_RESET, err);
}
