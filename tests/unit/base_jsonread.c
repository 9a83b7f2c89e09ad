/* Looking things up in JSON from outside. */
#include "unit.h"

#include "base/jsonread.h"

static cql_str str(const char *text)
{
    return cql_str_of(text);
}

static bool check(const char *text)
{
    cql_str root;
    return cqln_json_check(str(text), &root);
}

static void well_formed_texts_are_known(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{}", " [ ] ", "0", "-0.5e+10", "1E5", "\"\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", "true",
        "null", "[1, [2, [3]], {\"a\": {\"b\": []}}]", "{\"a\":1,\"b\":[true,false,null]}",
        "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "\"\xc3\xa9\"", "{\"a\":[],\"b\":{}}", "\t\r\n1\n"};
    static const char *const bad[] = {
        "", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
        "{a:1}", "{1:1}", "{\"a\" 1}", "[1}", "{\"a\":1]", "tru", "nul", "+1", "01", "1.", ".5", "1e", "1e+",
        "-", "\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "1 2", "{} {}", "[]]", "{}}",
        "\"\xff\"", "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "'a'", "NaN"};
    for (size_t i = 0; i < CQL_COUNT(good); i++)
        if (!check(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < CQL_COUNT(bad); i++)
        if (check(bad[i]))
            fail_msg("taken: %s", bad[i]);
    static const char nul[] = "[1]\0";
    cql_str root;
    assert_false(cqln_json_check((cql_str){nul, 4}, &root));
    static char large[CQLN_JSON_MAX + 2];
    memset(large, ' ', sizeof large);
    large[0] = '1';
    assert_false(cqln_json_check((cql_str){large, CQLN_JSON_MAX + 1}, &root));
    assert_true(cqln_json_check((cql_str){large, CQLN_JSON_MAX}, &root));
    assert_int_equal(root.len, 1);
}

static void read_cut(const uint8_t *bytes, size_t len, void *user)
{
    cql_str root;
    (void)user;
    assert_false(cqln_json_check((cql_str){(const char *)bytes, len}, &root));
}

static void a_cut_text_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"a\": [1, -2.5e3, \"x\\u00e9\\\"\"], \"b\": {\"c\": null, \"d\": true}}";
    guard_each_cut(text, sizeof text - 1, read_cut, NULL);
}

static void members_and_items_are_found(void **state)
{
    (void)state;
    cql_str root, v, w;
    assert_true(cqln_json_check(
        str(" { \"a\" : 12 , \"b\":[ \"x\", {\"c\":null} ,[] ],\"a\":13, \"\": \"}\" } "), &root));
    assert_true(cqln_json_member(root, "a", &v));
    assert_true(cql_str_equal(v, str("12")));
    assert_true(cqln_json_member(root, "b", &v));
    assert_true(cqln_json_item(v, 0, &w));
    assert_true(cql_str_equal(w, str("\"x\"")));
    assert_true(cqln_json_item(v, 1, &w));
    assert_true(cql_str_equal(w, str("{\"c\":null}")));
    assert_true(cqln_json_member(w, "c", &w));
    assert_true(cqln_json_is_null(w));
    assert_true(cqln_json_item(v, 2, &w));
    assert_true(cql_str_equal(w, str("[]")));
    assert_false(cqln_json_item(w, 0, &w));
    assert_false(cqln_json_item(v, 3, &w));
    assert_true(cqln_json_member(root, "", &v));
    assert_true(cql_str_equal(v, str("\"}\"")));
    assert_false(cqln_json_member(root, "c", &v));
    assert_false(cqln_json_item(root, 0, &v));
    assert_false(cqln_json_member(v, "a", &v));
    assert_true(cqln_json_check(str("{}"), &root));
    assert_false(cqln_json_member(root, "a", &v));
}

static void strings_are_unescaped(void **state)
{
    (void)state;
    char out[32];
    assert_int_equal(
        cqln_json_string(str("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00\""), out, 32), CQL_OK);
    assert_string_equal(out, "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_int_equal(cqln_json_string(str("\"abc\""), out, 4), CQL_OK);
    assert_int_equal(cqln_json_string(str("\"abc\""), out, 3), CQL_TOO_LARGE);
    assert_int_equal(cqln_json_string(str("\"\""), out, 0), CQL_TOO_LARGE);
    assert_int_equal(cqln_json_string(str("12"), out, 32), CQL_TYPE_MISMATCH);
    static const char *const bad[] = {"\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
                                      "\"\\ud800x\""};
    for (size_t i = 0; i < CQL_COUNT(bad); i++)
        assert_int_equal(cqln_json_string(str(bad[i]), out, 32), CQL_BAD_VALUE);
}

static void numbers_are_bounded(void **state)
{
    (void)state;
    uint32_t n = 0;
    assert_true(cqln_json_number(str("65535"), 65535, &n));
    assert_int_equal(n, 65535);
    assert_true(cqln_json_number(str("4294967295"), UINT32_MAX, &n));
    static const char *const bad[] = {"65536", "-1", "1.0", "1e3", "", "99999999999", "\"1\"", "null"};
    for (size_t i = 0; i < CQL_COUNT(bad); i++)
        assert_false(cqln_json_number(str(bad[i]), 65535, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_texts_are_known), cmocka_unit_test(a_cut_text_is_refused),
        cmocka_unit_test(members_and_items_are_found), cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(numbers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
