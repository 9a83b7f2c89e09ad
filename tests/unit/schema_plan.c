/* Plans: texts and files with what they include, and what is refused before anything is sent. */
#include "schema/plan.h"

#include "schema_fake.h"
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

/* --- a folder with files ---------------------------------------------------------------------- */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "schema_plan.%ld", (long)getpid());
    return mkdir(folder, 0700);
}

static const char *path_of(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *out = paths[next++ % 4];
    (void)snprintf(out, 256, "%s/%s", folder, name);
    return out;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

/* Steps in one line: FILE:LINE text, joined by bars. */
static const char *steps_of(const cql_schema_plan *plan)
{
    static char out[4096];
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < cql_schema_plan_count(plan); i++) {
        const cqlsch_step *step = cqlsch_plan_step(plan, i);
        const char *name = strncmp(step->file, folder, strlen(folder)) == 0
                               ? step->file + strlen(folder) + 1
                               : step->file;
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%s:%u %s", used ? "|" : "", name,
                                 step->place.line, step->text.ptr);
    }
    return out;
}

static void expect_steps(const char *path, const char *steps)
{
    cql_schema_plan *plan = NULL;
    cql_error *err = NULL;
    assert_int_equal(cql_schema_plan_new(NULL, &plan), CQL_OK);
    if (cql_schema_plan_add_file(plan, path, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    assert_string_equal(steps_of(plan), steps);
    cql_schema_plan_free(plan);
}

static void expect_refusal(const char *path, cql_status st, const char *text)
{
    cql_schema_plan *plan = NULL;
    cql_error *err = NULL;
    assert_int_equal(cql_schema_plan_new(NULL, &plan), CQL_OK);
    assert_int_equal(cql_schema_plan_add_file(plan, path, &err), st);
    assert_non_null(err);
    assert_int_equal(cql_error_status(err), st);
    if (!strstr(cql_error_text(err), text))
        fail_msg("'%s' lacks '%s'", cql_error_text(err), text);
    cql_error_unref(err);
    cql_schema_plan_free(plan);
}

static void files_are_read_with_what_they_include(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("sub"), 0700), 0);
    write_file("sub/more.cql", "c;\nSOURCE \"../other.cql\"\n");
    write_file("other.cql", "\n\nd");
    write_file("main.cql", "\xef\xbb\xbf"
                           "a;\r\nSOURCE 'sub/more.cql'\r\nb;\r\n");
    expect_steps(path_of("main.cql"),
                 "main.cql:1 a|sub/more.cql:1 c|sub/../other.cql:3 d|main.cql:3 b");
}

static void a_file_may_be_included_twice_but_not_by_itself(void **state)
{
    (void)state;
    write_file("one.cql", "x;");
    write_file("twice.cql", "SOURCE 'one.cql'; SOURCE './one.cql';");
    expect_steps(path_of("twice.cql"), "one.cql:1 x|./one.cql:1 x");
    write_file("self.cql", "a;\n  SOURCE './self.cql'");
    expect_refusal(path_of("self.cql"), CQL_BAD_CQL_FILE, "self.cql:2:3: SOURCE");
    expect_refusal(path_of("self.cql"), CQL_BAD_CQL_FILE, "would include itself");
    write_file("ring1.cql", "SOURCE 'ring2.cql'");
    write_file("ring2.cql", "SOURCE 'ring1.cql'");
    expect_refusal(path_of("ring1.cql"), CQL_BAD_CQL_FILE, "ring2.cql:1:1: SOURCE");
}

static void chains_of_files_have_an_end(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        char name[32];
        char text[64];
        (void)snprintf(name, sizeof name, "deep%d.cql", i);
        (void)snprintf(text, sizeof text, "SOURCE 'deep%d.cql'", i + 1);
        write_file(name, text);
    }
    write_file("deep40.cql", "x");
    expect_refusal(path_of("deep0.cql"), CQL_BAD_CQL_FILE, "more than 32 files deep");
    expect_steps(path_of("deep10.cql"), "deep40.cql:1 x");
}

static void files_that_are_not_there_are_named(void **state)
{
    (void)state;
    expect_refusal(path_of("nosuch.cql"), CQL_NOT_FOUND, "nosuch.cql: No such file");
    write_file("missing.cql", "a;\nSOURCE 'gone.cql';");
    expect_refusal(path_of("missing.cql"), CQL_BAD_CQL_FILE, "missing.cql:2:1: SOURCE '");
    expect_refusal(path_of("missing.cql"), CQL_BAD_CQL_FILE, "gone.cql': No such file");
    expect_refusal(folder, CQL_NOT_FOUND, "directory");
}

static void what_cannot_be_split_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"a;\n b 'c", "w.cql:2:4: the string that begins here has no end"},
        {"a /* b", "w.cql:1:3: the comment that begins here has no end"},
        {"SOURCE x", "w.cql:1:1: SOURCE wants one file name in quotes"},
        {"SOURCE 'a' 'b'", "SOURCE wants one file name in quotes"},
        {"\nEXPAND ON", "w.cql:2:1: EXPAND is a command of cqlsh that is not supported here"},
        {"CONSISTENCY", "CONSISTENCY wants one level"},
        {"CONSISTENCY MANY", "CONSISTENCY MANY: not one of ANY, ONE"},
        {"a \x01\xff", "w.cql:1:4: bytes that are not UTF-8"},
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        write_file("w.cql", rows[i].text);
        expect_refusal(path_of("w.cql"), CQL_BAD_CQL_FILE, rows[i].message);
    }
}

static void texts_have_names_and_folders(void **state)
{
    (void)state;
    cql_schema_plan *plan = NULL;
    cql_error *err = NULL;
    write_file("inc.cql", "i");
    assert_int_equal(cql_schema_plan_new(NULL, &plan), CQL_OK);
    assert_int_equal(
        cql_schema_plan_add_text(plan, "typed", folder, cql_str_of("a; SOURCE 'inc.cql'"), NULL),
        CQL_OK);
    assert_int_equal(cql_schema_plan_add_text(plan, NULL, NULL, cql_str_of("b"), NULL), CQL_OK);
    assert_string_equal(steps_of(plan), "typed:1 a|inc.cql:1 i|text:1 b");
    assert_int_equal(cql_schema_plan_add_text(plan, NULL, NULL, cql_str_of("SOURCE 'a'"), &err),
                     CQL_BAD_CQL_FILE);
    assert_non_null(strstr(cql_error_text(err), "text:1:1: SOURCE is not possible here"));
    assert_int_equal(cql_schema_plan_add_text(NULL, NULL, NULL, cql_str_of("a"), &err),
                     CQL_BAD_ARGUMENT);
    assert_int_equal(cql_schema_plan_add_file(plan, NULL, &err), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_schema_plan_new(NULL, NULL), CQL_BAD_ARGUMENT);
    cql_error_unref(err);
    cql_schema_plan_free(plan);
    cql_schema_plan_free(NULL);
}

static void consistency_is_a_step(void **state)
{
    (void)state;
    cql_schema_plan *plan = NULL;
    assert_int_equal(cql_schema_plan_new(NULL, &plan), CQL_OK);
    assert_int_equal(cql_schema_plan_add_text(plan, NULL, NULL,
                                              cql_str_of("CONSISTENCY quorum\nSELECT 1"), NULL),
                     CQL_OK);
    assert_int_equal(cqlsch_plan_step(plan, 0)->kind, CQLSCH_CONSISTENCY);
    assert_int_equal(cqlsch_plan_step(plan, 0)->level, CQL_CONSISTENCY_QUORUM);
    cql_schema_plan_free(plan);
}

static cql_status read_file(const cql_allocator *al, void *user)
{
    cql_schema_plan *plan = NULL;
    cql_error *err = NULL;
    cql_status st = cql_schema_plan_new(al, &plan);
    if (st == CQL_OK)
        st = cql_schema_plan_add_file(plan, user, &err);
    if (err)
        assert_int_equal(cql_error_status(err), st);
    cql_error_unref(err);
    cql_schema_plan_free(plan);
    return st;
}

static void no_memory_is_reported_at_every_step(void **state)
{
    (void)state;
    char path[256];
    write_file("inc.cql", "CREATE TABLE a.b (c int PRIMARY KEY);");
    write_file("mem.cql", "SOURCE 'inc.cql'\nCREATE KEYSPACE x; CREATE TYPE y.z (a int);");
    (void)snprintf(path, sizeof path, "%s", path_of("mem.cql"));
    assert_true(failmalloc_each(read_file, path, false) > 1);
}

/* --- cql_schema_split ------------------------------------------------------------------------- */

static void expect_split(const char *text, cql_status st, const char *statement, size_t at)
{
    size_t from = 0;
    cql_str out = cql_str_of("none");
    assert_int_equal(cql_schema_split(cql_str_of(text), &from, &out), st);
    assert_int_equal(out.len, strlen(statement));
    assert_memory_equal(out.ptr, statement, out.len);
    assert_int_equal(from, at);
}

static void prompts_learn_where_a_statement_ends(void **state)
{
    (void)state;
    expect_split("SELECT 1; SELECT 2", CQL_OK, "SELECT 1", 9);
    expect_split("SELECT 2", CQL_WOULD_BLOCK, "none", 0);
    expect_split("SELECT 'a;", CQL_WOULD_BLOCK, "none", 0);
    expect_split("BEGIN BATCH a; b;", CQL_WOULD_BLOCK, "none", 0);
    expect_split("a /* ;", CQL_WOULD_BLOCK, "none", 0);
    expect_split("SOURCE 'x'\n", CQL_OK, "SOURCE 'x'", 11);
    expect_split("SOURCE 'x'", CQL_WOULD_BLOCK, "none", 0);
    expect_split(" -- nothing\n;", CQL_DONE, "none", 0);
    expect_split("a \xff;", CQL_BAD_CQL_FILE, "none", 0);
    size_t at = 9;
    cql_str out;
    assert_int_equal(cql_schema_split(cql_str_of("SELECT 1; SELECT 2;"), &at, &out), CQL_OK);
    assert_int_equal(at, 19);
    at = 5;
    assert_int_equal(cql_schema_split(cql_str_of("abc"), &at, &out), CQL_BAD_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_with_what_they_include),
        cmocka_unit_test(a_file_may_be_included_twice_but_not_by_itself),
        cmocka_unit_test(chains_of_files_have_an_end),
        cmocka_unit_test(files_that_are_not_there_are_named),
        cmocka_unit_test(what_cannot_be_split_is_refused_with_its_place),
        cmocka_unit_test(texts_have_names_and_folders),
        cmocka_unit_test(consistency_is_a_step),
        cmocka_unit_test(no_memory_is_reported_at_every_step),
        cmocka_unit_test(prompts_learn_where_a_statement_ends),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
