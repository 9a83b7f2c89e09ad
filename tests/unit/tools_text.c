/* Text for people: escapes, widths, tables, nearest names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/escape.h"
#include "common/nearest.h"
#include "common/table.h"

#include <stdlib.h>
#include <string.h>

static void expect_escaped(const char *bytes, size_t length, const char *wanted)
{
    cql_str text = {bytes, length};
    char *safe = tool_escaped(text);
    assert_string_equal(safe, wanted);
    free(safe);
}

#define ESCAPED(bytes, wanted) expect_escaped(bytes, sizeof(bytes) - 1, wanted)

static void control_characters_become_visible(void **state)
{
    (void)state;
    ESCAPED("", "");
    ESCAPED("plain text", "plain text");
    ESCAPED("a\nb\tc\rd", "a\\nb\\tc\\rd");
    ESCAPED("\033[31mred\a", "\\x1b[31mred\\x07");
    ESCAPED("nul\0end", "nul\\x00end");
    ESCAPED("\x7f", "\\x7f");
    ESCAPED("\xc2\x9b"
            "31m",
            "\\x9b31m"); /* the one-character form of ESC [ */
}

static void marks_that_deceive_become_visible(void **state)
{
    (void)state;
    ESCAPED("\xe2\x80\xae"
            "cba",
            "\\u202ecba"); /* right-to-left override */
    ESCAPED("\xe2\x81\xa6x\xe2\x81\xa9", "\\u2066x\\u2069");
    ESCAPED("\xe2\x80\xa8", "\\u2028");
    ESCAPED("\xef\xbb\xbf", "\\ufeff");
    ESCAPED("\xf3\xa0\x81\x81", "\\ue0041"); /* a tag character */
}

static void letters_of_all_scripts_stay(void **state)
{
    (void)state;
    ESCAPED("\xc3\xa4\xce\xb2\xd0\xb6\xe6\xbc\xa2\xf0\x9f\x98\x80",
            "\xc3\xa4\xce\xb2\xd0\xb6\xe6\xbc\xa2\xf0\x9f\x98\x80");
}

static void bytes_that_are_not_utf8_become_visible(void **state)
{
    (void)state;
    ESCAPED("\xff", "\\xff");
    ESCAPED("a\x80z", "a\\x80z");
    ESCAPED("\xc0\xaf", "\\xc0\\xaf");          /* overlong */
    ESCAPED("\xe0\x80\xaf", "\\xe0\\x80\\xaf"); /* overlong */
    ESCAPED("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
    ESCAPED("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    /* Every strict prefix of a character is escaped, and nothing behind it is read. */
    const char *smile = "\xf0\x9f\x98\x80";
    for (size_t n = 1; n < 4; n++) {
        char *exact = malloc(n);
        memcpy(exact, smile, n);
        cql_str text = {exact, n};
        char *safe = tool_escaped(text);
        assert_int_equal(strlen(safe), 4 * n);
        free(safe);
        free(exact);
    }
}

static void invalid_utf8_is_replaced_for_json(void **state)
{
    (void)state;
    cql_str text = {"a\xff\xc3\xa4\xc3", 5};
    char *valid = tool_valid_utf8(text);
    assert_string_equal(valid, "a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd");
    free(valid);
}

static void widths_are_those_of_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(tool_text_width(""), 0);
    assert_int_equal(tool_text_width("abc"), 3);
    assert_int_equal(tool_text_width("\xc3\xa4"), 1);
    assert_int_equal(tool_text_width("a\xcc\x88"), 1); /* a and a combining mark */
    assert_int_equal(tool_text_width("\xe6\xbc\xa2\xe5\xad\x97"), 4);
    assert_int_equal(tool_text_width("\xf0\x9f\x98\x80"), 2);
}

static void expect_table(const tool_table *t, const char *wanted)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    tool_table_print(t, out);
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    tool_table *t = tool_table_new();
    tool_table_column(t, "node", TOOL_LEFT);
    tool_table_column(t, "ms", TOOL_RIGHT);
    tool_table_column(t, "rack", TOOL_LEFT);
    tool_table_cell(t, "127.0.0.1:9042");
    tool_table_cellf(t, "%.3f", 0.4125);
    tool_table_cell(t, "rack1");
    tool_table_cell(t, "\xe6\xbc\xa2");
    tool_table_cell(t, "12.000");
    tool_table_cell(t, "");
    assert_int_equal(tool_table_rows(t), 2);
    expect_table(t, " node           |     ms | rack\n"
                    "----------------+--------+-------\n"
                    " 127.0.0.1:9042 |  0.412 | rack1\n"
                    " \xe6\xbc\xa2             | 12.000 | \n");
    tool_table_free(t);
}

static void a_table_without_rows_has_a_head(void **state)
{
    (void)state;
    tool_table *t = tool_table_new();
    tool_table_column(t, "a", TOOL_LEFT);
    expect_table(t, " a\n---\n");
    tool_table_free(t);
    tool_table_free(NULL);
}

static void many_cells_are_kept(void **state)
{
    (void)state;
    tool_table *t = tool_table_new();
    tool_table_column(t, "n", TOOL_RIGHT);
    for (int i = 0; i < 1000; i++)
        tool_table_cellf(t, "%d", i);
    assert_int_equal(tool_table_rows(t), 1000);
    tool_table_free(t);
}

static void distances_count_single_slips(void **state)
{
    (void)state;
    assert_int_equal(tool_distance("", ""), 0);
    assert_int_equal(tool_distance("abc", ""), 3);
    assert_int_equal(tool_distance("json", "jsno"), 1);
    assert_int_equal(tool_distance("json", "jason"), 1);
    assert_int_equal(tool_distance("json", "son"), 1);
    assert_int_equal(tool_distance("json", "jsom"), 1);
    assert_int_equal(tool_distance("kitten", "sitting"), 3);
    char huge[100];
    memset(huge, 'x', 99);
    huge[99] = '\0';
    assert_true(tool_distance(huge, "x") > 1000);
}

static void the_nearest_name_wins(void **state)
{
    (void)state;
    static const char *const names[] = {"count", "json", "host", "port", "protocol"};
    const char *meant = NULL;
    size_t best = 0;
    for (size_t i = 0; i < CQL_COUNT(names); i++)
        tool_nearest("prot", names[i], &best, &meant);
    assert_string_equal(meant, "port");
    meant = NULL;
    for (size_t i = 0; i < CQL_COUNT(names); i++)
        tool_nearest("nothing-like-it", names[i], &best, &meant);
    assert_null(meant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_become_visible),
        cmocka_unit_test(marks_that_deceive_become_visible),
        cmocka_unit_test(letters_of_all_scripts_stay),
        cmocka_unit_test(bytes_that_are_not_utf8_become_visible),
        cmocka_unit_test(invalid_utf8_is_replaced_for_json),
        cmocka_unit_test(widths_are_those_of_a_terminal),
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(a_table_without_rows_has_a_head),
        cmocka_unit_test(many_cells_are_kept),
        cmocka_unit_test(distances_count_single_slips),
        cmocka_unit_test(the_nearest_name_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
