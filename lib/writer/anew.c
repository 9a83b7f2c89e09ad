/* anew.c: statements that the servers have under another id than when they were prepared, as after an upgrade.
 * What ends so did not run. Its statements are prepared anew, one at a time and once for each change, and the ids in
 * its batch are changed; so are those of rows that the program goes on binding with the old statement. */
#include "writer/core.h"

#include <string.h>

/* --- what is known --------------------------------------------------------------------------------- */

static void drop(cqlwr_change *c)
{
    cql_prepared_unref(c->old);
    cql_prepared_unref(c->now);
}

void cqlwr_forget_changes(cql_writer *w)
{
    while (w->change_count > 0)
        drop(&w->changes[--w->change_count]);
}

static void drop_oldest(cql_writer *w)
{
    drop(&w->changes[0]);
    w->change_count--;
    memmove(w->changes, w->changes + 1, w->change_count * sizeof *w->changes);
}

/* What became `old` earlier is `now` from here on, and `now` itself is good again. */
static void learn(cql_writer *w, const cql_prepared *old, const cql_prepared *now)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->change_count; i++) {
        cqlwr_change *c = &w->changes[i];
        if (c->now == old) {
            cql_prepared_unref(c->now);
            c->now = cql_prepared_ref(now);
        }
        if (c->old == now)
            drop(c);
        else
            w->changes[kept++] = *c;
    }
    w->change_count = kept;
    if (kept == CQLWR_CHANGES)
        drop_oldest(w);
    w->changes[w->change_count++] = (cqlwr_change){cql_prepared_ref(old), cql_prepared_ref(now)};
}

static bool has(const cqlwr_group *g, const cql_prepared *p)
{
    const cql_prepared *one;
    for (size_t i = 0; (one = cql_batch_prepared(g->batch, i)) != NULL; i++)
        if (one == p)
            return true;
    return false;
}

bool cqlwr_renew(cqlwr_group *g)
{
    bool any = false;
    for (size_t i = 0; i < g->w->change_count; i++) {
        const cqlwr_change *c = &g->w->changes[i];
        any |= has(g, c->old) && cql_batch_renew(g->batch, c->old, c->now) == CQL_OK;
    }
    return any;
}

/* --- preparing ------------------------------------------------------------------------------------- */

static void prepare_next(cql_writer *w);

/* Why it cannot be prepared now, or that it is another statement. err: taken. */
static void not_renewed(cqlwr_group *g, cql_error *err)
{
    cql_writer *w = g->w;
    cqlwr_remove(&w->stale, g);
    cql_error_unref(g->err);
    g->err = err;
    if (cqlwr_may_pass(cql_error_status(err), g->attempts)) {
        cqlwr_send_later(g, g->renewals);
        return;
    }
    w->in_flight--;
    cqlwr_push(&w->ended, g);
}

/* Without any news it is sent later: the nodes may not be of one mind, as during an upgrade. */
static void renewed(cqlwr_group *g, bool news)
{
    cql_writer *w = g->w;
    cqlwr_remove(&w->stale, g);
    cqlwr_send_later(g, g->renewals);
    if (news)
        g->due = 0;
}

/* The group that wanted it; NULL: it was given up meanwhile. */
static void take(cql_writer *w, cqlwr_group *g, const cql_prepared *old, const cql_prepared *now)
{
    if (now == old) {
        if (g)
            g->member++;
        return;
    }
    learn(w, old, now);
    if (!g)
        return;
    if (cql_batch_renew(g->batch, old, now)) {
        not_renewed(g, cql_error_ref(g->err));
        return;
    }
    g->news = true;
    g->member++;
}

static void on_prepared(cql_session *s, const cql_error *err, const cql_prepared *prepared, void *user)
{
    cql_writer *w = user;
    (void)s;
    (void)pthread_mutex_lock(&w->seat.lock);
    cql_prepared *old = w->preparing;
    cqlwr_group *g = w->stale.first;
    w->preparing = NULL;
    if (!err)
        take(w, g, old, prepared);
    else if (g)
        not_renewed(g, cql_error_ref(err));
    cql_prepared_unref(old);
    prepare_next(w);
    cqlwr_arm(w);
    cqlseat_drop_and_unlock(&w->seat);
}

static void prepare_next(cql_writer *w)
{
    while (w->stale.first && !w->preparing) {
        cqlwr_group *g = w->stale.first;
        const cql_prepared *p = cql_batch_prepared(g->batch, g->member);
        if (!p || (g->member == 0 && cqlwr_renew(g))) {
            renewed(g, p || g->news);
            continue;
        }
        w->preparing = cql_prepared_ref(p);
        w->seat.holds++;
        cql_status st = w->prepare(w->seat.port.self, p, on_prepared, w);
        if (!st)
            return;
        w->seat.holds--; /* the caller has one too */
        cql_prepared_unref(w->preparing);
        w->preparing = NULL;
        not_renewed(g, cql_error_make(w->seat.port.al, st, NULL, cql_status_text(st)));
    }
}

void cqlwr_prepare_anew(cqlwr_group *g)
{
    g->renewals++;
    g->member = 0;
    g->news = false;
    cqlwr_push(&g->w->stale, g);
    prepare_next(g->w);
}
