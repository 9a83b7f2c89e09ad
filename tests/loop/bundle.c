/* Sessions by a secure connect bundle: made here, with a metadata service and a proxy of the tests in front of mock
 * nodes. What works in each mode, and each way in which it does not. */
#include "api/session.h"
#include "cloudmock.h"
#include "makezip.h"
#include "tlsend.h"
#include "unit.h"

#include <cqlnative/cql.h>
#include <cqlnative/tls.h>
#include <cqlnative/uv.h>
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static mockserver nodes;
static cloudmock cloud;
static testcert ca, server_cert, client_cert, other_cert;
static SSL_CTX *ctx;
static char folder[] = "bundle-loop-XXXXXX";
static char ca_pem[4000], cert_pem[4000], key_pem[4000], config[400], bundle[300];

/* --- making ---------------------------------------------------------------------------------------- */

static void slurp(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(out, 1, cap - 1, f);
    out[n] = '\0';
    fclose(f);
}

typedef struct content {
    const char *config, *ca, *cert, *key; /* NULL: no such entry */
} content;

static const char *write_file(const char *name, const void *bytes, size_t len)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
    assert_int_equal(chmod(path, 0600), 0);
    return path;
}

static void add(makezip *z, const char *name, const char *text)
{
    if (text)
        makezip_add(z, name, text, strlen(text), true);
}

static const char *write_bundle(const char *name, content c)
{
    makezip z;
    makezip_init(&z);
    add(&z, "cqlshrc", "[connection]\n");
    add(&z, "config.json", c.config);
    add(&z, "ca.crt", c.ca);
    add(&z, "cert", c.cert);
    add(&z, "key", c.key);
    makezip_finish(&z, "");
    const char *path = write_file(name, z.bytes, z.len);
    makezip_fini(&z);
    return path;
}

static content right(void)
{
    return (content){config, ca_pem, cert_pem, key_pem};
}

static void service_is_right(void)
{
    pthread_mutex_lock(&cloud.lock);
    cloud.silent = false;
    cloud.rude = false;
    memset(cloud.away, 0, sizeof cloud.away);
    pthread_mutex_unlock(&cloud.lock);
    cloudmock_say(&cloud, 200, cloudmock_contact(&cloud, 2, nodes.mc.nodes[0].data_center));
}

static int start(void **state)
{
    (void)state;
    mockserver_start(&nodes, 3);
    assert_non_null(mkdtemp(folder));
    ca = testcert_authority("bundle authority");
    server_cert = testcert_server(&ca, "DNS:localhost");
    client_cert = testcert_make(&(testcert_plan){.cn = "client", .usage = "clientAuth", .issuer = &ca});
    other_cert = testcert_make(&(testcert_plan){.cn = "client", .usage = "clientAuth", .issuer = &ca});
    ctx = tlsend_context(&server_cert, NULL);
    tlsend_want_client(ctx, &ca);
    slurp(testcert_write(folder, "ca", &ca, NULL), ca_pem, sizeof ca_pem);
    slurp(testcert_write(folder, "cert", &client_cert, NULL), cert_pem, sizeof cert_pem);
    slurp(testcert_write_key(folder, "key", &client_cert, NULL), key_pem, sizeof key_pem);
    cloudmock_start(&cloud, &nodes, ctx, ctx);
    snprintf(config, sizeof config, "{\"host\": \"localhost\", \"port\": %u, \"keyspace\": \"ks\"}",
             (unsigned)cloud.service_port);
    snprintf(bundle, sizeof bundle, "%s", write_bundle("right.zip", right()));
    service_is_right();
    return 0;
}

static int stop(void **state)
{
    char command[100];
    (void)state;
    cloudmock_stop(&cloud);
    mockserver_stop(&nodes);
    SSL_CTX_free(ctx);
    testcert_free(&server_cert);
    testcert_free(&client_cert);
    testcert_free(&other_cert);
    testcert_free(&ca);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static cql_options *options(const char *path, const char *more)
{
    char url[600];
    cql_options *o = NULL;
    cql_error *err = NULL;
    snprintf(url, sizeof url,
             "cql://?loop_threads=0&request_timeout=60s&connect_timeout=60s&secure_bundle=%s&%s", path,
             more);
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

static void ask(cql_session *s, size_t rows)
{
    char cql[60];
    cql_result *res = NULL;
    cql_error *err = NULL;
    snprintf(cql, sizeof cql, "SELECT * FROM t rows %zu", rows);
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

/* With a thread of its own there is nothing to turn. */
static void until_up(cql_session *s, unsigned up)
{
    for (int i = 0; i < 3000 && hosts_up(s) != up; i++)
        if (cql_session_drive(s, 20) != CQL_OK)
            usleep(20000);
    assert_int_equal(hosts_up(s), up);
}

static unsigned asked(void)
{
    pthread_mutex_lock(&cloud.lock);
    unsigned n = cloud.asked;
    pthread_mutex_unlock(&cloud.lock);
    return n;
}

/* --- what works ------------------------------------------------------------------------------------ */

static void check_hosts(cql_session *s)
{
    cql_hosts *hosts = cql_session_hosts(s);
    cql_host_info info;
    char id[CQL_UUID_TEXT_SIZE];
    assert_int_equal(cql_hosts_count(hosts), 3);
    for (size_t i = 0; cql_hosts_at(hosts, i, &info); i++) {
        cql_uuid_print(&info.host_id, id);
        assert_string_equal(info.address, id);
    }
    cql_hosts_free(hosts);
}

static void every_node_is_reached_by_its_host_id(void **state)
{
    static const char *const forms[] = {"", "protocol=4&compression=lz4", "loop_threads=1",
                                        "connections_per_host=2", "loop_threads=3"};
    cql_tls_facts own = {.size = sizeof own};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        unsigned before = asked();
        cql_session *s = connect_with(options(bundle, forms[i]));
        ask(s, 3);
        ask(s, 5000);
        until_up(s, 3);
        check_hosts(s);
        assert_int_equal(cql_session_tls_own(s, &own), CQL_OK);
        assert_string_equal(own.subject, "CN=client");
        assert_int_equal(asked(), before + 1);
        cql_session_free(s);
    }
    assert_int_equal(cloud.unknown, 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(cloud.reached[i] >= CQL_COUNT(forms));
    assert_ptr_equal(strstr(cloud.asked_for, "GET /metadata?version=1 HTTP/1.1\r\nHost: localhost:"),
                     cloud.asked_for);
}

static void keep_connected(cql_session *s, const cql_error *err, void *user)
{
    (void)s;
    *(int *)user = err ? 2 : 1;
}

static void on_a_loop_of_the_program(void **state)
{
    uv_loop_t loop;
    cql_session *s = NULL;
    int connected = 0;
    (void)state;
    cql_options *o = options(bundle, "");
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cql_session_new_uv(&loop, o, &s, NULL), CQL_OK);
    cql_options_free(o);
    assert_int_equal(cql_session_connect(s, keep_connected, &connected), CQL_OK);
    while (!connected)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(connected, 1);
    cql_session_free(s);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* Closed at every moment of connecting: nothing is left behind, and nothing waits. */
static void a_session_is_closed_while_it_asks(void **state)
{
    (void)state;
    for (int turns = 0; turns < 60; turns++) {
        cql_session *s = NULL;
        int connected = 0;
        cql_options *o = options(bundle, "");
        assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
        cql_options_free(o);
        assert_int_equal(cql_session_connect(s, keep_connected, &connected), CQL_OK);
        for (int i = 0; i < turns; i++)
            cql_session_drive(s, 1);
        cql_session_free(s);
        assert_true(connected > 0);
    }
}

static void requests_of_a_host_id_go_there_alone(void **state)
{
    char id[CQL_UUID_TEXT_SIZE], more[80];
    (void)state;
    cql_uuid_print(&nodes.mc.nodes[2].host_id, id);
    snprintf(more, sizeof more, "allow_hosts=%s", id);
    cql_session *s = connect_with(options(bundle, more));
    assert_int_equal(hosts_up(s), 1);
    ask(s, 3);
    cql_session_free(s);
    s = connect_with(options(bundle, "discovery=false"));
    until_up(s, 2); /* the two that the service names */
    cql_session_free(s);
}

static void a_node_that_was_away_comes_back(void **state)
{
    (void)state;
    cql_session *s = connect_with(options(bundle, "reconnect_base=1&reconnect_max=50"));
    until_up(s, 3);
    pthread_mutex_lock(&cloud.lock);
    cloud.away[1] = true;
    pthread_mutex_unlock(&cloud.lock);
    cloudmock_cut(&cloud);
    until_up(s, 2);
    ask(s, 3);
    pthread_mutex_lock(&cloud.lock);
    cloud.away[1] = false;
    pthread_mutex_unlock(&cloud.lock);
    until_up(s, 3);
    cql_session_free(s);
}

/* When no node answers any more the service is asked again; what it says then holds. */
static void the_service_is_asked_again_when_all_is_lost(void **state)
{
    (void)state;
    cql_session *s = connect_with(options(bundle, "reconnect_base=20&reconnect_max=50"));
    until_up(s, 3);
    unsigned before = asked();
    pthread_mutex_lock(&cloud.lock);
    memset(cloud.away, 1, sizeof cloud.away);
    pthread_mutex_unlock(&cloud.lock);
    cloudmock_say(&cloud, 503, "later");
    cloudmock_cut(&cloud);
    until_up(s, 0);
    for (int i = 0; i < 3000 && asked() < before + 2; i++)
        cql_session_drive(s, 20);
    assert_true(asked() >= before + 2);
    service_is_right();
    until_up(s, 3);
    ask(s, 3);
    cql_session_free(s);
}

static void the_data_centre_is_the_service_s(void **state)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    (void)state;
    cloudmock_say(&cloud, 200, cloudmock_contact(&cloud, 2, "elsewhere"));
    cql_options *o = options(bundle, "");
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    assert_int_equal(cql_session_connect_wait(s, &err), CQL_BAD_ARGUMENT);
    assert_non_null(strstr(cql_error_text(err), "no node is in the data centre \"elsewhere\""));
    cql_error_unref(err);
    cql_session_free(s);
    cql_options_free(o);
    char more[60];
    snprintf(more, sizeof more, "local_dc=%s", nodes.mc.nodes[0].data_center);
    s = connect_with(options(bundle, more)); /* the program's word counts */
    cql_session_free(s);
    service_is_right();
}

/* It is there, and the tables were read over it. */
static cqln_link *control_link(cql_session *s)
{
    cqln_link *link = NULL;
    for (int i = 0; i < 3000 && !(link && cqln_conn_in_flight(link->conn) == 0); i++) {
        (void)cql_session_drive(s, 20);
        link = cqln_control_link(s->cluster.control);
    }
    assert_non_null(link);
    return link;
}

/* Each draw is one of three: that it never was the far one is no chance. */
static void the_control_connection_stays_in_its_data_centre(void **state)
{
    (void)state;
    pthread_mutex_lock(&nodes.lock);
    char home = nodes.mc.nodes[2].data_center[0];
    nodes.mc.nodes[2].data_center[0] = 'x';
    pthread_mutex_unlock(&nodes.lock);
    cql_session *s = connect_with(options(bundle, "used_hosts_per_remote_dc=1&reconnect_base=1ms&reconnect_max=5ms"));
    until_up(s, 3);
    for (int i = 0; i < 30; i++) {
        cqln_link_close(control_link(s), "the test ends it");
        const cqln_link *link = control_link(s);
        for (const cqln_node *n = s->cluster.nodes; n; n = n->next)
            if (cqln_address_equal(&n->address, &link->address))
                assert_int_equal(n->near, CQLN_NEAR_LOCAL);
    }
    cql_session_free(s);
    pthread_mutex_lock(&nodes.lock);
    nodes.mc.nodes[2].data_center[0] = home;
    pthread_mutex_unlock(&nodes.lock);
}

/* --- bundles that are wrong ------------------------------------------------------------------------ */

static void no_session(cql_options *o, cql_status st, const char *words)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_status got = cql_session_new(o, &s, &err);
    const char *text = err ? cql_error_text(err) : "no error";
    if (got != st || !strstr(text, words) || s)
        fail_msg("%d: \"%s\", not %d: \"%s\"", got, text, st, words);
    cql_error_unref(err);
    cql_options_free(o);
}

static void wrong(content c, cql_status st, const char *words)
{
    no_session(options(write_bundle("wrong.zip", c), ""), st, words);
}

static void each_wrong_bundle_has_its_own_words(void **state)
{
    (void)state;
    static char zeros[200001];
    char whole[20000];
    content c = right();
    no_session(options("/none/b.zip", ""), CQL_SYSTEM, "secure_bundle /none/b.zip: No such file");
    no_session(options(folder, ""), CQL_BAD_VALUE, "it is no regular file");
    no_session(options(write_file("x", "{}", 2), ""), CQL_BAD_VALUE, "x: it is no zip file");
    no_session(options(write_file("x", "", 0), ""), CQL_BAD_VALUE, "x: it is no zip file");
    FILE *f = fopen(bundle, "rb");
    size_t len = fread(whole, 1, sizeof whole, f);
    fclose(f);
    no_session(options(write_file("x", whole, len - 40), ""), CQL_BAD_VALUE, "x: it is cut off");
    c.config = NULL;
    wrong(c, CQL_BAD_VALUE, "it has no entry \"config.json\"");
    c.config = "{";
    wrong(c, CQL_BAD_VALUE, "config.json: it is no JSON");
    c.config = "{\"host\": \"h\"}";
    wrong(c, CQL_BAD_VALUE, "config.json: port is missing");
    c = right();
    c.key = NULL;
    wrong(c, CQL_BAD_VALUE, "it has no entry \"key\"");
    memset(zeros, '0', sizeof zeros - 1);
    c.key = zeros;
    wrong(c, CQL_BAD_VALUE, "its entry \"key\" would grow from");
    no_session(options(write_file("x", zeros, sizeof zeros), ""), CQL_BAD_VALUE, "x: it is no zip file");
}

static void each_wrong_key_has_its_own_words(void **state)
{
    (void)state;
    static char text[4000];
    content c = right();
    slurp(testcert_write_key(folder, "other", &other_cert, NULL), text, sizeof text);
    c.key = text;
    wrong(c, CQL_TLS_FAILED, "the key does not belong to the certificate beside it");
    slurp(testcert_write_key(folder, "locked", &client_cert, "secret"), text, sizeof text);
    wrong(c, CQL_TLS_FAILED, "the key is encrypted; one without a pass phrase is expected");
    c.key = "rubbish";
    wrong(c, CQL_TLS_FAILED, "key in the secure_bundle");
    c = right();
    c.cert = "rubbish";
    wrong(c, CQL_TLS_FAILED, "cert in the secure_bundle");
    c = right();
    c.ca = "rubbish";
    wrong(c, CQL_TLS_FAILED, "ca.crt in the secure_bundle");
    testcert old = testcert_make(&(testcert_plan){
        .cn = "client", .usage = "clientAuth", .issuer = &ca, .from_s = -7200, .to_s = -3600});
    static char old_key[4000];
    slurp(testcert_write(folder, "old", &old, NULL), text, sizeof text);
    slurp(testcert_write_key(folder, "old_key", &old, NULL), old_key, sizeof old_key);
    c = (content){config, ca_pem, text, old_key};
    wrong(c, CQL_TLS_FAILED, "the certificate expired on ");
    testcert_free(&old);
}

static void what_others_may_read_is_refused(void **state)
{
    (void)state;
    char path[300], link_path[300];
    snprintf(path, sizeof path, "%s", write_bundle("open.zip", right()));
    assert_int_equal(chmod(path, 0644), 0);
    no_session(options(path, ""), CQL_BAD_VALUE, "others than its owner have access to it");
    snprintf(link_path, sizeof link_path, "%s/link.zip", folder);
    assert_int_equal(symlink("right.zip", link_path), 0);
    no_session(options(link_path, ""), CQL_SYSTEM, "it is a symbolic link");
    cql_session_free(connect_with(options(path, "tls_key_check=loose")));
}

static void what_says_the_same_twice_is_refused(void **state)
{
    (void)state;
    static const char *const others[] = {"contact_points=127.0.0.1", "tls_ca=x", "tls_cert=x", "tls_key=x",
                                         "tls_crl=x", "tls_name=x"};
    for (size_t i = 0; i < CQL_COUNT(others); i++) {
        char words[60];
        snprintf(words, sizeof words, "secure_bundle and %.*s do not go together",
                 (int)strcspn(others[i], "="), others[i]);
        no_session(options(bundle, others[i]), CQL_BAD_VALUE, words);
    }
    no_session(options(bundle, "tls=off"), CQL_BAD_VALUE, "always encrypted");
    no_session(options(bundle, "tls=verify-ca"), CQL_BAD_VALUE, "always encrypted");
    cql_options *o = options(bundle, "");
    assert_int_equal(cql_options_set(o, "tls_key_password", "x", NULL), CQL_OK);
    no_session(o, CQL_BAD_VALUE, "tls_key_password");
    cql_session_free(connect_with(options(bundle, "tls=on")));
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    assert_int_equal(cql_options_parse(o, "cql://?tls=on", NULL), CQL_BAD_VALUE);
    cql_options_free(o);
}

/* --- a service that is wrong ----------------------------------------------------------------------- */

static void fails_with(cql_options *o, cql_status st, const char *words)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    assert_int_equal(cql_session_new(o, &s, &err), CQL_OK);
    cql_status got = cql_session_connect_wait(s, &err);
    const char *text = err ? cql_error_text(err) : "no error";
    if (got != st || !strstr(text, words) || !strstr(text, "metadata service "))
        fail_msg("%d: \"%s\", not %d: \"%s\"", got, text, st, words);
    cql_error_unref(err);
    cql_session_free(s);
    cql_options_free(o);
}

static void says(const char *bytes, cql_status st, const char *words)
{
    cloudmock_say_bytes(&cloud, bytes, strlen(bytes));
    fails_with(options(bundle, ""), st, words);
}

static void each_wrong_answer_has_its_own_words(void **state)
{
    (void)state;
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    static char text[3000];
    says("", CQL_MALFORMED, "its answer cannot be used: it is empty");
    says("hello", CQL_MALFORMED, "its answer cannot be used: it ends in the middle");
    says("SSH-2.0-x\r\n", CQL_MALFORMED, "its answer cannot be used: it is no answer of HTTP/1.1");
    says("HTTP/1.1 503 Later\r\n\r\nlater", CQL_UNEXPECTED, "it answers with the HTTP status 503");
    says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", CQL_MALFORMED, "it ends in the middle");
    says("HTTP/1.1 200 OK\r\n\r\n<html>", CQL_MALFORMED, "its answer cannot be used: it is no JSON");
    says("HTTP/1.1 200 OK\r\n\r\n{}", CQL_MALFORMED, "contact_info is missing");
    says("HTTP/1.1 200 OK\r\n\r\n{\"contact_info\":{}}", CQL_MALFORMED, "sni_proxy_address is missing");
    says("HTTP/1.1 200 OK\r\n\r\n{\"contact_info\":{\"sni_proxy_address\":\"no.such.name.invalid:1\","
         "\"contact_points\":[\"f3cc5b0e-1b14-4f5e-9d7c-0a4f2f1b7c01\"]}}",
         CQL_RESOLVE_FAILED, "the proxy that it names, no.such.name.invalid, cannot be resolved");
    snprintf(text, sizeof text, "%sfffffff\r\nx", chunked);
    says(text, CQL_MALFORMED, "it ends in the middle");
    static char large[66000];
    memset(large, 'x', sizeof large - 1);
    memcpy(large, "HTTP/1.1 200 OK\r\n\r\n", 19);
    says(large, CQL_MALFORMED, "its body is too long");
    /* And in pieces it is as good as whole. */
    const char *contact = cloudmock_contact(&cloud, 1, nodes.mc.nodes[0].data_center);
    snprintf(text, sizeof text, "%s5\r\n%.5s\r\n%zx\r\n%s\r\n0\r\n\r\n", chunked, contact,
             strlen(contact) - 5, contact + 5);
    cloudmock_say_bytes(&cloud, text, strlen(text));
    cql_session_free(connect_with(options(bundle, "")));
    service_is_right();
}

static void a_service_that_is_not_there(void **state)
{
    (void)state;
    char other[100];
    content c = right();
    c.config = "{\"host\": \"127.0.0.1\", \"port\": 1}";
    fails_with(options(write_bundle("down.zip", c), ""), CQL_NO_HOST,
               "metadata service 127.0.0.1:1: connection refused");
    c.config = "{\"host\": \"no.such.name.invalid\", \"port\": 1}";
    fails_with(options(write_bundle("down.zip", c), ""), CQL_RESOLVE_FAILED,
               "metadata service no.such.name.invalid:1");
    pthread_mutex_lock(&cloud.lock);
    cloud.silent = true;
    pthread_mutex_unlock(&cloud.lock);
    fails_with(options(bundle, "connect_timeout=300ms"), CQL_TIMEOUT,
               "within the connect time-out");
    pthread_mutex_lock(&cloud.lock);
    cloud.silent = false;
    cloud.rude = true;
    pthread_mutex_unlock(&cloud.lock);
    cloudmock_say_bytes(&cloud, "HTTP/1.1 200 OK\r\n\r\n{\"contact_info\":", 36);
    fails_with(options(bundle, ""), CQL_NO_HOST, "without the goodbye of TLS");
    service_is_right();
    snprintf(other, sizeof other, "{\"host\": \"127.0.0.1\", \"port\": %u}", (unsigned)cloud.service_port);
    c.config = other;
    fails_with(options(write_bundle("name.zip", c), ""), CQL_TLS_FAILED,
               "is not for \"127.0.0.1\": it names DNS:localhost");
}

/* --- certificates ---------------------------------------------------------------------------------- */

static void with_certificate(testcert cert, cql_status st, const char *words)
{
    SSL_CTX *other = tlsend_context(&cert, NULL);
    pthread_mutex_lock(&cloud.lock);
    cloud.service_ctx = other;
    pthread_mutex_unlock(&cloud.lock);
    fails_with(options(bundle, ""), st, words);
    cloudmock_cut(&cloud);
    pthread_mutex_lock(&cloud.lock);
    cloud.service_ctx = ctx;
    pthread_mutex_unlock(&cloud.lock);
    SSL_CTX_free(other);
    testcert_free(&cert);
}

static void a_service_of_another_is_not_asked(void **state)
{
    (void)state;
    unsigned before = asked();
    with_certificate(testcert_make(&(testcert_plan){
                         .cn = "old", .san = "DNS:localhost", .issuer = &ca, .from_s = -7200, .to_s = -3600}),
                     CQL_TLS_FAILED, "expired on ");
    with_certificate(testcert_server(&ca, "DNS:other.example"), CQL_TLS_FAILED,
                     "is not for \"localhost\": it names DNS:other.example");
    testcert stranger = testcert_authority("stranger");
    with_certificate(testcert_server(&stranger, "DNS:localhost"), CQL_TLS_FAILED, "which is not trusted");
    testcert_free(&stranger);
    assert_int_equal(asked(), before);
}

/* The proxy's certificate has to be for its own name; that a node's host id is what it was told as server
 * name changes nothing. */
static void a_proxy_of_another_is_not_used(void **state)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    (void)state;
    testcert cert = testcert_server(&ca, "DNS:03030303-0303-0303-0303-030303030303,DNS:other.example");
    SSL_CTX *other = tlsend_context(&cert, NULL);
    pthread_mutex_lock(&cloud.lock);
    cloud.proxy_ctx = other;
    pthread_mutex_unlock(&cloud.lock);
    cql_options *o = options(bundle, "");
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    assert_int_equal(cql_session_connect_wait(s, &err), CQL_TLS_FAILED);
    assert_non_null(strstr(cql_error_text(err), "is not for \"localhost\": it names DNS:0"));
    cql_error_unref(err);
    cql_session_free(s);
    cql_options_free(o);
    cloudmock_cut(&cloud);
    pthread_mutex_lock(&cloud.lock);
    cloud.proxy_ctx = ctx;
    pthread_mutex_unlock(&cloud.lock);
    SSL_CTX_free(other);
    testcert_free(&cert);
}

static volatile sig_atomic_t written;

static void on_written(int sig)
{
    (void)sig;
    written = 1;
}

/* From here on files are as long as this at most; to be told of the first byte too many. */
static rlim_t limit_files(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    return before;
}

/* In no folder, nor in a file that has no name, is there a byte. */
static void no_file_is_written_to(void **state)
{
    static const char *const forms[] = {"", "loop_threads=1"};
    struct sigaction how = {.sa_handler = on_written}, before;
    content c = right();
    (void)state;
    c.cert = "rubbish";
    const char *rubbish = write_bundle("wrong.zip", c);
    assert_int_equal(sigaction(SIGXFSZ, &how, &before), 0);
    rlim_t most = limit_files(0);
    FILE *f = tmpfile();
    assert_non_null(f);
    fputc('k', f);
    fclose(f);
    bool noticed = written; /* so that the rest shows something */
    written = 0;
    no_session(options(rubbish, ""), CQL_TLS_FAILED, "cert in the secure_bundle");
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        cql_session *s = connect_with(options(bundle, forms[i]));
        ask(s, 3);
        until_up(s, 3);
        cql_session_free(s);
    }
    (void)limit_files(most);
    assert_int_equal(sigaction(SIGXFSZ, &before, NULL), 0);
    assert_true(noticed);
    assert_false(written);
}

/* Whatever happened above, the folder holds what this program put there. */
static void nothing_is_left_beside_the_bundle(void **state)
{
    (void)state;
    static const char *const ours[] = {".",    "..",    "ca",   "cert", "key",      "right.zip", "wrong.zip", "x",
                                       "open.zip", "link.zip", "other", "locked",   "old",       "old_key",
                                       "down.zip", "name.zip"};
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        bool known = false;
        for (size_t i = 0; i < CQL_COUNT(ours); i++)
            known = known || strcmp(e->d_name, ours[i]) == 0;
        if (!known)
            fail_msg("%s was not there", e->d_name);
    }
    closedir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_is_reached_by_its_host_id),
        cmocka_unit_test(on_a_loop_of_the_program),
        cmocka_unit_test(a_session_is_closed_while_it_asks),
        cmocka_unit_test(requests_of_a_host_id_go_there_alone),
        cmocka_unit_test(a_node_that_was_away_comes_back),
        cmocka_unit_test(the_service_is_asked_again_when_all_is_lost),
        cmocka_unit_test(the_data_centre_is_the_service_s),
        cmocka_unit_test(the_control_connection_stays_in_its_data_centre),
        cmocka_unit_test(each_wrong_bundle_has_its_own_words),
        cmocka_unit_test(each_wrong_key_has_its_own_words),
        cmocka_unit_test(what_others_may_read_is_refused),
        cmocka_unit_test(what_says_the_same_twice_is_refused),
        cmocka_unit_test(each_wrong_answer_has_its_own_words),
        cmocka_unit_test(a_service_that_is_not_there),
        cmocka_unit_test(a_service_of_another_is_not_asked),
        cmocka_unit_test(a_proxy_of_another_is_not_used),
        cmocka_unit_test(no_file_is_written_to),
        cmocka_unit_test(nothing_is_left_beside_the_bundle),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
