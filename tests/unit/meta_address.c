/* Addresses: parsed, compared, printed; contact points split. */
#include "meta/address.h"
#include "unit.h"

static cqln_address parsed(const char *text)
{
    cqln_address a;
    if (!cqln_address_parse(&a, cql_str_of(text), 9042))
        fail_msg("%s is an address", text);
    return a;
}

static void printed(const char *text, const char *expected)
{
    char out[CQLN_ADDRESS_TEXT];
    cqln_address a = parsed(text);
    cqln_address_print(&a, out);
    assert_string_equal(out, expected);
}

static void addresses_print_as_people_write_them(void **state)
{
    (void)state;
    printed("127.0.0.1", "127.0.0.1:9042");
    printed("::1", "[::1]:9042");
    printed("2001:0db8::0001", "[2001:db8::1]:9042");
    printed("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:9042");
}

static void mapped_address_is_its_ipv4_self(void **state)
{
    (void)state;
    cqln_address a = parsed("::ffff:10.0.0.1"), b = parsed("10.0.0.1");
    assert_true(cqln_address_equal(&a, &b));
    b.port = 1;
    assert_false(cqln_address_equal(&a, &b));
}

static void what_must_not_be_dialled_is_known(void **state)
{
    (void)state;
    static const char *const bad[] = {"0.0.0.0", "::", "224.0.0.1", "239.255.255.255", "ff02::1"};
    static const char *const good[] = {"10.0.0.1", "223.1.1.1", "240.0.0.1", "fe80::1"};
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        cqln_address a = parsed(bad[i]);
        assert_false(cqln_address_usable(&a));
    }
    for (size_t i = 0; i < CQL_COUNT(good); i++) {
        cqln_address a = parsed(good[i]);
        assert_true(cqln_address_usable(&a));
        a.port = 0;
        assert_false(cqln_address_usable(&a));
    }
}

static void loopback_is_known(void **state)
{
    (void)state;
    cqln_address a = parsed("127.9.8.7"), b = parsed("::1"), c = parsed("128.0.0.1");
    assert_true(cqln_address_loopback(&a));
    assert_true(cqln_address_loopback(&b));
    assert_false(cqln_address_loopback(&c));
}

static void other_text_is_no_address(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "::g",
                                      "[::1]", "1.2.3.4 "};
    cqln_address a;
    for (size_t i = 0; i < CQL_COUNT(bad); i++)
        assert_false(cqln_address_parse(&a, cql_str_of(bad[i]), 1));
    assert_false(cqln_address_from_bytes(&a, "12345", 5, 1));
}

static void split(const char *text, const char *host, unsigned port)
{
    cql_str h;
    uint16_t p;
    if (!cqln_split_host_port(cql_str_of(text), &h, &p))
        fail_msg("%s is a contact point", text);
    assert_true(cql_str_equal(h, cql_str_of(host)));
    assert_int_equal(p, port);
}

static void contact_points_are_split(void **state)
{
    (void)state;
    split("node1", "node1", 0);
    split("node1:19042", "node1", 19042);
    split("10.0.0.1:1", "10.0.0.1", 1);
    split("::1", "::1", 0);
    split("[::1]", "::1", 0);
    split("[fe80::2]:65535", "fe80::2", 65535);
    split("fe80::2%eth0", "fe80::2%eth0", 0);
    split("[fe80::2%1]:9042", "fe80::2%1", 9042);
}

static void broken_contact_points_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     ":9042",  "h:",     "h:0",     "h:65536", "h:99999999",
                                      "h:1x", "[::1",   "[]:1",   "[::1]x",  "[::1]:",  "a:b:c",
                                      "h:-1", "[::1]:0"};
    cql_str h;
    uint16_t p;
    for (size_t i = 0; i < CQL_COUNT(bad); i++)
        if (cqln_split_host_port(cql_str_of(bad[i]), &h, &p))
            fail_msg("\"%s\" is no contact point", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_print_as_people_write_them),
        cmocka_unit_test(mapped_address_is_its_ipv4_self),
        cmocka_unit_test(what_must_not_be_dialled_is_known),
        cmocka_unit_test(loopback_is_known),
        cmocka_unit_test(other_text_is_no_address),
        cmocka_unit_test(contact_points_are_split),
        cmocka_unit_test(broken_contact_points_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
