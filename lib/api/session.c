/* The life of a session in its three modes. */
#include "api/session.h"

#include "api/loops.h"
#include "api/options.h"
#include "api/room.h"
#include "api/session_make.h"
#include "base/error.h"
#include "cluster/astra.h"
#include "cluster/race.h"
#include "net/io_uv.h"
#include "cluster/view.h"
#include "wire/compress.h"

#include <stdio.h>
#include <string.h>

enum { SLEPT_MS = 1000 }; /* a driven session that was not turned for so long */

/* --- making -------------------------------------------------------------------------------------- */

static void on_connect(cqln_mail *m);

static cql_status use_contacts(const cql_allocator *al, cqln_config *config)
{
    if (config->contact_count || config->secure_bundle)
        return CQL_OK;
    return cqln_config_add_contact(al, config, cql_str_of("127.0.0.1"), 0);
}

/* The session's own, and those of further loops with what is theirs of the limits. */
static cql_status make_clusters(cql_session *s, char *why)
{
    uint32_t count = s->config.loop_threads;
    const cqln_config whole = s->config;
    if (count > 1)
        cqln_loops_share(&s->config, &whole, count, 0);
    cql_status st = cqln_cluster_init(&s->cluster, s->io, s->al, &s->config, s);
    if (st)
        return st;
    cqln_cluster_secure(&s->cluster, s->secure);
    s->cluster.drain_cb = cqln_room_drained;
    s->cluster.drain_user = &s->cluster;
    st = s->bundle ? cqln_astra_use(&s->cluster, s->bundle) : CQL_OK;
    if (st) {
        cqln_cluster_fini(&s->cluster);
        return st;
    }
    if (s->mode != CQLN_MODE_THREAD)
        cqln_cluster_alone(&s->cluster);
    if (count > 1) {
        st = cqln_loops_new(s, &whole, count, why);
        if (st)
            cqln_cluster_fini(&s->cluster);
    }
    return st;
}

/* What these options ask for and this build has not got; NULL: nothing. */
static const char *missing(const cqln_config *config)
{
    if (config->compression && !cqln_lz4_available())
        return "has no lz4 (it was configured --without-lz4): set compression=none";
    if (config->speculation && !cqln_race_available())
        return "sends no request twice (it was configured --disable-speculation): set speculation=off";
    if ((config->allow_hosts || config->deny_hosts) && !cqln_rules_available())
        return "uses all nodes that it is given (it was configured --disable-discovery): set neither allow_hosts nor deny_hosts";
    return NULL;
}

cql_status cqln_session_make_io(const cql_session *s, void *uv_loop, cqln_io **out, char *why)
{
    cql_str text = cql_str_of(s->config.local_address);
    cqln_address from;
    if (text.len && !cqln_address_parse(&from, text, 0)) {
        snprintf(why, CQLN_FILTER_REASON, "the option local_address is no address such as 10.0.0.5");
        return CQL_BAD_VALUE;
    }
    cql_status st = cqln_io_uv_new(s->al, uv_loop, out);
    if (st == CQL_OK && text.len)
        cqln_io_uv_from(*out, &from);
    return st;
}

static cql_status make_parts(cql_session *s, void *uv_loop, const cql_options *o, char *why)
{
    cql_status st = cqln_config_copy(s->al, &o->config, &s->config);
    if (st)
        return st;
    st = use_contacts(s->al, &s->config);
    if (st)
        goto fail_config;
    s->config.token_aware = s->config.token_aware && cqln_ring_available();
    const char *lack = missing(&s->config);
    if (lack) {
        snprintf(why, CQLN_FILTER_REASON, "this build of the library %s", lack);
        st = CQL_UNSUPPORTED;
        goto fail_config;
    }
    st = cqln_session_open_bundle(s, o, why);
    if (st)
        goto fail_config;
    st = cqln_secure_new(s->al, &s->config, s->bundle, &s->secure, why);
    if (st)
        goto fail_bundle;
    st = cqln_session_make_io(s, uv_loop, &s->io, why);
    if (st)
        goto fail_secure;
    st = make_clusters(s, why);
    if (st)
        goto fail_io;
    st = cqln_io_uv_start(s->io); /* last: a caller's loop sees nothing of a session that cannot be made */
    if (st == CQL_OK)
        return CQL_OK;
    cqln_loops_free(s);
    cqln_cluster_fini(&s->cluster);
fail_io:
    cqln_io_uv_free(s->io);
fail_secure:
    cqln_secure_free(s->secure);
fail_bundle:
    cqln_bundle_free(s->bundle);
fail_config:
    cqln_config_fini(s->al, &s->config);
    return st;
}


cql_status cqln_session_make(const cql_options *o, cqln_session_mode mode, void *uv_loop,
                             cql_session **out, cql_error **err)
{
    cql_session *s = cqln_alloc_zero(o->al, sizeof *s);
    if (!s)
        return cqln_fail(err, o->al, CQL_NO_MEMORY, "no memory for a session");
    s->al = o->al;
    s->mode = mode;
    s->connect_mail.fn = on_connect;
    cqln_list_init(&s->timers);
    cqln_list_init(&s->line);
    char why[CQLN_FILTER_REASON] = "";
    cql_status st = CQL_SYSTEM;
    if (pthread_mutex_init(&s->lock, NULL) != 0)
        goto fail;
    if (pthread_cond_init(&s->changed, NULL) != 0)
        goto fail_lock;
    st = make_parts(s, uv_loop, o, why);
    if (st)
        goto fail_cond;
    *out = s;
    return CQL_OK;
fail_cond:
    pthread_cond_destroy(&s->changed);
fail_lock:
    pthread_mutex_destroy(&s->lock);
fail:
    cqln_free(o->al, s);
    return cqln_fail(err, o->al, st, "the session could not be made: %s",
                     why[0] ? why : cql_status_text(st));
}

cql_status cql_session_new(const cql_options *o, cql_session **out, cql_error **err)
{
    if (!o || !out)
        return cqln_fail_null(err, o ? "out" : "o");
    *out = NULL;
    cql_session *s;
    cqln_session_mode mode = o->config.loop_threads ? CQLN_MODE_THREAD : CQLN_MODE_DRIVEN;
    cql_status st = cqln_session_make(o, mode, NULL, &s, err);
    if (st)
        return st;
    if (mode == CQLN_MODE_THREAD && (st = cqln_session_start_thread(s)) != CQL_OK) {
        s->mode = CQLN_MODE_DRIVEN; /* no thread took the loop: it can be turned to its end here */
        cql_session_free(s);
        return cqln_fail(err, o->al, st, "the session's thread could not be started%s",
                         st == CQL_UNSUPPORTED ? ": this build of the library starts none (it was "
                                                 "configured --disable-threads); set loop_threads=0"
                                               : "");
    }
    *out = s;
    return CQL_OK;
}

/* --- connecting ---------------------------------------------------------------------------------- */

static void tell_connected(cql_session *s, const cql_error *err)
{
    cql_session_cb cb = s->connect_cb;
    atomic_store(&s->connecting, false);
    if (cb)
        cb(s, err, s->connect_user);
}

void cqln_session_connected(cql_session *s)
{
    cql_error *err = NULL;
    if (cqln_cluster_state_of(&s->cluster) != CQLN_CLUSTER_CONNECTED)
        cqln_fail(&err, s->al, CQL_CANCELLED, "the session was closed while it connected");
    tell_connected(s, err);
    cql_error_unref(err);
}

static void on_connect_done(cql_session *s, const cql_error *err, void *user)
{
    (void)user;
    if (!err && s->loops)
        cqln_loops_connect(s);
    else
        tell_connected(s, err);
}

static void on_connect(cqln_mail *m)
{
    cql_session *s = CQLN_CONTAINER(m, cql_session, connect_mail);
    if (cqln_cluster_state_of(&s->cluster) == CQLN_CLUSTER_NEW)
        cqln_cluster_connect(&s->cluster, on_connect_done, NULL);
    else /* a close was asked for before */
        cqln_session_connected(s);
    cqln_cluster_leave(&s->cluster);
}

cql_status cql_session_connect(cql_session *s, cql_session_cb cb, void *user)
{
    if (!s)
        return CQL_BAD_ARGUMENT;
    if (cqln_cluster_state_of(&s->cluster) != CQLN_CLUSTER_NEW ||
        atomic_exchange(&s->connecting, true))
        return CQL_BAD_STATE;
    s->connect_cb = cb;
    s->connect_user = user;
    if (cqln_cluster_send(&s->cluster, &s->connect_mail))
        return CQL_OK;
    atomic_store(&s->connecting, false);
    return CQL_BAD_STATE;
}

/* --- closing ------------------------------------------------------------------------------------- */

static void on_closed(void *user)
{
    cql_session *s = user;
    cqln_closer *c = s->closers;
    s->closers = NULL;
    s->turning++; /* a free inside a callback waits until all of them were called */
    while (c) {
        cqln_closer *next = c->next;
        if (c->cb)
            c->cb(s, NULL, c->user);
        if (c != &s->freeing && c != &s->waiting)
            cqln_free(s->al, c);
        c = next;
    }
    s->turning--;
    pthread_mutex_lock(&s->lock);
    s->closed = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->mode == CQLN_MODE_CALLER && s->free_asked)
        cqln_session_destroy(s);
}

static void on_close(cqln_mail *m)
{
    cqln_closer *c = CQLN_CONTAINER(m, cqln_closer, mail);
    cql_session *s = c->session;
    bool first = !s->closers;
    c->next = s->closers;
    s->closers = c;
    if (first) {
        cqln_cluster_close(&s->cluster, on_closed, s);
        if (s->loops)
            cqln_loops_close(s);
        cqln_room_unpark_all(&s->cluster); /* that it closes is to be told now */
        cqln_room_wake(s);
    }
    cqln_cluster_leave(&s->cluster);
}

static bool is_closed(cql_session *s)
{
    pthread_mutex_lock(&s->lock);
    bool closed = s->closed;
    pthread_mutex_unlock(&s->lock);
    return closed;
}

/* False: it is closed already. */
static bool post_close(cql_session *s, cqln_closer *c)
{
    c->mail.fn = on_close;
    c->session = s;
    return cqln_cluster_send(&s->cluster, &c->mail);
}

cql_status cql_session_close(cql_session *s, cql_session_cb cb, void *user)
{
    if (!s)
        return CQL_BAD_ARGUMENT;
    if (is_closed(s))
        return CQL_BAD_STATE;
    cqln_closer *c = cqln_alloc_zero(s->al, sizeof *c);
    if (!c)
        return CQL_NO_MEMORY;
    c->cb = cb;
    c->user = user;
    if (post_close(s, c))
        return CQL_OK;
    cqln_free(s->al, c);
    return CQL_BAD_STATE;
}

cql_status cql_session_may_wait(const cql_session *s)
{
    if (!s)
        return CQL_BAD_ARGUMENT;
    switch (s->mode) {
    case CQLN_MODE_THREAD:
        return s->io->ops->on_loop(s->io) || (s->loops && cqln_loops_here(s)) ? CQL_WRONG_THREAD
                                                                              : CQL_OK;
    case CQLN_MODE_DRIVEN:
        return s->turning ? CQL_WRONG_THREAD : CQL_OK;
    case CQLN_MODE_CALLER:
        return CQL_WRONG_THREAD;
    }
    return CQL_WRONG_THREAD;
}

static void wait_closed(cql_session *s)
{
    if (!cqln_session_threaded(s)) {
        while (!is_closed(s))
            cqln_session_turn(s, -1);
        return;
    }
    pthread_mutex_lock(&s->lock);
    while (!s->closed)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

void cqln_session_end_freed(cql_session *s)
{
    if (s->mode != CQLN_MODE_DRIVEN || !s->free_asked || s->turning)
        return;
    wait_closed(s);
    cqln_session_destroy(s);
}

cql_status cql_session_close_wait(cql_session *s)
{
    cql_status st = cql_session_may_wait(s);
    if (st)
        return st;
    if (is_closed(s))
        return CQL_OK;
    if (!atomic_exchange(&s->waited, true))
        post_close(s, &s->waiting);
    wait_closed(s);
    cqln_session_end_freed(s);
    return CQL_OK;
}

/* --- freeing ------------------------------------------------------------------------------------- */

void cqln_session_destroy(cql_session *s)
{
    const cql_allocator *al = s->al;
    cqln_loops_free(s);
    cqln_session_drop_timers(s);
    cqln_cluster_fini(&s->cluster);
    cqln_io_uv_free(s->io);
    cqln_secure_free(s->secure);
    cqln_bundle_free(s->bundle);
    cqln_config_fini(al, &s->config);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    cqln_free(al, s);
}

void cql_session_free(cql_session *s)
{
    if (!s)
        return;
    bool inside = s->mode == CQLN_MODE_CALLER ? !is_closed(s) : cql_session_may_wait(s) != CQL_OK;
    if (inside) {
        s->free_asked = true;
        if (s->mode == CQLN_MODE_CALLER)
            s->config.close_timeout = 0;
        if (!is_closed(s))
            post_close(s, &s->freeing);
        return;
    }
    if (!is_closed(s)) {
        post_close(s, &s->freeing);
        wait_closed(s);
    }
    if (cqln_session_threaded(s))
        pthread_join(s->thread, NULL);
    cqln_session_destroy(s);
}

/* --- driven mode ---------------------------------------------------------------------------------- */

/* What happened while nobody looked is seen before anything is sent: what was queued on a connection that was ended
 * meanwhile has not left then, and takes another. */
static void catch_up(cql_session *s)
{
    cqln_list *dirty = &s->cluster.loop.dirty, queued;
    cqln_list_init(&queued);
    cqln_list_move(&queued, dirty);
    cqln_io_uv_turn(s->io, 0);
    cqln_list_move(dirty, &queued);
}

void cqln_session_turn(cql_session *s, int timeout_ms)
{
    cqln_loop *loop = &s->cluster.loop;
    s->turning++;
    if (!cqln_list_empty(&loop->dirty) && cqln_loop_now(loop) - s->turned_ms >= SLEPT_MS) {
        catch_up(s);
        timeout_ms = 0; /* what is waited for may have come */
    }
    cqln_io_uv_turn(s->io, timeout_ms);
    s->turned_ms = cqln_loop_now(loop);
    s->turning--;
}

cql_status cql_session_drive(cql_session *s, int timeout_ms)
{
    if (!s)
        return CQL_BAD_ARGUMENT;
    if (s->mode != CQLN_MODE_DRIVEN || s->turning)
        return CQL_BAD_STATE;
    if (is_closed(s))
        return CQL_BAD_STATE;
    cqln_session_turn(s, cqln_loop_busy(&s->cluster.loop) ? 0 : timeout_ms);
    cqln_session_end_freed(s);
    return CQL_OK;
}

int cql_session_fd(const cql_session *s)
{
    return s && s->mode == CQLN_MODE_DRIVEN ? cqln_io_uv_fd(s->io) : -1;
}

int cql_session_deadline(const cql_session *s)
{
    if (!s || s->mode != CQLN_MODE_DRIVEN)
        return -1;
    return cqln_loop_busy(&s->cluster.loop) ? 0 : cqln_io_uv_timeout(s->io);
}

/* --- looking at it -------------------------------------------------------------------------------- */

int cql_session_protocol_version(const cql_session *s)
{
    cql_session *mutable_s = (cql_session *)(uintptr_t)s;
    cqln_cluster_state state = cqln_cluster_state_of(&mutable_s->cluster);
    return state == CQLN_CLUSTER_CONNECTED || state == CQLN_CLUSTER_CLOSING
               ? atomic_load(&mutable_s->cluster.version)
               : 0;
}

cql_hosts *cql_session_hosts(cql_session *s)
{
    if (!s)
        return NULL;
    return s->loops ? cqln_team_view(&s->loops->team) : cqln_cluster_view(&s->cluster);
}

cql_str cql_session_cluster_name(cql_session *s)
{
    pthread_mutex_lock(&s->cluster.view_lock);
    cql_str name = cql_str_of(s->cluster.cluster_name);
    pthread_mutex_unlock(&s->cluster.view_lock);
    return name;
}

const cql_allocator *cql_session_allocator(const cql_session *s)
{
    return s->al;
}
