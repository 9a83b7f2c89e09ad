/* Command lines: what each form means, and what is said of wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/args.h"
#include "common/exit_code.h"
#include "tools_capture.h"

#include <cqlnative/version.h>
#include <string.h>

enum { OPT_COUNT = TOOL_OPT_OWN, OPT_JSON, OPT_WAIT, OPT_QUIET, OPT_CHECK };

static const tool_option rows[] = {
    {'c', "count", "N", OPT_COUNT, "stop after N probes"},
    {0, "json", NULL, OPT_JSON, "print one JSON object a line"},
    {'W', "wait-limit-with-a-long-name", "SECONDS", OPT_WAIT, "first line\nsecond line"},
    {'q', "quiet", NULL, OPT_QUIET, "less"},
    {0, "check", "[=HOW]", OPT_CHECK, "look"},
    {0, "doctor", NULL, TOOL_OPT_LATER, NULL},
};
static const tool_option_set sets[] = {{"Options", rows, CQL_COUNT(rows)}};
static const tool_program program = {
    .name = "sample",
    .usage = "[options] [HOST]...\n--list",
    .purpose = "Shows things.",
    .sets = sets,
    .set_count = 1,
    .notes = "Examples:\n  sample -c 1\n",
};

/* Reads the whole line into text such as "count=3 json [word] ". */
static tool_args read_line(char *out, size_t size, int argc, char **argv)
{
    tool_args a;
    out[0] = '\0';
    tool_args_init(&a, &program, argc, argv);
    while (tool_args_next(&a)) {
        size_t used = strlen(out);
        if (a.id == TOOL_OPT_WORD)
            snprintf(out + used, size - used, "[%s] ", a.value);
        else if (a.value)
            snprintf(out + used, size - used, "%s=%s ", a.option->name, a.value);
        else
            snprintf(out + used, size - used, "%s ", a.option->name);
    }
    return a;
}

#define LINE(out, ...)                                                                             \
    read_line(out, sizeof out, (int)(sizeof((char *[]){"sample", __VA_ARGS__}) / sizeof(char *)),  \
              (char *[]){"sample", __VA_ARGS__, NULL})

static void every_form_of_an_option_is_understood(void **state)
{
    (void)state;
    char seen[400];
    tool_args a = LINE(seen, "-c", "3", "-c4", "-qc5", "--count", "6", "--count=7", "--json");
    assert_false(a.ended);
    assert_string_equal(seen, "count=3 count=4 quiet count=5 count=6 count=7 json ");
}

static void words_and_options_mix_until_two_dashes(void **state)
{
    (void)state;
    char seen[400];
    tool_args a = LINE(seen, "one", "-q", "two", "-", "--", "--json", "-c", "--");
    assert_false(a.ended);
    assert_string_equal(seen, "[one] quiet [two] [-] [--json] [-c] [--] ");
}

static void an_empty_value_is_a_value(void **state)
{
    (void)state;
    char seen[400];
    (void)LINE(seen, "--count=", "-c", "");
    assert_string_equal(seen, "count= count= ");
}

static void a_value_that_may_be_left_out_takes_no_word(void **state)
{
    (void)state;
    char seen[400];
    tool_args a = LINE(seen, "--check", "word", "--check=how", "--check=");
    assert_false(a.ended);
    assert_string_equal(seen, "check [word] check=how check= ");
}

static void expect_usage(tool_args a, const char *printed, const char *wanted)
{
    assert_true(a.ended);
    assert_int_equal(a.exit_code, TOOL_EXIT_USAGE);
    if (!strstr(printed, wanted))
        fail_msg("'%s' lacks '%s'", printed, wanted);
    assert_non_null(strstr(printed, "Try 'sample --help'."));
}

static void a_wrong_option_is_refused_with_the_nearest_name(void **state)
{
    (void)state;
    char seen[400];
    capture_begin();
    tool_args a = LINE(seen, "--jsno", "word");
    expect_usage(a, capture_end(), "sample: unknown option '--jsno'; did you mean '--json'?");
    assert_string_equal(seen, "");
    capture_begin();
    a = LINE(seen, "--hlep");
    expect_usage(a, capture_end(), "did you mean '--help'?");
    capture_begin();
    a = LINE(seen, "--wait-limit");
    expect_usage(a, capture_end(), "did you mean '--wait-limit-with-a-long-name'?");
    capture_begin();
    a = LINE(seen, "--zzzzzzzzzz");
    const char *printed = capture_end();
    expect_usage(a, printed, "unknown option '--zzzzzzzzzz'\n");
    assert_null(strstr(printed, "did you mean"));
    capture_begin();
    a = LINE(seen, "-qx");
    expect_usage(a, capture_end(), "unknown option '-x'");
}

static void missing_and_surplus_values_are_refused(void **state)
{
    (void)state;
    char seen[400];
    capture_begin();
    tool_args a = LINE(seen, "-q", "--count");
    expect_usage(a, capture_end(), "--count needs a value (N)");
    capture_begin();
    a = LINE(seen, "-c");
    expect_usage(a, capture_end(), "--count needs a value (N)");
    capture_begin();
    a = LINE(seen, "--json=yes");
    expect_usage(a, capture_end(), "--json takes no value");
}

static void an_option_of_a_later_version_says_so(void **state)
{
    (void)state;
    char seen[400];
    capture_begin();
    tool_args a = LINE(seen, "--doctor", "host");
    expect_usage(a, capture_end(), "--doctor is not in this version");
    capture_begin();
    a = LINE(seen, "--doctor=now");
    expect_usage(a, capture_end(), "--doctor is not in this version");
}

static bool count_of(const char *text, uint64_t *out)
{
    tool_args a;
    char *argv[] = {"sample", "-c", (char *)(uintptr_t)text, NULL};
    tool_args_init(&a, &program, 3, argv);
    assert_true(tool_args_next(&a));
    capture_begin();
    bool fine = tool_args_count(&a, 1, 1000, out);
    const char *printed = capture_end();
    if (!fine)
        expect_usage(a, printed, "is not a whole number from 1 to 1000");
    return fine;
}

static void whole_numbers_are_checked(void **state)
{
    (void)state;
    uint64_t n = 77;
    static const char *const wrong[] = {
        "", "x", "1x", "-1", "+1", " 1", "0", "1.5", "1001", "0x10", "18446744073709551617"};
    for (size_t i = 0; i < CQL_COUNT(wrong); i++)
        assert_false(count_of(wrong[i], &n));
    assert_int_equal(n, 77);
    assert_true(count_of("1000", &n));
    assert_int_equal(n, 1000);
    assert_true(count_of("0001", &n));
    assert_int_equal(n, 1);
}

static bool seconds_of(const char *text, uint64_t *out)
{
    tool_args a;
    char *argv[] = {"sample", "-W", (char *)(uintptr_t)text, NULL};
    tool_args_init(&a, &program, 3, argv);
    assert_true(tool_args_next(&a));
    capture_begin();
    bool fine = tool_args_seconds(&a, 10, 60000, out);
    const char *printed = capture_end();
    if (!fine)
        expect_usage(a, printed, "is not a time in seconds from 0.01 to 60");
    return fine;
}

static void seconds_may_have_a_fraction(void **state)
{
    (void)state;
    uint64_t ms = 77;
    static const char *const wrong[] = {"",    ".",  "x",     "-1",
                                        "1,5", "0",  "0.009", "60.001",
                                        "61",  "1m", "1.2.3", "99999999999999999999"};
    for (size_t i = 0; i < CQL_COUNT(wrong); i++)
        assert_false(seconds_of(wrong[i], &ms));
    assert_int_equal(ms, 77);
    static const struct {
        const char *text;
        uint64_t ms;
    } right[] = {{"1", 1000},  {"0.2", 200},     {".5", 500},
                 {"5s", 5000}, {"1.2345", 1234}, {"60", 60000}};
    for (size_t i = 0; i < CQL_COUNT(right); i++) {
        assert_true(seconds_of(right[i].text, &ms));
        assert_int_equal(ms, right[i].ms);
    }
}

static void help_comes_from_the_table(void **state)
{
    (void)state;
    char seen[400];
    capture_begin();
    tool_args a = LINE(seen, "--help", "--jsno");
    assert_string_equal(capture_end(), "");
    assert_true(a.ended);
    assert_int_equal(a.exit_code, TOOL_EXIT_OK);
    assert_string_equal(captured_output(),
                        "Usage: sample [options] [HOST]...\n"
                        "       sample --list\n"
                        "Shows things.\n"
                        "\nOptions:\n"
                        "  -c, --count N               stop after N probes\n"
                        "      --json                  print one JSON object a line\n"
                        "  -W, --wait-limit-with-a-long-name SECONDS\n"
                        "                              first line\n"
                        "                              second line\n"
                        "  -q, --quiet                 less\n"
                        "      --check[=HOW]           look\n"
                        "\nGeneral:\n"
                        "  -h, --help                  show this help\n"
                        "  -V, --version               show the version\n"
                        "\nExamples:\n  sample -c 1\n"
                        "\nExit status:\n"
                        "  0  fine\n"
                        "  1  a statement, probe or job failed\n"
                        "  2  the command line cannot be followed\n"
                        "  3  not ready or not reachable in time\n"
                        "  4  verification found differences\n"
                        "  5  authentication or TLS failed\n");
}

static void version_is_one_line(void **state)
{
    (void)state;
    char seen[400];
    capture_begin();
    tool_args a = LINE(seen, "-V");
    capture_end();
    assert_int_equal(a.exit_code, TOOL_EXIT_OK);
    assert_string_equal(captured_output(), "sample " CQL_VERSION_STRING "\n");
}

static void the_rest_of_the_line_can_be_taken_as_it_is(void **state)
{
    (void)state;
    char *argv[] = {"sample", "-q", "enqueue", "mail", "--to", "x", NULL};
    tool_args a;
    int count;
    tool_args_init(&a, &program, 6, argv);
    assert_true(tool_args_next(&a));
    assert_true(tool_args_next(&a));
    assert_string_equal(a.value, "enqueue");
    char **rest = tool_args_rest(&a, &count);
    assert_int_equal(count, 4);
    assert_string_equal(rest[0], "enqueue");
    assert_string_equal(rest[3], "x");
    assert_false(tool_args_next(&a));
    assert_false(a.ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_an_option_is_understood),
        cmocka_unit_test(words_and_options_mix_until_two_dashes),
        cmocka_unit_test(an_empty_value_is_a_value),
        cmocka_unit_test(a_value_that_may_be_left_out_takes_no_word),
        cmocka_unit_test(a_wrong_option_is_refused_with_the_nearest_name),
        cmocka_unit_test(missing_and_surplus_values_are_refused),
        cmocka_unit_test(an_option_of_a_later_version_says_so),
        cmocka_unit_test(whole_numbers_are_checked),
        cmocka_unit_test(seconds_may_have_a_fraction),
        cmocka_unit_test(help_comes_from_the_table),
        cmocka_unit_test(version_is_one_line),
        cmocka_unit_test(the_rest_of_the_line_can_be_taken_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
