/* Pages: a statement executed again and again with the paging state of the page before, one page ahead of
 * the reader. The loop's thread puts pages in, the reader takes them out; the gate lies between. */
#include "api/gate.h"
#include "api/loops.h"
#include "api/room.h"
#include "api/statement.h"
#include "base/error.h"

#include <cqlnative/pages.h>

struct cql_pages {
    const cql_allocator *al;
    cql_session *s;
    cqln_cluster *home; /* the loop of all pages, from the first on; NULL: none was asked for */
    cql_statement *stmt;
    cql_result *current; /* the reader's */
    cqln_gate gate;      /* over all below */
    cql_result *ready;   /* the next page */
    cql_error *error;    /* or why it did not come */
    cql_request request; /* of the page that was the `known`-th to be asked for */
    uint32_t number;     /* pages that were asked for */
    uint32_t known;
    unsigned sending;    /* calls that ask and have not returned yet; a page may come before */
    bool asked;          /* a page is on its way */
    bool first_came;
    bool ended;          /* the last page came */
    bool freed;          /* by the program, while something below was still at work */
    bool inside;         /* the program's callback runs */
    bool mailed;
    bool parked;         /* waits for room */
    bool paused;
    bool resumed; /* while the callback that is about to say "pause" still runs */
    bool running; /* with callbacks */
    bool over;    /* the last callback was made */
    cql_page_cb cb;
    void *user;
    cqln_mail mail;
    cqln_parked place;
};

static void deliver(cql_pages *p);

static void destroy(cql_pages *p)
{
    const cql_allocator *al = p->al;
    cql_result_unref(p->current);
    cql_result_unref(p->ready);
    cql_error_unref(p->error);
    cql_statement_free(p->stmt);
    cqln_gate_fini(&p->gate);
    cqln_free(al, p);
}

static bool busy(const cql_pages *p)
{
    return p->asked || p->sending || p->inside || p->mailed || p->parked;
}

/* Clears a mark of work; the last one frees what the program has freed already. Where callbacks are
 * to be made the mark `inside` takes its place, under the same lock, so that p cannot go in between. */
static void leave(cql_pages *p, bool *mark, bool call)
{
    cqln_gate_lock(&p->gate);
    *mark = false;
    call = call && p->running && !p->freed && !p->inside;
    p->inside = p->inside || call;
    bool gone = p->freed && !busy(p);
    cqln_gate_notify(&p->gate);
    cqln_gate_unlock(&p->gate);
    if (gone)
        destroy(p);
    else if (call)
        deliver(p);
}

cql_status cql_pages_new(cql_session *s, const cql_statement *stmt, int32_t page_size,
                         cql_pages **out)
{
    if (!s || !stmt || !out || page_size < 0)
        return CQL_BAD_ARGUMENT;
    *out = NULL;
    if (stmt->unbound)
        return CQL_UNBOUND;
    cql_pages *p = cqln_alloc_zero(s->al, sizeof *p);
    if (!p)
        return CQL_NO_MEMORY;
    p->al = s->al;
    p->s = s;
    p->stmt = cqln_statement_copy(stmt);
    if (!p->stmt || !cqln_gate_init(&p->gate)) {
        cql_statement_free(p->stmt);
        cqln_free(s->al, p);
        return CQL_NO_MEMORY;
    }
    if (page_size)
        cql_statement_set_page_size(p->stmt, page_size);
    *out = p;
    return CQL_OK;
}

void cql_pages_free(cql_pages *p)
{
    if (!p)
        return;
    cqln_gate_lock(&p->gate);
    p->freed = true;
    p->over = true;
    bool wait = busy(p);
    bool asked = p->asked && p->known == p->number; /* else the call that asks for it cancels it */
    cql_request request = p->request;
    cql_session *s = p->s;
    cqln_gate_unlock(&p->gate);
    if (asked)
        cql_request_cancel(s, request); /* p may be gone from here on */
    else if (!wait)
        destroy(p);
}

/* --- from the server -------------------------------------------------------------------------------- */

static cql_error *complain(const cql_pages *p, cql_status st, const char *why)
{
    cqln_error_info info = {.status = st};
    return cqln_error_make(p->al, &info, NULL, 0, "%s: %s", cql_status_text(st), why);
}

/* Notes where the next page begins. NULL, or why there cannot be one. */
static cql_error *take_state(cql_pages *p, const cql_result *res)
{
    cql_str state = cql_result_paging_state(res);
    cql_str before = {p->stmt->paging_state, p->stmt->paging_state_len};
    if (p->first_came && cql_result_kind_of(res) != CQL_RESULT_ROWS)
        return complain(p, CQL_UNEXPECTED, "a page in the middle has no rows at all");
    if (!cql_result_has_more(res)) {
        p->ended = true;
        return NULL;
    }
    if (before.len && cql_str_equal(state, before))
        return complain(p, CQL_UNEXPECTED,
                        "the server gave the same paging state twice, which would never end");
    if (cql_statement_set_paging_state(p->stmt, state) != CQL_OK)
        return complain(p, CQL_NO_MEMORY, "the paging state");
    return NULL;
}

static void on_page(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    cql_pages *p = user;
    (void)s;
    cqln_gate_lock(&p->gate);
    if (!p->freed) {
        cql_error *failed = cql_error_ref(err);
        cql_result *kept = failed ? NULL : cql_result_ref(res);
        if (!failed)
            failed = kept ? take_state(p, kept) : complain(p, CQL_NO_MEMORY, "a page");
        if (failed)
            cql_result_unref(kept);
        else
            p->ready = kept;
        p->error = failed;
        p->first_came = p->first_came || !failed;
    }
    cqln_gate_unlock(&p->gate);
    leave(p, &p->asked, true);
}

/* It was sent, or st says why not. Clears the marks, as leave does, and gives up what was freed meanwhile. */
static void sent(cql_pages *p, uint32_t number, cql_status st, cql_request request)
{
    cql_session *s = p->s;
    cqln_gate_lock(&p->gate);
    p->sending--;
    if (st)
        p->asked = false;
    if (number == p->number) { /* else it has come, and the next one was asked for */
        p->request = request;
        p->known = number;
    }
    bool cancel = p->freed && p->asked && number == p->number;
    bool gone = p->freed && !busy(p);
    cqln_gate_notify(&p->gate);
    cqln_gate_unlock(&p->gate);
    if (gone)
        destroy(p);
    else if (cancel)
        cql_request_cancel(s, request); /* p may be gone from here on */
}

/* Asks for the next page unless it is here, on its way, or not there. By waiting it may come on another loop
 * when that of the pages before is full. timeout_ms 0: the usual one. */
static cql_status ask(cql_pages *p, uint32_t timeout_ms)
{
    cql_execute_options opts = {.size = sizeof opts, .timeout_ms = timeout_ms};
    cql_request request = {0};
    cqln_gate_lock(&p->gate);
    bool wanted = !p->asked && !p->ready && !p->error && !p->ended && !p->over;
    p->asked = p->asked || wanted;
    p->sending += wanted;
    p->number += wanted;
    uint32_t number = p->number;
    if (wanted && (!p->home || (!p->running && !cqln_team_open(p->home))))
        p->home = cqln_session_pick(p->s);
    cqln_cluster *home = p->home;
    cqln_gate_unlock(&p->gate);
    if (!wanted)
        return CQL_OK;
    cql_status st = cqln_execute_on(home, p->stmt, &opts, &request, on_page, p);
    sent(p, number, st, request);
    return st;
}

/* --- by waiting ------------------------------------------------------------------------------------- */

static cql_status fail_here(cql_pages *p, cql_status st, cql_error **err)
{
    return cqln_fail(err, p->al, st, "%s: the next page cannot be asked for%s", cql_status_text(st),
                     st == CQL_TIMEOUT ? ": there was no room in the queue" : "");
}

static cql_status ask_again(void *user, uint32_t left_ms)
{
    return ask(user, left_ms);
}

/* Takes the page that is ready, or what is there instead of it. */
static cql_status take(cql_pages *p, cql_error **err)
{
    cqln_gate_lock(&p->gate);
    while (p->asked)
        cqln_gate_wait(&p->gate, p->s);
    cql_error *failed = p->error;
    p->current = p->ready;
    p->ready = NULL;
    p->error = NULL;
    cqln_gate_unlock(&p->gate);
    if (failed)
        return cqln_error_give(err, failed);
    return p->current ? CQL_OK : CQL_DONE;
}

cql_status cql_pages_next_wait(cql_pages *p, cql_rows *rows, cql_error **err)
{
    if (!p || !rows)
        return cqln_fail_null(err, p ? "rows" : "pages");
    cql_rows_init(rows, NULL);
    if (p->running)
        return fail_here(p, CQL_BAD_STATE, err);
    cql_status st = cql_session_may_wait(p->s);
    if (st)
        return fail_here(p, st, err);
    cql_result_unref(p->current);
    p->current = NULL;
    st = ask(p, 0);
    if (st == CQL_WOULD_BLOCK)
        st = cqln_room_wait(p->s, p->stmt->ex.timeout_ms, ask_again, p);
    if (st)
        return fail_here(p, st, err);
    st = take(p, err);
    if (st)
        return st;
    cql_rows_init(rows, p->current);
    ask(p, 0); /* what hinders it now is told when that page is wanted */
    return CQL_OK;
}

const cql_result *cql_pages_result(const cql_pages *p)
{
    return p->current;
}

/* --- with callbacks --------------------------------------------------------------------------------- */

static void on_mail(cqln_mail *m)
{
    cql_pages *p = CQLN_CONTAINER(m, cql_pages, mail);
    cqln_cluster *c = p->home;
    leave(p, &p->mailed, true);
    cqln_cluster_leave(c);
}

static void on_room(cqln_parked *place);

/* On the loop. False: not yet, it waits for room in the queue. */
static bool ask_in_turn(cql_pages *p)
{
    cql_status st = ask(p, 0);
    cqln_gate_lock(&p->gate);
    p->parked = p->parked || st == CQL_WOULD_BLOCK;
    if (st && st != CQL_WOULD_BLOCK)
        p->error = complain(p, st, "the next page cannot be asked for");
    cqln_gate_unlock(&p->gate);
    if (st != CQL_WOULD_BLOCK)
        return true;
    p->place.go_on = on_room;
    cqln_room_park(p->home, &p->place);
    return false;
}

static void on_room(cqln_parked *place)
{
    cql_pages *p = CQLN_CONTAINER(place, cql_pages, place);
    if (ask_in_turn(p))
        leave(p, &p->parked, true);
}

/* The callback for a page. False: no more at present. */
static bool hand_over(cql_pages *p, cql_result *page)
{
    (void)ask_in_turn(p); /* the server works while the program does */
    cqln_gate_lock(&p->gate);
    p->resumed = false;
    cqln_gate_unlock(&p->gate);
    p->current = page;
    cql_pages_step step = p->cb(p->s, NULL, page, p->user);
    p->current = NULL;
    cql_result_unref(page);
    cqln_gate_lock(&p->gate);
    p->paused = step == CQL_PAGES_PAUSE && !p->resumed;
    p->over = p->over || step == CQL_PAGES_STOP;
    bool more = !p->paused && !p->over;
    cqln_gate_unlock(&p->gate);
    return more;
}

/* One callback, when there is one to make. */
static bool deliver_one(cql_pages *p)
{
    cqln_gate_lock(&p->gate);
    bool may = !p->paused && !p->over;
    cql_result *page = may ? p->ready : NULL;
    cql_error *failed = may && !page ? p->error : NULL;
    bool last = may && !page && (failed || p->ended);
    if (page)
        p->ready = NULL;
    if (failed)
        p->error = NULL;
    p->over = p->over || last;
    cqln_gate_unlock(&p->gate);
    if (page)
        return hand_over(p, page);
    if (last)
        p->cb(p->s, failed, NULL, p->user);
    cql_error_unref(failed);
    return false;
}

/* On the loop's thread, marked as inside. */
static void deliver(cql_pages *p)
{
    while (deliver_one(p))
        continue;
    leave(p, &p->inside, false);
}

cql_status cql_pages_run(cql_pages *p, cql_page_cb cb, void *user)
{
    if (!p || !cb)
        return CQL_BAD_ARGUMENT;
    if (p->running || p->first_came)
        return CQL_BAD_STATE;
    p->running = true;
    p->cb = cb;
    p->user = user;
    cql_status st = ask(p, 0);
    if (st)
        p->running = false;
    return st;
}

/* The session is closed: there is no loop any more that could go on. */
static void stay_paused(cql_pages *p)
{
    cqln_gate_lock(&p->gate);
    p->paused = true;
    cqln_gate_unlock(&p->gate);
    leave(p, &p->mailed, false);
}

cql_status cql_pages_resume(cql_pages *p)
{
    if (!p)
        return CQL_BAD_ARGUMENT;
    cqln_gate_lock(&p->gate);
    bool paused = p->paused && !p->over;
    bool mail = paused && !p->mailed;
    bool early = p->inside && !p->over;
    p->resumed = p->resumed || early;
    if (paused)
        p->paused = false;
    if (mail)
        p->mailed = true;
    cqln_gate_unlock(&p->gate);
    p->mail.fn = on_mail;
    if (mail && !cqln_cluster_send(p->home, &p->mail)) {
        stay_paused(p);
        return CQL_BAD_STATE;
    }
    return paused || early ? CQL_OK : CQL_BAD_STATE;
}
