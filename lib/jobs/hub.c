/* hub.c: the mailbox of a worker. */
#include "jobs/hub.h"

cqljob_hub *cqljob_hub_new(cql_jobs *jobs, cql_worker *w, void (*on_wake)(cql_worker *, void *),
                           void *user)
{
    cqljob_hub *hub = cqljob_zalloc(&jobs->al, sizeof *hub);

    if (!hub)
        return NULL;
    if (pthread_mutex_init(&hub->lock, NULL))
        goto fail_block;
    if (pthread_cond_init(&hub->quiet, NULL))
        goto fail_mutex;
    hub->jobs = cqljob_ref(jobs);
    hub->refs = 1;
    hub->worker = w;
    hub->on_wake = on_wake;
    hub->user = user;
    (void)pthread_mutex_lock(&jobs->lock);
    hub->next = jobs->hubs;
    jobs->hubs = hub;
    (void)pthread_mutex_unlock(&jobs->lock);
    return hub;

fail_mutex:
    (void)pthread_mutex_destroy(&hub->lock);
fail_block:
    cqljob_free(&jobs->al, hub);
    return NULL;
}

static void leave_store(cqljob_hub *hub)
{
    cql_jobs *jobs = hub->jobs;

    (void)pthread_mutex_lock(&jobs->lock);
    for (cqljob_hub **at = &jobs->hubs; *at; at = &(*at)->next)
        if (*at == hub) {
            *at = hub->next;
            break;
        }
    (void)pthread_mutex_unlock(&jobs->lock);
}

void cqljob_hub_close(cqljob_hub *hub)
{
    cqljob_mail *mail;

    leave_store(hub);
    (void)pthread_mutex_lock(&hub->lock);
    hub->closed = true;
    while (hub->waking)
        (void)pthread_cond_wait(&hub->quiet, &hub->lock);
    mail = hub->first;
    hub->first = hub->last = NULL;
    (void)pthread_mutex_unlock(&hub->lock);
    while (mail) {
        cqljob_mail *next = mail->next;

        mail->discard(mail);
        mail = next;
    }
}

void cqljob_hub_ref(cqljob_hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    hub->refs++;
    (void)pthread_mutex_unlock(&hub->lock);
}

void cqljob_hub_unref(cqljob_hub *hub)
{
    cql_jobs *jobs = hub->jobs;
    bool last;

    (void)pthread_mutex_lock(&hub->lock);
    last = --hub->refs == 0;
    (void)pthread_mutex_unlock(&hub->lock);
    if (!last)
        return;
    (void)pthread_cond_destroy(&hub->quiet);
    (void)pthread_mutex_destroy(&hub->lock);
    cqljob_free(&jobs->al, hub);
    cqljob_unref(jobs);
}

/* Called with the lock held, releases it for on_wake and at the end. */
static void wake_and_unlock(cqljob_hub *hub)
{
    bool call = !hub->woken && !hub->closed && hub->on_wake;

    if (call) {
        hub->woken = true;
        hub->waking++;
        (void)pthread_mutex_unlock(&hub->lock);
        hub->on_wake(hub->worker, hub->user);
        (void)pthread_mutex_lock(&hub->lock);
        hub->waking--;
        (void)pthread_cond_broadcast(&hub->quiet);
    }
    (void)pthread_mutex_unlock(&hub->lock);
}

void cqljob_hub_post(cqljob_hub *hub, cqljob_mail *mail)
{
    (void)pthread_mutex_lock(&hub->lock);
    if (hub->closed) {
        (void)pthread_mutex_unlock(&hub->lock);
        mail->discard(mail);
        return;
    }
    mail->next = NULL;
    if (hub->last)
        hub->last->next = mail;
    else
        hub->first = mail;
    hub->last = mail;
    /* The mail may be delivered, and with it the last reference be dropped, before we are back. */
    hub->refs++;
    wake_and_unlock(hub);
    cqljob_hub_unref(hub);
}

void cqljob_hub_wake(cqljob_hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    wake_and_unlock(hub);
}

void cqljob_hub_stop(cqljob_hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    hub->stops++;
    wake_and_unlock(hub);
}

cqljob_mail *cqljob_hub_take(cqljob_hub *hub, unsigned *stops)
{
    cqljob_mail *mail;

    (void)pthread_mutex_lock(&hub->lock);
    mail = hub->first;
    hub->first = hub->last = NULL;
    hub->woken = false;
    *stops = hub->stops;
    (void)pthread_mutex_unlock(&hub->lock);
    return mail;
}

bool cqljob_hub_has_mail(cqljob_hub *hub)
{
    bool some;

    (void)pthread_mutex_lock(&hub->lock);
    some = hub->first != NULL;
    (void)pthread_mutex_unlock(&hub->lock);
    return some;
}
