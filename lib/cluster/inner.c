/* Requests of the library's own. */
#include "cluster/inner.h"

struct cqln_inner {
    cqln_owner owner;
    cqln_deadline deadline;
    cqln_loop *loop;
    cqln_link *link;
    int16_t stream;
    cqln_inner_cb cb;
    void *user;
};

static void finish(cqln_inner *in, cql_status st, cqln_link *link, const cqln_conn_event *ev)
{
    cqln_inner_cb cb = in->cb;
    void *user = in->user;
    cqln_deadline_clear(in->loop, &in->deadline);
    cqln_free(in->loop->al, in);
    cb(user, st, link, ev);
}

static void answered(cqln_owner *o, cqln_link *link, const cqln_conn_event *ev)
{
    bool unread = ev->opcode == CQLN_CONN_UNREAD;
    finish((cqln_inner *)o, unread ? ev->status : CQL_OK, link, unread ? NULL : ev);
}

static void lost(cqln_owner *o, cqln_link *link)
{
    finish((cqln_inner *)o, CQL_CLOSED, link, NULL);
}

static void timed_out(cqln_deadline *d)
{
    cqln_inner *in = CQLN_CONTAINER(d, cqln_inner, deadline);
    cqln_link_orphan(in->link, in->stream);
    finish(in, CQL_TIMEOUT, in->link, NULL);
}

cql_status cqln_inner_send(cqln_loop *loop, cqln_link *link, cqln_writer *env, uint32_t timeout_ms,
                           cqln_inner_cb cb, void *user, cqln_inner **out)
{
    uint64_t mark;
    cql_status st = env->status;
    cqln_inner *in = st ? NULL : cqln_alloc_zero(loop->al, sizeof *in);
    if (st == CQL_OK && !in)
        st = CQL_NO_MEMORY;
    if (st == CQL_OK) {
        in->owner.answered = answered;
        in->owner.lost = lost;
        in->loop = loop;
        in->link = link;
        in->cb = cb;
        in->user = user;
        cqln_deadline_init(&in->deadline, timed_out);
        st = cqln_link_submit(link, env->data, env->len, in, &in->stream, &mark);
    }
    cqln_writer_fini(env);
    if (st) {
        cqln_free(loop->al, in);
        return st;
    }
    cqln_deadline_set(loop, &in->deadline, cqln_loop_now(loop) + timeout_ms);
    *out = in;
    return CQL_OK;
}

cql_status cqln_inner_query(cqln_loop *loop, cqln_link *link, const char *cql, uint32_t timeout_ms,
                            cqln_inner_cb cb, void *user, cqln_inner **out)
{
    cqln_query_options o = {.consistency = CQL_CONSISTENCY_ONE};
    cqln_values_bytes none = {0, {NULL, 0}};
    cqln_writer env;
    cqln_writer_init(&env, loop->al, 64 * 1024);
    cqln_encode_query(&env, cqln_conn_version(link->conn), cql_str_of(cql), &o, &none);
    return cqln_inner_send(loop, link, &env, timeout_ms, cb, user, out);
}

void cqln_inner_forget(cqln_inner *in)
{
    if (!in)
        return;
    cqln_link_orphan(in->link, in->stream);
    cqln_deadline_clear(in->loop, &in->deadline);
    cqln_free(in->loop->al, in);
}
