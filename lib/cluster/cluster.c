/* The life of a cluster: connect, connected, close; and what its parts share. */
#include "cluster/cluster.h"

#include "base/error.h"
#include "cluster/astra.h"
#include "cluster/expiry.h"
#include "cluster/lessons.h"
#include "cluster/race.h"
#include "cluster/slots.h"
#include "cluster/team.h"
#include "cluster/tell.h"

#include <cqlnative/version.h>

#include <stdio.h>
#include <string.h>

enum { GRACE_MS = 300 }; /* after the first node is ready the others get so long to join it */

static void on_ended(void *user);
static void on_pumping(cqln_deferred *d);
static void on_draining(cqln_deferred *d);
static void on_drain_mail(cqln_mail *m);
static void on_close_step(cqln_deferred *d);
static void on_close_deadline(cqln_deadline *d);
static void on_grace(cqln_deadline *d);
static void on_connecting(cqln_deferred *d);

/* --- making -------------------------------------------------------------------------------------- */

cql_status cqln_cluster_init(cqln_cluster *c, cqln_io *io, const cql_allocator *al,
                             const cqln_config *config, void *session)
{
    memset(c, 0, sizeof *c);
    c->al = al;
    c->config = config;
    c->session = session;
    c->max_output = config->max_pending_bytes;
    c->max_bytes = config->max_pending_bytes;
    c->watched = cqln_config_watches(config);
    cqln_loop_init(&c->loop, io, al, &config->log, on_ended, c);
    cqln_rand_seed(&c->rand, io->ops->random(io));
    cqln_list_init(&c->waiting);
    cqln_list_init(&c->parked);
    cqln_deferred_init(&c->pumping, on_pumping);
    cqln_deferred_init(&c->draining, on_draining);
    c->drain_mail.fn = on_drain_mail;
    cqln_deferred_init(&c->close_step, on_close_step);
    cqln_deferred_init(&c->connecting, on_connecting);
    cqln_tell_init(c);
    cqln_deadline_init(&c->close_deadline, on_close_deadline);
    cqln_deadline_init(&c->connect_grace, on_grace);
    cqln_slots_init(c);
    cqln_expiry_init(c);
    cqln_budget_init(&c->budget, config->retry_budget, io->ops->now(io));
    c->retry_policy = config->retry_table.decide ? &config->retry_table
                      : config->retry == CQLN_RETRY_OPTION_NONE ? cql_retry_fall_through()
                                                                : cql_retry_default();
    if (pthread_mutex_init(&c->view_lock, NULL) != 0)
        return CQL_SYSTEM;
    c->meter = cqln_meter_new(al);
    cql_status st = !c->meter ? CQL_NO_MEMORY : cqln_pool_init(&c->requests, al, sizeof(cqln_request),
                                   config->max_pending_requests);
    if (st)
        goto fail_lock;
    st = cqln_router_init(c);
    if (st)
        goto fail_pool;
    c->keyspace = cqln_strdup(al, cql_str_of(config->keyspace));
    if (config->local_dc)
        c->local_dc = cqln_strdup(al, cql_str_of(config->local_dc));
    st = !c->keyspace || (config->local_dc && !c->local_dc) ? CQL_NO_MEMORY
                                                            : cqln_control_new(c, &c->control);
    if (st)
        goto fail_pool;
    cqln_cluster_publish(c);
    return CQL_OK;
fail_pool:
    cqln_router_fini(c);
    cqln_free(al, c->keyspace);
    cqln_free(al, c->local_dc);
    cqln_pool_fini(&c->requests);
fail_lock:
    cqln_meter_unref(c->meter);
    pthread_mutex_destroy(&c->view_lock);
    return st;
}

void cqln_cluster_settle(cqln_cluster *c)
{
    cqln_cluster_state state = cqln_cluster_state_of(c);
    bool plain = c->alone && !c->watched && state == CQLN_CLUSTER_CONNECTED;
    c->usual_age = plain ? c->router.age : 0;
    c->heed = atomic_load(&c->full) || state == CQLN_CLUSTER_CLOSING;
}

void cqln_cluster_alone(cqln_cluster *c)
{
    c->alone = true;
}

void cqln_cluster_fini(cqln_cluster *c)
{
    cqln_request *req;
    for (uint32_t i = 0; (req = cqln_pool_at(&c->requests, i)) != NULL; i++)
        if (req->cluster)
            cqln_writer_fini(&req->env);
    cqln_pool_fini(&c->requests);
    cqln_holds_fini(&c->holds);
    cqln_lessons_free(c);
    cqln_races_free(c);
    cqln_control_free(c->control);
    cqln_astra_free(c->astra);
    cqln_nodes_free(c);
    cqln_tell_fini(c);
    cqln_router_fini(c);
    cql_hosts_free(c->view);
    cqln_meter_unref(c->meter);
    cql_error_unref(c->connect_error);
    cqln_free(c->al, c->keyspace);
    cqln_free(c->al, c->local_dc);
    cqln_free(c->al, c->cluster_name);
    pthread_mutex_destroy(&c->view_lock);
}

/* --- what its connections are made with ----------------------------------------------------------- */

static bool auth_allowed(const cqln_config *config, const cqln_address *to)
{
    if (config->tls != CQLN_TLS_OFF)
        return true;
    switch ((cqln_plain_auth)config->plain_auth) {
    case CQLN_PLAIN_AUTH_NEVER:
        return false;
    case CQLN_PLAIN_AUTH_LOOPBACK:
        return cqln_address_loopback(to);
    case CQLN_PLAIN_AUTH_ALWAYS:
        return true;
    }
    return false;
}

static uint8_t version_to_ask(cqln_cluster *c)
{
    int known = atomic_load(&c->version);
    if (known)
        return (uint8_t)known;
    return c->config->protocol ? (uint8_t)c->config->protocol : 5;
}

void cqln_cluster_conn_config(cqln_cluster *c, const cqln_address *to, cqln_conn_config *out)
{
    const cqln_config *config = c->config;
    memset(out, 0, sizeof *out);
    out->al = c->al;
    out->log = c->loop.log;
    out->version = version_to_ask(c);
    out->lz4 = config->compression == 1;
    out->user = config->username;
    out->password = config->password;
    out->encrypted = config->tls != CQLN_TLS_OFF;
    out->auth_classes = config->auth_classes;
    out->authenticator = config->authenticator.size ? &config->authenticator : NULL;
    out->auth_allowed = auth_allowed(config, to);
    out->driver_name = config->application ? config->application : "libcqlnative";
    out->driver_version = CQL_VERSION_STRING;
    out->max_streams = config->max_requests_per_connection;
    out->read_buffer = config->read_buffer;
    out->max_body = config->max_response_bytes;
    out->max_output = c->max_output;
    out->heartbeat_ms = config->heartbeat;
    out->heartbeat_timeout_ms = config->heartbeat_timeout;
}

/* What is encoded for one connection may go to any other, so all have one version, which stays when the
 * session is connected. */
static bool may_step_down(cqln_cluster *c)
{
    return c->config->protocol == 0 && version_to_ask(c) > 4 &&
           cqln_cluster_state_of(c) == CQLN_CLUSTER_CONNECTING;
}

static void lower_version(cqln_cluster *c)
{
    atomic_store(&c->version, 4);
    cqln_deadline_clear(&c->loop, &c->connect_grace);
    cqln_slots_lower(c);
}

bool cqln_cluster_step_down(cqln_cluster *c, const cqln_link *link)
{
    if (cqln_conn_version(link->conn) > version_to_ask(c))
        return true; /* another link found out while this one was made */
    if (cqln_conn_fault_of(link->conn)->status != CQL_BAD_VERSION || !may_step_down(c))
        return false;
    CQLN_LOG(c->loop.log, CQL_LOG_INFO, "protocol v5 is refused, stepping down to v4");
    lower_version(c);
    return true;
}

/* v5 came with 4.0. */
static bool before_v5(const char *release)
{
    return release[0] >= '1' && release[0] <= '3' && release[1] == '.';
}

void cqln_cluster_heed_releases(cqln_cluster *c)
{
    for (const cqln_node *n = c->nodes; n && may_step_down(c); n = n->next) {
        if (n->removed || !before_v5(n->release))
            continue;
        CQLN_LOG(c->loop.log, CQL_LOG_INFO, "node %s is of release %s: protocol v4 is spoken with all",
                 n->address_text, n->release);
        lower_version(c);
    }
}

/* --- keyspace ------------------------------------------------------------------------------------ */

void cqln_cluster_use(cqln_cluster *c, cql_str keyspace, cqln_link *by)
{
    if (cql_str_equal(keyspace, cql_str_of(c->keyspace)))
        return;
    char *copy = cqln_strdup(c->al, keyspace);
    if (!copy) {
        cqln_link_close(by, "out of memory while its keyspace changed");
        return;
    }
    cqln_cluster_use_copy(c, copy, by);
}

void cqln_cluster_use_copy(cqln_cluster *c, char *keyspace, cqln_link *by)
{
    if (strcmp(keyspace, c->keyspace) == 0) {
        cqln_free(c->al, keyspace);
        return;
    }
    cqln_free(c->al, c->keyspace);
    c->keyspace = keyspace;
    c->keyspace_gen++;
    if (by)
        cqln_nodes_switched(c, by);
    cqln_nodes_switch(c);
}

/* --- connecting ---------------------------------------------------------------------------------- */

static void on_connecting(cqln_deferred *d)
{
    cqln_cluster *c = CQLN_CONTAINER(d, cqln_cluster, connecting);
    if (c->connect_error) {
        cql_error *err = c->connect_error;
        cql_session_cb cb = c->connect_cb;
        c->connect_error = NULL;
        c->connect_cb = NULL;
        if (cb)
            cb(c->session, err, c->connect_user);
        cql_error_unref(err);
        cqln_cluster_check(c);
        return;
    }
    c->start_wanted = true;
    cqln_cluster_check(c);
}

/* What an earlier attempt left is forgotten first: nodes, their failures, the inferred data centre. */
static void start_connecting(cqln_cluster *c)
{
    c->start_wanted = false;
    cqln_nodes_free(c);
    if (!c->config->local_dc) {
        cqln_free(c->al, c->local_dc);
        c->local_dc = NULL;
    }
    cqln_control_start(c->control);
}

void cqln_cluster_connect(cqln_cluster *c, cql_session_cb cb, void *user)
{
    c->connect_cb = cb;
    c->connect_user = user;
    atomic_store(&c->state, CQLN_CLUSTER_CONNECTING);
    cqln_loop_defer(&c->loop, &c->connecting);
}

/* The session may try again later: everything that was begun is taken down. */
void cqln_cluster_connect_done(cqln_cluster *c, cql_error *err)
{
    if (cqln_cluster_state_of(c) != CQLN_CLUSTER_CONNECTING) {
        cql_error_unref(err);
        return;
    }
    cqln_deadline_clear(&c->loop, &c->connect_grace);
    if (err) {
        atomic_store(&c->state, CQLN_CLUSTER_NEW);
        atomic_store(&c->version, 0);
        cqln_control_close(c->control, "connecting failed");
        cqln_nodes_close(c, "connecting failed");
        c->connect_error = err;
        cqln_loop_defer(&c->loop, &c->connecting);
        return;
    }
    cql_session_cb cb = c->connect_cb;
    c->connect_cb = NULL;
    atomic_store(&c->state, CQLN_CLUSTER_CONNECTED);
    cqln_cluster_settle(c);
    if (cb)
        cb(c->session, NULL, c->connect_user);
}

static void on_grace(cqln_deadline *d)
{
    cqln_cluster_connect_done(CQLN_CONTAINER(d, cqln_cluster, connect_grace), NULL);
}

static void check_connecting(cqln_cluster *c)
{
    if (c->start_wanted && c->links == 0)
        start_connecting(c);
    if (c->start_wanted || (!c->nodes && !cqln_team_follows(c)))
        return;
    bool all_tried = cqln_nodes_all_tried(c);
    if (c->ready_count && !atomic_load(&c->version))
        atomic_store(&c->version, version_to_ask(c));
    if (c->ready_count && all_tried)
        cqln_cluster_connect_done(c, NULL);
    else if (c->ready_count && c->connect_grace.item.deadline == 0)
        cqln_deadline_set(&c->loop, &c->connect_grace, cqln_loop_now(&c->loop) + GRACE_MS);
    else if (!c->ready_count && all_tried && cqln_team_follows(c))
        cqln_cluster_connect_done(c, NULL); /* others have connections; it goes on trying */
    else if (!c->ready_count && all_tried)
        cqln_cluster_connect_done(c, cqln_report_no_host(c, NULL));
}

/* --- closing ------------------------------------------------------------------------------------- */

void cqln_cluster_close(cqln_cluster *c, void (*cb)(void *user), void *user)
{
    c->closed_cb = cb;
    c->closed_user = user;
    if (cqln_cluster_state_of(c) == CQLN_CLUSTER_CONNECTING) {
        cqln_error_info info = {.status = CQL_CANCELLED};
        cqln_cluster_connect_done(c, cqln_error_make(c->al, &info, NULL, 0,
                                                     "the session was closed while it connected"));
    }
    atomic_store(&c->state, CQLN_CLUSTER_CLOSING);
    cqln_cluster_settle(c);
    cqln_deadline_set(&c->loop, &c->close_deadline,
                      cqln_loop_now(&c->loop) + c->config->close_timeout);
    cqln_loop_defer(&c->loop, &c->close_step);
}

static void on_close_deadline(cqln_deadline *d)
{
    cqln_cluster *c = CQLN_CONTAINER(d, cqln_cluster, close_deadline);
    cqln_requests_fail_waiting(c, NULL, CQL_CANCELLED, "the session was closed");
    cqln_control_close(c->control, "the session was closed");
    cqln_nodes_close(c, "the session was closed");
}

/* Requests first, then connections, then the loop. Called again whenever one of them ended. */
static void on_close_step(cqln_deferred *d)
{
    cqln_cluster *c = CQLN_CONTAINER(d, cqln_cluster, close_step);
    if (cqln_cluster_state_of(c) != CQLN_CLUSTER_CLOSING || atomic_load(&c->pending) > 0)
        return;
    cqln_control_close(c->control, "the session was closed");
    cqln_nodes_close(c, "the session was closed");
    if (c->links > 0 || atomic_load(&c->waits) > 0 || c->connect_error)
        return;
    /* Mail that was counted before this is waited for; later one is refused (cqln_cluster_send). */
    atomic_store(&c->state, CQLN_CLUSTER_CLOSED);
    if (atomic_load(&c->waits) > 0) {
        atomic_store(&c->state, CQLN_CLUSTER_CLOSING);
        cqln_loop_defer(&c->loop, &c->close_step);
        return;
    }
    cqln_deadline_clear(&c->loop, &c->close_deadline);
    cqln_deadline_clear(&c->loop, &c->idle_check);
    cqln_expiry_stop(c);
    c->loop.io->ops->end(c->loop.io);
}

static void on_ended(void *user)
{
    cqln_cluster *c = user;
    if (c->closed_cb)
        c->closed_cb(c->closed_user);
}

static void check_closing(cqln_cluster *c)
{
    if (cqln_cluster_state_of(c) == CQLN_CLUSTER_CLOSING)
        cqln_loop_defer(&c->loop, &c->close_step);
}

void cqln_cluster_check(cqln_cluster *c)
{
    if (cqln_cluster_state_of(c) == CQLN_CLUSTER_CONNECTING)
        check_connecting(c);
    else
        check_closing(c);
}

bool cqln_cluster_send(cqln_cluster *c, cqln_mail *m)
{
    atomic_fetch_add(&c->waits, 1);
    if (atomic_load(&c->state) == CQLN_CLUSTER_CLOSED) {
        atomic_fetch_sub(&c->waits, 1);
        return false;
    }
    cqln_loop_post(&c->loop, m);
    return true;
}

void cqln_cluster_leave(cqln_cluster *c)
{
    atomic_fetch_sub(&c->waits, 1);
    check_closing(c);
}

static void on_pumping(cqln_deferred *d)
{
    cqln_requests_pump(CQLN_CONTAINER(d, cqln_cluster, pumping));
}

/* --- room in the queue ---------------------------------------------------------------------------- */

static void drained(cqln_cluster *c)
{
    bool full = atomic_exchange(&c->full, false);
    cqln_cluster_settle(c);
    if (full && c->drain_cb)
        c->drain_cb(c->session, c->drain_user);
}

static void on_draining(cqln_deferred *d)
{
    drained(CQLN_CONTAINER(d, cqln_cluster, draining));
}

static void on_drain_mail(cqln_mail *m)
{
    cqln_cluster *c = CQLN_CONTAINER(m, cqln_cluster, drain_mail);
    atomic_store(&c->drain_mailed, false);
    if (cqln_cluster_has_room(c))
        drained(c);
    check_closing(c);
}

void cqln_cluster_nudge(cqln_cluster *c)
{
    if (!atomic_exchange(&c->drain_mailed, true))
        cqln_loop_post(&c->loop, &c->drain_mail);
}

bool cqln_cluster_has_room(cqln_cluster *c)
{
    uint32_t max = c->config->max_pending_requests;
    bool kept = atomic_load(&c->kept) == CQLN_KEPT;
    return atomic_load(&c->pending) <= (kept || atomic_load(&c->in_line) ? max - 1 + kept : max / 4 * 3) &&
           atomic_load(&c->pending_bytes) < c->config->max_pending_bytes;
}

/* The last request may have ended between the caller's look at the queue and this mark: then nobody
 * else would call the drain callback. */
void cqln_cluster_mark_full(cqln_cluster *c)
{
    atomic_store(&c->full, true);
    if (c->alone)
        c->heed = true;
    if (cqln_cluster_has_room(c))
        cqln_cluster_nudge(c);
}
