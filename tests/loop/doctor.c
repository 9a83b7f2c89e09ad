/* cqlping's doctor against mock nodes that speak TLS and want a certificate. */
#include "mocksession.h"
#include "testcert.h"
#include "tlsend.h"
#include "tools_capture.h"

#include "ping/doctor.h"

#include <stdlib.h>
#include <unistd.h>

enum { DAY_S = 86400 };

static char folder[] = "/tmp/doctorXXXXXX";
static testcert ca, cert;
static SSL_CTX *ctx;
static char ca_file[64];

static int start(void **state)
{
    (void)state;
    mockserver_start(&server, 2);
    assert_non_null(mkdtemp(folder));
    ca = testcert_authority("test authority");
    cert = testcert_make(&(testcert_plan){.cn = "node",
                                          .san = "IP:127.9.0.1,IP:127.9.0.2",
                                          .issuer = &ca,
                                          .from_s = -DAY_S,
                                          .to_s = 90 * DAY_S});
    ctx = tlsend_context(&cert, NULL);
    tlsend_want_client(ctx, &ca);
    snprintf(ca_file, sizeof ca_file, "%s", testcert_write(folder, "ca.pem", &ca, NULL)); /* a few names are kept */
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

typedef struct files {
    const char *cert, *key;
} files;

static cql_options *options_for(void *user, const char *host)
{
    const files *f = user;
    char url[600];
    cql_options *o = NULL;
    snprintf(url, sizeof url,
             "cql://%s/?loop_threads=0&request_timeout=60s&connect_timeout=60s&tls=verify-full&tls_ca=%s&tls_cert=%s&"
             "tls_key=%s",
             host, ca_file, f->cert, f->key);
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    assert_int_equal(cql_options_parse(o, url, NULL), CQL_OK);
    return o;
}

/* What it says of the first nodes to a client whose certificate has so many days left. */
static const char *examine_nodes(size_t nodes, int days, ping_output output)
{
    testcert client = testcert_make(&(testcert_plan){.cn = "worker",
                                                     .usage = "clientAuth",
                                                     .issuer = &ca,
                                                     .from_s = -DAY_S,
                                                     .to_s = days * DAY_S + 3600});
    files f = {testcert_write(folder, "client.pem", &client, NULL),
               testcert_write_key(folder, "client.key", &client, NULL)};
    ping_config config = {.answer_ms = 60000, .output = output};
    ping_doctor d;
    ping_doctor_init(&d, &config, options_for, &f);
    for (size_t i = 0; i < nodes; i++)
        ping_doctor_add(&d, mockserver_host(&server, i), false);
    capture_begin();
    (void)ping_doctor_run(&d);
    capture_end();
    ping_doctor_free(&d);
    testcert_free(&client);
    return captured_output();
}

static const char *examine_with(int days, ping_output output)
{
    return examine_nodes(2, days, output);
}

static void our_certificate_is_remarked_on_before_it_expires(void **state)
{
    static const char remark[] = "remark: this side's certificate (CN=worker) expires on 20";
    (void)state;
    const char *said = examine_with(29, PING_PEOPLE);
    const char *at = strstr(said, remark);
    assert_non_null(strstr(said, "TLS verify-full"));
    assert_non_null(strstr(said, "own cert                   CN=worker by CN=test authority, expires 20"));
    assert_non_null(at);
    assert_non_null(strstr(at, ", in 29 days\n    renew the file of tls_cert"));
    assert_null(strstr(at + 1, remark)); /* once for all nodes */
    assert_null(strstr(said, "its certificate expires")); /* those of the nodes have time */
}

static void it_is_told_as_json_too(void **state)
{
    (void)state;
    const char *said = examine_with(3, PING_JSON);
    assert_non_null(strstr(said, "\"own_subject\":\"CN=worker\",\"own_not_after\":\"20"));
    assert_non_null(strstr(said, "\"own_days_left\":3"));
    assert_non_null(strstr(said, "\"event\":\"remark\",\"target\":null,\"text\":\"this side's certificate"));
}

static void nothing_is_said_of_one_with_time(void **state)
{
    (void)state;
    const char *said = examine_with(31, PING_PEOPLE);
    assert_non_null(strstr(said, "CN=worker by CN=test authority, expires 20"));
    assert_null(strstr(said, "this side's certificate"));
}

static void have_peers_v2(bool have)
{
    pthread_mutex_lock(&server.lock);
    for (size_t i = 0; i < MOCK_NODES; i++)
        server.mc.nodes[i].peers_v2 = have;
    pthread_mutex_unlock(&server.lock);
}

/* Servers before 4.0 have no table of peers with ports. */
static void the_other_nodes_of_an_older_server_are_found(void **state)
{
    char announced[64];
    (void)state;
    snprintf(announced, sizeof announced, "127.9.0.2%s (announced by the cluster)",
             strrchr(mockserver_host(&server, 0), ':'));
    have_peers_v2(false);
    const char *said = examine_nodes(1, 31, PING_PEOPLE);
    have_peers_v2(true);
    assert_non_null(strstr(said, announced));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_certificate_is_remarked_on_before_it_expires),
        cmocka_unit_test(it_is_told_as_json_too),
        cmocka_unit_test(nothing_is_said_of_one_with_time),
        cmocka_unit_test(the_other_nodes_of_an_older_server_are_found),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
