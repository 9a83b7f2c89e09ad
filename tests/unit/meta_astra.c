/* What a bundle's config.json and its metadata service may say. */
#include "unit.h"

#include "meta/astra.h"

#define ID1 "f3cc5b0e-1b14-4f5e-9d7c-0a4f2f1b7c01"
#define ID2 "f3cc5b0e-1b14-4f5e-9d7c-0a4f2f1b7c02"

static char why[CQLN_ASTRA_WHY];

static void a_config_is_read(void **state)
{
    (void)state;
    cqln_astra_config c;
    static const char text[] =
        "{\"host\": \"abc-eu.db.example.com\", \"port\": 29080, \"cqlPort\": 29042, \"keyspace\": \"ks\","
        " \"localDC\": \"eu-west\", \"username\": null, \"caCertLocation\": \"./ca.crt\"}\n";
    assert_int_equal(cqln_astra_read_config(cql_str_of(text), &c, why), CQL_OK);
    assert_string_equal(c.host, "abc-eu.db.example.com");
    assert_int_equal(c.port, 29080);
    assert_string_equal(c.local_dc, "eu-west");
    assert_int_equal(cqln_astra_read_config(cql_str_of("{\"port\":1,\"host\":\"::1\"}"), &c, why), CQL_OK);
    assert_string_equal(c.host, "::1");
    assert_string_equal(c.local_dc, "");
}

static void bad_config(const char *text, const char *words)
{
    cqln_astra_config c;
    why[0] = '\0';
    if (cqln_astra_read_config(cql_str_of(text), &c, why) != CQL_MALFORMED || !strstr(why, words))
        fail_msg("%s: \"%s\", not \"%s\"", text, why, words);
}

static void a_wrong_config_is_refused(void **state)
{
    (void)state;
    bad_config("", "it is no JSON");
    bad_config("[", "it is no JSON");
    bad_config("[]", "host is missing");
    bad_config("{\"port\":1}", "host is missing");
    bad_config("{\"host\":1,\"port\":1}", "host is missing or no name");
    bad_config("{\"host\":\"\",\"port\":1}", "host is missing or no name");
    bad_config("{\"host\":\"a b\",\"port\":1}", "host is missing or no name");
    bad_config("{\"host\":\"a\\r\\nX: y\",\"port\":1}", "host is missing or no name");
    bad_config("{\"host\":\"a\"}", "port is missing");
    bad_config("{\"host\":\"a\",\"port\":0}", "port is missing or no port");
    bad_config("{\"host\":\"a\",\"port\":65536}", "port is missing or no port");
    bad_config("{\"host\":\"a\",\"port\":\"1\"}", "port is missing or no port");
    bad_config("{\"host\":\"a\",\"port\":1,\"localDC\":7}", "localDC is no name");
}

static void a_contact_is_read(void **state)
{
    (void)state;
    cqln_astra_contact c;
    static const char text[] =
        "{\"version\": 1, \"region\": \"eu\", \"contact_info\": {\"type\": \"sni_proxy\", \"local_dc\": \"dc1\","
        "\"sni_proxy_address\": \"proxy.example.com:29042\","
        "\"contact_points\": [\"" ID1 "\", \"" ID2 "\", \"" ID1 "\"]}}";
    assert_int_equal(cqln_astra_read_contact(cql_str_of(text), &c, why), CQL_OK);
    assert_string_equal(c.proxy, "proxy.example.com");
    assert_int_equal(c.port, 29042);
    assert_string_equal(c.local_dc, "dc1");
    assert_int_equal(c.count, 2);
    assert_int_equal(c.points[1].bytes[15], 2);
    static const char plain[] = "{\"contact_info\": {\"sni_proxy_address\": \"[::1]\","
                                "\"contact_points\": [\"" ID1 "\"]}}";
    assert_int_equal(cqln_astra_read_contact(cql_str_of(plain), &c, why), CQL_OK);
    assert_string_equal(c.proxy, "::1");
    assert_int_equal(c.port, CQLN_ASTRA_PROXY_PORT);
    assert_string_equal(c.local_dc, "");
}

static void bad_contact(const char *info, const char *words)
{
    char text[600];
    cqln_astra_contact c;
    snprintf(text, sizeof text, "{\"contact_info\": %s}", info);
    why[0] = '\0';
    if (cqln_astra_read_contact(cql_str_of(text), &c, why) != CQL_MALFORMED || !strstr(why, words))
        fail_msg("%s: \"%s\", not \"%s\"", text, why, words);
}

#define POINTS "\"contact_points\":[\"" ID1 "\"]"
#define PROXY "\"sni_proxy_address\":\"p:1\""

static void a_wrong_contact_is_refused(void **state)
{
    (void)state;
    cqln_astra_contact c;
    assert_int_equal(cqln_astra_read_contact(cql_str_of("<html>"), &c, why), CQL_MALFORMED);
    assert_string_equal(why, "it is no JSON");
    assert_int_equal(cqln_astra_read_contact(cql_str_of("{}"), &c, why), CQL_MALFORMED);
    assert_string_equal(why, "contact_info is missing");
    bad_contact("1", "sni_proxy_address is missing");
    bad_contact("{" POINTS "}", "sni_proxy_address is missing");
    bad_contact("{\"sni_proxy_address\":\"\"," POINTS "}", "sni_proxy_address is no name with a port");
    bad_contact("{\"sni_proxy_address\":\"p:0\"," POINTS "}", "sni_proxy_address is no name with a port");
    bad_contact("{\"sni_proxy_address\":\"p:x\"," POINTS "}", "sni_proxy_address is no name with a port");
    bad_contact("{\"sni_proxy_address\":\"a/b:1\"," POINTS "}", "sni_proxy_address is no name with a port");
    bad_contact("{" PROXY "}", "contact_points is missing");
    bad_contact("{" PROXY ",\"contact_points\":{}}", "contact_points holds no host id");
    bad_contact("{" PROXY ",\"contact_points\":[]}", "contact_points holds no host id");
    bad_contact("{" PROXY ",\"contact_points\":[7]}", "contact_points holds what is no host id");
    bad_contact("{" PROXY ",\"contact_points\":[\"10.0.0.1\"]}", "contact_points holds what is no host id");
    bad_contact("{" PROXY "," POINTS ",\"local_dc\":[]}", "local_dc is no name");
}

static void many_points_are_bounded(void **state)
{
    (void)state;
    static char text[8000];
    cqln_astra_contact c;
    size_t at = (size_t)snprintf(text, sizeof text, "{\"contact_info\":{" PROXY ",\"contact_points\":[");
    for (unsigned i = 0; i < 100; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s\"f3cc5b0e-1b14-4f5e-9d7c-0a4f2f1b%04x\"",
                               i ? "," : "", i);
    snprintf(text + at, sizeof text - at, "]}}");
    assert_int_equal(cqln_astra_read_contact(cql_str_of(text), &c, why), CQL_OK);
    assert_int_equal(c.count, CQLN_ASTRA_POINTS);
}

static void read_cut(const uint8_t *bytes, size_t len, void *user)
{
    cqln_astra_contact c;
    cqln_astra_config config;
    (void)user;
    assert_int_equal(cqln_astra_read_contact((cql_str){(const char *)bytes, len}, &c, why), CQL_MALFORMED);
    assert_int_equal(cqln_astra_read_config((cql_str){(const char *)bytes, len}, &config, why), CQL_MALFORMED);
}

static void a_cut_text_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"host\":\"h\",\"port\":1,\"contact_info\":{" PROXY "," POINTS "}}";
    guard_each_cut(text, sizeof text - 1, read_cut, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_config_is_read),        cmocka_unit_test(a_wrong_config_is_refused),
        cmocka_unit_test(a_contact_is_read),       cmocka_unit_test(a_wrong_contact_is_refused),
        cmocka_unit_test(many_points_are_bounded), cmocka_unit_test(a_cut_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
