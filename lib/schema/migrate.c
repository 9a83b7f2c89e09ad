/* Which texts are to be applied, and applying them under the lock. */
#include "schema/fail.h"
#include "schema/moves.h"

#include <string.h>
#include <unistd.h>

enum { LEASE_S = 300, SHORTEST_LEASE_S = 5, LOCK_WAIT_S = 600 };

/* --- what there is to do ---------------------------------------------------------------------- */

static cql_status changed(cqlsch_moves *m, const cqlsch_move *move)
{
    return cqlsch_moves_fail(m, CQL_SCHEMA_DIFFERS,
                             "%s was applied (%s) with the checksum %.12s and has %.12s now: put the "
                             "text back as it was, and make the change in a new file",
                             move->name, move->when, move->recorded_checksum, move->checksum);
}

static cql_status late(cqlsch_moves *m, const cqlsch_move *move, const cqlsch_move *after)
{
    return cqlsch_moves_fail(m, CQL_SCHEMA_DIFFERS,
                             "%s comes before %s, which was applied already: give it a higher "
                             "number",
                             move->name, after->name);
}

/* *pending: how many are still to be applied. */
static cql_status judge(cqlsch_moves *m, size_t *pending)
{
    const cqlsch_move *open = NULL;
    *pending = 0;
    for (size_t i = 0; i < m->list.count; i++) {
        const cqlsch_move *move = CQLSCH_AT(cqlsch_move, &m->list, i);
        bool done = move->recorded && move->done;
        if (done && open)
            return late(m, open, move);
        if (done && strcmp(move->recorded_checksum, move->checksum) != 0)
            return changed(m, move);
        if (!done) {
            open = move;
            (*pending)++;
        }
    }
    return CQL_OK;
}

static void tell(cqlsch_moves *m, const cqlsch_move *move, cql_migration_verdict verdict,
                 size_t statements, size_t resumed_at, uint64_t took_ms)
{
    static const char *const words[] = {"", "applied", "exists", "pending", "baseline"};
    cql_migration_note note = {verdict, words[verdict], move->name, statements, resumed_at, took_ms};
    if (m->opts.on_migration)
        m->opts.on_migration(&note, m->opts.user);
}

/* --- one text --------------------------------------------------------------------------------- */

typedef struct work {
    cqlsch_moves *m;
    const cqlsch_move *move;
    const cql_schema_plan *plan;
    size_t statements, finished;
    uint64_t began;
    char sum[CQLSCH_SHA256_TEXT];
} work;

static cql_status write_progress(work *w, const char *state, const char *problem)
{
    cqlsch_moves_sum(w->plan, w->finished, w->sum);
    return cqlsch_moves_write(w->m, w->move, state, w->finished, w->statements, w->sum,
                              cqlsch_now_ms() - w->began, problem);
}

static cql_status before(void *user, size_t step, cql_error **err)
{
    work *w = user;
    (void)step;
    (void)err;
    return cqlsch_moves_hold(w->m);
}

static cql_status after(void *user, size_t step, cql_error **err)
{
    work *w = user;
    (void)err;
    cql_status st = cqlsch_moves_hold(w->m); /* the statement may have outlasted the lease */
    w->finished = step + 1;
    return st == CQL_OK && w->finished < w->statements ? write_progress(w, "running", "") : st;
}

/* What was done of a text that failed must be as it was; from there on it may have been mended. */
static cql_status check_start(cqlsch_moves *m, const cqlsch_move *move, const cql_schema_plan *plan)
{
    char sum[CQLSCH_SHA256_TEXT];
    if (!move->recorded || move->finished == 0)
        return CQL_OK;
    cqlsch_moves_sum(plan, move->finished, sum);
    if (move->finished <= cql_schema_plan_count(plan) && strcmp(sum, move->finished_checksum) == 0)
        return CQL_OK;
    return cqlsch_moves_fail(m, CQL_SCHEMA_DIFFERS,
                             "%s was applied in part, and one of the %zu statements that were done has "
                             "been changed since: put them back as they were",
                             move->name, move->finished);
}

static cql_status run_plan(work *w, cql_error **err)
{
    cqlsch_moves *m = w->m;
    bool resumed = w->move->recorded;
    cql_schema_options apply = m->apply;
    cqlsch_stepping stepping = {.first = resumed ? w->move->finished : 0,
                                .uncertain = resumed && w->move->uncertain,
                                .before = before,
                                .after = after,
                                .use = &m->use,
                                .user = w};
    w->finished = stepping.first;
    cql_status st = write_progress(w, "running", "");
    if (st != CQL_OK)
        return st;
    apply.reached = true;
    apply.dry_run = false;
    st = cqlsch_apply_stepping(m->s, w->plan, &apply, &stepping, err);
    if (st == CQL_OK)
        return write_progress(w, "done", "");
    /* What the nodes did not agree on in time was made. */
    bool open = st == CQL_NOT_AGREED || (*err && cql_error_maybe_applied(*err));
    if (st != CQL_CLAIM_LOST) { /* then the record is somebody else's */
        cql_error **place = m->err;
        cql_error *second = NULL;
        m->err = &second;
        if (cqlsch_moves_hold(m) == CQL_OK)
            (void)write_progress(w, open ? "running" : "failed", *err ? cql_error_text(*err) : "");
        m->err = place;
        cql_error_unref(second);
    }
    return st;
}

static cql_status apply_one(cqlsch_moves *m, const cqlsch_move *move)
{
    cql_schema_plan *plan = NULL;
    cql_status st = cql_schema_plan_new(&m->mem.al, &plan);
    if (st != CQL_OK)
        return st;
    st = cql_schema_plan_add_text(plan, move->name, NULL, move->text, m->err);
    if (st == CQL_OK)
        st = check_start(m, move, plan);
    if (st == CQL_OK) {
        work w = {.m = m, .move = move, .plan = plan, .began = cqlsch_now_ms()};
        w.statements = cql_schema_plan_count(plan);
        st = run_plan(&w, m->err);
        if (st == CQL_OK)
            tell(m, move, CQL_MIGRATION_APPLIED, w.statements, move->recorded ? move->finished : 0,
                 cqlsch_now_ms() - w.began);
    }
    cql_schema_plan_free(plan);
    return st;
}

/* --- all -------------------------------------------------------------------------------------- */

/* "0002_x" names 0002_x.cql too. */
static bool same_name(const char *a, const char *b)
{
    size_t n = strlen(a), k = strlen(b);
    if (n > 4 && strcmp(a + n - 4, ".cql") == 0)
        n -= 4;
    if (k > 4 && strcmp(b + k - 4, ".cql") == 0)
        k -= 4;
    return n == k && memcmp(a, b, n) == 0;
}

static cql_status baseline_end(cqlsch_moves *m, size_t *end)
{
    *end = 0;
    if (!m->opts.baseline)
        return CQL_OK;
    for (size_t i = 0; i < m->list.count; i++)
        if (same_name(CQLSCH_AT(cqlsch_move, &m->list, i)->name, m->opts.baseline))
            *end = i + 1;
    if (*end)
        return CQL_OK;
    return cqlsch_moves_fail(m, CQL_BAD_ARGUMENT, "the baseline %s is not in the list",
                             m->opts.baseline);
}

static cql_status work_off(cqlsch_moves *m, size_t baseline)
{
    cql_status st = CQL_OK;
    for (size_t i = 0; st == CQL_OK && i < m->list.count; i++) {
        const cqlsch_move *move = CQLSCH_AT(cqlsch_move, &m->list, i);
        if (move->recorded && move->done) {
            tell(m, move, CQL_MIGRATION_WAS_APPLIED, 0, 0, 0);
        } else if (m->opts.dry_run) {
            tell(m, move, i < baseline ? CQL_MIGRATION_BASELINE : CQL_MIGRATION_PENDING, 0, 0, 0);
        } else if ((st = cqlsch_moves_hold(m)) != CQL_OK) {
            break; /* the record is somebody else's now */
        } else if (i < baseline) {
            st = cqlsch_moves_write(m, move, "baseline", 0, 0, "", 0, "");
            if (st == CQL_OK)
                tell(m, move, CQL_MIGRATION_BASELINE, 0, 0, 0);
        } else {
            st = apply_one(m, move);
        }
    }
    return st;
}

static cql_status run(cqlsch_moves *m)
{
    size_t pending = 0, baseline = 0;
    bool there = false;
    cql_status st = baseline_end(m, &baseline);
    if (st == CQL_OK && !m->apply.reached)
        st = cql_schema_reach_wait(m->s, &m->apply, m->err);
    if (st == CQL_OK)
        st = cqlsch_moves_look(m, &there);
    if (st == CQL_OK && !m->opts.dry_run)
        st = cqlsch_moves_make_tables(m); /* also looks at their shape */
    if (st == CQL_OK && (there || !m->opts.dry_run))
        st = cqlsch_moves_read(m);
    if (st == CQL_OK)
        st = judge(m, &pending);
    if (st != CQL_OK)
        return st;
    if (!pending || m->opts.dry_run)
        return work_off(m, baseline);
    st = cqlsch_moves_lock(m);
    if (st == CQL_OK)
        st = cqlsch_moves_read(m); /* somebody else may have done it meanwhile */
    if (st == CQL_OK)
        st = judge(m, &pending);
    if (st == CQL_OK)
        st = work_off(m, baseline);
    cqlsch_moves_unlock(m);
    return st;
}

static const char *default_owner(cqlsch_moves *m)
{
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) != 0 || !*host)
        (void)memcpy(host, "host", sizeof "host");
    return cqlsch_format(&m->mem, "%s, process %ld", host, (long)getpid());
}

static cql_status prepare(cqlsch_moves *m, cql_session *s, const cql_migrate_options *opts,
                          cql_error **err)
{
    memset(m, 0, sizeof *m);
    m->s = s;
    m->err = err ? err : &m->own_err;
    if (!s)
        return cqlsch_fail(err, NULL, CQL_BAD_ARGUMENT, NULL, "a session is needed");
    cqlsch_mem_init(&m->mem, cql_session_allocator(s));
    if (cql_session_may_wait(s) != CQL_OK)
        return cqlsch_moves_fail(m, CQL_WRONG_THREAD,
                                 "a call that blocks cannot be made on the session's loop");
    cqlsch_take_sized(&m->opts, sizeof m->opts, opts);
    cqlsch_take_sized(&m->apply, sizeof m->apply, m->opts.apply);
    m->apply.size = sizeof m->apply;
    if (!m->apply.summary)
        m->apply.summary = &m->summary;
    if (!m->opts.keyspace)
        m->opts.keyspace = "cql_migrations";
    m->opts.lease_s = m->opts.lease_s ? m->opts.lease_s : LEASE_S;
    m->opts.lock_wait_s = m->opts.lock_wait_s ? m->opts.lock_wait_s : LOCK_WAIT_S;
    m->keyspace = cqlsch_identifier(&m->mem, cql_str_of(m->opts.keyspace)).ptr;
    m->scope = m->opts.scope ? m->opts.scope : "default";
    m->owner = m->opts.owner ? m->opts.owner : default_owner(m);
    if (m->opts.lease_s < SHORTEST_LEASE_S)
        return cqlsch_moves_fail(m, CQL_BAD_ARGUMENT, "a lease takes at least 5 seconds");
    return cqlsch_mem_status(&m->mem);
}

static cql_status finish(cqlsch_moves *m, cql_status st)
{
    if (st == CQL_OK)
        st = cqlsch_moves_order(m);
    if (st == CQL_OK)
        st = run(m);
    if (st == CQL_NO_MEMORY)
        (void)cqlsch_no_memory(m->err, &m->mem.al);
    cqlsch_mem_fini(&m->mem);
    cql_error_unref(m->own_err);
    return st;
}

cql_status cql_migrate_wait(cql_session *s, const cql_migration *list, size_t count,
                            const cql_migrate_options *opts, cql_error **err)
{
    cqlsch_moves m;
    cql_status st = prepare(&m, s, opts, err);
    if (!s)
        return st;
    if (st == CQL_OK && count && !list)
        st = cqlsch_moves_fail(&m, CQL_BAD_ARGUMENT, "a list is needed");
    for (size_t i = 0; st == CQL_OK && i < count; i++)
        st = cqlsch_moves_add(&m, list[i].name ? list[i].name : "", cql_str_of(list[i].text));
    return finish(&m, st);
}

cql_status cql_migrate_folder_wait(cql_session *s, const char *folder,
                                   const cql_migrate_options *opts, cql_error **err)
{
    cqlsch_moves m;
    cql_status st = prepare(&m, s, opts, err);
    if (!s)
        return st;
    if (st == CQL_OK)
        st = folder ? cqlsch_moves_folder(&m, folder)
                    : cqlsch_moves_fail(&m, CQL_BAD_ARGUMENT, "a folder is needed");
    return finish(&m, st);
}
