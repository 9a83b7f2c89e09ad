/* Error objects: what failed, where, why, and what to do, in words for a person. */
#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/tries.h"
#include "policy/retry.h"

#include <stdio.h>
#include <string.h>

enum { LIST_TEXT = 1200 };

static const char *refused_hint(const cqln_cluster *c)
{
    return c->config->local_address
               ? "is Cassandra running there, and is local_address an address of this machine?"
               : "is Cassandra running there, and is the port right?";
}

/* --- server errors ------------------------------------------------------------------------------- */

static void describe_server(char *out, size_t cap, const cqln_server_error *e, cql_status st)
{
    const char *level = cql_consistency_name(e->consistency);
    switch (st) {
    case CQL_SERVER_UNAVAILABLE:
        snprintf(out, cap, " (consistency %s: required %d, alive %d)", level, (int)e->required,
                 (int)e->received);
        break;
    case CQL_SERVER_WRITE_TIMEOUT:
    case CQL_SERVER_CAS_WRITE_UNKNOWN:
        snprintf(out, cap, " (consistency %s: required %d, received %d%s%.*s)", level,
                 (int)e->required, (int)e->received, e->write_type.len ? ", write type " : "",
                 (int)e->write_type.len, e->write_type.len ? e->write_type.ptr : "");
        break;
    case CQL_SERVER_READ_TIMEOUT:
        snprintf(out, cap, " (consistency %s: required %d, received %d%s)", level,
                 (int)e->required, (int)e->received, e->data_present ? "" : ", no data");
        break;
    case CQL_SERVER_READ_FAILURE:
    case CQL_SERVER_WRITE_FAILURE:
        snprintf(out, cap, " (consistency %s: required %d, received %d, failed %d)", level,
                 (int)e->required, (int)e->received, (int)e->failures);
        break;
    default:
        out[0] = '\0';
        break;
    }
}

/* "int, text", cut at cap. */
static cql_str join_arguments(char *out, size_t cap, const cqln_server_error *e)
{
    cqln_reader rd;
    size_t at = 0;
    cqln_reader_init(&rd, e->arguments.ptr, e->arguments.len);
    for (uint16_t i = 0; i < e->argument_count && at + 1 < cap; i++) {
        cql_str type = cqln_read_string(&rd);
        size_t room = cap - at;
        int n = snprintf(out + at, room, "%s%.*s", i ? ", " : "", (int)type.len,
                         type.len ? type.ptr : "");
        if (n < 0)
            break;
        at += (size_t)n < room ? (size_t)n : room - 1;
    }
    return (cql_str){out, at};
}

cql_error *cqln_report_server(cqln_cluster *c, const cqln_server_error *e, cql_str host,
                              const cqln_request *req)
{
    cql_status st = cqln_server_status(e->code);
    cqln_tried rows[CQLN_TRIES_MAX] = {{{NULL, 0}, CQL_OK, {NULL, 0}}};
    size_t count = cqln_tries_rows(req->tries, rows);
    char detail[160];
    char arguments[256];
    cqln_error_info info = {
        .status = st,
        .host = host,
        .server_message = e->message,
        .consistency = e->consistency,
        .required = e->required,
        .received = e->received,
        .failures = e->failures,
        .data_present = e->data_present,
        .maybe_applied = cqln_request_maybe_applied(req),
        .retriable = cqln_error_code_retriable(e->code),
        .write_type = e->write_type,
        .keyspace = e->keyspace,
        .table = e->table,
        .arguments = join_arguments(arguments, sizeof arguments, e),
        .contentions = e->contentions,
        .reasons = e->reasons,
        .unprepared_id = e->unprepared_id,
    };
    describe_server(detail, sizeof detail, e, st);
    return cqln_error_make(c->al, &info, rows, count, "%.*s: %s: %.*s%s", (int)host.len, host.ptr,
                           cql_status_text(st), (int)e->message.len,
                           e->message.len ? e->message.ptr : "", detail);
}

/* --- no node ------------------------------------------------------------------------------------- */

static bool listed(const cqln_tried *rows, size_t count, cql_str host)
{
    for (size_t i = 0; i < count; i++)
        if (cql_str_equal(rows[i].host, host))
            return true;
    return false;
}

/* Where the request was sent and lost, then what keeps the other nodes from taking it. The node of a connection
 * that is just ending has no reason yet, but its requests have. */
static size_t rows_of_no_host(const cqln_cluster *c, const cqln_request *req,
                              cqln_tried rows[CQLN_TRIES_MAX])
{
    size_t n = req ? cqln_tries_rows(req->tries, rows) : 0;
    for (const cqln_node *node = c->nodes; node && n < CQLN_TRIES_MAX; node = node->next)
        if (node->local && node->last_status && !listed(rows, n, cql_str_of(node->address_text)))
            rows[n++] = (cqln_tried){cql_str_of(node->address_text), node->last_status,
                                     cql_str_of(node->last_reason)};
    return n;
}

static void list_rows(char *out, size_t cap, const cqln_tried *rows, size_t count)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count && at + 1 < cap; i++) {
        int n = snprintf(out + at, cap - at, "%s%.*s: %.*s", i ? "; " : "", (int)rows[i].host.len,
                         rows[i].host.ptr, (int)rows[i].reason.len, rows[i].reason.ptr);
        if (n < 0)
            return;
        at += (size_t)n;
    }
}

/* Behind a proxy that would be no news of Cassandra. */
static bool any_connect_failure(const cqln_cluster *c, const cqln_tried *rows, size_t count)
{
    for (size_t i = 0; i < count && !c->astra; i++)
        if (rows[i].status == CQL_CONNECT_FAILED)
            return true;
    return false;
}

static bool is_login_problem(cql_status st)
{
    return st == CQL_AUTH_FAILED || st == CQL_SERVER_BAD_CREDENTIALS || st == CQL_TLS_FAILED;
}

/* The status that says most: a refused log-in before the rest, one cause common to all before "no
 * host". */
static cql_status common_status(const cqln_tried *rows, size_t count)
{
    cql_status st = count ? rows[0].status : CQL_NO_HOST;
    for (size_t i = 0; i < count; i++) {
        if (is_login_problem(rows[i].status))
            return rows[i].status;
        if (rows[i].status != st)
            st = CQL_NO_HOST;
    }
    return st == CQL_CONNECT_FAILED || st == CQL_CLOSED ? CQL_NO_HOST : st;
}

static cql_error *cannot_connect(cqln_cluster *c, const cqln_tried *rows, size_t count)
{
    char list[LIST_TEXT];
    cql_status st = common_status(rows, count);
    cqln_error_info info = {.status = st, .retriable = !is_login_problem(st)};
    bool hint = any_connect_failure(c, rows, count);
    if (count == 1) {
        info.host = rows[0].host;
        if (CQL_SERVER_CODE(st) >= 0)
            info.server_message = rows[0].reason;
    }
    list_rows(list, sizeof list, rows, count);
    return cqln_error_make(c->al, &info, rows, count, "cannot connect: %s%s%s", list,
                           hint ? "; " : "", hint ? refused_hint(c) : "");
}

cql_error *cqln_report_no_host(cqln_cluster *c, const cqln_request *req)
{
    if (req && cqln_cluster_state_of(c) == CQLN_CLUSTER_CLOSING) /* it took the connections away */
        return cqln_report_local(c, CQL_CANCELLED, req, "the session was closed");
    cqln_tried rows[CQLN_TRIES_MAX] = {{{NULL, 0}, CQL_OK, {NULL, 0}}};
    char list[LIST_TEXT];
    size_t count = rows_of_no_host(c, req, rows);
    cqln_error_info info = {.status = CQL_NO_HOST, .retriable = true};
    if (!req)
        return cannot_connect(c, rows, count);
    info.maybe_applied = cqln_request_maybe_applied(req);
    const char *center = req->bound == CQLN_BOUND_PROFILE ? req->profile->local_dc : NULL;
    const char *why = center ? cqln_center_lacks(c, center) : NULL;
    if (why) {
        info.retriable = false;
        return cqln_error_make(c->al, &info, rows, count, "no node in the data centre \"%s\" of the profile: %s", center,
                               why);
    }
    if (count == 1)
        info.host = rows[0].host;
    list_rows(list, sizeof list, rows, count);
    return cqln_error_make(c->al, &info, rows, count, "no alive connections%s%s%s%s",
                           count ? ": " : "", list, any_connect_failure(c, rows, count) ? "; " : "",
                           any_connect_failure(c, rows, count) ? refused_hint(c) : "");
}

cql_error *cqln_report_unknown_node(cqln_cluster *c, const char *host)
{
    cqln_error_info info = {.status = CQL_NO_HOST, .host = cql_str_of(host)};
    return cqln_error_make(c->al, &info, NULL, 0,
                           "no node %s is known; cql_session_hosts lists the nodes", host);
}

/* --- made on this side --------------------------------------------------------------------------- */

cql_error *cqln_report_local(cqln_cluster *c, cql_status st, const cqln_request *req,
                             const char *why)
{
    cqln_tried rows[CQLN_TRIES_MAX] = {{{NULL, 0}, CQL_OK, {NULL, 0}}};
    size_t count = cqln_tries_rows(req->tries, rows);
    bool sent = req->state == CQLN_REQUEST_SENT && req->link;
    cqln_error_info info = {.status = st, .retriable = st == CQL_TIMEOUT || st == CQL_CLOSED};
    info.maybe_applied = cqln_request_maybe_applied(req) || st == CQL_MALFORMED ||
                         st == CQL_UNEXPECTED;
    if (sent)
        info.host = req->link->host;
    const char *host = sent ? req->link->address_text : "";
    const char *colon = sent ? ": " : "";
    uint32_t timeout = req->timeout_ms ? req->timeout_ms : c->config->request_timeout;
    if (st == CQL_TIMEOUT && !why)
        return cqln_error_make(c->al, &info, rows, count,
                               "%s%squery timeout: %s within %u ms (%s)", host, colon,
                               sent ? "no answer" : "no connection was free", timeout,
                               req->timeout_ms ? "the request's own time-out"
                                               : "option request_timeout");
    return cqln_error_make(c->al, &info, rows, count, "%s%s%s%s%s", host, colon,
                           cql_status_text(st), why ? ": " : "", why ? why : "");
}

cql_error *cqln_report_answer(cqln_cluster *c, cql_status st, cql_str host, const cqln_request *req,
                              const char *why)
{
    cqln_tried rows[CQLN_TRIES_MAX] = {{{NULL, 0}, CQL_OK, {NULL, 0}}};
    size_t count = cqln_tries_rows(req->tries, rows);
    cqln_error_info info = {.status = st, .maybe_applied = true, .host = host};
    return cqln_error_make(c->al, &info, rows, count, "%.*s: %s: %s", (int)host.len, host.ptr,
                           cql_status_text(st), why);
}

/* --- connecting ---------------------------------------------------------------------------------- */

cql_error *cqln_report_connect(cqln_cluster *c, const cqln_try *tries)
{
    cqln_tried rows[CQLN_TRIES_MAX] = {{{NULL, 0}, CQL_OK, {NULL, 0}}};
    return cannot_connect(c, rows, cqln_tries_rows(tries, rows));
}

/* --- warnings ------------------------------------------------------------------------------------ */

void cqln_report_warnings(cqln_cluster *c, const cqln_prefix *prefix, cql_str host)
{
    cqln_reader rd;
    cqln_reader_init(&rd, prefix->warnings_bytes.ptr, prefix->warnings_bytes.len);
    for (uint16_t i = 0; i < prefix->warnings && i < 100; i++) {
        cql_str w = cqln_read_string(&rd);
        CQLN_LOG(c->loop.log, CQL_LOG_WARN, "warning from %.*s: %.*s", (int)host.len, host.ptr,
                 (int)w.len, w.len ? w.ptr : "");
    }
}
