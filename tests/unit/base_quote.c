/* Names in quotes: none says more than a name, and none is cut. */
#include "base/quote.h"
#include "unit.h"

static void quotes_are_doubled(void **state)
{
    (void)state;
    char out[64];
    assert_true(cqln_quote_name(out, sizeof out, "USE ", cql_str_of("plain")));
    assert_string_equal(out, "USE \"plain\"");
    assert_true(cqln_quote_name(out, sizeof out, "", cql_str_of("\"; DROP \"\"")));
    assert_string_equal(out, "\"\"\"; DROP \"\"\"\"\"");
    assert_true(cqln_quote_name(out, sizeof out, "USE ", cql_str_of("a b'c\\")));
    assert_string_equal(out, "USE \"a b'c\\\"");
}

static void a_name_that_does_not_fit_gives_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "ab", "\"", "a\"", "\"a\"b"};
    for (size_t i = 0; i < CQL_COUNT(names); i++) {
        char whole[64];
        assert_true(cqln_quote_name(whole, sizeof whole, "USE ", cql_str_of(names[i])));
        for (size_t cap = 0; cap <= strlen(whole) + 1; cap++) {
            guard g;
            guard_init(&g, cap);
            char *out = (char *)guard_place(&g, whole, cap);
            bool fits = cap == strlen(whole) + 1;
            assert_int_equal(cqln_quote_name(out, cap, "USE ", cql_str_of(names[i])), fits);
            if (cap)
                assert_string_equal(out, fits ? whole : "");
            guard_fini(&g);
        }
    }
}

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    char out[64];
    assert_false(cqln_quote_name(out, sizeof out, "USE ", cql_str_of("")));
    assert_string_equal(out, "");
    assert_false(cqln_quote_name(out, sizeof out, "USE ", (cql_str){"a\0b", 3}));
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_are_doubled),
        cmocka_unit_test(a_name_that_does_not_fit_gives_nothing),
        cmocka_unit_test(what_is_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
