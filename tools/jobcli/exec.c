/* One command: a process in a session of its own, with pipes for input, output and error. */
#include "jobcli/exec.h"

#include "common/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_MAX  1024
#define AFTER_MS  1000 /* for output that others still hold open after the command ended */
#define PIECE     65536
#define VARIABLES 4

extern char **environ;

typedef struct exec {
    const jobs_exec_settings *settings;
    cql_job *job; /* NULL once it was given up */
    uv_process_t process;
    uv_pipe_t in, out, err;
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t shutdown;
    unsigned open; /* handles not closed yet */
    char *output;
    size_t output_len, output_capacity;
    char tail[TAIL_MAX];
    size_t tail_len;
    bool exited;
    bool out_ended, err_ended;
    bool too_large;
    bool lost;
    int64_t status;
    int signal;
    char piece[PIECE];
} exec;

/* --- the end ---------------------------------------------------------------------------------- */
static void on_closed(uv_handle_t *handle)
{
    exec *e = handle->data;

    if (--e->open)
        return;
    free(e->output);
    free(e);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_all(exec *e)
{
    close_handle((uv_handle_t *)&e->process);
    close_handle((uv_handle_t *)&e->in);
    close_handle((uv_handle_t *)&e->out);
    close_handle((uv_handle_t *)&e->err);
    close_handle((uv_handle_t *)&e->timer);
}

/* The last line of standard error that is not empty; it ends the text it is in. */
static const char *last_line(exec *e)
{
    char *start;

    while (e->tail_len && strchr("\r\n\t ", e->tail[e->tail_len - 1]))
        e->tail_len--;
    e->tail[e->tail_len] = '\0';
    start = strrchr(e->tail, '\n');
    return start ? start + 1 : e->tail;
}

static char *reason_of(exec *e)
{
    const char *said = last_line(e);
    const char *colon = *said ? ": " : "";

    if (e->too_large)
        return tool_format("the output is larger than %zu bytes", e->settings->output_max);
    if (e->signal)
        return tool_format("ended by signal %d (%s)%s%s", e->signal, strsignal(e->signal), colon,
                           said);
    return tool_format("exit status %" PRId64 "%s%s", e->status, colon, said);
}

static void fail(cql_job *job, const char *why)
{
    if (cql_job_fail(job, why)) /* out of memory: the lease settles it, and here it is given up */
        cql_job_give_back(job);
}

/* The output as the shell's $(...) has it: without the line ends at its end. */
static cql_str result_of(exec *e)
{
    while (e->output_len && e->output[e->output_len - 1] == '\n')
        e->output_len--;
    return (cql_str){e->output ? e->output : "", e->output_len};
}

static void give_up(exec *e)
{
    cql_job *job = e->job;
    char *why;

    e->job = NULL;
    if (e->lost) {
        cql_job_give_back(job);
        return;
    }
    if (e->status == 0 && !e->signal && !e->too_large) {
        cql_status st = cql_job_complete_str(job, result_of(e));

        if (st == CQL_OK)
            return;
        why = tool_format("the output cannot be stored: %s",
                          st == CQL_BAD_VALUE ? "it is not UTF-8" : cql_status_text(st));
    } else {
        why = reason_of(e);
    }
    fail(job, why);
    free(why);
}

static void finish(exec *e)
{
    if (e->job)
        give_up(e);
    close_all(e);
}

static void on_after(uv_timer_t *timer)
{
    finish(timer->data);
}

static void settle(exec *e)
{
    if (!e->exited)
        return;
    if (e->out_ended && e->err_ended)
        finish(e);
    else
        (void)uv_timer_start(&e->timer, on_after, AFTER_MS, 0);
}

static void on_ended(uv_process_t *process, int64_t status, int signal)
{
    exec *e = process->data;

    e->exited = true;
    e->status = status;
    e->signal = signal;
    settle(e);
}

/* --- ending it early -------------------------------------------------------------------------- */
static void send_signal(exec *e, int number)
{
    if (!e->exited && e->process.pid > 0)
        (void)kill(-e->process.pid, number); /* with all that it has started */
}

static void on_patience_over(uv_timer_t *timer)
{
    send_signal(timer->data, SIGKILL);
}

static void end_early(exec *e)
{
    send_signal(e, SIGTERM);
    if (!e->exited)
        (void)uv_timer_start(&e->timer, on_patience_over, e->settings->kill_ms, 0);
}

static void on_lost(cql_job *job, void *user)
{
    exec *e = user;

    (void)job;
    e->lost = true;
    end_early(e);
}

/* --- pipes ------------------------------------------------------------------------------------ */
static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    exec *e = handle->data;

    (void)suggested;
    *buf = uv_buf_init(e->piece, sizeof e->piece);
}

static void keep_output(exec *e, const char *bytes, size_t n)
{
    if (e->too_large)
        return;
    if (n > e->settings->output_max - e->output_len) {
        e->too_large = true;
        end_early(e);
        return;
    }
    e->output = tool_grow(e->output, &e->output_capacity, e->output_len + n + 1, 1);
    memcpy(e->output + e->output_len, bytes, n);
    e->output_len += n;
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    exec *e = stream->data;

    if (n > 0) {
        keep_output(e, buf->base, (size_t)n);
    } else if (n < 0) {
        e->out_ended = true;
        close_handle((uv_handle_t *)&e->out);
        settle(e);
    }
}

static void keep_tail(exec *e, const char *bytes, size_t n)
{
    size_t room = TAIL_MAX - 1;

    if (n > room) {
        bytes += n - room;
        n = room;
    }
    if (e->tail_len + n > room) {
        size_t drop = e->tail_len + n - room;

        memmove(e->tail, e->tail + drop, e->tail_len - drop);
        e->tail_len -= drop;
    }
    memcpy(e->tail + e->tail_len, bytes, n);
    e->tail_len += n;
}

static void on_error_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    exec *e = stream->data;

    if (n > 0) {
        (void)fwrite(buf->base, 1, (size_t)n, stderr);
        keep_tail(e, buf->base, (size_t)n);
    } else if (n < 0) {
        e->err_ended = true;
        close_handle((uv_handle_t *)&e->err);
        settle(e);
    }
}

static void on_input_shut(uv_shutdown_t *request, int status)
{
    exec *e = request->data;

    (void)status;
    close_handle((uv_handle_t *)&e->in);
}

/* A command need not read its input: a failed write is none of the job's. */
static void on_written(uv_write_t *request, int status)
{
    exec *e = request->data;

    if (status == 0 && uv_shutdown(&e->shutdown, (uv_stream_t *)&e->in, on_input_shut) == 0)
        return;
    close_handle((uv_handle_t *)&e->in);
}

/* --- beginning -------------------------------------------------------------------------------- */
static size_t environment_size(void)
{
    size_t n = 0;

    while (environ[n])
        n++;
    return n;
}

static char **make_environment(const cql_job *job)
{
    const cql_job_info *info = cql_job_info_of(job);
    size_t n = environment_size();
    char **env = tool_alloc(n + VARIABLES + 1, sizeof env[0]);

    memcpy(env, environ, n * sizeof env[0]);
    env[n] = tool_format("CQL_JOB_ID=%s", info->id.ptr);
    env[n + 1] = tool_format("CQL_JOB_TYPE=%s", info->type.ptr ? info->type.ptr : "");
    env[n + 2] = tool_format("CQL_JOB_ATTEMPT=%d", (int)info->retry_count + 1);
    env[n + 3] = tool_format("CQL_JOB_TOKEN=%" PRId64, cql_job_token(job));
    return env;
}

static void free_environment(char **env)
{
    size_t n = environment_size();

    for (size_t i = 0; i < VARIABLES; i++)
        free(env[n + i]);
    free(env);
}

static int spawn(exec *e)
{
    char shell[] = "/bin/sh", flag[] = "-c";
    char *command = tool_copy(e->settings->command);
    char *args[] = {shell, flag, command, NULL};
    char **env = make_environment(e->job);
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&e->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&e->out},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&e->err}};
    uv_process_options_t o = {.exit_cb = on_ended,
                              .file = shell,
                              .args = args,
                              .env = env,
                              .flags = UV_PROCESS_DETACHED, /* a Ctrl-C is for the worker */
                              .stdio_count = 3,
                              .stdio = stdio};
    int rc = uv_spawn(e->settings->loop, &e->process, &o);

    free_environment(env);
    free(command);
    return rc;
}

static void begin_input(exec *e)
{
    cql_str arguments = cql_job_info_of(e->job)->arguments;
    /* Both live until the job is given up, the pipe at most as long. */
    uv_buf_t buf = {.len = arguments.len};

    memcpy(&buf.base, &arguments.ptr, sizeof buf.base);
    e->write.data = e->shutdown.data = e;
    if (uv_write(&e->write, (uv_stream_t *)&e->in, &buf, 1, on_written))
        close_handle((uv_handle_t *)&e->in);
}

static void init_handles(exec *e)
{
    uv_loop_t *loop = e->settings->loop;

    (void)uv_pipe_init(loop, &e->in, 0);
    (void)uv_pipe_init(loop, &e->out, 0);
    (void)uv_pipe_init(loop, &e->err, 0);
    (void)uv_timer_init(loop, &e->timer);
    e->in.data = e->out.data = e->err.data = e->timer.data = e->process.data = e;
    e->open = 5;
}

void jobs_exec_start(const jobs_exec_settings *settings, cql_job *job)
{
    exec *e = tool_alloc(1, sizeof *e);
    int rc;

    e->settings = settings;
    e->job = job;
    init_handles(e);
    rc = spawn(e);
    if (rc) {
        char *why = tool_format("the command cannot be started: %s", uv_strerror(rc));

        fail(job, why);
        free(why);
        e->job = NULL;
        close_all(e);
        return;
    }
    cql_job_on_lost(job, on_lost, e);
    begin_input(e);
    (void)uv_read_start((uv_stream_t *)&e->out, on_room, on_output);
    (void)uv_read_start((uv_stream_t *)&e->err, on_room, on_error_output);
}
