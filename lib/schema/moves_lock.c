/* The lock: one row with a time to live that the server itself counts, so that no two clocks have to
 * agree. It is taken by a conditional insert and kept by conditional updates on its token. */
#include "schema/moves.h"

#include "schema/fail.h"

#include <time.h>

enum { LOOK_MS = 500 };

/* The servers count on while this machine sleeps. */
uint64_t cqlsch_now_ms(void)
{
    struct timespec now;
#ifdef CLOCK_BOOTTIME
    if (clock_gettime(CLOCK_BOOTTIME, &now))
#endif
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Whose lock it is, by a read that takes part in the conditional writes; "" for nobody's. */
static cql_status whose(cqlsch_moves *m, bool *ours, const char **owner)
{
    cql_rows rows;
    cql_result *res = NULL;
    const char *cql = cqlsch_format(
        &m->mem, "SELECT owner, claim FROM %s.migration_lock WHERE scope = ?", m->keyspace);
    *ours = false;
    *owner = "";
    cql_status st = cqlsch_moves_ask(m, cql, CQL_CONSISTENCY_SERIAL,
                                     CQL_VALUES(cql_value_text(m->scope)), &res, m->err);
    if (st != CQL_OK)
        return st;
    cql_rows_init(&rows, res);
    if (cql_rows_next(&rows) && !cql_rows_is_null(&rows, 1)) {
        cql_uuid token = cql_rows_uuid(&rows, 1);
        *owner = cqlsch_copy(&m->mem, cql_str_of(cql_rows_cstr(&rows, 0))).ptr;
        cql_str a = {(const char *)token.bytes, 16}, b = {(const char *)m->token.bytes, 16};
        *ours = cql_str_equal(a, b);
    }
    cql_result_unref(res);
    return cqlsch_mem_status(&m->mem);
}

/* What a conditional write came to is asked of the table: the answer to a write that was sent twice, or
 * that got lost, does not tell. */
static cql_status try_lock(cqlsch_moves *m, const char **owner)
{
    uint64_t began = cqlsch_now_ms();
    const char *cql = cqlsch_format(
        &m->mem,
        "INSERT INTO %s.migration_lock (scope, owner, claim) VALUES (?, ?, ?) IF NOT EXISTS "
        "USING TTL %u",
        m->keyspace, m->opts.lease_s);
    cql_status st = cqlsch_moves_do(m, cql,
                                    CQL_VALUES(cql_value_text(m->scope), cql_value_text(m->owner),
                                               cql_value_uuid(m->token)),
                                    m->err);
    if (st == CQL_OK)
        st = whose(m, &m->locked, owner);
    m->renewed_ms = began;
    return st;
}

static void tell_waiting(cqlsch_moves *m, const char *owner, uint64_t left_ms)
{
    cql_schema_message note = {.kind = CQL_SCHEMA_MESSAGE_NOTE, .file = ""};
    note.text = cqlsch_format(&m->mem, "%s is at work; waiting for its lock, %llu s at most", owner,
                              (unsigned long long)(left_ms / 1000));
    if (m->apply.on_message)
        m->apply.on_message(&note, m->apply.user);
}

cql_status cqlsch_moves_lock(cqlsch_moves *m)
{
    uint64_t end = cqlsch_now_ms() + (uint64_t)m->opts.lock_wait_s * 1000;
    const char *told = NULL;
    m->token = cql_uuid_random();
    for (;;) {
        const char *owner = "";
        cql_status st = try_lock(m, &owner);
        if (st != CQL_OK || m->locked)
            return st;
        uint64_t now = cqlsch_now_ms();
        if (now >= end)
            return cqlsch_moves_fail(m, CQL_TIMEOUT,
                                     "the lock of the migrations is still held by %s", owner);
        if (*owner && !told) {
            tell_waiting(m, owner, end - now);
            told = owner;
        }
        cqlsch_pause_ms(LOOK_MS);
    }
}

cql_status cqlsch_moves_hold(cqlsch_moves *m)
{
    uint64_t now = cqlsch_now_ms();
    const char *owner;
    if (now - m->renewed_ms < (uint64_t)m->opts.lease_s * 1000 / 3)
        return CQL_OK;
    const char *cql = cqlsch_format(
        &m->mem, "UPDATE %s.migration_lock USING TTL %u SET owner = ?, claim = ? WHERE scope = ? IF claim = ?",
        m->keyspace, m->opts.lease_s);
    cql_value token = cql_value_uuid(m->token);
    cql_status st = cqlsch_moves_do(
        m, cql, CQL_VALUES(cql_value_text(m->owner), token, cql_value_text(m->scope), token), m->err);
    if (st == CQL_OK)
        st = whose(m, &m->locked, &owner);
    if (st == CQL_OK && m->locked) /* what is not known is asked again before the next step */
        m->renewed_ms = now;
    if (st != CQL_OK || m->locked)
        return st;
    return cqlsch_moves_fail(m, CQL_CLAIM_LOST,
                             "the lock of the migrations ran out and %s has it now: "
                             "nothing more was sent; a longer lease (more than the "
                                           "longest statement takes) avoids this",
                             *owner ? owner : "nobody");
}

/* A lock that cannot be given back runs out by itself. */
void cqlsch_moves_unlock(cqlsch_moves *m)
{
    cql_error *err = NULL;
    if (!m->locked)
        return;
    const char *cql = cqlsch_format(
        &m->mem, "DELETE FROM %s.migration_lock WHERE scope = ? IF claim = ?", m->keyspace);
    (void)cqlsch_moves_do(m, cql, CQL_VALUES(cql_value_text(m->scope), cql_value_uuid(m->token)), &err);
    cql_error_unref(err);
    m->locked = false;
}
