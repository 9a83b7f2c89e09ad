/* keep.c: a snapshot that follows the cluster. Events only say that something changed: half a second after the
 * first of them everything is read again, and once more if others came meanwhile. */
#include "metadata/model.h"

#include <string.h>

enum { DEBOUNCE_MS = 500, AGAIN_MS = 1000 };

struct cql_metadata_keeper {
    pthread_mutex_t lock;
    size_t holds; /* the program, the timer, a reading under way */
    cql_allocator al;
    cql_metadata_changed_fn changed;
    void *user;
    cql_schema_event_fn event;
    void *event_user;
    cql_timer *timer;
    cql_metadata *current;
    bool freed;
    bool armed;
    bool reading;
    bool stale; /* something changed since the reading began */
    char keyspace[];
};

static void let_go(cql_metadata_keeper *k)
{
    (void)pthread_mutex_lock(&k->lock);
    bool last = --k->holds == 0;
    (void)pthread_mutex_unlock(&k->lock);
    if (!last)
        return;
    cql_allocator al = k->al;
    cql_metadata_unref(k->current);
    (void)pthread_mutex_destroy(&k->lock);
    cqlmd_free(&al, k);
}

cql_status cql_metadata_keeper_new(const cql_allocator *al, const char *keyspace,
                                   cql_metadata_changed_fn changed, void *user, cql_metadata_keeper **out)
{
    cqlmd_arena arena; /* for its allocator */
    size_t len = keyspace ? strlen(keyspace) : 0;
    if (!out)
        return CQL_BAD_ARGUMENT;
    cqlmd_arena_init(&arena, al);
    cql_metadata_keeper *k = cqlmd_zalloc(&arena.al, sizeof *k + len + 1);
    *out = k;
    if (!k)
        return CQL_NO_MEMORY;
    if (pthread_mutex_init(&k->lock, NULL) != 0) {
        cqlmd_free(&arena.al, k);
        *out = NULL;
        return CQL_NO_MEMORY;
    }
    k->holds = 1;
    k->al = arena.al;
    k->changed = changed;
    k->user = user;
    if (len)
        memcpy(k->keyspace, keyspace, len);
    return CQL_OK;
}

/* With the lock. */
static void arm(cql_metadata_keeper *k, int ms)
{
    if (k->armed || k->freed || !k->timer)
        return;
    k->armed = true;
    cql_timer_set(k->timer, ms);
}

static void on_event(void *user, cql_session *s, const cql_schema_note *note)
{
    cql_metadata_keeper *k = user;
    bool mine = !k->keyspace[0] || note->keyspace.len == 0 ||
                cql_str_equal(note->keyspace, cql_str_of(k->keyspace));
    (void)pthread_mutex_lock(&k->lock);
    cql_schema_event_fn fn = k->event;
    if (mine) {
        k->stale = true;
        if (!k->reading)
            arm(k, DEBOUNCE_MS);
    }
    (void)pthread_mutex_unlock(&k->lock);
    if (fn)
        fn(k->event_user, s, note);
}

void cql_metadata_keeper_watch(cql_metadata_keeper *k, cql_options *o, cql_schema_event_fn fn, void *user)
{
    if (!k || !o)
        return;
    k->event = fn;
    k->event_user = user;
    cql_options_on_schema_event(o, on_event, k);
}

static void on_read(cql_session *s, const cql_error *err, const cql_metadata *m, void *user)
{
    cql_metadata_keeper *k = user;
    cql_metadata *old = NULL;
    (void)pthread_mutex_lock(&k->lock);
    bool tell = !k->freed;
    k->reading = false;
    if (m) {
        old = k->current;
        k->current = cql_metadata_ref(m);
    }
    if (err || k->stale)
        arm(k, err ? AGAIN_MS : DEBOUNCE_MS);
    (void)pthread_mutex_unlock(&k->lock);
    cql_metadata_unref(old);
    if (tell && k->changed)
        k->changed(k->user, s, err, m);
    let_go(k);
}

static void on_timer(cql_session *s, void *user)
{
    cql_metadata_keeper *k = user;
    (void)pthread_mutex_lock(&k->lock);
    bool read = !k->freed && !k->reading;
    k->armed = false;
    if (read) {
        k->holds++;
        k->reading = true;
        k->stale = false;
    }
    (void)pthread_mutex_unlock(&k->lock);
    if (!read || cql_metadata_read(s, k->keyspace, on_read, k) == CQL_OK)
        return;
    (void)pthread_mutex_lock(&k->lock);
    k->reading = false;
    arm(k, AGAIN_MS);
    (void)pthread_mutex_unlock(&k->lock);
    let_go(k);
}

static void on_gone(cql_session *s, void *user)
{
    (void)s;
    let_go(user);
}

cql_status cql_metadata_keeper_start(cql_metadata_keeper *k, cql_session *s)
{
    if (!k || !s)
        return CQL_BAD_ARGUMENT;
    (void)pthread_mutex_lock(&k->lock);
    cql_status st = k->timer ? CQL_BAD_STATE : cql_timer_new(s, on_timer, k, &k->timer);
    if (st == CQL_OK) {
        k->holds++;
        arm(k, 0);
    }
    (void)pthread_mutex_unlock(&k->lock);
    return st;
}

cql_metadata *cql_metadata_keeper_get(cql_metadata_keeper *k)
{
    if (!k)
        return NULL;
    (void)pthread_mutex_lock(&k->lock);
    cql_metadata *m = cql_metadata_ref(k->current);
    (void)pthread_mutex_unlock(&k->lock);
    return m;
}

void cql_metadata_keeper_free(cql_metadata_keeper *k)
{
    if (!k)
        return;
    (void)pthread_mutex_lock(&k->lock);
    k->freed = true;
    cql_timer *timer = k->timer;
    (void)pthread_mutex_unlock(&k->lock);
    if (timer)
        cql_timer_free(timer, on_gone);
    let_go(k);
}
