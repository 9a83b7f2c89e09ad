/* Waiting until all nodes know of one schema. */
#include "api/wait.h"

#include "base/error.h"

typedef struct agreeing {
    cqln_mail mail;
    cql_session *s;
    uint32_t timeout_ms;
    cql_session_cb cb;
    void *user;
} agreeing;

static void on_agreed(void *user, cql_status st)
{
    agreeing a = *(agreeing *)user;
    cql_error *err = NULL;
    cqln_free(a.s->al, user);
    if (st)
        cqln_fail(&err, a.s->al, st,
                  "the nodes do not agree on the schema after %u ms (option "
                  "schema_agreement_timeout)",
                  a.timeout_ms);
    if (a.cb)
        a.cb(a.s, err, a.user);
    cql_error_unref(err);
}

static void on_agree(cqln_mail *m)
{
    agreeing *a = CQLN_CONTAINER(m, agreeing, mail);
    cqln_cluster *c = &a->s->cluster;
    cql_status st = cqln_agree(c, NULL, a->timeout_ms, on_agreed, a);
    if (st)
        on_agreed(a, st);
    cqln_cluster_leave(c);
}

cql_status cql_session_agree(cql_session *s, uint32_t timeout_ms, cql_session_cb cb, void *user)
{
    if (!s)
        return CQL_BAD_ARGUMENT;
    if (cqln_cluster_state_of(&s->cluster) != CQLN_CLUSTER_CONNECTED)
        return CQL_BAD_STATE;
    agreeing *a = cqln_alloc_zero(s->al, sizeof *a);
    if (!a)
        return CQL_NO_MEMORY;
    a->mail.fn = on_agree;
    a->s = s;
    a->timeout_ms = timeout_ms ? timeout_ms : s->config.schema_agreement_timeout;
    a->cb = cb;
    a->user = user;
    if (cqln_cluster_send(&s->cluster, &a->mail))
        return CQL_OK;
    cqln_free(s->al, a);
    return CQL_BAD_STATE;
}

cql_status cql_session_agree_wait(cql_session *s, uint32_t timeout_ms, cql_error **err)
{
    cqln_waiter w;
    cql_status st = cqln_wait_begin(s, &w, err);
    return st ? st : cqln_wait_for(&w, cql_session_agree(s, timeout_ms, cqln_wait_session, &w), err);
}
