/* Sessions over TLS against mock nodes on the loopback: names, log-in, failures and what they cost. */
#include "tlsend.h"
#include "unit.h"

#include <cqlnative/cql.h>
#include <cqlnative/outbox.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static mockserver server;
static testcert ca, cert;
static SSL_CTX *ctx;
static char folder[] = "tls-loop-XXXXXX";
static const char *ca_file;

/* --- counting ------------------------------------------------------------------------------------- */

static _Atomic(uint64_t) ssl_allocations, sends;
static _Atomic(bool) counting;
static _Atomic(size_t) send_most; /* bytes that one send takes; 0: any number */
static _Thread_local bool counted_thread;

static void *count_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    if (counting && counted_thread)
        ssl_allocations++;
    return malloc(n);
}

static void *count_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    if (counting && counted_thread)
        ssl_allocations++;
    return realloc(p, n);
}

static void count_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

/* In front of the C library's: the library writes with this alone. */
ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    size_t most = atomic_load(&send_most);
    if (counting && counted_thread)
        sends++;
    return syscall(SYS_sendto, fd, bytes, most && n > most ? most : n, flags, NULL, 0);
}

/* --- making --------------------------------------------------------------------------------------- */

static int start(void **state)
{
    (void)state;
    mockserver_start(&server, 3);
    assert_non_null(mkdtemp(folder));
    ca = testcert_authority("test authority");
    cert = testcert_server(&ca, "DNS:db.example,DNS:localhost,IP:127.9.0.1,IP:127.9.0.2,IP:127.9.0.3");
    ctx = tlsend_context(&cert, NULL);
    ca_file = testcert_write(folder, "ca.pem", &ca, NULL);
    tlsend_wrap(&server, ctx);
    return 0;
}

static int stop(void **state)
{
    char command[100];
    (void)state;
    mockserver_stop(&server);
    SSL_CTX_free(ctx);
    testcert_free(&cert);
    testcert_free(&ca);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* The nodes speak TLS with this context, NULL: plain. */
static void serve(SSL_CTX *with)
{
    mockserver_cut(&server);
    tlsend_wrap(&server, with);
}

static cql_options *options(const char *more)
{
    char url[500];
    cql_options *o = NULL;
    cql_error *err = NULL;
    snprintf(url, sizeof url, "cql://%s/?loop_threads=0&request_timeout=60s&connect_timeout=60s&tls_ca=%s&%s",
             mockserver_host(&server, 0), ca_file, more);
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    if (cql_options_parse(o, url, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    return o;
}

static cql_session *connect_with(cql_options *o)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    if (cql_session_new(o, &s, &err) != CQL_OK || cql_session_connect_wait(s, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    cql_options_free(o);
    return s;
}

static void fails_with(cql_options *o, cql_status st, const char *words)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    assert_int_equal(cql_session_new(o, &s, &err), CQL_OK);
    cql_status got = cql_session_connect_wait(s, &err);
    const char *text = err ? cql_error_text(err) : "no error";
    if (got != st || !strstr(text, words))
        fail_msg("%d: \"%s\", not %d: \"%s\"", got, text, st, words);
    cql_error_unref(err);
    cql_session_free(s);
    cql_options_free(o);
}

static void ask(cql_session *s, const char *cql, size_t rows)
{
    cql_result *res = NULL;
    cql_error *err = NULL;
    if (cql_session_query_wait(s, cql, &res, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    assert_int_equal(cql_result_row_count(res), rows);
    cql_result_unref(res);
}

static unsigned hosts_up(cql_session *s)
{
    cql_hosts *hosts = cql_session_hosts(s);
    cql_host_info info;
    unsigned up = 0;
    for (size_t i = 0; cql_hosts_at(hosts, i, &info); i++)
        up += info.up;
    cql_hosts_free(hosts);
    return up;
}

/* Turns the session until so many nodes are up. */
static void until_up(cql_session *s, unsigned up)
{
    for (int i = 0; i < 500 && hosts_up(s) != up; i++)
        cql_session_drive(s, 20);
    assert_int_equal(hosts_up(s), up);
}

static cql_tls_stats stats_of(cql_session *s)
{
    cql_tls_stats stats = {.size = sizeof stats};
    assert_int_equal(cql_session_tls_stats(s, &stats), CQL_OK);
    return stats;
}

/* --- what works ----------------------------------------------------------------------------------- */

static void all_nodes_are_used_over_tls(void **state)
{
    static const char *const forms[] = {"tls=verify-full", "tls=on&protocol=4&compression=lz4",
                                        "tls=verify-full&loop_threads=1", "tls=verify-ca",
                                        "tls=verify-full&tls_name=db.example"};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        cql_session *s = connect_with(options(forms[i]));
        ask(s, "SELECT * FROM t rows 3", 3);
        ask(s, "SELECT * FROM t rows 5000", 5000); /* over many records */
        until_up(s, 3);
        assert_true(stats_of(s).handshakes >= 4); /* three nodes and the control connection */
        assert_true(stats_of(s).resumed >= 1);
        assert_int_equal(stats_of(s).failed, 0);
        cql_session_free(s);
    }
}

/* More than is encrypted at once, to a socket that takes it in parts: all of it leaves by itself. */
static void a_large_request_leaves_in_parts(void **state)
{
    enum { LONG = 3 << 20 };
    (void)state;
    char *cql = malloc(LONG + 100);
    memset(cql, ' ', LONG);
    memcpy(cql, "SELECT * FROM t", 15);
    strcpy(cql + LONG, " rows 3");
    cql_session *s = connect_with(options("tls=verify-full&heartbeat=0&request_timeout=60s"));
    until_up(s, 3);
    send_most = 100000;
    for (int i = 0; i < 3; i++)
        ask(s, cql, 3);
    send_most = 0;
    cql_session_free(s);
    free(cql);
}

/* A server that says nothing behind its handshake still gets what the client says first. */
static void a_server_without_tickets_is_asked(void **state)
{
    (void)state;
    SSL_CTX *with = tlsend_context(&cert, NULL);
    SSL_CTX_set_num_tickets(with, 0);
    serve(with);
    cql_session *s = connect_with(options("tls=verify-full&connect_timeout=20s"));
    ask(s, "SELECT * FROM t rows 3", 3);
    until_up(s, 3);
    cql_session_free(s);
    serve(ctx);
    SSL_CTX_free(with);
}

static void connections_come_back_by_resuming(void **state)
{
    (void)state;
    cql_session *s = connect_with(options("tls=verify-full&reconnect_base=1&reconnect_max=20"));
    ask(s, "SELECT * FROM t rows 3", 3);
    until_up(s, 3);
    uint64_t resumed = stats_of(s).resumed;
    mockserver_cut(&server);
    until_up(s, 0);
    until_up(s, 3);
    assert_true(stats_of(s).resumed >= resumed + 3);
    ask(s, "SELECT * FROM t rows 3", 3);
    cql_session_free(s);
}

/* As while certificates are replaced: handshakes fail again and again, then they do not. */
static void handshakes_that_failed_for_a_while_succeed(void **state)
{
    (void)state;
    testcert other = testcert_authority("other authority");
    testcert foreign = testcert_server(&other, "IP:127.9.0.1,IP:127.9.0.2,IP:127.9.0.3");
    SSL_CTX *with = tlsend_context(&foreign, NULL);
    cql_session *s = connect_with(options("tls=verify-full&reconnect_base=1&reconnect_max=20"));
    until_up(s, 3);
    uint64_t failed = stats_of(s).failed;
    serve(with);
    until_up(s, 0);
    for (int i = 0; i < 500 && stats_of(s).failed < failed + 15; i++)
        cql_session_drive(s, 20);
    assert_true(stats_of(s).failed >= failed + 15);
    assert_int_equal(hosts_up(s), 0);
    serve(ctx);
    until_up(s, 3);
    ask(s, "SELECT * FROM t rows 3", 3);
    cql_session_free(s);
    SSL_CTX_free(with);
    testcert_free(&foreign);
    testcert_free(&other);
}

static void want_login(bool wanted)
{
    pthread_mutex_lock(&server.lock);
    for (size_t i = 0; i < 3; i++)
        server.mc.nodes[i].want_login = wanted;
    pthread_mutex_unlock(&server.lock);
}

/* Behind an outbox on a link that is cut again and again, every node comes back by a resumed session. */
static void an_outbox_comes_back_by_resuming(void **state)
{
    (void)state;
    char place[] = "outbox-tls-XXXXXX", path[40], lock[48];
    cql_outbox *o = NULL;
    cql_session *s = connect_with(options("tls=verify-full&reconnect_base=1&reconnect_max=20"));
    assert_non_null(mkdtemp(place));
    snprintf(path, sizeof path, "%s/box", place);
    snprintf(lock, sizeof lock, "%s.lock", path);
    cql_outbox_options how = {.size = sizeof how, .path = path, .retry_ms = 10};
    assert_int_equal(cql_outbox_open(s, &how, &o, NULL), CQL_OK);
    until_up(s, 3);
    uint64_t resumed = stats_of(s).resumed;
    for (int32_t i = 0; i < 5; i++) {
        mockserver_cut(&server);
        until_up(s, 0);
        cql_values v = CQL_VALUES(cql_value_int32(700 + i));
        assert_int_equal(cql_outbox_add(o, "INSERT by_key ?", v, NULL, NULL), CQL_OK);
        assert_int_equal(cql_outbox_flush_wait(o, 60000, NULL), CQL_OK);
        assert_int_equal(mockserver_executed(&server, (uint32_t)(700 + i)), 1);
        until_up(s, 3);
    }
    assert_true(stats_of(s).resumed >= resumed + 5 * 3);
    cql_outbox_free(o);
    cql_session_free(s);
    unlink(path);
    unlink(lock);
    assert_int_equal(rmdir(place), 0);
}

static void credentials_go_over_tls_wherever_it_leads(void **state)
{
    cql_options *o;
    (void)state;
    want_login(true);
    o = options("tls=verify-full&plain_auth=never");
    assert_int_equal(cql_options_set_credentials(o, "cassandra", "secret"), CQL_OK);
    cql_session *s = connect_with(o);
    ask(s, "SELECT * FROM t rows 3", 3);
    cql_session_free(s);
    serve(NULL);
    o = options("plain_auth=never");
    assert_int_equal(cql_options_set_credentials(o, "cassandra", "secret"), CQL_OK);
    fails_with(o, CQL_AUTH_FAILED, "use TLS (tls=verify-full)");
    want_login(false);
    serve(ctx);
}

/* --- names ---------------------------------------------------------------------------------------- */

static bool name_of(void *user, const char *address, const char *contact, char *name)
{
    unsigned *calls = user;
    ++*calls;
    assert_null(contact);
    assert_non_null(strstr(address, "127.9.0."));
    snprintf(name, CQL_TLS_NAME_SIZE, "node.example");
    return true;
}

static void certificates_with_one_name_for_all(void **state)
{
    (void)state;
    testcert named = testcert_server(&ca, "DNS:node.example"); /* no address in it */
    SSL_CTX *with = tlsend_context(&named, NULL);
    serve(with);
    fails_with(options("tls=verify-full"), CQL_TLS_FAILED,
               "is not for \"127.9.0.1\": it names DNS:node.example; connect by a name");
    cql_session *s = connect_with(options("tls=verify-full&tls_name=node.example"));
    until_up(s, 3);
    cql_session_free(s);
    unsigned calls = 0;
    cql_options *o = options("tls=verify-full&tls_name=wrong.example");
    cql_options_set_tls_name_fn(o, name_of, &calls);
    s = connect_with(o);
    until_up(s, 3);
    assert_true(calls >= 4);
    cql_session_free(s);
    serve(ctx);
    SSL_CTX_free(with);
    testcert_free(&named);
}

static bool count_call(void *user, void *ssl_ctx)
{
    ++*(unsigned *)user;
    return SSL_CTX_set_max_proto_version(ssl_ctx, 0) == 1 &&
           SSL_CTX_set_ciphersuites(ssl_ctx, "TLS_CHACHA20_POLY1305_SHA256") == 1;
}

static void the_context_is_shown_to_the_program(void **state)
{
    (void)state;
    cql_tls_facts f = {.size = sizeof f};
    unsigned calls = 0;
    cql_options *o = options("tls=verify-full");
    cql_options_set_tls_context_fn(o, count_call, &calls);
    cql_session *s = connect_with(o);
    until_up(s, 3);
    assert_int_equal(calls, 1);
    assert_int_equal(cql_session_tls_facts(s, NULL, &f), CQL_OK);
    assert_string_equal(f.cipher, "TLS_CHACHA20_POLY1305_SHA256");
    cql_session_free(s);
}

static void what_a_handshake_came_to_is_told(void **state)
{
    cql_tls_facts f = {.size = sizeof f}, g = {.size = sizeof g};
    (void)state;
    cql_session *s = connect_with(options("tls=verify-full"));
    until_up(s, 3);
    assert_int_equal(cql_session_tls_facts(s, mockserver_host(&server, 1), &f), CQL_OK);
    assert_string_equal(f.node, mockserver_host(&server, 1));
    assert_string_equal(f.version, "TLSv1.3");
    assert_non_null(strstr(f.cipher, "TLS_"));
    assert_non_null(strstr(f.issuer, "CN=test authority"));
    assert_non_null(strstr(f.names, "DNS:db.example, DNS:localhost, IP Address:127.9.0.1"));
    assert_string_equal(f.expected_name, "127.9.0.2");
    assert_true(f.name_matches && f.name_verified && f.chain_verified);
    assert_true(f.not_before_s <= (int64_t)time(NULL) && f.not_after_s > (int64_t)time(NULL));
    assert_int_equal(cql_session_tls_facts(s, NULL, &g), CQL_OK); /* the newest one */
    assert_true(*g.node);
    assert_int_equal(cql_session_tls_facts(s, "10.1.2.3:9042", &f), CQL_NOT_FOUND);
    assert_string_equal(f.node, "");
    assert_int_equal(cql_session_tls_facts(NULL, NULL, &f), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_session_tls_facts(s, NULL, NULL), CQL_BAD_ARGUMENT);
    f.size = 8;
    assert_int_equal(cql_session_tls_facts(s, NULL, &f), CQL_BAD_ARGUMENT);
    cql_session_free(s);
    /* The name is compared for the telling also where the handshake does not demand it. */
    f.size = sizeof f;
    s = connect_with(options("tls=verify-ca&tls_name=other.example"));
    assert_int_equal(cql_session_tls_facts(s, NULL, &f), CQL_OK);
    assert_true(!f.name_matches && !f.name_verified && f.chain_verified);
    assert_string_equal(f.expected_name, "other.example");
    cql_session_free(s);
}

/* A contact point by name is verified by that name: here one that resolves to where a node listens. */
static void a_contact_point_keeps_its_name(void **state)
{
    char hosts[64], more[64];
    cql_error *err = NULL;
    (void)state;
    testcert named = testcert_server(&ca, "DNS:localhost"); /* no address in it */
    SSL_CTX *with = tlsend_context(&named, NULL);
    mockserver *own = calloc(1, sizeof *own);
    assert_non_null(own);
    mockserver_start_at(own, "127.0.0.1");
    tlsend_wrap(own, with);
    unsigned port = own->mc.nodes[0].address.port;
    snprintf(hosts, sizeof hosts, "localhost:%u", port);
    cql_options *o = options("tls=verify-full&discovery=false");
    assert_int_equal(cql_options_set_contact_points(o, hosts, &err), CQL_OK);
    cql_session *s = connect_with(o);
    ask(s, "SELECT * FROM t rows 3", 3);
    cql_session_free(s);
    snprintf(more, sizeof more, "127.0.0.1:%u", port);
    o = options("tls=verify-full&discovery=false");
    assert_int_equal(cql_options_set_contact_points(o, more, &err), CQL_OK);
    fails_with(o, CQL_TLS_FAILED, "is not for \"127.0.0.1\": it names DNS:localhost");
    mockserver_stop(own);
    free(own);
    SSL_CTX_free(with);
    testcert_free(&named);
}

/* --- what fails ----------------------------------------------------------------------------------- */

static void servers_that_are_not_who_they_should_be(void **state)
{
    (void)state;
    testcert other = testcert_authority("other authority");
    testcert foreign = testcert_server(&other, "IP:127.9.0.1");
    SSL_CTX *with = tlsend_context(&foreign, NULL);
    serve(with);
    uint64_t requests = server.mc.nodes[0].requests;
    fails_with(options("tls=verify-full"), CQL_TLS_FAILED, "signed by \"CN=other authority\"");
    assert_int_equal(server.mc.nodes[0].requests, requests);
    cql_options *o = options("");
    cql_options_set_tls_insecure(o);
    assert_string_equal(cql_options_value(o, "tls"), "require");
    cql_session *s = connect_with(o);
    ask(s, "SELECT * FROM t rows 3", 3);
    cql_session_free(s);
    serve(ctx);
    SSL_CTX_free(with);
    testcert_free(&foreign);
    testcert_free(&other);
}

static void the_other_kind_of_server_is_named(void **state)
{
    (void)state;
    fails_with(options(""), CQL_NO_HOST, "may expect TLS");
    serve(NULL);
    fails_with(options("tls=verify-full&connect_timeout=300"), CQL_TIMEOUT,
               "a server that does not speak TLS on this port may stay silent");
    serve(ctx);
}

static void a_client_certificate_is_shown(void **state)
{
    (void)state;
    testcert client = testcert_make(
        &(testcert_plan){.cn = "client", .usage = "clientAuth", .issuer = &ca});
    SSL_CTX *with = tlsend_context(&cert, NULL);
    tlsend_want_client(with, &ca);
    serve(with);
    fails_with(options("tls=verify-full"), CQL_TLS_FAILED, "the server wants a client certificate");
    char more[200];
    snprintf(more, sizeof more, "tls=verify-full&tls_cert=%s&tls_key=%s",
             testcert_write(folder, "client.pem", &client, NULL),
             testcert_write_key(folder, "client.key", &client, NULL));
    cql_session *s = connect_with(options(more));
    ask(s, "SELECT * FROM t rows 3", 3);
    cql_tls_facts own = {.size = sizeof own};
    assert_int_equal(cql_session_tls_own(s, &own), CQL_OK);
    assert_string_equal(own.subject, "CN=client");
    assert_string_equal(own.issuer, "CN=test authority");
    assert_string_equal(own.node, "");
    assert_true(own.not_before_s <= (int64_t)time(NULL) && own.not_after_s > (int64_t)time(NULL));
    assert_int_equal(cql_session_tls_own(NULL, &own), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_session_tls_own(s, NULL), CQL_BAD_ARGUMENT);
    cql_session_free(s);
    serve(ctx);
    s = connect_with(options("tls=verify-full"));
    assert_int_equal(cql_session_tls_own(s, &own), CQL_NOT_FOUND);
    assert_int_equal(own.not_after_s, 0);
    cql_session_free(s);
    SSL_CTX_free(with);
    testcert_free(&client);
}

static void a_server_that_stalls_is_given_up(void **state)
{
    (void)state;
    pthread_mutex_lock(&server.lock); /* its thread does nothing from here on */
    fails_with(options("tls=verify-full&connect_timeout=300"), CQL_TIMEOUT,
               "no connection and TLS handshake within the connect time-out");
    pthread_mutex_unlock(&server.lock);
}

static void what_cannot_be_set_up_is_told_at_once(void **state)
{
    cql_session *s = NULL;
    cql_error *err = NULL;
    (void)state;
    cql_options *o = options("tls=verify-full&tls_ca=no/such/file.pem");
    assert_int_equal(cql_session_new(o, &s, &err), CQL_TLS_FAILED);
    assert_non_null(strstr(cql_error_text(err), "no/such/file.pem: No such file"));
    assert_null(s);
    cql_options_free(o);
    o = options("tls=verify-ca");
    assert_int_equal(cql_options_set(o, "tls_ca", "", NULL), CQL_OK);
    assert_int_equal(cql_session_new(o, &s, &err), CQL_BAD_VALUE);
    assert_non_null(strstr(cql_error_text(err), "any public authority"));
    cql_options_free(o);
    cql_error_unref(err);
}

/* --- what it costs -------------------------------------------------------------------------------- */

static void *take(void *context, size_t n)
{
    (*(uint64_t *)context)++;
    return malloc(n);
}

static void *retake(void *context, void *block, size_t n)
{
    (*(uint64_t *)context)++;
    return realloc(block, n);
}

static void let_go(void *context, void *block)
{
    (void)context;
    free(block);
}

static void on_result(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    unsigned *done = user;
    (void)s;
    (void)res;
    assert_null(err);
    ++*done;
}

static void rounds(cql_session *s, const cql_statement *st, int count)
{
    enum { AT_ONCE = 50 };
    for (int i = 0; i < count; i++) {
        unsigned done = 0;
        for (int k = 0; k < AT_ONCE; k++)
            assert_int_equal(cql_session_execute(s, st, on_result, &done), CQL_OK);
        while (done < AT_ONCE)
            cql_session_drive(s, -1);
    }
}

/* In the steady state a request takes no memory (a record does, in OpenSSL), and what is submitted in a turn is one write. */
static void the_steady_state_costs_no_memory(void **state)
{
    uint64_t allocations = 0;
    const cql_allocator al = {&allocations, take, retake, let_go};
    cql_options *o = NULL;
    cql_session *s = NULL;
    cql_prepared *p = NULL;
    cql_error *err = NULL;
    char url[300];
    (void)state;
    snprintf(url, sizeof url, "cql://%s/?loop_threads=0&connect_timeout=60s&tls=on&tls_ca=%s&discovery=false",
             mockserver_host(&server, 0), ca_file);
    assert_int_equal(cql_options_new(&al, &o), CQL_OK);
    assert_int_equal(cql_options_parse(o, url, &err), CQL_OK);
    s = connect_with(o);
    assert_int_equal(cql_session_prepare_wait(s, "SELECT v FROM t WHERE echo = ?", &p, &err), CQL_OK);
    cql_statement *st = cql_prepared_bind(p);
    assert_int_equal(cql_statement_bind(st, CQL_VALUES(cql_value_int32(7)), &err), CQL_OK);
    rounds(s, st, 100);
    uint64_t before = allocations;
    counted_thread = true;
    counting = true;
    rounds(s, st, 200);
    counting = false;
    print_message("200 turns of 50 requests: %llu allocations of OpenSSL, %llu of the library, "
                  "%llu writes\n",
                  (unsigned long long)ssl_allocations, (unsigned long long)(allocations - before),
                  (unsigned long long)sends);
    assert_int_equal(allocations - before, 0);
    /* OpenSSL 3.0 takes four blocks of 40 bytes for a record out and one in, and frees them at once. */
    assert_true(ssl_allocations <= 5 * 202);
    assert_true(sends <= 202); /* now and then the wheel's own */
    cql_statement_free(st);
    cql_prepared_unref(p);
    cql_session_free(s);
}

int main(void)
{
    if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
        return 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_nodes_are_used_over_tls),
        cmocka_unit_test(a_large_request_leaves_in_parts),
        cmocka_unit_test(a_server_without_tickets_is_asked),
        cmocka_unit_test(connections_come_back_by_resuming),
        cmocka_unit_test(handshakes_that_failed_for_a_while_succeed),
        cmocka_unit_test(an_outbox_comes_back_by_resuming),
        cmocka_unit_test(credentials_go_over_tls_wherever_it_leads),
        cmocka_unit_test(the_context_is_shown_to_the_program),
        cmocka_unit_test(what_a_handshake_came_to_is_told),
        cmocka_unit_test(certificates_with_one_name_for_all),
        cmocka_unit_test(a_contact_point_keeps_its_name),
        cmocka_unit_test(servers_that_are_not_who_they_should_be),
        cmocka_unit_test(the_other_kind_of_server_is_named),
        cmocka_unit_test(a_client_certificate_is_shown),
        cmocka_unit_test(a_server_that_stalls_is_given_up),
        cmocka_unit_test(what_cannot_be_set_up_is_told_at_once),
        cmocka_unit_test(the_steady_state_costs_no_memory),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
