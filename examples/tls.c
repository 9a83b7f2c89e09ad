/* tls.c: an encrypted session in the program's own event loop, with the program's own allocator and no
 * thread: what a device would do.
 *
 *   tls [CONNECTION STRING]
 *   tls 'cql://10.0.0.5:9142/?preset=device&tls=verify-full&tls_ca=ca.pem&tls_name=cassandra.example'
 *
 * User and password come from CQL_USERNAME and CQL_PASSWORD. */
#include <cqlnative/cql.h>
#include <cqlnative/uv.h>
#include <stdio.h>
#include <stdlib.h>

/* Memory from the program's own source; this one only counts. */
static void *take(void *context, size_t size)
{
    ++*(unsigned long *)context;
    return malloc(size);
}

static void *change(void *context, void *block, size_t size)
{
    ++*(unsigned long *)context;
    return realloc(block, size);
}

static void give_back(void *context, void *block)
{
    (void)context;
    free(block);
}

static void on_closed(cql_session *s, const cql_error *err, void *user)
{
    (void)err;
    (void)user;
    cql_session_free(s);
}

/* Freeing it closes it too, and needs no memory. An open session would keep the loop turning. */
static void close_session(cql_session *s)
{
    if (cql_session_close(s, on_closed, NULL) != CQL_OK)
        cql_session_free(s);
}

static void on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    int *failed = user;
    cql_tls_stats stats = {.size = sizeof stats};
    cql_rows rows;
    if (err) {
        fprintf(stderr, "%s\n", cql_error_text(err));
        *failed = 1;
    } else if (cql_session_tls_stats(s, &stats) == CQL_OK) {
        cql_rows_init(&rows, res);
        while (cql_rows_next(&rows))
            printf("%s runs %s", cql_rows_cstr(&rows, 0), cql_rows_cstr(&rows, 1));
        printf("; %llu TLS connections, %llu of them resumed\n",
               (unsigned long long)stats.handshakes, (unsigned long long)stats.resumed);
    }
    close_session(s);
}

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    int *failed = user;
    cql_status st = CQL_OK;
    if (err)
        fprintf(stderr, "%s\n", cql_error_text(err)); /* which host, which certificate, what to do */
    else
        st = cql_session_query(s, "SELECT cluster_name, release_version FROM system.local", on_answer,
                               user);
    if (!err && st == CQL_OK)
        return;
    if (!err)
        fprintf(stderr, "%s\n", cql_status_text(st));
    *failed = 1;
    close_session(s);
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://localhost/?preset=device&tls=verify-full";
    unsigned long taken = 0;
    const cql_allocator allocator = {&taken, take, change, give_back};
    cql_options *o = NULL;
    cql_session *s = NULL;
    cql_error *err = NULL;
    int failed = 0;

    cql_status st = cql_options_new(&allocator, &o);
    if (st == CQL_OK)
        st = cql_options_from_environment(o, &err);
    if (st == CQL_OK)
        st = cql_options_parse(o, url, &err);
    if (st == CQL_OK)
        st = cql_session_new_uv(uv_default_loop(), o, &s, &err);
    if (st == CQL_OK)
        st = cql_session_connect(s, on_connected, &failed);
    if (st != CQL_OK) {
        cql_session_free(s);
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    }
    cql_options_free(o);
    cql_error_unref(err);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    uv_loop_close(uv_default_loop());
    printf("%lu times memory was taken\n", taken);
    return st != CQL_OK || failed;
}
