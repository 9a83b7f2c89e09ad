/* The line of blocking calls that wait for room, and the drain callback. All of it is rare: a call that finds room
 * looks at one flag. */
#include "api/room.h"

#include "api/loops.h"
#include "cluster/record.h"
#include "os/steady.h"

#include <limits.h>
#include <time.h>

typedef struct place {
    cqln_list at; /* in the session's line */
    pthread_cond_t woken;
    bool turn;          /* it may try */
    cqln_cluster *kept; /* has counted a request for it; NULL: none has */
    cqln_cluster *lender; /* of that place; NULL: it is its own */
} place;

static uint64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint32_t left_ms(uint64_t until)
{
    uint64_t now = now_ms();
    return now < until ? (uint32_t)(until - now) : 0;
}

/* --- with the session's lock ---------------------------------------------------------------------- */

static void wake(cql_session *s, place *p)
{
    p->turn = true;
    if (cqln_session_threaded(s))
        pthread_cond_signal(&p->woken);
}

/* c: has just got room and keeps a place; NULL: look whether there is any. */
static void let_first_try(cql_session *s, cqln_cluster *c)
{
    if (cqln_list_empty(&s->line))
        return;
    place *p = CQLN_CONTAINER(s->line.next, place, at);
    if (c && !p->kept) {
        cqln_count_requests(c, c->alone, 1);
        p->kept = c;
    }
    wake(s, p);
}

/* The first in line goes before who is parked on c, with the place of those, which stays counted. */
static bool lend(cql_session *s, cqln_cluster *c)
{
    uint32_t kept = CQLN_KEPT;
    place *p = cqln_list_empty(&s->line) ? NULL : CQLN_CONTAINER(s->line.next, place, at);
    if (!p || p->kept || !atomic_compare_exchange_strong(&c->kept, &kept, CQLN_LENT))
        return false;
    p->kept = p->lender = c;
    wake(s, p);
    return true;
}

/* Gives whose it was if it was lent. */
static cqln_cluster *give_back(place *p)
{
    cqln_cluster *c = p->kept, *lender = p->lender;
    p->kept = p->lender = NULL;
    if (c)
        cqln_record_uncount(c, c->alone);
    return lender;
}

/* Who is parked has a place again, unless they went on meanwhile. Counted first: what is kept is counted. */
static void restore(cqln_cluster *lender)
{
    uint32_t lent = CQLN_LENT;
    if (!lender)
        return;
    cqln_count_requests(lender, lender->alone, 1);
    if (!atomic_compare_exchange_strong(&lender->kept, &lent, CQLN_KEPT))
        cqln_record_uncount(lender, lender->alone);
}

/* While somebody is in line the loops tell of each place, not of the queue being well below full again. */
static void note_line(cql_session *s, bool in_line)
{
    for (uint32_t i = 0; i < cqln_session_loop_count(s); i++)
        atomic_store(&cqln_session_cluster(s, i)->in_line, in_line);
}

static void join(cql_session *s, place *p)
{
    p->turn = cqln_list_empty(&s->line); /* room that came since it was refused was told to nobody */
    if (p->turn)
        note_line(s, true);
    cqln_list_push(&s->line, &p->at);
}

static void leave(cql_session *s, place *p)
{
    cqln_list_remove(&p->at);
    restore(give_back(p));
    if (cqln_list_empty(&s->line))
        note_line(s, false);
    else
        let_first_try(s, NULL); /* it marks the queue as full when it fails, so that somebody is told of room */
}

/* One sleep, or one turn of a driven loop. */
static void sleep_until(cql_session *s, place *p, uint64_t until)
{
    if (cqln_session_threaded(s)) {
        struct timespec at = {(time_t)(until / 1000), (long)(until % 1000) * 1000000};
        cqlos_cond_wait(&p->woken, &s->lock, &at);
        return;
    }
    uint32_t ms = left_ms(until);
    pthread_mutex_unlock(&s->lock);
    cqln_session_turn(s, cqln_loop_busy(&s->cluster.loop) ? 0 : ms < INT_MAX ? (int)ms : INT_MAX);
    pthread_mutex_lock(&s->lock);
}

/* False: the time is over. */
static bool await_turn(cql_session *s, place *p, uint64_t until)
{
    while (!p->turn && left_ms(until))
        sleep_until(s, p, until);
    return p->turn;
}

/* --- without it ----------------------------------------------------------------------------------- */

/* In line, so one place is room. */
static bool has_room(cql_session *s)
{
    if (cqln_cluster_state_of(&s->cluster) != CQLN_CLUSTER_CONNECTED ||
        cqln_cluster_has_room(&s->cluster))
        return true;
    for (uint32_t i = 1; i < cqln_session_loop_count(s); i++)
        if (cqln_team_open(cqln_session_cluster(s, i)))
            return true;
    return false;
}

/* Does not count as refused a second time when it can be seen that there is no room. */
static cql_status try_to_send(cql_session *s, uint64_t until, cqln_room_fn send, void *user)
{
    uint32_t left = left_ms(until);
    if (has_room(s))
        return send(user, left ? left : 1);
    if (s->loops)
        cqln_loops_full(s);
    else
        cqln_cluster_mark_full(&s->cluster);
    return CQL_WOULD_BLOCK;
}

cql_status cqln_room_wait(cql_session *s, uint32_t timeout_ms, cqln_room_fn send, void *user)
{
    uint64_t until = now_ms() + (timeout_ms ? timeout_ms : s->config.request_timeout);
    cql_status st = CQL_WOULD_BLOCK;
    place p = {.kept = NULL};
    if (cqln_session_threaded(s) && cqlos_cond_init(&p.woken) != 0)
        return CQL_SYSTEM;
    pthread_mutex_lock(&s->lock);
    join(s, &p);
    while (st == CQL_WOULD_BLOCK && await_turn(s, &p, until)) {
        p.turn = false;
        cqln_cluster *lender = give_back(&p);
        pthread_mutex_unlock(&s->lock);
        st = try_to_send(s, until, send, user);
        restore(lender);
        pthread_mutex_lock(&s->lock);
    }
    leave(s, &p);
    pthread_mutex_unlock(&s->lock);
    if (cqln_session_threaded(s))
        pthread_cond_destroy(&p.woken);
    return st == CQL_WOULD_BLOCK ? CQL_TIMEOUT : st;
}

/* --- parked ---------------------------------------------------------------------------------------- */

/* The first has its place from when it is first, so that who fills the queue from callbacks leaves it one. */
static void keep_place(cqln_cluster *c)
{
    if (cqln_list_empty(&c->parked) || atomic_load(&c->kept))
        return;
    cqln_count_requests(c, c->alone, 1);
    atomic_store(&c->kept, CQLN_KEPT);
}

static void drop_place(cqln_cluster *c)
{
    if (atomic_exchange(&c->kept, CQLN_NOT_KEPT) == CQLN_KEPT)
        cqln_record_uncount(c, c->alone);
}

void cqln_room_park(cqln_cluster *c, cqln_parked *parked)
{
    atomic_fetch_add(&c->waits, 1);
    /* Who is refused once more, as when another thread was quicker, stays the first. */
    cqln_list_push(c->going_on == &parked->at ? c->parked.next : &c->parked, &parked->at);
    keep_place(c);
    cqln_cluster_mark_full(c); /* room that came since it was refused was told to nobody */
}

/* Only the first is behind its own place; the others begin anew. */
static void unpark(cqln_cluster *c)
{
    cqln_list *first = cqln_list_pop(&c->parked);
    if (!first)
        return;
    cqln_parked *parked = CQLN_CONTAINER(first, cqln_parked, at);
    drop_place(c);
    c->line_next = true;
    c->going_on = first;
    parked->go_on(parked);
    c->going_on = NULL;
    keep_place(c);
    if (!cqln_list_empty(&c->parked))
        cqln_cluster_mark_full(c);
    cqln_cluster_leave(c);
}

void cqln_room_unpark_all(cqln_cluster *c)
{
    while (!cqln_list_empty(&c->parked))
        unpark(c);
}

/* --- who is told ---------------------------------------------------------------------------------- */

void cqln_room_wake(cql_session *s)
{
    pthread_mutex_lock(&s->lock);
    let_first_try(s, NULL);
    pthread_mutex_unlock(&s->lock);
}

/* Who is in line and who is parked take turns. */
static bool serve_line(cql_session *s, cqln_cluster *c)
{
    if (!c->line_next || !cqln_room_has_line(s))
        return false;
    pthread_mutex_lock(&s->lock);
    bool lent = lend(s, c);
    pthread_mutex_unlock(&s->lock);
    c->line_next = !lent;
    return lent;
}

/* Callbacks may have taken the room meanwhile: then it is nobody's turn. */
static void serve(cql_session *s, cqln_cluster *c)
{
    if (cqln_list_empty(&c->parked))
        return;
    if (!cqln_cluster_has_room(c) || serve_line(s, c))
        cqln_cluster_mark_full(c); /* so that those who still wait are told */
    else
        unpark(c);
}

/* Of several loops each that has room again says so; the first after a refusal is heard, and when its room was for who
 * is parked there while somebody is in line, the next one, too. */
static bool is_heard(cql_session *s, cqln_cluster *c)
{
    if (!s->loops)
        return true;
    if (atomic_load(&c->kept) == CQLN_KEPT && cqln_room_has_line(s))
        return atomic_load(&s->loops->full);
    return atomic_exchange(&s->loops->full, false);
}

/* Where there is one place at a time, who is told first has it: the line and the program take turns. */
void cqln_room_drained(cql_session *s, void *user)
{
    cqln_cluster *c = user;
    serve(s, c);
    if (!is_heard(s, c))
        return;
    pthread_mutex_lock(&s->lock);
    cql_drain_cb cb = s->drain_cb;
    void *mine = s->drain_user;
    bool before_line = cb && s->drain_next;
    s->drain_next = !before_line;
    if (!before_line && atomic_load(&c->kept) == CQLN_NOT_KEPT) /* else the next place is lent */
        let_first_try(s, c);
    pthread_mutex_unlock(&s->lock);
    if (cb)
        cb(s, mine);
    if (before_line)
        cqln_room_wake(s);
}

cql_status cql_session_on_drain(cql_session *s, cql_drain_cb cb, void *user)
{
    if (!s)
        return CQL_BAD_ARGUMENT;
    pthread_mutex_lock(&s->lock);
    s->drain_cb = cb;
    s->drain_user = user;
    pthread_mutex_unlock(&s->lock);
    return CQL_OK;
}
