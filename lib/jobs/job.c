/* job.c: the object of a job that a worker looks at or holds: counting, operations, and the calls
 * that its handler makes on it from any thread. */
#include "jobs/duty.h"
#include "jobs/worker.h"

#include <string.h>

enum { WHY_MAX = 4096 };

/* --- life ------------------------------------------------------------------------------------- */
static void job_free(cql_job *job)
{
    cqljob_hub *hub = job->hub;
    const cql_allocator *al = &hub->jobs->al;

    cql_job_info_free(job->info);
    cql_job_info_free(job->answer);
    cql_error_unref(job->err);
    cqljob_free(al, job->said_text);
    cqljob_free(al, job->claim);
    cqljob_free(al, job->id);
    cqljob_free(al, job);
    cqljob_hub_unref(hub);
}

void cqljob_job_ref(cql_job *job)
{
    (void)pthread_mutex_lock(&job->hub->lock);
    job->refs++;
    (void)pthread_mutex_unlock(&job->hub->lock);
}

void cqljob_job_unref(cql_job *job)
{
    bool last;

    (void)pthread_mutex_lock(&job->hub->lock);
    last = --job->refs == 0;
    (void)pthread_mutex_unlock(&job->hub->lock);
    if (last)
        job_free(job);
}

static void op_deliver(cql_worker *w, cqljob_mail *mail);
static void op_discard(cqljob_mail *mail);
static void verdict_deliver(cql_worker *w, cqljob_mail *mail);
static void verdict_discard(cqljob_mail *mail);

cql_job *cqljob_job_new(cql_worker *w, const char *id)
{
    const cql_allocator *al = &w->jobs->al;
    cql_job *job = cqljob_zalloc(al, sizeof *job);
    char *copy = cqljob_copy(al, cql_str_of(id));

    if (!job || !copy) {
        cqljob_free(al, job);
        cqljob_free(al, copy);
        return NULL;
    }
    cqljob_hub_ref(w->hub);
    job->hub = w->hub;
    job->refs = 1;
    job->w = w;
    job->id = copy;
    job->op_mail.deliver = op_deliver;
    job->op_mail.discard = op_discard;
    job->verdict_mail.deliver = verdict_deliver;
    job->verdict_mail.discard = verdict_discard;
    job->next = w->first;
    if (w->first)
        w->first->prev = job;
    w->first = job;
    w->looking++;
    return job;
}

void cqljob_job_over(cql_job *job)
{
    cql_worker *w = job->w;

    if (job->phase < CQLJOB_HELD)
        w->looking--;
    else
        w->held--;
    if (job->prev)
        job->prev->next = job->next;
    else
        w->first = job->next;
    if (job->next)
        job->next->prev = job->prev;
    job->phase = CQLJOB_OVER;
    cqljob_job_unref(job);
}

/* --- operations ------------------------------------------------------------------------------- */
static cql_job *of_op_mail(cqljob_mail *mail)
{
    return (cql_job *)(void *)((char *)mail - offsetof(cql_job, op_mail));
}

static cql_job *of_verdict_mail(cqljob_mail *mail)
{
    return (cql_job *)(void *)((char *)mail - offsetof(cql_job, verdict_mail));
}

/* On the session's loop: notes the answer and tells the worker. */
static void on_answer(void *user, cqljob_answer *a)
{
    cql_job *job = user;

    job->outcome = a->outcome;
    job->answer = a->job;
    a->job = NULL;
    job->own_backoff = a->backoff;
    cqljob_keep_newest(&job->err, a->err);
    cqljob_hub_post(job->hub, &job->op_mail);
}

static void on_moved(void *user, const cqljob_move_result *r)
{
    cql_job *job = user;

    job->moved = r->moved;
    if (r->moved == CQLJOB_MOVE_DONE && !job->renewing) /* else what the claim left is still so */
        job->index_behind = r->index_behind;
    cqljob_keep_newest(&job->err, r->err);
    cqljob_hub_post(job->hub, &job->op_mail);
}

static void op_deliver(cql_worker *w, cqljob_mail *mail)
{
    cql_job *job = of_op_mail(mail);

    (void)w;
    if (job->phase == CQLJOB_OVER)
        job->op = CQLJOB_OP_NONE;
    else if (job->phase < CQLJOB_HELD)
        cqljob_scan_answer(job);
    else
        cqljob_held_answer(job);
    cqljob_job_unref(job);
}

static void op_discard(cqljob_mail *mail)
{
    cqljob_job_unref(of_op_mail(mail));
}

static cql_status op_started(cql_job *job, cql_status st)
{
    if (st) {
        job->op = CQLJOB_OP_NONE;
        cqljob_job_unref(job);
    }
    return st;
}

static void op_begin(cql_job *job, cqljob_op op)
{
    cqljob_job_ref(job);
    cql_job_info_free(job->answer);
    job->answer = NULL;
    job->op = op;
}

cql_status cqljob_job_request(cql_job *job)
{
    op_begin(job, CQLJOB_OP_REQUEST);
    return op_started(job, cqljob_send(job->hub->jobs, &job->rq, on_answer, job));
}

cql_status cqljob_job_move(cql_job *job)
{
    op_begin(job, CQLJOB_OP_MOVE);
    return op_started(
        job, cqljob_mover_start(&job->mover, job->hub->jobs, cql_str_of(job->id), on_moved, job));
}

static void on_minded(void *user, const cql_error *err, size_t released)
{
    cql_job *job = user;

    (void)released;
    job->outcome = err ? CQLJOB_FAILED : CQLJOB_DONE;
    cqljob_keep_newest(&job->err, err);
    cqljob_hub_post(job->hub, &job->op_mail);
}

cql_status cqljob_job_mind(cql_job *job)
{
    const cql_job_info *info = job->info;

    op_begin(job, CQLJOB_OP_REQUEST);
    return op_started(job, cqljob_duty_ended(job->hub->jobs, info->id,
                                             info->state == CQL_JOB_SUCCEEDED, info->batch_id,
                                             on_minded, job));
}

/* --- what a handler may call ------------------------------------------------------------------ */
const cql_job_info *cql_job_info_of(const cql_job *job)
{
    return job->shown;
}

int64_t cql_job_token(const cql_job *job)
{
    int64_t token;

    (void)pthread_mutex_lock(&job->hub->lock);
    token = job->token;
    (void)pthread_mutex_unlock(&job->hub->lock);
    return token;
}

bool cql_job_is_lost(const cql_job *job)
{
    bool lost;

    (void)pthread_mutex_lock(&job->hub->lock);
    lost = job->lost;
    (void)pthread_mutex_unlock(&job->hub->lock);
    return lost;
}

void cql_job_on_lost(cql_job *job, cql_job_handler fn, void *user)
{
    (void)pthread_mutex_lock(&job->hub->lock);
    job->on_lost = fn;
    job->on_lost_user = user;
    (void)pthread_mutex_unlock(&job->hub->lock);
}

/* Passes the job, with the handler's reference, to the worker. Takes text. */
static void say(cql_job *job, cqljob_verdict verdict, char *text, size_t len)
{
    job->said = verdict;
    job->said_text = text;
    job->said_len = len;
    (void)pthread_mutex_lock(&job->hub->lock);
    job->answered = true;
    job->on_lost = NULL;
    (void)pthread_mutex_unlock(&job->hub->lock);
    cqljob_hub_post(job->hub, &job->verdict_mail);
}

cql_status cql_job_complete_str(cql_job *job, cql_str result)
{
    char *copy = NULL;

    if (result.len > job->hub->jobs->set.max_bytes)
        return CQL_TOO_LARGE;
    if (!cqljob_is_utf8(result))
        return CQL_BAD_VALUE;
    if (result.ptr) {
        copy = cqljob_copy(&job->hub->jobs->al, result);
        if (!copy)
            return CQL_NO_MEMORY;
    }
    say(job, CQLJOB_VERDICT_COMPLETE, copy, result.len);
    return CQL_OK;
}

cql_status cql_job_complete(cql_job *job, const char *result)
{
    return cql_job_complete_str(job, cql_str_of(result));
}

cql_status cql_job_fail(cql_job *job, const char *why)
{
    cql_str text = cql_str_of(why ? why : "");
    char *copy;

    text.len = cqljob_cut_utf8(text, WHY_MAX);
    copy = cqljob_copy(&job->hub->jobs->al, text);
    if (!copy)
        return CQL_NO_MEMORY;
    cqljob_mend_utf8(copy, text.len);
    say(job, CQLJOB_VERDICT_FAIL, copy, text.len);
    return CQL_OK;
}

void cql_job_give_back(cql_job *job)
{
    say(job, CQLJOB_VERDICT_GIVE_BACK, NULL, 0);
}

void cql_job_renew(cql_job *job)
{
    (void)pthread_mutex_lock(&job->hub->lock);
    job->renew_asked = true;
    (void)pthread_mutex_unlock(&job->hub->lock);
    cqljob_hub_wake(job->hub);
}

static void verdict_deliver(cql_worker *w, cqljob_mail *mail)
{
    cql_job *job = of_verdict_mail(mail);

    (void)w;
    if (job->phase == CQLJOB_HELD && job->verdict == CQLJOB_VERDICT_NONE) {
        job->verdict = job->said;
        job->verdict_text = (cql_str){job->said_text, job->said_len};
        cqljob_held_tick(job, false);
    }
    cqljob_job_unref(job);
}

static void verdict_discard(cqljob_mail *mail)
{
    cqljob_job_unref(of_verdict_mail(mail));
}
