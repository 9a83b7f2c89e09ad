/* Errors as exit codes, as lines for people and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/error.h"
#include "common/exit_code.h"
#include "common/json.h"
#include "common/report.h"

#include <stdlib.h>
#include <string.h>

static cql_error *made(cql_status st, const char *text)
{
    return cql_error_make(NULL, st, NULL, text);
}

static void expect_exit(cql_status st, tool_exit of_connect, tool_exit of_statement)
{
    cql_error *err = made(st, "text");
    if (tool_exit_of_connect(err) != of_connect || tool_exit_of_statement(err) != of_statement)
        fail_msg("%s: %d, %d", cql_status_name(st), (int)tool_exit_of_connect(err),
                 (int)tool_exit_of_statement(err));
    cql_error_unref(err);
}

static void each_kind_of_error_has_its_exit_code(void **state)
{
    (void)state;
    expect_exit(CQL_AUTH_FAILED, TOOL_EXIT_DENIED, TOOL_EXIT_DENIED);
    expect_exit(CQL_SERVER_BAD_CREDENTIALS, TOOL_EXIT_DENIED, TOOL_EXIT_DENIED);
    expect_exit(CQL_TLS_FAILED, TOOL_EXIT_DENIED, TOOL_EXIT_DENIED);
    expect_exit(CQL_NO_HOST, TOOL_EXIT_UNREACHED, TOOL_EXIT_UNREACHED);
    expect_exit(CQL_CONNECT_FAILED, TOOL_EXIT_UNREACHED, TOOL_EXIT_UNREACHED);
    expect_exit(CQL_RESOLVE_FAILED, TOOL_EXIT_UNREACHED, TOOL_EXIT_UNREACHED);
    expect_exit(CQL_TIMEOUT, TOOL_EXIT_UNREACHED, TOOL_EXIT_FAILED);
    expect_exit(CQL_BAD_VERSION, TOOL_EXIT_UNREACHED, TOOL_EXIT_FAILED);
    expect_exit(CQL_SERVER_SYNTAX_ERROR, TOOL_EXIT_UNREACHED, TOOL_EXIT_FAILED);
    expect_exit(CQL_BAD_VALUE, TOOL_EXIT_USAGE, TOOL_EXIT_FAILED);
    expect_exit(CQL_NO_MEMORY, TOOL_EXIT_FAILED, TOOL_EXIT_FAILED);
    expect_exit(CQL_SCHEMA_DIFFERS, TOOL_EXIT_UNREACHED, TOOL_EXIT_DIFFERS);
}

static void expect_report(const cql_error *err, const char *file, const char *wanted)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    tool_report_to(out, "sample", err, file);
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
}

static void a_report_ends_with_what_to_do(void **state)
{
    (void)state;
    cql_error *err = made(CQL_CONNECT_FAILED, "10.0.0.5:9042: connection refused");
    expect_report(err, NULL,
                  "sample: 10.0.0.5:9042: connection refused\n"
                  "  is Cassandra running there, and is the port right?\n");
    cql_error_unref(err);
    err = made(CQL_CONNECT_FAILED, "refused; is Cassandra running there, and is the port right?");
    expect_report(err, NULL,
                  "sample: refused; is Cassandra running there, and is the port right?\n");
    cql_error_unref(err);
    err = made(CQL_BAD_VALUE, "nothing general can be said");
    expect_report(err, NULL, "sample: nothing general can be said\n");
    cql_error_unref(err);
}

static cql_error *invalid(const char *message)
{
    cqln_error_info info;
    memset(&info, 0, sizeof info);
    info.status = CQL_SERVER_INVALID;
    info.server_message = cql_str_of(message);
    return cqln_error_make(cqln_alloc_default(), &info, NULL, 0, "invalid query: %s", message);
}

/* "no alive connections" over one node that refused for `st`. */
static cql_error *no_host(cql_status st, const char *reason)
{
    cqln_error_info info;
    cqln_tried tried = {cql_str_of("10.0.0.5:9042"), st, cql_str_of(reason)};
    memset(&info, 0, sizeof info);
    info.status = CQL_NO_HOST;
    return cqln_error_make(cqln_alloc_default(), &info, &tried, 1, "no alive connections");
}

static void the_nodes_that_were_tried_count(void **state)
{
    (void)state;
    cql_error *err = no_host(CQL_AUTH_FAILED, "refused user me");
    assert_int_equal(tool_exit_of_connect(err), TOOL_EXIT_DENIED);
    assert_int_equal(tool_exit_of_statement(err), TOOL_EXIT_DENIED);
    expect_report(err, NULL,
                  "sample: no alive connections\n"
                  "  10.0.0.5:9042: refused user me\n"
                  "  check --user and --password-file (or CQL_USERNAME and CQL_PASSWORD)\n");
    cql_error_unref(err);
    err = no_host(CQL_TIMEOUT, "");
    assert_int_equal(tool_exit_of_connect(err), TOOL_EXIT_UNREACHED);
    expect_report(err, NULL,
                  "sample: no alive connections\n"
                  "  10.0.0.5:9042: query timeout\n"
                  "  is the node overloaded, paused, or behind a firewall?\n");
    cql_error_unref(err);
}

static void a_missing_keyspace_or_table_names_the_way_to_make_it(void **state)
{
    (void)state;
    static const struct {
        const char *message, *kind;
    } rows[] = {
        {"keyspace jobsharp does not exist", "keyspace not found"},
        {"Keyspace 'jobsharp' does not exist", "keyspace not found"},
        {"Keyspace 'jobsharp' doesn't exist", "keyspace not found"},
        {"unconfigured table jobs", "table not found"},
        {"table jobs does not exist", "table not found"},
        {"Undefined column name x", NULL},
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        cql_error *err = invalid(rows[i].message);
        const char *kind = tool_missing_object(err);
        if (rows[i].kind)
            assert_string_equal(kind, rows[i].kind);
        else
            assert_null(kind);
        cql_error_unref(err);
    }
    cql_error *err = invalid("unconfigured table jobs");
    expect_report(err, "cql/jobsharp.cql",
                  "sample: invalid query: unconfigured table jobs\n"
                  "  table not found: create it with 'cqlinit HOST cql/jobsharp.cql'\n");
    cql_error_unref(err);
}

static void expect_line(cJSON *object, const char *wanted)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_true(tool_json_line(out, object));
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
}

static void json_lines_keep_numbers_exact(void **state)
{
    (void)state;
    cJSON *line = tool_json_object("probe");
    tool_json_int(line, "protocol", 5);
    tool_json_int(line, "big", INT64_MAX);
    tool_json_int(line, "small", INT64_MIN);
    tool_json_ms(line, "rtt_ms", 412);
    tool_json_ms(line, "long_ms", 12345678);
    tool_json_bool(line, "ok", true);
    tool_json_raw(line, "list", "[1,null]");
    tool_json_text(line, "none", NULL);
    expect_line(line, "{\"event\":\"probe\",\"protocol\":5,\"big\":9223372036854775807,"
                      "\"small\":-9223372036854775808,\"rtt_ms\":0.412,\"long_ms\":12345.678,"
                      "\"ok\":true,\"list\":[1,null],\"none\":null}\n");
}

static void json_text_is_escaped_and_valid(void **state)
{
    (void)state;
    cJSON *line = tool_json_object(NULL);
    tool_json_text(line, "text", "a\"b\\c\n\033\xff\xc3\xa4");
    expect_line(line, "{\"text\":\"a\\\"b\\\\c\\n\\u001b\xef\xbf\xbd\xc3\xa4\"}\n");
}

static void json_errors_carry_their_facts(void **state)
{
    (void)state;
    cql_error *err = invalid("unconfigured table jobs");
    cJSON *line = tool_json_object("probe");
    tool_json_error(line, err);
    expect_line(line, "{\"event\":\"probe\",\"error\":{\"status\":\"CQL_SERVER_INVALID\","
                      "\"text\":\"invalid query: unconfigured table jobs\",\"maybe_applied\":false,"
                      "\"server_code\":8704,"
                      "\"server_message\":\"unconfigured table jobs\"}}\n");
    cql_error_unref(err);
}

static void what_is_json_is_what_every_reader_takes(void **state)
{
    static const char *const good[] = {
        "0", "-0", "10", "-1.5e+10", "1E5", "[1,2 ]", " {\"a\": 0e0 }", "true", "\"\\u0000 \\\"1. \xe2\x98\x83\"",
        "\t[\r\n]\n", "{\"01\":\"1.\"}", "\"\\\\\""};
    static const char *const bad[] = {
        "", " ", "01", "-01", "1.", "-", ".5", "1e", "1e+", "0x1", "1-2", "[01]", "{\"a\":1.}", "[1,]", "NaN",
        "{\"a\":1}{}", "\xef\xbb\xbf{}", "\"a\tb\"", "\"a\nb\"", "[\x01]", "\"\\ud83d\"", "\"\\q\"", "\"a"};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(good); i++)
        if (!tool_json_is_value(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < CQL_COUNT(bad); i++)
        if (tool_json_is_value(bad[i]))
            fail_msg("taken: %s", bad[i]);
}

static void a_line_that_cannot_be_written_is_seen(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    assert_false(tool_json_line(full, tool_json_object("probe")));
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_error_has_its_exit_code),
        cmocka_unit_test(a_report_ends_with_what_to_do),
        cmocka_unit_test(the_nodes_that_were_tried_count),
        cmocka_unit_test(a_missing_keyspace_or_table_names_the_way_to_make_it),
        cmocka_unit_test(json_lines_keep_numbers_exact),
        cmocka_unit_test(json_text_is_escaped_and_valid),
        cmocka_unit_test(json_errors_carry_their_facts),
        cmocka_unit_test(what_is_json_is_what_every_reader_takes),
        cmocka_unit_test(a_line_that_cannot_be_written_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
