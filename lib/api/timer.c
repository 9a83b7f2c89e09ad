/* Timers of the program on the session's loop. Setting one is a mail to the loop, so that it may be done
 * on any thread; what is set while a mail is on its way needs none of its own. */
#include "api/session.h"

#include <stdatomic.h>

#define NOT_SET UINT64_MAX

struct cql_timer {
    cqln_mail mail;
    cqln_deadline deadline;
    cqln_list link; /* among the session's, under its lock */
    cql_session *s;
    cql_timer_cb cb;
    cql_timer_cb gone;
    void *user;
    uint64_t due_us; /* under the lock; by the clock that any thread may read, not the loop's */
    bool posted;  /* under the lock: the mail is on its way */
    bool freed;   /* under the lock */
};

/* Off the list already. */
static void destroy(cql_timer *t)
{
    if (t->gone)
        t->gone(t->s, t->user);
    cqln_free(t->s->al, t);
}

static void on_due(cqln_deadline *d)
{
    cql_timer *t = CQLN_CONTAINER(d, cql_timer, deadline);
    pthread_mutex_lock(&t->s->lock);
    bool call = !t->freed;
    pthread_mutex_unlock(&t->s->lock);
    if (call)
        t->cb(t->s, t->user);
}

static uint64_t now_us(const cql_session *s)
{
    return s->io->ops->now_us(s->io);
}

static void on_mail(cqln_mail *m)
{
    cql_timer *t = CQLN_CONTAINER(m, cql_timer, mail);
    cql_session *s = t->s;
    pthread_mutex_lock(&s->lock);
    uint64_t due = t->due_us;
    bool freed = t->freed;
    t->posted = false;
    if (freed)
        cqln_list_remove(&t->link);
    pthread_mutex_unlock(&s->lock);
    cqln_deadline_clear(&s->cluster.loop, &t->deadline);
    if (freed)
        destroy(t);
    if (freed || due == NOT_SET)
        return;
    uint64_t now = now_us(s);
    uint64_t left_ms = due > now ? (due - now + 999) / 1000 : 0;
    cqln_deadline_set(&s->cluster.loop, &t->deadline, cqln_loop_now(&s->cluster.loop) + left_ms);
}

cql_status cql_timer_new(cql_session *s, cql_timer_cb cb, void *user, cql_timer **out)
{
    if (!s || !cb || !out)
        return CQL_BAD_ARGUMENT;
    *out = NULL;
    cql_timer *t = cqln_alloc_zero(s->al, sizeof *t);
    if (!t)
        return CQL_NO_MEMORY;
    t->mail.fn = on_mail;
    cqln_deadline_init(&t->deadline, on_due);
    t->s = s;
    t->cb = cb;
    t->user = user;
    t->due_us = NOT_SET;
    pthread_mutex_lock(&s->lock);
    cqln_list_push(&s->timers, &t->link);
    pthread_mutex_unlock(&s->lock);
    *out = t;
    return CQL_OK;
}

/* Posting is done under the lock: the loop cannot have taken the timer away in between. A closed session
 * reads no mail; what is left of its timers goes with it. */
static void post_locked(cql_timer *t)
{
    if (t->posted || t->s->closed)
        return;
    t->posted = true;
    cqln_loop_post(&t->s->cluster.loop, &t->mail);
}

void cql_timer_set(cql_timer *t, int ms)
{
    cql_session *s = t->s;
    uint64_t due = ms < 0 ? NOT_SET : now_us(s) + (uint64_t)(unsigned)ms * 1000;
    pthread_mutex_lock(&s->lock);
    t->due_us = due;
    post_locked(t);
    pthread_mutex_unlock(&s->lock);
}

void cql_timer_free(cql_timer *t, cql_timer_cb gone)
{
    if (!t)
        return;
    cql_session *s = t->s;
    pthread_mutex_lock(&s->lock);
    t->freed = true;
    t->gone = gone;
    post_locked(t);
    pthread_mutex_unlock(&s->lock);
}

void cqln_session_drop_timers(cql_session *s)
{
    cqln_list *node;
    while ((node = cqln_list_pop(&s->timers)) != NULL)
        destroy(CQLN_CONTAINER(node, cql_timer, link));
}
