/* The threads of a session that has its own. */
#include "api/loops.h"
#include "api/session_make.h"
#include "net/io_uv.h"
#include "os/thread.h"

#include <signal.h>

/* The loop is this thread's from now on. */
static void take_over(cql_session *s, cqln_io *io, bool *running)
{
    cqln_io_uv_adopt(io);
    pthread_mutex_lock(&s->lock);
    *running = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void *thread_main(void *arg)
{
    cql_session *s = arg;
    take_over(s, s->io, &s->running);
    cqln_io_uv_run(s->io);
    if (s->free_asked) { /* asked for inside a callback: nobody else will */
        pthread_detach(pthread_self());
        cqln_session_destroy(s);
    }
    return NULL;
}

static void *hand_main(void *arg)
{
    cqln_hand *h = arg;
    take_over(h->session, h->io, &h->running);
    cqln_io_uv_run(h->io);
    return NULL;
}

/* Signals are the program's: its own threads get them, not ours. */
static cql_status start(cql_session *s, pthread_t *out, void *(*run)(void *), void *arg,
                        const bool *running)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    int rc = cqlos_thread_start(out, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc != 0)
        return CQL_SYSTEM;
    pthread_mutex_lock(&s->lock);
    while (!*running)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return CQL_OK;
}

cql_status cqln_session_start_thread(cql_session *s)
{
    cql_status st = s->loops ? cqln_loops_start(s) : CQL_OK;
    if (st == CQL_OK)
        st = start(s, &s->thread, thread_main, s, &s->running);
    if (st == CQL_OK && s->loops)
        s->loops->threads[0] = s->thread;
    return st;
}

cql_status cqln_hand_start_thread(cqln_hand *h, pthread_t *out)
{
    return start(h->session, out, hand_main, h, &h->running);
}
