/* Requests on a schedule. The session turns only when ping_run_loads drives it. */
#include "ping/load.h"

#include "common/interrupt.h"
#include "common/memory.h"
#include "common/progress.h"
#include "common/report.h"
#include "ping/clock.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define PROBE      "SELECT cluster_name FROM system.local"
#define SHOW_EVERY 500000u
#define NAP_US     1000000u

void ping_load_init(ping_load *l, const ping_load_spec *spec, const char *target,
                    cql_options *options)
{
    memset(l, 0, sizeof *l);
    l->spec = spec;
    l->target = tool_copy(target);
    l->options = options;
    l->waited = tool_alloc(1, sizeof *l->waited);
    l->served = tool_alloc(1, sizeof *l->served);
    l->flights = tool_alloc((size_t)spec->in_flight, sizeof *l->flights);
    for (uint64_t i = spec->in_flight; i-- > 0;) {
        l->flights[i].load = l;
        l->flights[i].next_free = l->free_flights;
        l->free_flights = &l->flights[i];
    }
}

void ping_load_free(ping_load *l)
{
    cql_session_free(l->session); /* brings the last callbacks, which need the rest */
    cql_statement_free(l->statement);
    cql_prepared_unref(l->prepared);
    cql_error_unref(l->first_error);
    cql_options_free(l->options);
    free(l->flights);
    free(l->waited);
    free(l->served);
    free(l->target);
    memset(l, 0, sizeof *l);
}

static void plan(ping_load *l)
{
    const ping_load_spec *spec = l->spec;
    l->planned = spec->count ? spec->count : UINT64_MAX;
    if (spec->rate && spec->duration_us) {
        uint64_t by_time = (spec->rate * spec->duration_us + 999999) / 1000000;
        if (by_time < l->planned)
            l->planned = by_time;
    }
    l->begin_us = l->last_us = ping_now_us();
    l->end_us = spec->duration_us ? l->begin_us + spec->duration_us : UINT64_MAX;
}

static cql_status make_statement(ping_load *l, cql_error **err)
{
    const cql_type *type = NULL;
    const char *cql = l->spec->statement ? l->spec->statement : PROBE;
    cql_status st = cql_session_prepare_wait(l->session, cql, &l->prepared, err);
    if (st != CQL_OK)
        return st;
    l->statement = cql_prepared_bind(l->prepared);
    if (!l->statement)
        return CQL_NO_MEMORY;
    st = ping_fill_markers(l->statement, l->prepared, 0, &type);
    if (type) {
        char *text = tool_format("a marker is of type %s, for which no values can be made: write "
                                 "the value into the statement",
                                 cql_type_id_name(cql_type_of(type)));
        *err = cql_error_make(NULL, CQL_BAD_ARGUMENT, NULL, text);
        free(text);
    }
    return st;
}

tool_exit ping_load_open(ping_load *l)
{
    cql_error *err = NULL;
    tool_exit code = TOOL_EXIT_OK;
    cql_status st = cql_session_new(l->options, &l->session, &err);
    if (st == CQL_OK)
        st = cql_session_connect_wait(l->session, &err);
    if (st != CQL_OK)
        code = err ? tool_exit_of_connect(err) : TOOL_EXIT_FAILED;
    if (st == CQL_OK) {
        st = make_statement(l, &err);
        if (st != CQL_OK)
            code = err ? tool_exit_of_statement(err) : TOOL_EXIT_FAILED;
    }
    if (err)
        tool_report(PING_NAME, err, NULL);
    else if (st != CQL_OK)
        tool_fail(PING_NAME, "%s: %s", l->target, cql_status_text(st));
    cql_error_unref(err);
    plan(l);
    l->ended = code != TOOL_EXIT_OK;
    return code;
}

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    ping_flight *f = user;
    ping_load *l = f->load;
    uint64_t now = ping_now_us();
    (void)s;
    (void)res;
    l->under_way--;
    l->last_us = now;
    if (err) {
        l->failed++;
        if (!l->first_error)
            l->first_error = cql_error_ref(err);
    } else {
        l->answered++;
        tool_histogram_add(l->waited, now - f->due_us);
        tool_histogram_add(l->served, now - f->sent_us);
    }
    f->next_free = l->free_flights;
    l->free_flights = f;
}

/* When request number n is due; without a rate as soon as there is room. */
static uint64_t due_at(const ping_load *l, uint64_t n)
{
    uint64_t rate = l->spec->rate;
    if (!rate)
        return 0;
    return l->begin_us + n / rate * 1000000 + n % rate * 1000000 / rate;
}

static bool send_one(ping_load *l, uint64_t due)
{
    const cql_type *type;
    ping_flight *f = l->free_flights;
    uint64_t now = ping_now_us();
    cql_status st = ping_fill_markers(l->statement, l->prepared, l->sent % l->spec->keys, &type);
    if (st == CQL_OK)
        st = cql_session_execute(l->session, l->statement, on_answer, f);
    if (st == CQL_WOULD_BLOCK)
        return false;
    l->sent++;
    if (st != CQL_OK) {
        l->failed++;
        if (!l->first_error)
            l->first_error = cql_error_make(NULL, st, NULL, cql_status_text(st));
        return true;
    }
    f->due_us = due ? due : now;
    f->sent_us = now;
    l->free_flights = f->next_free;
    l->under_way++;
    return true;
}

static bool over(const ping_load *l, uint64_t now)
{
    if (l->sent >= l->planned)
        return true;
    /* With a rate what became due in time is still sent, for as long as draining may take. */
    uint64_t grace = l->spec->rate ? l->spec->drain_us : 0;
    return l->end_us != UINT64_MAX && now >= l->end_us + grace;
}

void ping_load_step(ping_load *l, uint64_t now)
{
    while (!l->ended) {
        if (over(l, now)) {
            l->ended = true;
            l->unsent = l->spec->rate && l->sent < l->planned ? l->planned - l->sent : 0;
            break;
        }
        uint64_t due = due_at(l, l->sent);
        if (due > now || !l->free_flights || !send_one(l, due))
            break;
    }
}

bool ping_load_done(const ping_load *l)
{
    return l->ended && l->under_way == 0;
}

uint64_t ping_load_due_us(const ping_load *l)
{
    if (l->ended)
        return UINT64_MAX;
    uint64_t due = l->free_flights ? due_at(l, l->sent) : UINT64_MAX;
    return l->end_us < due ? l->end_us : due;
}

void ping_load_stop(ping_load *l)
{
    l->ended = true;
    l->sent -= l->under_way; /* neither answered nor failed */
}

static uint64_t nap_us(const ping_load *loads, size_t count)
{
    uint64_t now = ping_now_us(), nap = NAP_US;
    for (size_t i = 0; i < count; i++) {
        if (ping_load_done(&loads[i]))
            continue;
        uint64_t due = ping_load_due_us(&loads[i]);
        uint64_t left = due <= now ? 0 : due - now;
        int session = cql_session_deadline(loads[i].session);
        if (session >= 0 && (uint64_t)session * 1000 < left)
            left = (uint64_t)session * 1000;
        nap = left < nap ? left : nap;
    }
    return nap;
}

static void show_progress(const ping_load *loads, size_t count, uint64_t *shown)
{
    uint64_t now = ping_now_us(), answered = 0, failed = 0;
    if (now - *shown < SHOW_EVERY)
        return;
    *shown = now;
    for (size_t i = 0; i < count; i++) {
        answered += loads[i].answered;
        failed += loads[i].failed;
    }
    tool_progress("%" PRIu64 " s: %" PRIu64 " answered, %" PRIu64 " failed",
                  (now - loads[0].begin_us) / 1000000, answered, failed);
}

static bool one_turn(ping_load *loads, size_t count, struct pollfd *fds)
{
    bool busy = false;
    for (size_t i = 0; i < count; i++) {
        if (loads[i].session && !ping_load_done(&loads[i])) {
            ping_load_step(&loads[i], ping_now_us());
            (void)cql_session_drive(loads[i].session, 0);
        }
        busy = busy || !ping_load_done(&loads[i]);
        fds[i].fd = ping_load_done(&loads[i]) ? -1 : cql_session_fd(loads[i].session);
        fds[i].events = POLLIN;
    }
    if (busy)
        (void)tool_poll_us(fds, count, (int64_t)nap_us(loads, count));
    return busy;
}

static tool_exit worse(tool_exit a, tool_exit b)
{
    return a > b ? a : b;
}

int ping_run_loads(ping_load *loads, size_t count)
{
    struct pollfd *fds = tool_alloc(count, sizeof *fds);
    uint64_t shown = 0;
    tool_exit code = TOOL_EXIT_OK;
    for (size_t i = 0; i < count; i++)
        code = worse(code, ping_load_open(&loads[i]));
    for (size_t i = 0; i < count; i++) /* all begin together */
        plan(&loads[i]);
    while (!tool_interrupted() && one_turn(loads, count, fds))
        show_progress(loads, count, &shown);
    tool_progress_clear();
    for (size_t i = 0; i < count; i++) {
        if (!ping_load_done(&loads[i]))
            ping_load_stop(&loads[i]);
        if (!loads[i].statement)
            continue;
        ping_load_print(&loads[i]);
        if (loads[i].failed || loads[i].unsent)
            code = worse(code, TOOL_EXIT_FAILED);
    }
    free(fds);
    return (int)code;
}
