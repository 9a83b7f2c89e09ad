/* Several loops under one session: made, connected and closed together, and which of them gets a request. */
#include "api/loops.h"

#include "api/room.h"
#include "api/session_make.h"
#include "cluster/astra.h"
#include "net/io_uv.h"

#include <string.h>

enum { RUN = 8 /* requests in a row for one loop, so that they leave in one write */ };

/* --- shares --------------------------------------------------------------------------------------- */

static uint32_t share_of(uint32_t whole, uint32_t count, uint32_t number)
{
    uint32_t share = whole / count + (number < whole % count);
    return share ? share : 1;
}

void cqln_loops_share(cqln_config *share, const cqln_config *whole, uint32_t count, uint32_t number)
{
    *share = *whole;
    share->connections_per_host = share_of(whole->connections_per_host, count, number);
    share->max_connections_per_host = share_of(whole->max_connections_per_host, count, number);
    if (whole->connections_per_remote_host)
        share->connections_per_remote_host = share_of(whole->connections_per_remote_host, count, number);
    if (whole->max_connections_per_remote_host)
        share->max_connections_per_remote_host = share_of(whole->max_connections_per_remote_host, count, number);
    share->max_pending_requests = share_of(whole->max_pending_requests, count, number);
    share->max_pending_bytes = share_of(whole->max_pending_bytes, count, number);
}

/* --- making --------------------------------------------------------------------------------------- */

static void on_hand_joined(cql_session *s, const cql_error *err, void *user);
static void on_hand_close(cqln_mail *m);
static void on_joined(cqln_mail *m);
static void on_all_closed(cqln_mail *m);

/* Events are the first loop's to tell. */
static cql_status make_hand(cql_session *s, cqln_hand *h, const cqln_config *whole, uint32_t number,
                            char *why)
{
    uint32_t count = s->loops->count;
    h->session = s;
    h->close_mail.fn = on_hand_close;
    cqln_loops_share(&h->config, whole, count, number);
    h->config.node_event = NULL;
    h->config.schema_event = NULL;
    h->quiet = h->config;
    h->quiet.log.fn = NULL;
    cql_status st = cqln_secure_new(s->al, &h->quiet, s->bundle, &h->secure, why);
    if (st)
        return st;
    st = cqln_session_make_io(s, NULL, &h->io, why);
    if (st)
        goto fail_secure;
    st = cqln_cluster_init(&h->cluster, h->io, s->al, &h->config, s);
    if (st)
        goto fail_io;
    cqln_cluster_secure(&h->cluster, h->secure);
    st = s->bundle ? cqln_astra_use(&h->cluster, s->bundle) : CQL_OK;
    if (st)
        goto fail_cluster;
    h->cluster.max_output = whole->max_pending_bytes;
    h->cluster.connect_cb = on_hand_joined;
    h->cluster.drain_cb = cqln_room_drained;
    h->cluster.drain_user = &h->cluster;
    return CQL_OK;
fail_cluster:
    cqln_cluster_fini(&h->cluster);
fail_io:
    cqln_io_uv_free(h->io);
fail_secure:
    cqln_secure_free(h->secure);
    return st;
}

static void free_hand(cqln_hand *h)
{
    cqln_cluster_fini(&h->cluster);
    cqln_io_uv_free(h->io);
    cqln_secure_free(h->secure);
}

cql_status cqln_loops_new(cql_session *s, const cqln_config *whole, uint32_t count, char *why)
{
    cqln_cluster *members[CQLN_TEAM_MAX] = {&s->cluster};
    cqln_loops *l = cqln_alloc_zero(s->al, sizeof *l + (count - 1) * sizeof l->hands[0]);
    if (!l)
        return CQL_NO_MEMORY;
    l->count = count;
    l->joined_mail.fn = on_joined;
    l->closed_mail.fn = on_all_closed;
    s->loops = l;
    for (uint32_t i = 1; i < count; i++) {
        cql_status st = make_hand(s, &l->hands[i - 1], whole, i, why);
        while (st && --i > 0)
            free_hand(&l->hands[i - 1]);
        if (st) {
            cqln_free(s->al, l);
            s->loops = NULL;
            return st;
        }
        members[i] = &l->hands[i - 1].cluster;
    }
    cqln_team_init(&l->team, members, count);
    s->cluster.max_output = whole->max_pending_bytes;
    return CQL_OK;
}

/* Its loop never turned: it is turned to its end here. */
static void end_hand(cqln_hand *h)
{
    h->io->ops->end(h->io);
    cqln_io_uv_run(h->io);
}

cql_status cqln_loops_start(cql_session *s)
{
    cqln_loops *l = s->loops;
    cql_status st = CQL_OK;
    for (uint32_t i = 1; i < l->count; i++) {
        cqln_hand *h = &l->hands[i - 1];
        if (st == CQL_OK)
            st = cqln_io_uv_start(h->io);
        if (st)
            continue;
        st = cqln_hand_start_thread(h, &l->threads[i]);
        h->started = st == CQL_OK;
        if (st)
            end_hand(h);
    }
    return st;
}

void cqln_loops_free(cql_session *s)
{
    cqln_loops *l = s->loops;
    if (!l)
        return;
    for (uint32_t i = 1; i < l->count; i++)
        if (l->hands[i - 1].started)
            pthread_join(l->threads[i], NULL);
    cqln_team_fini(&l->team);
    for (uint32_t i = 1; i < l->count; i++)
        free_hand(&l->hands[i - 1]);
    cqln_free(s->al, l);
    s->loops = NULL;
}

/* --- connecting ----------------------------------------------------------------------------------- */

static void on_hand_joined(cql_session *s, const cql_error *err, void *user)
{
    (void)err;
    (void)user;
    if (atomic_fetch_sub(&s->loops->joining, 1) == 1)
        cqln_loop_post(&s->cluster.loop, &s->loops->joined_mail);
}

static void on_joined(cqln_mail *m)
{
    cql_session *s = CQLN_CONTAINER(m, cqln_loops, joined_mail)->hands[0].session;
    cqln_session_connected(s);
    s->cluster.waits--;
    cqln_cluster_check(&s->cluster);
}

/* Without memory to tell them they join with the next picture, when nobody waits for it any more. */
void cqln_loops_connect(cql_session *s)
{
    cqln_loops *l = s->loops;
    s->cluster.waits++;
    atomic_store(&l->joining, l->count - 1);
    if (cqln_team_share(&s->cluster))
        return;
    atomic_store(&l->joining, 0); /* from here it never comes down to 1 */
    cqln_loop_post(&s->cluster.loop, &l->joined_mail);
}

/* --- closing -------------------------------------------------------------------------------------- */

static void on_hand_ended(void *user)
{
    cql_session *s = ((cqln_hand *)user)->session;
    if (atomic_fetch_sub(&s->loops->open, 1) == 1)
        cqln_loop_post(&s->cluster.loop, &s->loops->closed_mail);
}

static void on_hand_close(cqln_mail *m)
{
    cqln_hand *h = CQLN_CONTAINER(m, cqln_hand, close_mail);
    cqln_cluster_close(&h->cluster, on_hand_ended, h);
    cqln_room_unpark_all(&h->cluster);
}

static void on_all_closed(cqln_mail *m)
{
    cqln_cluster *c = &CQLN_CONTAINER(m, cqln_loops, closed_mail)->hands[0].session->cluster;
    c->waits--;
    cqln_cluster_check(c);
}

void cqln_loops_close(cql_session *s)
{
    cqln_loops *l = s->loops;
    uint32_t open = 0;
    for (uint32_t i = 1; i < l->count; i++)
        open += l->hands[i - 1].started;
    if (open == 0)
        return;
    s->cluster.waits++;
    atomic_store(&l->open, open);
    for (uint32_t i = 1; i < l->count; i++)
        if (l->hands[i - 1].started)
            cqln_loop_post(&l->hands[i - 1].cluster.loop, &l->hands[i - 1].close_mail);
}

/* --- who gets a request --------------------------------------------------------------------------- */

/* The loop whose thread this is, NULL: none. */
static cqln_cluster *here(const cqln_loops *l)
{
    pthread_t self = pthread_self();
    for (uint32_t i = 0; i < l->count; i++)
        if (pthread_equal(l->threads[i], self))
            return l->team.members[i];
    return NULL;
}

bool cqln_loops_here(const cql_session *s)
{
    return here(s->loops) != NULL;
}

static cqln_cluster *first_open(const cqln_loops *l, uint32_t from)
{
    for (uint32_t i = 0; i < l->count; i++) {
        cqln_cluster *c = l->team.members[(from + i) % l->count];
        if (cqln_team_open(c))
            return c;
    }
    return l->team.members[0]; /* its state says what is the matter */
}

cqln_cluster *cqln_loops_pick(cql_session *s)
{
    cqln_loops *l = s->loops;
    cqln_cluster *own = here(l);
    return own ? own
               : first_open(l, atomic_fetch_add_explicit(&l->turn, 1, memory_order_relaxed) / RUN);
}

cqln_cluster *cqln_loops_pick_first(cql_session *s)
{
    cqln_cluster *own = here(s->loops);
    return own ? own : first_open(s->loops, 0);
}

/* --- room ----------------------------------------------------------------------------------------- */

/* One without connections has room and would say so at once, but requests are not given to it. */
void cqln_loops_full(cql_session *s)
{
    cqln_loops *l = s->loops;
    atomic_store(&l->full, true);
    for (uint32_t i = 0; i < l->count; i++) {
        cqln_cluster *c = l->team.members[i];
        if (cqln_cluster_state_of(c) == CQLN_CLUSTER_CONNECTED && (i == 0 || atomic_load(&c->able)))
            cqln_cluster_mark_full(c);
    }
}
