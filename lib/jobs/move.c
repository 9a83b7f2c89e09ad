/* move.c: the steps of a move.
 *
 *   BEFORE  index rows of the state to come
 *   CHANGE  the conditional update
 *   SETTLE  after an answer that leaves the outcome open: a serial read, which also finishes or
 * rules out an update that is half done on the servers. The row then shows that the change was
 *           applied, or that it still can be (CHANGE again, with the same values), or neither.
 *   DUTY    when the job ended: jobs that wait for it become due. Where this fails the rows of AFTER
 *           stay, so that whoever meets them sees to it.
 *   AFTER   removal of the index rows of the state left */
#include "jobs/move.h"

#include "jobs/duty.h"

#include <string.h>

enum { BEFORE, CHANGE, SETTLE, AFTER };
enum { TRIES = 4 };

static void on_answer(void *user, cqljob_answer *a);

static void finish(cqljob_mover *m, cqljob_moved moved)
{
    cql_error *err = m->err;

    if (!m->tallied)
        cqljob_tally_end(m->jobs, -1, -1);
    m->err = NULL;
    m->result.moved = moved;
    m->result.err = moved == CQLJOB_MOVE_UNKNOWN || moved == CQLJOB_MOVE_FAILED ? err : NULL;
    m->fn(m->user, &m->result); /* m may be gone now */
    cql_error_unref(err);
}

static cql_status send(cqljob_mover *m, int step)
{
    m->step = step;
    m->rq.serial = step == SETTLE;
    m->rq.change = step == CHANGE ? &m->move.change : NULL;
    m->rq.indexes = step == BEFORE ? &m->move.before : &m->move.after;
    m->rq.verb = step == CHANGE ? CQLJOB_CHANGE : step == SETTLE ? CQLJOB_GET : CQLJOB_INDEX;
    return cqljob_send(m->jobs, &m->rq, on_answer, m);
}

/* Sends, and ends the move where that is refused (a full queue, a closed session). */
static void go(cqljob_mover *m, int step)
{
    cql_status st = send(m, step);

    if (!st)
        return;
    if (step == AFTER) {
        m->result.index_behind = true;
        finish(m, CQLJOB_MOVE_DONE);
        return;
    }
    if (!m->err)
        m->err = cqljob_error(m->jobs, st, NULL, "job %.*s: %s", (int)m->rq.id.len, m->rq.id.ptr,
                              cql_status_text(st));
    finish(m, m->doubt ? CQLJOB_MOVE_UNKNOWN : CQLJOB_MOVE_FAILED);
}

static void clear_up(cqljob_mover *m)
{
    if (m->move.after.count)
        go(m, AFTER);
    else
        finish(m, CQLJOB_MOVE_DONE);
}

static void duty_done(void *user, const cql_error *err, size_t released)
{
    cqljob_mover *m = user;

    (void)released;
    if (!err) {
        clear_up(m);
        return;
    }
    m->result.index_behind = true;
    finish(m, CQLJOB_MOVE_DONE);
}

static void applied(cqljob_mover *m)
{
    const cqljob_change *c = &m->move.change;
    bool succeeded = !c->remove && c->state == CQL_JOB_SUCCEEDED;

    m->tallied = true;
    cqljob_tally_end(m->jobs, c->from_state, c->remove ? -1 : c->state);
    if (!m->move.ends || (!succeeded && !m->move.batch_id.ptr)) {
        clear_up(m);
    } else if (cqljob_duty_ended(m->jobs, m->rq.id, succeeded, m->move.batch_id, duty_done, m)) {
        m->result.index_behind = true;
        finish(m, CQLJOB_MOVE_DONE);
    }
}

/* The outcome is open, or a refusal follows an earlier open one. */
static void settle(cqljob_mover *m)
{
    if (m->tries++ < TRIES)
        go(m, SETTLE);
    else
        finish(m, CQLJOB_MOVE_UNKNOWN);
}

static void changed(cqljob_mover *m, const cqljob_answer *a)
{
    switch (a->outcome) {
    case CQLJOB_DONE:
        applied(m);
        break;
    case CQLJOB_REFUSED:
        if (m->doubt)
            settle(m);
        else
            finish(m, CQLJOB_MOVE_REFUSED);
        break;
    case CQLJOB_UNKNOWN:
        m->doubt = true;
        settle(m);
        break;
    case CQLJOB_FAILED:
        if (m->doubt)
            settle(m);
        else
            finish(m, CQLJOB_MOVE_FAILED);
        break;
    }
}

static void settled(cqljob_mover *m, const cqljob_answer *a)
{
    const cql_job_info *job = a->outcome == CQLJOB_DONE ? a->job : NULL;

    if (a->outcome == CQLJOB_UNKNOWN || a->outcome == CQLJOB_FAILED)
        settle(m);
    else if (cqljob_change_is_done(&m->move.change, job))
        applied(m);
    else if (!cqljob_change_can_be(&m->move.change, job))
        finish(m, CQLJOB_MOVE_REFUSED);
    else if (m->tries < TRIES)
        go(m, CHANGE);
    else
        finish(m, CQLJOB_MOVE_UNKNOWN);
}

static void on_answer(void *user, cqljob_answer *a)
{
    cqljob_mover *m = user;

    if (a->err)
        cqljob_keep_newest(&m->err, a->err);
    switch (m->step) {
    case BEFORE:
        if (a->outcome == CQLJOB_DONE)
            go(m, CHANGE);
        else
            finish(m, CQLJOB_MOVE_FAILED);
        break;
    case CHANGE:
        changed(m, a);
        break;
    case SETTLE:
        settled(m, a);
        break;
    case AFTER:
        m->result.index_behind = a->outcome != CQLJOB_DONE;
        finish(m, CQLJOB_MOVE_DONE);
        break;
    }
}

cql_status cqljob_mover_start(cqljob_mover *m, cql_jobs *jobs, cql_str id, cqljob_move_fn fn,
                              void *user)
{
    cql_status st;

    m->jobs = jobs;
    memset(&m->rq, 0, sizeof m->rq);
    memset(&m->result, 0, sizeof m->result);
    m->rq.id = id;
    m->tries = 0;
    m->doubt = false;
    m->err = NULL;
    m->fn = fn;
    m->user = user;
    m->tallied = false;
    cqljob_tally_begin(jobs);
    st = send(m, m->move.before.count ? BEFORE : CHANGE);
    if (st)
        cqljob_tally_end(jobs, -1, -1);
    return st;
}
