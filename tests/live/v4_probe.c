/* v4_probe URL: a session that does what standard input says, line by line, and answers each line with one:
 *
 *   up N             wait until N nodes are up                       -> up N
 *   is ADDRESS WORD  wait until that node is up, down or gone        -> is ADDRESS WORD
 *   ask yes|no CQL   one statement, idempotent or not                -> ok HOST ROWS
 *                                                                    or error STATUS maybe|not TEXT
 *   prepare CQL                                                      -> prepared MARKERS
 *   run yes|no N     the prepared statement N times, 32 at a time    -> ran OK FAILED
 *   cancel CQL       one statement, given up at once                 -> as ask
 *
 * Waiting ends after half a minute with "late". */
#include <cqlnative/cql.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_TENTHS = 300, AT_A_TIME = 32 };

static cql_session *session;
static cql_prepared *prepared;
static atomic_uint answered, well;

static void die(cql_status st, const cql_error *err, const char *what)
{
    if (st == CQL_OK)
        return;
    fprintf(stderr, "v4_probe: %s: %s\n", what, err ? cql_error_text(err) : cql_status_text(st));
    exit(1);
}

static const char *state_of(const char *address, size_t *up)
{
    const char *state = "gone";
    cql_host_info info;
    cql_hosts *hosts = cql_session_hosts(session);
    *up = 0;
    for (size_t i = 0; cql_hosts_at(hosts, i, &info); i++) {
        *up += info.up;
        if (strcmp(info.address, address) == 0)
            state = info.up ? "up" : "down";
    }
    cql_hosts_free(hosts);
    return state;
}

static void wait_up(size_t wanted)
{
    size_t up = 0;
    for (int i = 0; i < WAIT_TENTHS; i++) {
        state_of("", &up);
        if (up == wanted)
            break;
        usleep(100000);
    }
    printf("%s %zu\n", up == wanted ? "up" : "late", up);
}

static void wait_state(char *line)
{
    const char *word = strchr(line, ' ');
    size_t up;
    if (!word) {
        printf("late\n");
        return;
    }
    line[word - line] = '\0';
    word++;
    for (int i = 0; i < WAIT_TENTHS; i++) {
        if (strcmp(state_of(line, &up), word) == 0) {
            printf("is %s %s\n", line, word);
            return;
        }
        usleep(100000);
    }
    printf("late %s %s\n", line, state_of(line, &up));
}

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    (void)s;
    (void)err;
    (void)user;
    if (res)
        atomic_fetch_add(&well, 1);
    atomic_fetch_add(&answered, 1);
}

static void on_told(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    (void)s;
    (void)user;
    if (res)
        printf("ok %.*s %zu\n", (int)cql_result_host(res).len, cql_result_host(res).ptr,
               cql_result_row_count(res));
    else
        printf("error %d %s %s\n", (int)cql_error_status(err),
               cql_error_maybe_applied(err) ? "maybe" : "not", cql_error_text(err));
    atomic_fetch_add(&answered, 1);
}

static void wait_answers(unsigned wanted)
{
    while (atomic_load(&answered) < wanted)
        usleep(1000);
}

static void ask(const char *cql, bool idempotent, bool cancel)
{
    cql_statement *st = NULL;
    cql_request request;
    die(cql_statement_new(cql, 0, NULL, &st), NULL, cql);
    cql_statement_set_idempotent(st, idempotent);
    atomic_store(&answered, 0);
    die(cql_session_execute_with(session, st, NULL, &request, on_told, NULL), NULL, cql);
    if (cancel) {
        usleep(100000);
        die(cql_request_cancel(session, request), NULL, "cancel");
    }
    wait_answers(1);
    cql_statement_free(st);
}

static void prepare(const char *cql)
{
    cql_error *err = NULL;
    cql_prepared_unref(prepared);
    prepared = NULL;
    if (cql_session_prepare_wait(session, cql, &prepared, &err) == CQL_OK)
        printf("prepared %zu\n", cql_prepared_marker_count(prepared));
    else
        printf("error %d %s\n", (int)cql_error_status(err), cql_error_text(err));
    cql_error_unref(err);
}

static void run(bool idempotent, unsigned n)
{
    atomic_store(&answered, 0);
    atomic_store(&well, 0);
    for (unsigned i = 0; i < n; i++) {
        cql_statement *st = cql_prepared_bind(prepared);
        for (size_t k = 0; k < cql_prepared_marker_count(prepared); k++)
            cql_statement_bind_int32(st, k, (int32_t)i);
        cql_statement_set_idempotent(st, idempotent);
        die(cql_session_execute(session, st, on_answer, NULL), NULL, "execute");
        cql_statement_free(st);
        if (i >= AT_A_TIME)
            wait_answers(i - AT_A_TIME);
    }
    wait_answers(n);
    printf("ran %u %u\n", atomic_load(&well), n - atomic_load(&well));
}

static bool word(char **line, const char *what)
{
    size_t n = strlen(what);
    if (strncmp(*line, what, n) != 0)
        return false;
    *line += n;
    return true;
}

static void obey(char *line)
{
    if (word(&line, "up "))
        wait_up(strtoul(line, NULL, 10));
    else if (word(&line, "is "))
        wait_state(line);
    else if (word(&line, "ask yes "))
        ask(line, true, false);
    else if (word(&line, "ask no "))
        ask(line, false, false);
    else if (word(&line, "cancel "))
        ask(line, false, true);
    else if (word(&line, "prepare "))
        prepare(line);
    else if (prepared && word(&line, "run yes "))
        run(true, (unsigned)strtoul(line, NULL, 10));
    else if (prepared && word(&line, "run no "))
        run(false, (unsigned)strtoul(line, NULL, 10));
    else
        printf("not understood: %s\n", line);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[512];
    cql_error *err = NULL;
    if (argc != 2) {
        fprintf(stderr, "usage: v4_probe URL\n");
        return 2;
    }
    die(cql_session_open_wait(argv[1], &session, &err), err, argv[1]);
    printf("version %d\n", cql_session_protocol_version(session));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    cql_prepared_unref(prepared);
    cql_session_free(session);
    return 0;
}
