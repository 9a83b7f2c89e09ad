/* Connects, probes, rests, again; the session turns only when the loop drives it, so the callbacks
 * leave a note and ping_node_step acts on it. */
#include "ping/node.h"

#include "common/memory.h"
#include "common/progress.h"
#include "ping/clock.h"
#include "ping/print.h"

#include <stdlib.h>
#include <string.h>

#define PROBE "SELECT cluster_name, release_version, data_center, rack FROM system.local"

/* The library's own limit for connecting comes first, since it knows what it was waiting for. */
#define CONNECT_GRACE_US 500000u
/* A node that was just started refuses its first user until it has made it. */
#define DENIED_PATIENCE_US 15000000u

void ping_node_init(ping_node *n, const ping_config *config, const char *target,
                    cql_options *options)
{
    memset(n, 0, sizeof *n);
    n->config = config;
    n->target = tool_copy(target);
    n->address = tool_copy(target);
    n->options = options;
    n->due_us = ping_now_us();
    n->wait_ends_us = n->due_us + config->wait_ms * 1000;
}

static void free_identity(ping_identity *i)
{
    free(i->cluster);
    free(i->release);
    free(i->data_center);
    free(i->rack);
    memset(i, 0, sizeof *i);
}

static void drop_session(ping_node *n)
{
    cql_session_free(n->session);
    n->session = NULL;
}

static void drop_error(ping_node *n)
{
    cql_error_unref(n->error);
    n->error = NULL;
}

void ping_node_free(ping_node *n)
{
    drop_session(n);
    drop_error(n);
    cql_options_free(n->options);
    free_identity(&n->identity);
    ping_stats_free(&n->stats);
    free(n->target);
    free(n->address);
    free(n->reason);
    memset(n, 0, sizeof *n);
}

static void note(ping_node *n, const cql_error *err)
{
    n->answered = true;
    n->answered_us = ping_now_us();
    drop_error(n);
    n->error = cql_error_ref(err);
}

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    (void)s;
    note(user, err);
}

static void read_identity(ping_node *n, const cql_result *res)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    if (!cql_rows_next(&rows) || cql_result_column_count(res) < 4)
        return;
    free_identity(&n->identity);
    n->identity.cluster = tool_copy_str(cql_rows_str(&rows, 0));
    n->identity.release = tool_copy_str(cql_rows_str(&rows, 1));
    n->identity.data_center = tool_copy_str(cql_rows_str(&rows, 2));
    n->identity.rack = tool_copy_str(cql_rows_str(&rows, 3));
}

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    ping_node *n = user;
    note(n, err);
    if (!res)
        return;
    cql_str host = cql_result_host(res);
    if (host.len) {
        free(n->address);
        n->address = tool_copy_str(host);
    }
    n->protocol = cql_session_protocol_version(s);
    read_identity(n, res);
}

static void set_state(ping_node *n, ping_state state, uint64_t now)
{
    n->state = state;
    n->began_us = now;
    n->answered = false;
    drop_error(n);
}

static void rest(ping_node *n, uint64_t since)
{
    uint64_t now = ping_now_us();
    uint64_t due = since + n->config->interval_ms * 1000;
    set_state(n, PING_RESTING, now);
    n->due_us = due > now ? due : now;
}

static void finish(ping_node *n)
{
    set_state(n, PING_FINISHED, ping_now_us());
}

static bool still_waiting(ping_node *n, tool_exit code)
{
    uint64_t now = ping_now_us();
    if (n->was_connected || !n->config->wait_ms || code == TOOL_EXIT_USAGE)
        return false;
    if (code == TOOL_EXIT_DENIED) {
        n->denied_us = n->denied_us ? n->denied_us : now;
        if (now - n->denied_us >= DENIED_PATIENCE_US)
            return false;
    }
    return now + n->config->interval_ms * 1000 < n->wait_ends_us;
}

/* The probe under way has failed with `err`. */
static void failed(ping_node *n, const cql_error *err, tool_exit code)
{
    uint64_t began = n->began_us;
    n->failure = code;
    free(n->reason);
    n->reason = tool_copy(ping_loss_reason(err));
    if (still_waiting(n, code)) {
        ping_print_waiting(n, err);
        drop_session(n);
        rest(n, began);
        return;
    }
    if (!n->was_connected) {
        ping_print_unreached(n, err);
        n->given_up = true;
        drop_session(n);
        finish(n);
        return;
    }
    ping_print_lost(n, err);
    /* A late answer may still come over this connection; after anything else begin anew. */
    if (n->state == PING_CONNECTING || cql_error_status(err) != CQL_TIMEOUT)
        drop_session(n);
    if (n->config->count && n->stats.sent >= n->config->count)
        finish(n);
    else
        rest(n, began);
}

/* A failure of the call itself, without an error object of the library's. */
static void failed_with(ping_node *n, cql_status st, const char *text, tool_exit code)
{
    char *line = tool_format("%s: %s", n->target, text);
    cql_error *err = cql_error_make(NULL, st, NULL, line);
    failed(n, err, code);
    cql_error_unref(err);
    free(line);
}

static void send_probe(ping_node *n)
{
    cql_statement *stmt = NULL;
    set_state(n, PING_PROBING, ping_now_us());
    cql_status st = cql_statement_new(PROBE, 0, NULL, &stmt);
    if (st == CQL_OK) {
        cql_statement_set_timeout(stmt, (uint32_t)n->config->answer_ms);
        n->began_us = ping_now_us();
        st = cql_session_execute(n->session, stmt, on_answer, n);
    }
    cql_statement_free(stmt);
    if (st == CQL_OK)
        st = cql_session_drive(n->session, 0); /* out with it now, not at the next turn */
    if (st != CQL_OK)
        failed_with(n, st, cql_status_text(st), TOOL_EXIT_FAILED);
}

static void connect_session(ping_node *n)
{
    cql_error *err = NULL;
    uint64_t now = ping_now_us();
    set_state(n, PING_CONNECTING, now);
    n->limit_us = now + n->config->answer_ms * 1000 + CONNECT_GRACE_US;
    if (!n->was_connected && n->config->wait_ms && n->wait_ends_us < n->limit_us)
        n->limit_us = n->wait_ends_us;
    cql_status st = cql_session_new(n->options, &n->session, &err);
    if (st == CQL_OK)
        st = cql_session_connect(n->session, on_connected, n);
    if (st == CQL_OK)
        st = cql_session_drive(n->session, 0);
    if (st != CQL_OK && err)
        failed(n, err, tool_exit_of_connect(err));
    else if (st != CQL_OK)
        failed_with(n, st, cql_status_text(st), TOOL_EXIT_FAILED);
    cql_error_unref(err);
}

/* The callback has come: the session is up, or could not be set up. */
static void connected(ping_node *n)
{
    if (n->error) {
        cql_error *err = cql_error_ref(n->error);
        failed(n, err, tool_exit_of_connect(err));
        cql_error_unref(err);
        return;
    }
    n->rtt_us = n->answered_us - n->began_us;
    n->protocol = cql_session_protocol_version(n->session);
    ping_print_connected(n);
    send_probe(n);
}

static void answered(ping_node *n)
{
    uint64_t began = n->began_us;
    if (n->error) {
        cql_error *err = cql_error_ref(n->error);
        failed(n, err, n->was_connected ? tool_exit_of_statement(err) : tool_exit_of_connect(err));
        cql_error_unref(err);
        return;
    }
    n->was_connected = true;
    n->failure = TOOL_EXIT_OK;
    n->rtt_us = n->answered_us - began;
    ping_stats_add(&n->stats, n->rtt_us);
    ping_print_answer(n);
    if (n->config->count && n->stats.sent >= n->config->count)
        finish(n);
    else
        rest(n, began);
}

static void begin_probe(ping_node *n)
{
    /* While waiting for the first connection it is one probe, however many attempts it takes. */
    if (n->was_connected || n->stats.sent == 0)
        n->stats.sent++;
    if (n->session)
        send_probe(n);
    else
        connect_session(n);
}

void ping_node_step(ping_node *n)
{
    if (n->state == PING_RESTING && ping_now_us() >= n->due_us)
        begin_probe(n);
    while (n->answered && (n->state == PING_CONNECTING || n->state == PING_PROBING)) {
        n->answered = false;
        if (n->state == PING_CONNECTING)
            connected(n);
        else
            answered(n);
    }
    if (n->state == PING_CONNECTING && ping_now_us() >= n->limit_us) {
        double waited = (double)(ping_now_us() - n->began_us) / 1000000;
        char *text = tool_format("no connection within %.1f s", waited);
        failed_with(n, CQL_TIMEOUT, text, TOOL_EXIT_UNREACHED);
        free(text);
    }
}

uint64_t ping_node_due_us(const ping_node *n)
{
    switch (n->state) {
    case PING_RESTING:
        return n->due_us;
    case PING_CONNECTING:
        return n->limit_us;
    case PING_PROBING:
    case PING_FINISHED:
        break;
    }
    return UINT64_MAX;
}

void ping_node_stop(ping_node *n)
{
    bool under_way = n->state == PING_PROBING || n->state == PING_CONNECTING;
    if (under_way && n->stats.sent > n->stats.answered && n->was_connected)
        n->stats.sent--;
    finish(n);
}
