/* enqueue and schedule: one job from the command line, or one for each line of a file, many on the
 * way at a time. */
#include "jobcli/lines.h"
#include "jobcli/run.h"

#include "common/exit_code.h"
#include "common/interrupt.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TYPE_MAX  255
#define INPUT_MAX (16u << 20)

static int64_t time_of(const jobs_cli *cli)
{
    struct timespec ts;

    if (!cli->has_time)
        return 0;
    if (cli->at_ms)
        return cli->at_ms;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + (int64_t)cli->in_ms;
}

char *jobs_trim_line(char *line, size_t *n, bool first)
{
    size_t mark = first && strncmp(line, JOBS_BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;

    line += mark;
    *n -= mark;
    while (*n && (line[*n - 1] == '\n' || line[*n - 1] == '\r'))
        line[--*n] = '\0';
    if (strspn(line, " \t\r") == *n)
        *n = 0;
    return line;
}

bool jobs_cli_is_sound(jobs_cli *cli)
{
    bool stores = cli->command == JOBS_ENQUEUE || cli->command == JOBS_SCHEDULE;
    size_t type = stores || cli->command == JOBS_BATCH ? strlen(cli->words[0]) : 1;

    if (type == 0 || type > TYPE_MAX)
        tool_args_fail(&cli->args, "the type of the job has %zu bytes, it may have 1 to %d", type, TYPE_MAX);
    if (!cli->args.ended && stores && !cli->lines && strcmp(cli->words[1], "-") != 0 && !tool_json_is_value(cli->words[1]))
        tool_args_fail(&cli->args, "the arguments of the job are not JSON: %s", cli->words[1]);
    if (!cli->args.ended && cli->then_json && !tool_json_is_value(cli->then_json))
        tool_args_fail(&cli->args, "--then-json: not JSON: %s", cli->then_json);
    if (!cli->args.ended && cli->command == JOBS_RECURRING && cli->word_count == 5 &&
        !tool_json_is_value(cli->words[4]))
        tool_args_fail(&cli->args, "the arguments of the job are not JSON: %s", cli->words[4]);
    return !cli->args.ended;
}

static cql_job_spec spec_of(const jobs_cli *cli, const char *json)
{
    cql_job_spec spec = {.size = sizeof spec,
                         .type = cli->words[0],
                         .id = cli->id,
                         .at_ms = time_of(cli),
                         .max_retries = cli->max_retries,
                         .batch_id = cli->batch,
                         .parent_id = cli->after,
                         .after_batch_id = cli->after_batch,
                         .backoff = cli->backoff};

    spec.arguments = cql_str_of(json);
    return spec;
}

static void tell(const jobs_cli *cli, const cql_job_info *job, FILE *out)
{
    if (cli->json)
        jobs_show_json(out, job->was_there ? "exists" : "created", job);
    else
        fprintf(out, "%s\n", job->id.ptr);
    if (job->parent_ended)
        tool_remark(JOBS_NAME, "job %s waits for one that has ended without success: it will not "
                               "run unless that one is retried", job->id.ptr);
}

/* --- one -------------------------------------------------------------------------------------- */
/* All of standard input; NULL when it is too much or cannot be read. Yours: free(). */
static char *read_all(void)
{
    char *text = NULL;
    size_t capacity = 0, n = 0, got;

    do {
        text = tool_grow(text, &capacity, n + 4096, 1);
        got = fread(text + n, 1, capacity - n - 1, stdin);
        n += got;
    } while (got && n < INPUT_MAX);
    text[n] = '\0';
    if (!ferror(stdin) && n < INPUT_MAX && strlen(text) == n)
        return text;
    free(text);
    return NULL;
}

static int refuse_input(const char *why)
{
    tool_fail(JOBS_NAME, "standard input: %s", why);
    return TOOL_EXIT_USAGE;
}

static int enqueue_one(jobs_run *run, const char *json)
{
    cql_job_spec spec = spec_of(run->cli, json);
    cql_error *err = NULL;
    cql_job_info *job = NULL;
    int code = TOOL_EXIT_OK;

    if (cql_jobs_enqueue_wait(run->jobs, &spec, &job, &err))
        code = jobs_report(err);
    else
        tell(run->cli, job, stdout);
    cql_job_info_free(job);
    cql_error_unref(err);
    return code;
}

static int enqueue_word(jobs_run *run)
{
    const char *word = run->cli->words[1];
    char *input = strcmp(word, "-") == 0 ? read_all() : tool_copy(word);
    int code;

    if (!input)
        return refuse_input("cannot be read, or is larger than 16 MiB");
    if (tool_json_is_value(input))
        code = enqueue_one(run, input);
    else
        code = refuse_input("not JSON");
    free(input);
    return code;
}

/* --- many ------------------------------------------------------------------------------------- */
typedef struct feed feed;

/* A line that is being stored. */
typedef struct pending {
    feed *of;
    unsigned place;
} pending;

struct feed {
    jobs_run *run;
    jobs_lines lines;
    unsigned long long number; /* of the line read last */
    jobs_in_order answers;
    pending pending[JOBS_IN_ORDER];
    int code;
};

/* What is said of the job; NULL: nothing. Yours: free(). */
static char *text_of(const jobs_cli *cli, const cql_job_info *job)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    tell(cli, job, out);
    fclose(out);
    return text;
}

static void stored(cql_jobs *jobs, const cql_error *err, const cql_job_info *job, void *user)
{
    pending *p = user;
    feed *f = p->of;

    (void)jobs;
    if (err && f->code == TOOL_EXIT_OK) /* one message is enough when all fail alike */
        f->code = jobs_report(err);
    jobs_in_order_come(&f->answers, p->place, err ? NULL : text_of(f->run->cli, job), stdout);
}

static bool is_flying(const feed *f)
{
    return jobs_in_order_count(&f->answers) != 0;
}

/* The next line that is not blank, without its end; NULL at the end or after a message. */
static const char *next_line(feed *f)
{
    const char *name = f->run->cli->lines;
    size_t length;
    char *line;

    while ((line = jobs_lines_next(&f->lines, &length)) != NULL) {
        line = jobs_trim_line(line, &length, f->number++ == 0);
        if (!length)
            continue;
        if (strlen(line) == length && tool_json_is_value(line))
            return line;
        tool_fail(JOBS_NAME, "%s:%llu: not JSON, and nothing after it was stored", name, f->number);
        f->code = TOOL_EXIT_FAILED;
        return NULL;
    }
    if (f->lines.error && !tool_interrupted()) {
        tool_fail(JOBS_NAME, "%s: %s", name, strerror(f->lines.error));
        f->code = TOOL_EXIT_FAILED;
    }
    return NULL;
}

/* Nobody drives the session while the next line is waited for, so what is under way ends before that,
 * and whoever reads the ids has them. */
static void settle_before_waiting(feed *f)
{
    while (is_flying(f) && !jobs_lines_are_ready(&f->lines))
        (void)cql_session_drive(f->run->s, -1);
    if (!is_flying(f))
        (void)fflush(stdout);
}

/* False after a message. */
static bool store_line(feed *f, const char *json)
{
    cql_job_spec spec = spec_of(f->run->cli, json);
    unsigned place = jobs_in_order_add(&f->answers);
    pending *p = &f->pending[place % JOBS_IN_ORDER];
    cql_status st;

    *p = (pending){f, place};
    st = cql_jobs_enqueue(f->run->jobs, &spec, stored, p);
    if (!st)
        return true;
    jobs_in_order_come(&f->answers, place, NULL, stdout);
    tool_fail(JOBS_NAME, "%s:%llu: %s", f->run->cli->lines, f->number, cql_status_text(st));
    f->code = TOOL_EXIT_FAILED;
    return false;
}

static void feed_all(feed *f)
{
    const char *json = NULL;

    while (f->code == TOOL_EXIT_OK && !tool_interrupted() && (json = next_line(f)) != NULL) {
        while (jobs_in_order_count(&f->answers) == JOBS_IN_ORDER)
            (void)cql_session_drive(f->run->s, -1);
        if (store_line(f, json))
            settle_before_waiting(f);
    }
    while (is_flying(f))
        (void)cql_session_drive(f->run->s, -1);
    if (f->code == TOOL_EXIT_OK && tool_interrupted()) {
        tool_fail(JOBS_NAME, "%s:%llu: interrupted, and nothing after it was stored",
                  f->run->cli->lines, f->number);
        f->code = TOOL_EXIT_FAILED;
    }
}

static int enqueue_lines(jobs_run *run)
{
    const char *path = run->cli->lines;
    feed f = {.run = run};

    f.lines.fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (f.lines.fd < 0) {
        tool_fail(JOBS_NAME, "%s: %s", path, strerror(errno));
        return TOOL_EXIT_USAGE;
    }
    feed_all(&f);
    jobs_lines_free(&f.lines);
    if (f.lines.fd != STDIN_FILENO)
        close(f.lines.fd);
    return f.code;
}

int jobs_enqueue(jobs_run *run)
{
    return run->cli->lines ? enqueue_lines(run) : enqueue_word(run);
}
