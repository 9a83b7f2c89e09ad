/* TLS under a session with several loops: each loop has sessions to resume and files to read again of its own,
 * and the program sees one of everything. */
#include "mocksession.h"
#include "tlsend.h"

#include <cqlnative/tls.h>
#include <poll.h>
#include <unistd.h>

enum { LOOPS = 3, NODES = 3, ALL = LOOPS * NODES };

static testcert ca, cert;
static SSL_CTX *ctx;
static char folder[] = "tls-loops-XXXXXX";
static const char *ca_file;

static int start(void **state)
{
    start_three(state);
    assert_non_null(mkdtemp(folder));
    ca = testcert_authority("test authority");
    cert = testcert_server(&ca, "DNS:db.example,IP:127.9.0.1,IP:127.9.0.2,IP:127.9.0.3");
    ctx = tlsend_context(&cert, NULL);
    ca_file = testcert_write(folder, "ca.pem", &ca, NULL);
    tlsend_wrap(&server, ctx);
    return 0;
}

static int stop(void **state)
{
    char command[100];
    stop_server(state);
    SSL_CTX_free(ctx);
    testcert_free(&cert);
    testcert_free(&ca);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* The nodes speak TLS with this context from now on, on new connections. */
static void serve(SSL_CTX *with)
{
    tlsend_wrap(&server, with);
    mockserver_cut(&server);
}

static cql_options *tls_options(const char *more)
{
    char text[400];
    snprintf(text, sizeof text,
             "loop_threads=%d&connections_per_host=%d&reconnect_base=1&reconnect_max=20&tls_ca=%s&%s",
             LOOPS, LOOPS, ca_file, more);
    return options(text);
}

static cql_tls_stats stats_of(cql_session *s)
{
    cql_tls_stats stats = {.size = sizeof stats};
    assert_int_equal(cql_session_tls_stats(s, &stats), CQL_OK);
    return stats;
}

/* All that were there are gone, and as many are there again. */
static void wait_new(cql_session *s, uint64_t opened)
{
    for (int i = 0; i < PATIENCE_MS && metric_of(s, CQL_METRIC_OPENED) < opened + ALL; i++)
        poll(NULL, 0, 1);
    wait_connections(s, ALL);
}

/* --- requests on every loop ------------------------------------------------------------------------ */

typedef struct tally {
    pthread_mutex_t lock;
    pthread_t seen[LOOPS + 1];
    unsigned threads;
    atomic_uint calls, errors;
} tally;

static void on_rows(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    tally *t = user;
    (void)s;
    t->errors += err != NULL || cql_result_row_count(res) != 500;
    pthread_mutex_lock(&t->lock);
    unsigned i = 0;
    while (i < t->threads && !pthread_equal(t->seen[i], pthread_self()))
        i++;
    if (i == t->threads && i < CQL_COUNT(t->seen))
        t->seen[t->threads++] = pthread_self();
    pthread_mutex_unlock(&t->lock);
    t->calls++;
}

static void ask_all(cql_session *s)
{
    enum { COUNT = 120 };
    tally t = {.lock = PTHREAD_MUTEX_INITIALIZER};
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(cql_session_query(s, "SELECT * FROM t rows 500", on_rows, &t), CQL_OK);
    wait_for(&t.calls, COUNT);
    assert_int_equal(t.errors, 0);
    assert_int_equal(t.threads, LOOPS);
}

/* --- what works ------------------------------------------------------------------------------------ */

static void every_loop_shakes_hands(void **state)
{
    static const char *const forms[] = {"tls=verify-full", "tls=verify-full&protocol=4&compression=lz4",
                                        "tls=verify-full&tls_name=db.example"};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        cql_tls_facts f = {.size = sizeof f};
        cql_session *s = open_with(tls_options(forms[i]));
        wait_connections(s, ALL);
        ask_all(s);
        assert_true(stats_of(s).handshakes >= ALL + 1); /* and the control connection */
        assert_int_equal(stats_of(s).failed, 0);
        for (size_t n = 0; n < NODES; n++) {
            assert_int_equal(cql_session_tls_facts(s, mockserver_host(&server, n), &f), CQL_OK);
            assert_string_equal(f.node, mockserver_host(&server, n));
            assert_true(f.chain_verified && f.name_verified);
        }
        close_session(s);
    }
}

static void every_loop_comes_back_by_resuming(void **state)
{
    (void)state;
    cql_session *s = open_with(tls_options("tls=verify-full"));
    wait_connections(s, ALL);
    ask_all(s); /* tickets have come on each of them */
    for (int round = 0; round < 3; round++) {
        uint64_t resumed = stats_of(s).resumed;
        uint64_t opened = metric_of(s, CQL_METRIC_OPENED);
        mockserver_cut(&server);
        wait_new(s, opened);
        assert_true(stats_of(s).resumed >= resumed + ALL);
        ask_all(s);
    }
    close_session(s);
}

typedef struct told {
    atomic_uint again, refused;
} told;

static void on_log(void *user, cql_log_level level, cql_str text)
{
    told *t = user;
    char line[600];
    (void)level;
    snprintf(line, sizeof line, "%.*s", (int)text.len, text.ptr);
    t->again += strstr(line, "TLS files were read again") != NULL;
    t->refused += strstr(line, "changed TLS files are not used") != NULL;
}

/* Each loop reads the files at its next connection; the program hears of it once. */
static void every_loop_takes_changed_files_in(void **state)
{
    told t = {0};
    (void)state;
    cql_options *o = tls_options("tls=verify-full");
    cql_options_set_log(o, on_log, &t, CQL_LOG_INFO);
    cql_session *s = open_with(o);
    wait_connections(s, ALL);
    ask_all(s);
    assert_int_equal(stats_of(s).reloads, 0);
    testcert new_ca = testcert_authority("new authority");
    testcert renewed = testcert_server(&new_ca, "IP:127.9.0.1,IP:127.9.0.2,IP:127.9.0.3");
    SSL_CTX *with = tlsend_context(&renewed, NULL);
    uint64_t opened = metric_of(s, CQL_METRIC_OPENED);
    uint64_t resumed = stats_of(s).resumed;
    testcert_write(folder, "ca.pem", &new_ca, NULL);
    serve(with);
    wait_new(s, opened);
    assert_int_equal(stats_of(s).reloads, LOOPS);
    assert_int_equal(t.again, 1);
    assert_int_equal(t.refused, 0);
    assert_int_equal(stats_of(s).failed, 0);
    ask_all(s);
    /* Back: what was kept to resume with is of the other authority's servers and must not help. */
    opened = metric_of(s, CQL_METRIC_OPENED);
    serve(ctx);
    while (stats_of(s).failed < ALL) /* every loop refuses every node */
        poll(NULL, 0, 1);
    assert_int_equal(metric_of(s, CQL_METRIC_OPENED), opened);
    testcert_write(folder, "ca.pem", &ca, NULL);
    wait_new(s, opened);
    assert_int_equal(stats_of(s).reloads, 2 * LOOPS);
    assert_true(stats_of(s).resumed - resumed <= 2 * (ALL + 1));
    ask_all(s);
    close_session(s);
    SSL_CTX_free(with);
    testcert_free(&renewed);
    testcert_free(&new_ca);
}

/* --- what fails ------------------------------------------------------------------------------------- */

static void a_server_that_is_another_is_refused_by_all(void **state)
{
    cql_session *s = NULL;
    cql_error *err = NULL;
    (void)state;
    testcert other = testcert_authority("other authority");
    testcert foreign = testcert_server(&other, "IP:127.9.0.1,IP:127.9.0.2,IP:127.9.0.3");
    SSL_CTX *with = tlsend_context(&foreign, NULL);
    serve(with);
    cql_options *o = tls_options("tls=verify-full");
    assert_int_equal(cql_session_new(o, &s, &err), CQL_OK);
    cql_options_free(o);
    assert_int_equal(cql_session_connect_wait(s, &err), CQL_TLS_FAILED);
    assert_non_null(strstr(cql_error_text(err), "signed by \"CN=other authority\""));
    cql_error_unref(err);
    err = NULL;
    serve(ctx);
    assert_int_equal(cql_session_connect_wait(s, &err), CQL_OK);
    wait_connections(s, ALL);
    ask_all(s);
    close_session(s);
    SSL_CTX_free(with);
    testcert_free(&foreign);
    testcert_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_loop_shakes_hands),
        cmocka_unit_test(every_loop_comes_back_by_resuming),
        cmocka_unit_test(every_loop_takes_changed_files_in),
        cmocka_unit_test(a_server_that_is_another_is_refused_by_all),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
