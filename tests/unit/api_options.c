/* Options: the table, values, connection strings, the environment. */
#include "api/options.h"
#include "unit.h"

static cql_options *fresh(void)
{
    cql_options *o = NULL;
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    return o;
}

static void refused(cql_options *o, const char *name, const char *value, cql_status st,
                    const char *word)
{
    cql_error *err = NULL;
    assert_int_equal(cql_options_set(o, name, value, &err), st);
    assert_int_equal(cql_error_status(err), st);
    if (!strstr(cql_error_text(err), word))
        fail_msg("\"%s\" should say \"%s\"", cql_error_text(err), word);
    cql_error_unref(err);
}

static void every_row_of_the_table_takes_its_default(void **state)
{
    (void)state;
    cql_options *o = fresh();
    cql_option_info info;
    size_t rows = 0;
    for (; cql_options_info(rows, &info); rows++) {
        assert_true(info.name[0] && info.kind[0] && info.help[0]);
        if (strcmp(info.kind, "secret") == 0) {
            assert_null(cql_options_value(o, info.name));
            continue;
        }
        assert_string_equal(cql_options_value(o, info.name), info.standard);
        if (info.standard[0])
            assert_int_equal(cql_options_set(o, info.name, info.standard, NULL), CQL_OK);
        assert_string_equal(cql_options_value(o, info.name), info.standard);
    }
    assert_true(rows > 25);
    cql_options_free(o);
}

static void numbers_and_times_have_ranges_and_units(void **state)
{
    (void)state;
    cql_options *o = fresh();
    assert_int_equal(cql_options_set(o, "request_timeout", "10s", NULL), CQL_OK);
    assert_int_equal(o->config.request_timeout, 10000);
    assert_int_equal(cql_options_set(o, "request_timeout", "500ms", NULL), CQL_OK);
    assert_int_equal(o->config.request_timeout, 500);
    assert_int_equal(cql_options_set(o, "reconnect_max", "10m", NULL), CQL_OK);
    assert_int_equal(o->config.reconnect_max, 600000);
    assert_int_equal(cql_options_set(o, "request_timeout", "7", NULL), CQL_OK);
    assert_int_equal(o->config.request_timeout, 7);
    refused(o, "request_timeout", "", CQL_BAD_VALUE, "milliseconds");
    refused(o, "request_timeout", "5 s", CQL_BAD_VALUE, "request_timeout");
    refused(o, "request_timeout", "-1", CQL_BAD_VALUE, "request_timeout");
    refused(o, "request_timeout", "99999999999999999999", CQL_BAD_VALUE, "request_timeout");
    refused(o, "port", "0", CQL_BAD_VALUE, "1 to 65535");
    refused(o, "port", "65536", CQL_BAD_VALUE, "65536");
    refused(o, "port", "9042x", CQL_BAD_VALUE, "port");
    assert_int_equal(o->config.request_timeout, 7);
    cql_options_free(o);
}

static void words_are_checked(void **state)
{
    (void)state;
    cql_options *o = fresh();
    assert_int_equal(cql_options_set(o, "consistency", "QUORUM", NULL), CQL_OK);
    assert_int_equal(o->config.consistency, 4);
    assert_int_equal(cql_options_set(o, "serial_consistency", "local_serial", NULL), CQL_OK);
    refused(o, "serial_consistency", "quorum", CQL_BAD_VALUE, "serial");
    refused(o, "consistency", "most", CQL_BAD_VALUE, "local_quorum");
    assert_int_equal(cql_options_set(o, "protocol", "4", NULL), CQL_OK);
    assert_int_equal(o->config.protocol, 4);
    refused(o, "protocol", "3", CQL_UNSUPPORTED, "only 4 and 5");
    assert_int_equal(cql_options_set(o, "discovery", "off", NULL), CQL_OK);
    assert_int_equal(o->config.discovery, 0);
    assert_int_equal(cql_options_set(o, "discovery", "1", NULL), CQL_OK);
    assert_int_equal(o->config.discovery, 1);
    cql_options_free(o);
}

static void unknown_name_gets_the_nearest(void **state)
{
    (void)state;
    cql_options *o = fresh();
    refused(o, "requst_timeout", "1", CQL_NO_SUCH_NAME, "request_timeout");
    refused(o, "compresion", "lz4", CQL_NO_SUCH_NAME, "compression");
    refused(o, "zzzzzzzzzzzzzzzz", "1", CQL_NO_SUCH_NAME, "zzzz");
    refused(o, "tls", "verify-full", CQL_UNSUPPORTED, "not part of this version");
    cql_options_free(o);
}

static void connection_string_is_read(void **state)
{
    (void)state;
    cql_options *o = fresh();
    cql_error *err = NULL;
    if (cql_options_parse(o, "cql://my%20user@h1,h2:19042,[::1]:7/my_ks?consistency=one&port=9142",
                          &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    assert_int_equal(o->config.contact_count, 3);
    assert_string_equal(o->config.contacts[1].host, "h2");
    assert_int_equal(o->config.contacts[1].port, 19042);
    assert_string_equal(o->config.contacts[2].host, "::1");
    assert_int_equal(o->config.contacts[2].port, 7);
    assert_string_equal(o->config.keyspace, "my_ks");
    assert_string_equal(o->config.user, "my user");
    assert_int_equal(o->config.consistency, 1);
    assert_int_equal(o->config.port, 9142);
    cql_options_free(o);
}

static void broken_connection_strings_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "http://h/",
                                      "cql://",
                                      "cql:///ks",
                                      "cql://h:0/",
                                      "cql://h,,g/",
                                      "cql://h/?port",
                                      "cql://h/?nonsense=1",
                                      "cql://h/%zz",
                                      "cql://h/%0",
                                      "cql://h/%00",
                                      "cql://user:secret@h/",
                                      "cql://h/?password=secret"};
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        cql_options *o = fresh();
        cql_error *err = NULL;
        if (cql_options_parse(o, bad[i], &err) == CQL_OK)
            fail_msg("\"%s\" is no connection string", bad[i]);
        assert_non_null(err);
        assert_null(strstr(cql_error_text(err), "secret"));
        cql_error_unref(err);
        cql_options_free(o);
    }
}

static void environment_is_read_on_request(void **state)
{
    (void)state;
    cql_options *o = fresh();
    setenv("CQL_CONTACT_POINTS", "a:1, b", 1);
    setenv("CQL_USERNAME", "u", 1);
    setenv("CQL_PASSWORD", "p", 1);
    setenv("CQL_REQUEST_TIMEOUT", "3s", 1);
    assert_int_equal(cql_options_from_environment(o, NULL), CQL_OK);
    assert_int_equal(o->config.contact_count, 2);
    assert_string_equal(o->config.contacts[1].host, "b");
    assert_string_equal(o->config.user, "u");
    assert_string_equal(o->config.password, "p");
    assert_int_equal(o->config.request_timeout, 3000);
    setenv("CQL_REQUEST_TIMEOUT", "soon", 1);
    assert_int_equal(cql_options_from_environment(o, NULL), CQL_BAD_VALUE);
    unsetenv("CQL_REQUEST_TIMEOUT");
    unsetenv("CQL_CONTACT_POINTS");
    unsetenv("CQL_USERNAME");
    unsetenv("CQL_PASSWORD");
    cql_options_free(o);
}

static cql_status fill_and_copy(const cql_allocator *al, void *user)
{
    cql_options *o = NULL, *copy = NULL;
    (void)user;
    cql_status st = cql_options_new(al, &o);
    if (st == CQL_OK)
        st = cql_options_parse(o, "cql://u@h1,h2/ks?application=x", NULL);
    if (st == CQL_OK)
        st = cql_options_set_credentials(o, "u2", "p2");
    if (st == CQL_OK)
        st = cql_options_copy(o, &copy);
    if (st == CQL_OK && strcmp(copy->config.password, "p2") != 0)
        fail_msg("the copy lacks the password");
    cql_options_free(o);
    cql_options_free(copy);
    return st;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    assert_true(failmalloc_each(fill_and_copy, NULL, false) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_takes_its_default),
        cmocka_unit_test(numbers_and_times_have_ranges_and_units),
        cmocka_unit_test(words_are_checked),
        cmocka_unit_test(unknown_name_gets_the_nearest),
        cmocka_unit_test(connection_string_is_read),
        cmocka_unit_test(broken_connection_strings_are_refused),
        cmocka_unit_test(environment_is_read_on_request),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
