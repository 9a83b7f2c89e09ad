/* What a session costs at run time, for tests/checks/footprint: it connects to a server that answers
 * from memory, in one of the modes without a thread, and prints `name value` lines.
 *
 *   footprint_probe driven|loop|memory HOST:PORT */
#include <cqlnative/cql.h>
#include <cqlnative/uv.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENT "SELECT release_version FROM system.local"

enum { REQUESTS = 500, CONNECTIONS = 8 };

/* --- memory that is counted: each block has its size in front -------------------------------------- */
typedef struct counter {
    size_t used;
} counter;

union header {
    size_t size;
    max_align_t align;
};

static void *count_realloc(void *context, void *block, size_t size)
{
    counter *c = context;
    union header *old = block ? (union header *)block - 1 : NULL;
    size_t before = old ? old->size : 0;
    union header *made = realloc(old, sizeof *made + size);
    if (!made)
        return NULL;
    made->size = size;
    c->used += size - before;
    return made + 1;
}

static void *count_malloc(void *context, size_t size)
{
    return count_realloc(context, NULL, size);
}

static void count_free(void *context, void *block)
{
    counter *c = context;
    union header *old = block ? (union header *)block - 1 : NULL;
    if (old)
        c->used -= old->size;
    free(old);
}

static void stop(const char *what, cql_error *err)
{
    fprintf(stderr, "footprint_probe: %s: %s\n", what, err ? cql_error_text(err) : "refused");
    exit(1);
}

/* --- what the system says of this process ---------------------------------------------------------- */
static void print_process(const char *mode)
{
    static const char *const keys[] = {"VmRSS:", "RssAnon:", "Threads:"};
    static const char *const names[] = {"resident_kib", "private_kib", "threads"};
    char line[200];
    FILE *f = fopen("/proc/self/status", "r");
    if (!f)
        stop("/proc/self/status cannot be read", NULL);
    while (fgets(line, sizeof line, f))
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
            if (strncmp(line, keys[i], strlen(keys[i])) == 0)
                printf("%s_%s %lu\n", mode, names[i], strtoul(line + strlen(keys[i]), NULL, 10));
    fclose(f);
}

/* --- sessions -------------------------------------------------------------------------------------- */
static cql_options *options(const cql_allocator *al, const char *host, const char *preset)
{
    cql_options *o = NULL;
    cql_error *err = NULL;
    if (cql_options_new(al, &o) || cql_options_set_contact_points(o, host, &err) ||
        cql_options_set_number(o, "loop_threads", 0, &err) || cql_options_set(o, "preset", preset, &err))
        stop(host, err);
    return o;
}

/* Connections to the node, always; 0: as the preset says. */
static cql_session *connected(const cql_allocator *al, const char *host, const char *preset, unsigned connections)
{
    cql_options *o = options(al, host, preset);
    cql_session *s = NULL;
    cql_error *err = NULL;
    if (connections && (cql_options_set_number(o, "connections_per_host", connections, &err) ||
                        cql_options_set_number(o, "max_connections_per_host", connections, &err)))
        stop("connections", err);
    if (cql_session_new(o, &s, &err) || cql_session_connect_wait(s, &err))
        stop("cannot connect", err);
    cql_options_free(o);
    return s;
}

static void driven(const char *host)
{
    cql_session *s = connected(NULL, host, "device", 0);
    cql_error *err = NULL;
    if (cql_session_query_wait(s, STATEMENT, NULL, &err))
        stop(STATEMENT, err);
    print_process("driven");
    cql_session_free(s);
}

static void on_closed(cql_session *s, const cql_error *err, void *user)
{
    (void)err;
    (void)user;
    cql_session_free(s);
}

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    (void)res;
    (void)user;
    if (err)
        stop(cql_error_text(err), NULL);
    print_process("loop");
    cql_session_close(s, on_closed, NULL);
}

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    if (err || cql_session_query(s, STATEMENT, on_answer, user))
        stop(err ? cql_error_text(err) : STATEMENT, NULL);
}

static void callers_loop(const char *host)
{
    cql_options *o = options(NULL, host, "device");
    cql_session *s = NULL;
    cql_error *err = NULL;
    uv_loop_t loop;
    if (uv_loop_init(&loop) || cql_session_new_uv(&loop, o, &s, &err) ||
        cql_session_connect(s, on_connected, NULL))
        stop("cannot connect", err);
    cql_options_free(o);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

/* --- bytes of the library's own memory ------------------------------------------------------------- */
static unsigned open_now(cql_session *s)
{
    cql_metrics *m = cql_session_metrics(s);
    unsigned n = (unsigned)cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_CONNECTIONS);
    cql_metrics_free(m);
    return n;
}

/* A session with that many connections to each node, once all are there and nothing is under way. */
static size_t idle_bytes(const char *host, unsigned connections, const char *preset, unsigned *opened)
{
    counter c = {0};
    const cql_allocator al = {&c, count_malloc, count_realloc, count_free};
    cql_session *s = connected(&al, host, preset, connections);
    for (int turns = 0; turns < 1000 && open_now(s) % connections != 0; turns++)
        cql_session_drive(s, 10);
    for (int turns = 0; turns < 20; turns++)
        cql_session_drive(s, 5);
    *opened = open_now(s);
    size_t bytes = c.used;
    cql_session_free(s);
    return bytes;
}

static void connections(const char *host, const char *name, const char *preset)
{
    unsigned few = 0, many = 0;
    size_t less = idle_bytes(host, 1, preset, &few);
    size_t all = idle_bytes(host, CONNECTIONS + 1, preset, &many);
    if (many <= few)
        stop("not all connections were opened", NULL);
    printf("session_bytes%s %zu\nidle_connection_bytes%s %zu\n", name, less, name,
           (all - less) / (many - few));
}

static void on_counted(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    size_t *left = user;
    (void)s;
    (void)res;
    if (err)
        stop(cql_error_text(err), NULL);
    --*left;
}

/* Requests that were taken and not answered yet, with all that is held for them. */
static void requests(const char *host)
{
    counter c = {0};
    const cql_allocator al = {&c, count_malloc, count_realloc, count_free};
    cql_session *s = connected(&al, host, "none", 0);
    size_t left = REQUESTS, before = c.used;
    for (size_t i = 0; i < REQUESTS; i++)
        if (cql_session_query(s, STATEMENT, on_counted, &left))
            stop(STATEMENT, NULL);
    printf("request_bytes %zu\n", (c.used - before) / REQUESTS);
    while (left)
        cql_session_drive(s, 100);
    cql_session_free(s);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    if (strcmp(argv[1], "driven") == 0) {
        driven(argv[2]);
    } else if (strcmp(argv[1], "loop") == 0) {
        callers_loop(argv[2]);
    } else {
        connections(argv[2], "", "none");
        connections(argv[2], "_device", "device");
        requests(argv[2]);
    }
    return 0;
}
