/* session.c: an outbox on a session. Statements are prepared, so that values are checked and each goes to
 * a node that holds its row; the last few are kept. */
#include "outbox/core.h"

#include <string.h>

enum { KEPT = 8 };

typedef struct kept {
    cql_prepared *prepared;
    char *keyspace;
    uint64_t used;
} kept;

typedef struct session_port {
    cqlseat_session at;
    cql_outbox *o;
    kept kept[KEPT]; /* with the outbox's lock */
    uint64_t uses;
    bool connect;
    bool connecting;
} session_port;

/* --- prepared statements ---------------------------------------------------------------------------- */

static void forget(session_port *p, kept *k)
{
    cql_prepared_unref(k->prepared);
    cqlseat_free(p->at.al, k->keyspace);
    memset(k, 0, sizeof *k);
}

static kept *find(session_port *p, const cqlox_statement *st)
{
    cql_str cql = {st->cql, st->cql_len};
    for (size_t i = 0; i < KEPT; i++) {
        kept *k = &p->kept[i];
        if (k->prepared && cql_str_equal(cql_prepared_cql(k->prepared), cql) &&
            strcmp(k->keyspace, st->keyspace) == 0)
            return k;
    }
    return NULL;
}

/* Where the one that was not used for longest was. Without memory it is prepared again next time. */
static void keep(session_port *p, const cqlox_statement *st, const cql_prepared *prepared)
{
    kept *place = &p->kept[0];
    for (size_t i = 1; i < KEPT; i++)
        if (p->kept[i].used < place->used)
            place = &p->kept[i];
    forget(p, place);
    size_t len = strlen(st->keyspace) + 1;
    char *keyspace = cqlseat_zalloc(p->at.al, len);
    if (!keyspace)
        return;
    memcpy(keyspace, st->keyspace, len);
    *place = (kept){cql_prepared_ref(prepared), keyspace, ++p->uses};
}

/* --- sending --------------------------------------------------------------------------------------- */

static cql_status prepare_anew(cqlox_place *place);

/* Its table may be another one than when it was prepared: only what was prepared for this very statement can
 * be refused for good. */
static bool may_be_stale(cql_status st)
{
    return st == CQL_SERVER_INVALID || st == CQL_PREPARED_CHANGED;
}

static void on_applied(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    cqlox_place *place = user;
    cql_error *own = NULL;
    (void)s;
    (void)res;
    if (err && !place->fresh && may_be_stale(cql_error_status(err))) {
        cql_status st = prepare_anew(place);
        if (st == CQL_OK)
            return;
        own = cql_error_make(((session_port *)place->o->seat.port.self)->at.al, st, NULL, cql_status_text(st));
        err = own; /* a full queue refuses nothing for good */
    }
    cqlox_on_answer(place, err);
    cql_error_unref(own);
}

static cql_status bind_values(cql_statement *bound, const cqlox_statement *st, cql_error **err)
{
    cqlox_values it;
    cql_value v;
    cqlox_values_init(&it, st);
    for (size_t i = 0; cqlox_values_next(&it, &v); i++) {
        cql_status status = cql_statement_bind_value(bound, i, v);
        const cql_error *why = cql_statement_error(bound);
        if (status && why)
            *err = cql_error_ref(why);
        if (status)
            return status;
    }
    return CQL_OK;
}

static cql_status execute(session_port *p, cqlox_place *place, const cql_prepared *prepared,
                          cql_error **err)
{
    const cqlox_statement *st = &place->st;
    cql_statement *bound = cql_prepared_bind(prepared);
    if (!bound)
        return CQL_NO_MEMORY;
    cql_status status = bind_values(bound, st, err);
    if (status == CQL_OK) {
        cql_statement_set_timestamp(bound, st->timestamp_us);
        cql_statement_set_idempotent(bound, true);
        cql_statement_set_timeout(bound, place->o->o.timeout_ms);
        if (st->consistency)
            cql_statement_set_consistency(bound, (cql_consistency)st->consistency);
        status = cql_session_execute(p->at.s, bound, on_applied, place);
    }
    cql_statement_free(bound);
    return status;
}

static void on_prepared(cql_session *s, const cql_error *err, const cql_prepared *prepared, void *user)
{
    cqlox_place *place = user;
    cql_outbox *o = place->o;
    session_port *p = o->seat.port.self;
    cql_error *own = NULL;
    (void)s;
    if (!err) {
        (void)pthread_mutex_lock(&o->seat.lock);
        keep(p, &place->st, prepared);
        cql_status st = o->freed ? CQL_CANCELLED : execute(p, place, prepared, &own);
        (void)pthread_mutex_unlock(&o->seat.lock);
        if (st == CQL_OK)
            return;
        if (!own)
            own = cql_error_make(p->at.al, st, NULL, cql_status_text(st));
        err = own;
    }
    cqlox_on_answer(place, err);
    cql_error_unref(own);
}

static cql_status prepare(session_port *p, cqlox_place *place)
{
    const cqlox_statement *st = &place->st;
    place->fresh = true;
    return cql_session_prepare_in(p->at.s, *st->keyspace ? st->keyspace : NULL, st->cql, on_prepared, place);
}

static cql_status prepare_anew(cqlox_place *place)
{
    cql_outbox *o = place->o;
    session_port *p = o->seat.port.self;
    (void)pthread_mutex_lock(&o->seat.lock);
    kept *k = find(p, &place->st);
    if (k)
        forget(p, k);
    cql_status st = o->freed ? CQL_CANCELLED : prepare(p, place);
    (void)pthread_mutex_unlock(&o->seat.lock);
    return st;
}

/* --- connecting ------------------------------------------------------------------------------------ */

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    session_port *p = user;
    cql_outbox *o = p->o;
    (void)s;
    (void)pthread_mutex_lock(&o->seat.lock);
    p->connecting = false;
    if (err)
        cqlox_hold_back(o, CQL_OK, err, NULL);
    else
        cqlox_hold_over(o);
    cqlox_pump(o);
    cqlox_arm(o);
    cqlseat_drop_and_unlock(&o->seat);
}

/* With the lock. What the program connects itself is waited for. */
static void connect_if_asked(session_port *p)
{
    if (!p->connect || p->connecting || cql_session_connect(p->at.s, on_connected, p) != CQL_OK)
        return;
    p->connecting = true;
    p->o->seat.holds++;
}

static cql_status session_send(void *self, cqlox_place *place)
{
    session_port *p = self;
    cql_status status = CQL_OK;
    kept *k = find(p, &place->st);
    place->fresh = false;
    if (k) {
        k->used = ++p->uses;
        status = execute(p, place, k->prepared, &place->why);
    }
    if (place->why || status == CQL_PREPARED_CHANGED) { /* it may be stale */
        cql_error_unref(place->why);
        place->why = NULL;
        forget(p, k);
        k = NULL;
    }
    if (!k)
        status = prepare(p, place);
    if (status == CQL_BAD_STATE)
        connect_if_asked(p);
    return status;
}

/* --- time and end ---------------------------------------------------------------------------------- */

static int session_version(void *self)
{
    session_port *p = self;
    return cql_session_protocol_version(p->at.s);
}

static void on_gone(cql_session *s, void *user)
{
    session_port *p = user;
    (void)s;
    for (size_t i = 0; i < KEPT; i++)
        forget(p, &p->kept[i]);
    if (p->o)
        cqlox_destroy(p->o);
    cqlseat_free(p->at.al, p);
}

cql_status cql_outbox_open(cql_session *s, const cql_outbox_options *options, cql_outbox **out,
                           cql_error **err)
{
    if (!s || !out)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: session or out is NULL", err);
    *out = NULL;
    cqlox_port port = {.files = &cqlox_files_posix, .send = session_send, .version = session_version};
    cql_status st = cqlseat_session_new(s, sizeof(session_port), on_gone, &port.seat);
    if (st)
        return cqlox_fail(&port, st, st == CQL_NO_MEMORY ? "out of memory" : cql_status_text(st), err);
    session_port *p = port.seat.self;
    st = cqlox_new(&port, options, &p->o, err);
    if (st) {
        cqlseat_session_end(p);
        return st;
    }
    p->at.seat = &p->o->seat;
    p->connect = p->o->o.connect;
    *out = p->o;
    (void)pthread_mutex_lock(&p->o->seat.lock);
    cqlox_arm(p->o);
    (void)pthread_mutex_unlock(&p->o->seat.lock);
    return CQL_OK;
}
