/* Reaching the cluster and sending statements, one at a time. */
#include "schema/send.h"

#include "schema/fail.h"

#include <string.h>
#include <time.h>

enum { RETRY_MS = 2000, SCHEMA_CHANGE_MS = 60000, PAGE_ROWS = 1000, FIRST_USER_MS = 15000 };

void cqlsch_tell(cqlsch_sender *sender, cql_schema_message_kind kind, const char *text,
                 const char *file, uint32_t line)
{
    cql_schema_message m = {.kind = kind, .text = text, .file = file, .line = line};
    if (kind == CQL_SCHEMA_MESSAGE_NOTE)
        sender->summary->notes++;
    if (kind == CQL_SCHEMA_MESSAGE_WARNING)
        sender->summary->warnings++;
    if (sender->opts->on_message)
        sender->opts->on_message(&m, sender->opts->user);
}

/* --- the node --------------------------------------------------------------------------------- */

static bool is_in_use(const cqlsch_sender *sender, const cql_host_info *info)
{
    return sender->host && strcmp(sender->host, info->address) == 0;
}

/* Keeps the node in use while it is up, else takes the one with the smallest id. */
static void pick_node(cqlsch_sender *sender)
{
    cql_hosts *hosts = cql_session_hosts(sender->s);
    const char *best = NULL;
    cql_host_info info;
    cql_uuid least = {{0}};
    for (size_t i = 0; hosts && cql_hosts_at(hosts, i, &info); i++) {
        if (!info.up)
            continue;
        if (is_in_use(sender, &info)) {
            cql_hosts_free(hosts);
            return;
        }
        if (!best || memcmp(info.host_id.bytes, least.bytes, sizeof least.bytes) < 0) {
            best = info.address;
            least = info.host_id;
        }
    }
    sender->host = best ? cqlsch_copy(sender->mem, cql_str_of(best)).ptr : NULL;
    cql_hosts_free(hosts);
}

/* --- statements ----------------------------------------------------------------------------------
 */

static cql_status send_prepared(cqlsch_sender *sender, cql_statement *stmt, uint32_t timeout_ms,
                                cql_str paging_state, cql_result **res, cql_error **err)
{
    cql_status st = cql_statement_set_page_size(stmt, PAGE_ROWS);
    if (st == CQL_OK && paging_state.len)
        st = cql_statement_set_paging_state(stmt, paging_state);
    if (st != CQL_OK)
        return cqlsch_fail(err, &sender->mem->al, st, NULL, cql_status_text(st));
    pick_node(sender);
    cql_execute_options opts = {
        .size = sizeof opts, .timeout_ms = timeout_ms, .host = sender->host};
    return cql_session_execute_with_wait(sender->s, stmt, &opts, res, err);
}

cql_status cqlsch_ask(cqlsch_sender *sender, const char *cql, cql_str value, cql_str paging_state,
                      cql_result **res, cql_error **err)
{
    cql_statement *stmt = NULL;
    cql_status st = cql_statement_new(cql, value.len ? 1 : 0, &sender->mem->al, &stmt);
    if (st != CQL_OK)
        return cqlsch_fail(err, &sender->mem->al, st, NULL, cql_status_text(st));
    /* Tables of the node itself: any level would do, the lowest needs no other node. */
    cql_statement_set_consistency(stmt, CQL_CONSISTENCY_ONE);
    cql_statement_set_idempotent(stmt, true);
    if (value.len)
        st = cql_statement_bind(stmt, CQL_VALUES(cql_value_str(value)), err);
    if (st == CQL_OK)
        st = send_prepared(sender, stmt, sender->opts->timeout_ms, paging_state, res, err);
    cql_statement_free(stmt);
    return st;
}

cql_status cqlsch_send(cqlsch_sender *sender, const char *cql, bool schema_change,
                       cql_str paging_state, cql_result **res, cql_error **err)
{
    uint32_t timeout_ms = sender->opts->timeout_ms;
    cql_statement *stmt = NULL;
    cql_status st = cql_statement_new(cql, 0, &sender->mem->al, &stmt);
    if (st != CQL_OK)
        return cqlsch_fail(err, &sender->mem->al, st, NULL, cql_status_text(st));
    cql_statement_set_idempotent(stmt, false); /* whatever the session's option is */
    if (!timeout_ms && schema_change)
        timeout_ms = SCHEMA_CHANGE_MS;
    if (sender->level_set &&
        (sender->level == CQL_CONSISTENCY_SERIAL || sender->level == CQL_CONSISTENCY_LOCAL_SERIAL))
        (void)cql_statement_set_serial_consistency(stmt, sender->level);
    if (sender->level_set)
        cql_statement_set_consistency(stmt, sender->level);
    st = send_prepared(sender, stmt, timeout_ms, paging_state, res, err);
    cql_statement_free(stmt);
    return st;
}

/* --- reaching --------------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t cqlsch_retry_ms(const cqlsch_sender *sender)
{
    return sender->opts->retry_ms ? sender->opts->retry_ms : RETRY_MS;
}

void cqlsch_pause_ms(uint64_t ms)
{
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0)
        continue;
}

static bool is_refusal(cql_status st)
{
    return st == CQL_AUTH_FAILED || st == CQL_SERVER_BAD_CREDENTIALS || st == CQL_TLS_FAILED ||
           st == CQL_BAD_VERSION || ((int)st > 0 && (int)st < 200);
}

/* Why trying again cannot help; CQL_OK when it can. */
static cql_status refusal_of(cql_status st, const cql_error *err)
{
    if (is_refusal(st))
        return st;
    for (size_t i = 0; err && i < cql_error_tried_count(err); i++) {
        const char *host;
        const char *reason;
        cql_status tried;
        if (cql_error_tried(err, i, &host, &tried, &reason) == CQL_OK && is_refusal(tried))
            return tried;
    }
    return CQL_OK;
}

static cql_status attempt(cqlsch_sender *sender, bool *connected, cql_error **err)
{
    cql_result *res = NULL;
    cql_status st = CQL_OK;
    if (!*connected)
        st = cql_session_connect_wait(sender->s, err);
    if (st == CQL_OK || st == CQL_BAD_STATE) {
        /* A session that is connected already says CQL_BAD_STATE; the query tells the rest. */
        *connected = true;
        st = cqlsch_ask(sender, "SELECT now() FROM system.local", CQLSCH_NONE, CQLSCH_NONE,
                        &res, err);
    }
    cql_result_unref(res);
    return st;
}

static void tell_waiting(cqlsch_sender *sender, uint64_t left, const cql_error *cause)
{
    cql_schema_message m = {.kind = CQL_SCHEMA_MESSAGE_WAITING, .file = ""};
    m.text = cause ? cql_error_text(cause) : "";
    m.left_ms = (uint32_t)left;
    m.cause = cause;
    if (sender->opts->on_message)
        sender->opts->on_message(&m, sender->opts->user);
}

/* A wait in progress. */
typedef struct wait {
    uint64_t deadline;
    uint64_t refused_at; /* the first refused log-in, 0: none */
    bool starting;       /* an attempt failed as it does while nodes start */
} wait;

/* True when the attempt that failed is not to be followed by another one. A node that was seen
 * starting refuses its first user until it has created it. */
static bool gives_up(wait *w, cql_status st, const cql_error *err, uint64_t now)
{
    if (now >= w->deadline)
        return true;
    cql_status refusal = refusal_of(st, err);
    if (refusal == CQL_OK) {
        w->starting = true;
        return false;
    }
    if (!w->starting || refusal != CQL_SERVER_BAD_CREDENTIALS)
        return true;
    w->refused_at = w->refused_at ? w->refused_at : now;
    return now - w->refused_at >= FIRST_USER_MS;
}

static cql_status give_up(cqlsch_sender *sender, cql_status st, cql_error *own, cql_error **err)
{
    const char *text = own ? cql_error_text(own) : cql_status_text(st);
    if (refusal_of(st, own) == CQL_OK && sender->opts->wait_s)
        text = cqlsch_format(sender->mem, "not ready after %u s: %s", sender->opts->wait_s, text);
    st = cqlsch_fail(err, &sender->mem->al, st, own, text);
    cql_error_unref(own);
    return st;
}

cql_status cqlsch_reach(cqlsch_sender *sender, cql_error **err)
{
    uint64_t retry = cqlsch_retry_ms(sender);
    wait w = {.deadline = now_ms() + (uint64_t)sender->opts->wait_s * 1000};
    cql_error *own = NULL;
    bool connected = false;
    for (;;) {
        cql_status st = attempt(sender, &connected, &own);
        uint64_t now = now_ms();
        if (st == CQL_OK) {
            cql_error_unref(own);
            return st;
        }
        if (gives_up(&w, st, own, now))
            return give_up(sender, st, own, err);
        uint64_t left = w.deadline - now;
        tell_waiting(sender, left, own);
        cqlsch_pause_ms(left < retry ? left : retry);
    }
}
