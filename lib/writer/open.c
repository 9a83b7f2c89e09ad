/* open.c: making a writer on a session. */
#include "writer/core.h"

#include <string.h>

/* --- options --------------------------------------------------------------------------------------- */

static uint32_t or_default(uint32_t v, uint32_t standard)
{
    return v ? v : standard;
}

static void fill_in(cql_writer_options *o)
{
    o->group_rows = o->grouping == CQL_WRITER_BY_ROW ? 1 : or_default(o->group_rows, 100);
    o->group_bytes = or_default(o->group_bytes, 64 << 10);
    o->flush_ms = or_default(o->flush_ms, 5000);
    o->max_in_flight = or_default(o->max_in_flight, 128);
    if (!o->max_rows)
        o->max_rows = o->group_rows > 100 ? 10 * o->group_rows : 1000;
    if (!o->max_bytes)
        o->max_bytes = (size_t)16 << 20;
    o->retry_ms = or_default(o->retry_ms, 100);
    o->retry_max_ms = or_default(o->retry_max_ms, 5000);
    o->close_ms = or_default(o->close_ms, 30000);
}

/* The member that cannot be, NULL if all is well. */
static const char *wrong_member(const cql_writer_options *o)
{
    if ((unsigned)o->grouping > CQL_WRITER_BY_ROW)
        return "grouping";
    if (o->group_rows > 65535)
        return "group_rows (1 to 65535)";
    if (o->max_in_flight > 65535)
        return "max_in_flight (1 to 65535)";
    if (o->consistency < 0 || o->consistency > CQL_CONSISTENCY_LOCAL_ONE ||
        o->consistency == CQL_CONSISTENCY_SERIAL || o->consistency == CQL_CONSISTENCY_LOCAL_SERIAL)
        return "consistency (one for writes)";
    return NULL;
}

static cql_status fail(const cqlwr_port *port, cql_status st, const char *what, cql_error **err)
{
    char text[120] = "the writer could not be made: ";
    memcpy(text + strlen(text), what, strlen(what) + 1);
    return cqlseat_fail(port->seat.al, st, text, err);
}

/* --- life ------------------------------------------------------------------------------------------ */

cql_status cqlwr_new(const cqlwr_port *port, const cql_writer_options *options, cql_writer **out,
                     cql_error **err)
{
    static const cql_writer_options standard = {.size = sizeof standard};
    const cql_writer_options *o = options ? options : &standard;
    *out = NULL;
    if (o->size < offsetof(cql_writer_options, user) + sizeof o->user)
        return fail(port, CQL_BAD_ARGUMENT, "bad option size", err);
    const char *wrong = wrong_member(o);
    if (wrong)
        return fail(port, CQL_BAD_ARGUMENT, wrong, err);
    cql_writer *w = cqlseat_zalloc(port->seat.al, sizeof *w);
    if (!w || !cqlseat_init(&w->seat, &port->seat, cqlwr_do_due)) {
        cqlseat_free(port->seat.al, w);
        return fail(port, CQL_NO_MEMORY, "out of memory", err);
    }
    w->send = port->send;
    w->prepare = port->prepare;
    w->o = *o;
    fill_in(&w->o);
    *out = w;
    return CQL_OK;
}

void cqlwr_destroy(cql_writer *w)
{
    cqlwr_group *g;
    while ((g = cqlwr_pop(&w->spare)) != NULL)
        cqlwr_group_free(g);
    cqlwr_forget_changes(w);
    cqlseat_fini(&w->seat);
    cqlseat_free(w->seat.port.al, w);
}

/* --- on a session ---------------------------------------------------------------------------------- */

typedef struct session_port {
    cqlseat_session at;
    cql_writer *w;
} session_port;

static cql_status session_send(void *self, const cql_batch *batch, cql_result_cb cb, void *user)
{
    session_port *p = self;
    return cql_session_execute_batch(p->at.s, batch, cb, user);
}

/* v4 has no keyspace in a PREPARE: there it is that of the connections, and if it is another one now, so is the
 * statement, which cql_batch_renew sees. */
static cql_status session_prepare(void *self, const cql_prepared *old, cql_prepared_cb cb, void *user)
{
    session_port *p = self;
    cql_str in = cql_prepared_keyspace(old);
    bool said = in.len && cql_session_protocol_version(p->at.s) >= 5;
    return cql_session_prepare_in(p->at.s, said ? in.ptr : NULL, cql_prepared_cql(old).ptr, cb, user);
}

static void on_gone(cql_session *s, void *user)
{
    session_port *p = user;
    (void)s;
    if (p->w)
        cqlwr_destroy(p->w);
    cqlseat_free(p->at.al, p);
}

cql_status cql_writer_new(cql_session *s, const cql_writer_options *options, cql_writer **out,
                          cql_error **err)
{
    if (!s || !out)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: session or out is NULL", err);
    *out = NULL;
    cqlwr_port port = {.send = session_send, .prepare = session_prepare};
    cql_status st = cqlseat_session_new(s, sizeof(session_port), on_gone, &port.seat);
    if (st)
        return fail(&port, st, st == CQL_NO_MEMORY ? "out of memory" : cql_status_text(st), err);
    session_port *p = port.seat.self;
    st = cqlwr_new(&port, options, &p->w, err);
    if (st) {
        cqlseat_session_end(p);
        return st;
    }
    p->at.seat = &p->w->seat;
    *out = p->w;
    return CQL_OK;
}
