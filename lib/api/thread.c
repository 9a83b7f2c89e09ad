/* The thread of a session that has one of its own. */
#include "api/session.h"
#include "api/session_make.h"
#include "net/io_uv.h"

#include <signal.h>

static void *thread_main(void *arg)
{
    cql_session *s = arg;
    cqln_io_uv_adopt(s->io);
    pthread_mutex_lock(&s->lock);
    s->running = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    cqln_io_uv_run(s->io);
    if (s->free_asked) { /* asked for inside a callback: nobody else will */
        pthread_detach(pthread_self());
        cqln_session_destroy(s);
    }
    return NULL;
}

/* Signals are the program's: its own threads get them, not ours. */
cql_status cqln_session_start_thread(cql_session *s)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    int rc = pthread_create(&s->thread, NULL, thread_main, s);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc != 0)
        return CQL_SYSTEM;
    pthread_mutex_lock(&s->lock);
    while (!s->running)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return CQL_OK;
}
