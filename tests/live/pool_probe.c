/* pool_probe URL [LEAST MOST]: how many connections the server counts for a session at rest, under load, and at rest
 * again, as its own table system_views.clients has it; and without LEAST and MOST also for a session of three
 * loops, of which each has one while all have one control connection. Ends with 1 when the pool does not
 * grow to its most, or not shrink back to its least, or the loops have other connections than that.
 *
 * pool_probe far URL WITNESS COUNT: the node that WITNESS connects to comes to count COUNT connections of a session of URL.
 *
 * LEAST and MOST (1 and 4): the URL's connections_per_host and max_connections_per_host; the server counts
 * one more, the control connection. */
#include <cqlnative/cql.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IN_FLIGHT = 256, LOOPS = 3, PATIENCE_S = 90 };

static const char name[] = "pool_probe";
static atomic_bool loading;
static atomic_uint in_flight, failed;

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "pool_probe: %s: %s\n", what, why);
    exit(1);
}

static cql_session *open_session(const char *url, const char *application, const char *loops)
{
    cql_error *err = NULL;
    cql_options *o = NULL;
    cql_session *s = NULL;
    if (cql_options_new(NULL, &o) != CQL_OK || cql_options_parse(o, url, &err) != CQL_OK ||
        cql_options_set(o, "application", application, &err) != CQL_OK ||
        cql_options_set(o, "loop_threads", loops, &err) != CQL_OK ||
        cql_session_new(o, &s, &err) != CQL_OK || cql_session_connect_wait(s, &err) != CQL_OK)
        give_up("connect", err ? cql_error_text(err) : "out of memory");
    cql_options_free(o);
    return s;
}

/* --- load: as many requests as fit, each followed by the next -------------------------------------- */

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user);

static void ask(cql_session *s)
{
    static const char cql[] = "SELECT keyspace_name, replication FROM system_schema.keyspaces";
    in_flight++;
    cql_status st = cql_session_query(s, cql, on_answer, NULL);
    if (st == CQL_OK)
        return;
    in_flight--;
    if (failed++ == 0)
        fprintf(stderr, "pool_probe: %s\n", cql_status_text(st));
}

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    (void)res;
    (void)user;
    /* A server that is overloaded may drop reads and say so; that is no failure of the pool. */
    if (err && CQL_SERVER_CODE(cql_error_status(err)) < 0 && failed++ == 0)
        fprintf(stderr, "pool_probe: %s\n", cql_error_text(err));
    if (loading)
        ask(s);
    in_flight--;
}

/* --- what the server counts ------------------------------------------------------------------------ */

static unsigned clients(cql_session *s)
{
    cql_error *err = NULL;
    cql_result *res = NULL;
    unsigned count = 0;
    cql_status st =
        cql_session_query_wait(s, "SELECT driver_name FROM system_views.clients", &res, &err);
    if (CQL_SERVER_CODE(st) >= 0) { /* overloaded: asked again */
        cql_error_unref(err);
        return UINT_MAX;
    }
    if (st)
        give_up("the list of clients", cql_error_text(err));
    cql_rows rows;
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        cql_str driver = cql_rows_str(&rows, 0);
        count += driver.len == sizeof name - 1 && memcmp(driver.ptr, name, driver.len) == 0;
    }
    cql_result_unref(res);
    return count;
}

static void await(cql_session *witness, const char *when, unsigned wanted)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    time_t end = time(NULL) + PATIENCE_S;
    unsigned seen;
    while ((seen = clients(witness)) != wanted) {
        if (time(NULL) > end) {
            fprintf(stderr, "pool_probe: %s: %u connections, not %u\n", when, seen, wanted);
            exit(1);
        }
        nanosleep(&moment, NULL);
    }
    printf("%s %u\n", when, seen);
}

static unsigned counted(cql_session *s)
{
    cql_metrics *m = cql_session_metrics(s);
    uint64_t n = cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_CONNECTIONS);
    cql_metrics_free(m);
    return (unsigned)n;
}

/* --- several loops -------------------------------------------------------------------------------- */

static void on_counted(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    (void)s;
    (void)res;
    (void)user;
    if (err && failed++ == 0)
        fprintf(stderr, "pool_probe: %s\n", cql_error_text(err));
    in_flight--;
}

static void spread(const char *url, cql_session *witness)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    cql_session *s = open_session(url, name, "3");
    await(witness, "loops", LOOPS + 1);
    /* Before the load, with which a loop whose share is two may grow to it. */
    for (time_t end = time(NULL) + PATIENCE_S; counted(s) != LOOPS; nanosleep(&moment, NULL))
        if (time(NULL) > end)
            give_up("loops", "the session counts other connections than the server");
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        in_flight++;
        if (cql_session_query(s, "SELECT key FROM system.local", on_counted, NULL) != CQL_OK)
            give_up("loops", "a request was refused");
    }
    while (in_flight)
        nanosleep(&moment, NULL);
    if (failed)
        give_up("loops", "requests failed");
    cql_session_free(s);
    await(witness, "closed", 0);
}

/* Of a session at rest, at another node than that of its control connection. */
static void far(const char *url, const char *witness_url, const char *count)
{
    cql_session *witness = open_session(witness_url, "pool_witness", "1");
    cql_session *s = open_session(url, name, "1");
    await(witness, "far", (unsigned)strtoul(count, NULL, 10));
    cql_session_free(s);
    await(witness, "closed", 0);
    cql_session_free(witness);
}

int main(int argc, char **argv)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    if (argc == 5 && strcmp(argv[1], "far") == 0) {
        far(argv[2], argv[3], argv[4]);
        return 0;
    }
    if (argc != 2 && argc != 4)
        give_up("usage", "pool_probe URL [LEAST MOST] | far URL WITNESS COUNT");
    const unsigned least = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
    const unsigned most = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 4;
    cql_session *witness = open_session(argv[1], "pool_witness", "1");
    cql_session *s = open_session(argv[1], name, "1");
    await(witness, "rest", least + 1);
    loading = true;
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        ask(s);
    await(witness, "load", most + 1);
    for (time_t end = time(NULL) + PATIENCE_S; counted(s) != most; nanosleep(&moment, NULL))
        if (time(NULL) > end)
            give_up("metrics", "the session counts other connections than the server");
    loading = false;
    while (in_flight)
        nanosleep(&moment, NULL);
    await(witness, "again", least + 1);
    if (failed)
        give_up("load", "requests failed");
    cql_session_free(s);
    await(witness, "closed", 0);
    if (argc == 2)
        spread(argv[1], witness);
    cql_session_free(witness);
    return 0;
}
