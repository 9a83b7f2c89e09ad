/* What cqlinit says: objects, messages and summaries for people and as JSON; DESCRIBE's columns;
 * the keyspace of a USE. */
#include "unit.h"

#include "common/exit_code.h"
#include "init/run.h"
#include "init/say.h"
#include "tools_capture.h"

/* --- columns ---------------------------------------------------------------------------------- */

static const char *columns(char *const *names, size_t count)
{
    static char text[4096];
    char *buffer = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&buffer, &size);
    assert_non_null(out);
    init_print_columns(out, names, count);
    fclose(out);
    (void)snprintf(text, sizeof text, "%s", buffer);
    free(buffer);
    return text;
}

/* The expected texts are what cqlsh 6.2 prints for the same names. */
static void names_are_printed_in_columns_as_cqlsh_does(void **state)
{
    char *few[] = {"t", "u"};
    char *down[] = {"system",        "system_auth",  "system_distributed",   "system_schema",
                    "system_traces", "system_views", "system_virtual_schema"};
    char wide_name[100];
    char *wide[] = {wide_name, "x"};
    (void)state;
    assert_string_equal(columns(few, 2), "t  u\n");
    assert_string_equal(columns(few, 1), "t\n");
    assert_string_equal(columns(few, 0), "<empty>\n");
    assert_string_equal(columns(down, 7),
                        "system       system_distributed  system_traces  system_virtual_schema\n"
                        "system_auth  system_schema       system_views \n");
    memset(wide_name, 'w', sizeof wide_name - 1);
    wide_name[sizeof wide_name - 1] = '\0';
    char expected[128];
    (void)snprintf(expected, sizeof expected, "%s\nx\n", wide_name);
    assert_string_equal(columns(wide, 2), expected);
}

static void describe_statements_are_known(void **state)
{
    (void)state;
    assert_true(init_is_describe("DESCRIBE TABLES"));
    assert_true(init_is_describe("desc t"));
    assert_true(init_is_describe("DESC"));
    assert_false(init_is_describe("DESCRIBES x"));
    assert_false(init_is_describe("SELECT 1"));
    assert_false(init_is_describe(""));
}

static void use_names_its_keyspace(void **state)
{
    static const struct {
        const char *statement, *keyspace;
    } rows[] = {
        {"USE ks", "ks"}, {"use  KS_1", "ks_1"}, {"USE \"Ks\"", "Ks"}, {"USE \"a\"\"b\"", "a\"b"},
        {"USER x", NULL}, {"SELECT 1", NULL},    {"USE", NULL}};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        char *got = init_used_keyspace(rows[i].statement);
        if (rows[i].keyspace)
            assert_string_equal(got, rows[i].keyspace);
        else
            assert_null(got);
        free(got);
    }
}

/* --- saying ------------------------------------------------------------------------------------
 */

static init_config config;
static init_say say;
static cql_error *refused;

static void begin(bool json)
{
    memset(&config, 0, sizeof config);
    config.json = json;
    init_say_init(&say, &config);
    if (!refused)
        refused = cql_error_make(NULL, CQL_CONNECT_FAILED, NULL, "1.2.3.4:9042: refused");
    capture_begin();
}

static void expect(const char *output, const char *errors)
{
    const char *printed = capture_end();
    assert_string_equal(captured_output(), output);
    assert_string_equal(printed, errors);
    init_say_fini(&say);
}

static const cql_schema_difference differences[] = {
    {"column c", "int", "text", "column c: expected int, found text", false},
    {"comment", "", "x\x1b", "comment: not in the CQL, found x\x1b", true},
};

static const cql_schema_object created = {.verdict = CQL_SCHEMA_OBJECT_CREATED,
                                          .word = "created",
                                          .kind = "table",
                                          .name = "ks.t",
                                          .file = "a.cql",
                                          .line = 3};
static const cql_schema_object differs = {.verdict = CQL_SCHEMA_OBJECT_DIFFERS,
                                          .word = "differs",
                                          .kind = "table",
                                          .name = "ks.\"T\"",
                                          .file = "a.cql",
                                          .line = 4,
                                          .differences = differences,
                                          .difference_count = 2};
static const cql_schema_object absent = {.verdict = CQL_SCHEMA_OBJECT_ABSENT,
                                         .word = "absent",
                                         .kind = "type",
                                         .name = "ks.u",
                                         .file = "a.cql",
                                         .line = 5};

static void objects_have_a_line_each_and_one_for_each_difference(void **state)
{
    (void)state;
    begin(false);
    init_say_object(&created, &say);
    init_say_object(&differs, &say);
    expect("created table ks.t\ndiffers table ks.\"T\"\n  column c: expected int, found text\n"
           "  note: comment: not in the CQL, found x\\x1b\n",
           "");
    begin(true);
    init_say_object(&created, &say);
    init_say_object(&differs, &say);
    expect(
        "{\"event\":\"object\",\"status\":\"created\",\"kind\":\"table\",\"name\":\"ks.t\","
        "\"file\":"
        "\"a.cql\",\"line\":3}\n"
        "{\"event\":\"object\",\"status\":\"differs\",\"kind\":\"table\",\"name\":\"ks.\\\"T\\\"\","
        "\"file\":\"a.cql\",\"line\":4,\"differences\":[{\"subject\":\"column "
        "c\",\"expected\":\"int\","
        "\"found\":\"text\",\"text\":\"column c: expected int, found "
        "text\",\"note\":false},{\"subject\":"
        "\"comment\",\"expected\":\"\",\"found\":\"x\\u001b\",\"text\":\"comment: not in the CQL, "
        "found "
        "x\\u001b\",\"note\":true}]}\n",
        "");
}

static void quiet_leaves_only_differences(void **state)
{
    (void)state;
    begin(false);
    config.quiet = true;
    init_say_object(&created, &say);
    init_say_object(&differs, &say);
    init_say_summary(&say, TOOL_EXIT_DIFFERS, false);
    expect("differs table ks.\"T\"\n  column c: expected int, found text\n"
           "  note: comment: not in the CQL, found x\\x1b\n",
           "");
}

static void a_dry_run_prints_cql(void **state)
{
    cql_schema_message sending = {.kind = CQL_SCHEMA_MESSAGE_SENDING,
                                  .text = "CREATE TYPE ks.u (\n  a int)",
                                  .file = "a.cql",
                                  .line = 5};
    (void)state;
    begin(false);
    config.dry_run = true;
    init_say_object(&differs, &say);
    init_say_message(&sending, &say);
    init_say_object(&absent, &say);
    init_say_summary(&say, TOOL_EXIT_OK, false);
    expect("-- differs table ks.\"T\"\n--   column c: expected int, found text\n"
           "--   note: comment: not in the CQL, found x\\x1b\n"
           "CREATE TYPE ks.u (\n  a int);\n-- 1 statement would be sent\n",
           "");
}

static void messages_go_to_standard_error(void **state)
{
    cql_schema_message warning = {
        .kind = CQL_SCHEMA_MESSAGE_WARNING, .text = "too\nmany", .file = "a.cql", .line = 7};
    cql_schema_message note = {.kind = CQL_SCHEMA_MESSAGE_NOTE, .text = "copies", .file = ""};
    cql_schema_message waiting = {.kind = CQL_SCHEMA_MESSAGE_WAITING,
                                  .text = "1.2.3.4:9042: refused",
                                  .file = "",
                                  .left_ms = 119600,
                                  .cause = NULL};
    cql_schema_message sending = {
        .kind = CQL_SCHEMA_MESSAGE_SENDING, .text = "USE\nx", .file = "a.cql", .line = 8};
    (void)state;
    begin(false);
    init_say_message(&warning, &say);
    init_say_message(&note, &say);
    init_say_message(&waiting, &say);
    init_say_message(&waiting, &say); /* told once where it cannot count down */
    init_say_message(&sending, &say); /* only with --verbose */
    config.verbose = true;
    init_say_message(&sending, &say);
    expect("", "cqlinit: a.cql:7: warning from the server: too\\nmany\ncqlinit: note: copies\n"
               "cqlinit: waiting for the cluster, at most 120 s: 1.2.3.4:9042: refused\n"
               "cqlinit: a.cql:8: sending: USE\\nx\n");
    begin(true);
    waiting.cause = refused;
    init_say_message(&warning, &say);
    init_say_message(&waiting, &say);
    init_say_message(&sending, &say);
    expect(
        "{\"event\":\"warning\",\"text\":\"too\\nmany\",\"file\":\"a.cql\",\"line\":7}\n"
        "{\"event\":\"waiting\",\"text\":\"1.2.3.4:9042: refused\",\"left_ms\":119600,\"error\":{"
        "\"status\":\"CQL_CONNECT_FAILED\",\"text\":\"1.2.3.4:9042: refused\",\"maybe_applied\":false}}\n",
        "");
}

static void passwords_of_roles_are_not_shown(void **state)
{
    static const char *const rows[][2] = {
        {"CREATE ROLE r WITH PASSWORD = 'it''s' AND LOGIN = true",
         "CREATE ROLE r WITH PASSWORD = '***' AND LOGIN = true"},
        {"ALTER ROLE r WITH hashed password='$2a$x' AND password=$$a'b$$",
         "ALTER ROLE r WITH hashed password='***' AND password='***'"},
        {"CREATE USER u WITH PASSWORD 'open", "CREATE USER u WITH PASSWORD '***'"},
        {"CREATE TABLE t (password text PRIMARY KEY)", "CREATE TABLE t (password text PRIMARY KEY)"},
        {"INSERT INTO t (a) VALUES ('password')", "INSERT INTO t (a) VALUES ('password')"},
    };
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        cql_schema_message sending = {
            .kind = CQL_SCHEMA_MESSAGE_SENDING, .text = rows[i][0], .file = "a", .line = 1};
        char line[200];
        begin(false);
        config.verbose = true;
        init_say_message(&sending, &say);
        (void)snprintf(line, sizeof line, "cqlinit: a:1: sending: %s\n", rows[i][1]);
        expect("", line);
        begin(true);
        config.verbose = true;
        init_say_message(&sending, &say);
        (void)snprintf(line, sizeof line,
                       "{\"event\":\"statement\",\"text\":\"%s\",\"file\":\"a\",\"line\":1}\n", rows[i][1]);
        expect(line, "");
    }
}

static void errors_are_reported_with_what_to_do(void **state)
{
    (void)state;
    begin(false);
    init_say_error(&say, refused);
    init_say_error(&say, NULL);
    expect("", "cqlinit: 1.2.3.4:9042: refused\n"
               "  is Cassandra running there, and is the port right?\n");
    begin(true);
    init_say_error(&say, refused);
    expect("{\"event\":\"error\",\"error\":{\"status\":\"CQL_CONNECT_FAILED\",\"text\":\"1.2.3.4:"
           "9042: "
           "refused\",\"maybe_applied\":false}}\n",
           "");
}

static void summary(const cql_schema_summary *counts, int code, bool failed, bool rows,
                    const char *line)
{
    begin(false);
    say.summary = *counts;
    say.had_rows = rows;
    init_say_summary(&say, code, failed);
    expect(line, "");
}

static void the_last_line_sums_up(void **state)
{
    cql_schema_summary counts = {.created = 2, .existing = 3, .statements = 1};
    cql_schema_summary wrong = {.existing = 1, .differing = 2, .differences = 5};
    cql_schema_summary reset = {.dropped = 1, .created = 1};
    cql_schema_summary nothing = {.created = 0};
    cql_schema_summary one = {.statements = 2};
    (void)state;
    summary(&counts, TOOL_EXIT_OK, false, false,
            "verified: 2 created, 3 existing, 1 other statement\n");
    summary(&counts, TOOL_EXIT_FAILED, true, false,
            "stopped: 2 created, 3 existing, 1 other statement\n");
    summary(&wrong, TOOL_EXIT_DIFFERS, false, false,
            "not verified: 1 existing, 2 differing, 5 differences\n");
    summary(&reset, TOOL_EXIT_OK, false, false, "verified: 1 dropped, 1 created\n");
    summary(&nothing, TOOL_EXIT_OK, false, false, "done\n");
    summary(&one, TOOL_EXIT_OK, false, false, "done: 2 other statements\n");
    /* Rows speak for themselves, and so does an error before anything was done. */
    summary(&one, TOOL_EXIT_OK, false, true, "");
    summary(&nothing, TOOL_EXIT_FAILED, true, false, "");
    begin(true);
    say.summary = wrong;
    init_say_summary(&say, TOOL_EXIT_DIFFERS, false);
    expect("{\"event\":\"summary\",\"created\":0,\"exists\":1,\"differs\":2,\"dropped\":0,"
           "\"absent\":0,"
           "\"statements\":0,\"differences\":5,\"notes\":0,\"warnings\":0,\"verified\":false,"
           "\"exit\":4}\n",
           "");
    begin(true);
    say.had_rows = true;
    say.summary = one;
    init_say_summary(&say, TOOL_EXIT_OK, false);
    expect("", "");
}

static void outcomes_have_their_exit_codes(void **state)
{
    static const struct {
        cql_status st;
        int code;
    } rows[] = {{CQL_OK, 0},        {CQL_SCHEMA_DIFFERS, 4},      {CQL_BAD_ARGUMENT, 2},
                {CQL_BAD_STATE, 2}, {CQL_BAD_CQL_FILE, 1},        {CQL_NOT_AGREED, 1},
                {CQL_NO_HOST, 3},   {CQL_SERVER_SYNTAX_ERROR, 1}, {CQL_SERVER_BAD_CREDENTIALS, 5}};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        cql_error *err = cql_error_make(NULL, rows[i].st, NULL, "x");
        assert_int_equal(init_exit_of(rows[i].st, err), rows[i].code);
        cql_error_unref(err);
    }
    assert_int_equal(init_exit_of(CQL_NO_MEMORY, NULL), 1);
    cql_error_unref(refused);
    refused = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_printed_in_columns_as_cqlsh_does),
        cmocka_unit_test(describe_statements_are_known),
        cmocka_unit_test(use_names_its_keyspace),
        cmocka_unit_test(objects_have_a_line_each_and_one_for_each_difference),
        cmocka_unit_test(quiet_leaves_only_differences),
        cmocka_unit_test(a_dry_run_prints_cql),
        cmocka_unit_test(messages_go_to_standard_error),
        cmocka_unit_test(passwords_of_roles_are_not_shown),
        cmocka_unit_test(errors_are_reported_with_what_to_do),
        cmocka_unit_test(the_last_line_sums_up),
        cmocka_unit_test(outcomes_have_their_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
