/* Migrations before anything reaches a server, and against the server inside the test: names, order,
 * files, checksums, arguments, dry runs. The lock and the record are tests/live/migrate.test's. */
#include "schema_fake.h"
#include "unit.h"

#include "base/error.h"
#include "schema/sha256.h"

#include <cqlnative/migrate.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the record and the lock are asked for: a cluster that has neither yet, and of which a node may be
 * behind for so many questions. */
static unsigned asked, behind;

cql_status cql_session_execute_wait(cql_session *s, const cql_statement *stmt, cql_result **out,
                                    cql_error **err)
{
    (void)s;
    (void)stmt;
    asked++;
    *out = NULL;
    if (behind == 0)
        return CQL_OK;
    behind--;
    cqln_error_info info = {.status = CQL_SERVER_READ_FAILURE};
    info.server_message = cql_str_of("Operation failed - received 1 responses and 1 failures: INCOMPATIBLE_SCHEMA "
                                     "from /10.0.0.3:7000");
    return cqln_error_give(err, cqln_error_make(cqln_alloc_default(), &info, NULL, 0, "read failure"));
}

size_t cql_result_row_count(const cql_result *res)
{
    assert_null(res);
    return 0;
}

int64_t cql_rows_int64(cql_rows *rows, size_t column)
{
    (void)rows;
    (void)column;
    fail_msg("there are no rows");
    return 0;
}

cql_uuid cql_rows_uuid(cql_rows *rows, size_t column)
{
    cql_uuid none = {{0}};
    (void)rows;
    (void)column;
    fail_msg("there are no rows");
    return none;
}

typedef struct scene {
    fake_server fs;
    cql_session *s;
    cql_error *err;
    char told[2048];
    cql_migrate_options opts;
} scene;

static void on_migration(const cql_migration_note *note, void *user)
{
    scene *sc = user;
    size_t used = strlen(sc->told);
    (void)snprintf(sc->told + used, sizeof sc->told - used, "%s %s\n", note->word, note->name);
}

static void begin(scene *sc)
{
    memset(sc, 0, sizeof *sc);
    fake_init(&sc->fs);
    sc->s = fake_session(&sc->fs);
    sc->opts.size = sizeof sc->opts;
    sc->opts.dry_run = true;
    sc->opts.on_migration = on_migration;
    sc->opts.user = sc;
}

static void end(scene *sc)
{
    cql_error_unref(sc->err);
    fake_fini(&sc->fs);
}

static void gives(scene *sc, const cql_migration *list, size_t count, cql_status st, const char *words)
{
    cql_error_unref(sc->err);
    sc->err = NULL;
    assert_int_equal(cql_migrate_wait(sc->s, list, count, &sc->opts, &sc->err), st);
    if (!words)
        assert_null(sc->err);
    else if (!strstr(cql_error_text(sc->err), words))
        fail_msg("\"%s\" lacks \"%s\"", cql_error_text(sc->err), words);
    /* The same without anybody who wants the error. */
    assert_int_equal(cql_migrate_wait(sc->s, list, count, &sc->opts, NULL), st);
}

static void checksums_are_those_of_the_standard(void **state)
{
    static const struct {
        const char *text, *sum;
    } known[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    cqlsch_sha256 h;
    char text[CQLSCH_SHA256_TEXT];
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(known); i++) {
        cqlsch_sha256_init(&h);
        for (const char *p = known[i].text; *p; p++) /* in pieces */
            cqlsch_sha256_add(&h, p, 1);
        cqlsch_sha256_text(&h, text);
        assert_string_equal(text, known[i].sum);
    }
    char *many = calloc(1, 1000000);
    memset(many, 'a', 1000000);
    cqlsch_sha256_init(&h);
    cqlsch_sha256_add(&h, many, 1000000);
    cqlsch_sha256_text(&h, text);
    free(many);
    assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void names_say_their_order(void **state)
{
    static const cql_migration good[] = {{"10_last", "CREATE TABLE k.c (id int PRIMARY KEY);"},
                                         {"0001_first.cql", "CREATE TABLE k.a (id int PRIMARY KEY);"},
                                         {"2_second", "CREATE TABLE k.b (id int PRIMARY KEY); "
                                                      "CREATE INDEX i ON k.b (id);"}};
    static const char *const bad[] = {"", "first", "_1", "1first", "1", "x1_a", "1234567890123456789_a"};
    scene sc;
    (void)state;
    begin(&sc);
    gives(&sc, good, 3, CQL_OK, NULL);
    assert_string_equal(sc.told, "pending 0001_first.cql\npending 2_second\npending 10_last\n"
                                 "pending 0001_first.cql\npending 2_second\npending 10_last\n");
    assert_string_equal(sc.fs.log, ""); /* a dry run changes nothing */
    assert_int_equal(asked, 2);         /* and asks once whether there is a record */
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        cql_migration one = {bad[i], ""};
        gives(&sc, &one, 1, CQL_BAD_ARGUMENT, "a name begins with a number and an underscore");
    }
    const cql_migration same[] = {{"01_a", ""}, {"1_b", ""}};
    gives(&sc, same, 2, CQL_BAD_ARGUMENT, "have the same number");
    const cql_migration nameless = {NULL, ""};
    gives(&sc, &nameless, 1, CQL_BAD_ARGUMENT, "a name begins with");
    end(&sc);
}

static void arguments_are_looked_at_first(void **state)
{
    scene sc;
    (void)state;
    begin(&sc);
    assert_int_equal(cql_migrate_wait(NULL, NULL, 0, NULL, &sc.err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(sc.err), "a session is needed");
    gives(&sc, NULL, 1, CQL_BAD_ARGUMENT, "a list is needed");
    gives(&sc, NULL, 0, CQL_OK, NULL); /* nothing to do is done */
    sc.opts.lease_s = 4;
    gives(&sc, NULL, 0, CQL_BAD_ARGUMENT, "a lease takes at least 5 seconds");
    sc.opts.lease_s = 5;
    sc.fs.may_wait = CQL_WRONG_THREAD;
    gives(&sc, NULL, 0, CQL_WRONG_THREAD, "on the session's loop");
    sc.fs.may_wait = CQL_OK;
    assert_int_equal(cql_migrate_folder_wait(sc.s, NULL, &sc.opts, &sc.err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(sc.err), "a folder is needed");
    end(&sc);
}

/* Another starter made the tables a moment ago: a node that does not know them yet would refuse to read. */
static void tables_are_known_everywhere_before_they_are_read(void **state)
{
    static const cql_migration one[] = {{"1_a", "CREATE TABLE k.a (id int PRIMARY KEY);"}};
    scene sc;
    (void)state;
    begin(&sc);
    sc.opts.dry_run = false;
    sc.fs.agree_status = CQL_NOT_AGREED;
    asked = 0;
    gives(&sc, one, 1, CQL_NOT_AGREED, "not all nodes know the tables that keep what was applied");
    assert_int_equal(asked, 2); /* whether they are there, once each time, and nothing else */
    assert_string_equal(sc.told, "");
    end(&sc);
}

static void a_node_that_is_behind_is_asked_again(void **state)
{
    static const cql_migration one[] = {{"1_a", "CREATE TABLE k.a (id int PRIMARY KEY);"}};
    scene sc;
    (void)state;
    begin(&sc);
    asked = 0;
    behind = 2;
    assert_int_equal(cql_migrate_wait(sc.s, one, 1, &sc.opts, &sc.err), CQL_OK);
    assert_int_equal(asked, 3);
    assert_string_equal(sc.told, "pending 1_a\n");
    end(&sc);
}

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static cql_status read_folder(const cql_allocator *al, void *user)
{
    scene sc;
    begin(&sc);
    sc.fs.al = al;
    cql_status st = cql_migrate_folder_wait(sc.s, user, &sc.opts, &sc.err);
    end(&sc);
    return st;
}

static void folders_are_read_in_the_order_of_their_numbers(void **state)
{
    char folder[] = "schema-migrate-XXXXXX", command[100];
    scene sc;
    (void)state;
    assert_non_null(mkdtemp(folder));
    begin(&sc);
    put_file(folder, "10_b.cql", "CREATE TABLE k.b (id int PRIMARY KEY);\r\n");
    put_file(folder, "9_a.cql", "CREATE TABLE k.a (id int PRIMARY KEY);");
    put_file(folder, "README", "not CQL");
    put_file(folder, ".11_hidden.cql", "SELEC");
    assert_int_equal(cql_migrate_folder_wait(sc.s, folder, &sc.opts, &sc.err), CQL_OK);
    assert_string_equal(sc.told, "pending 9_a.cql\npending 10_b.cql\n");
    assert_true(failmalloc_each(read_folder, folder, false) > 2);
    put_file(folder, "tables.cql", "");
    assert_int_equal(cql_migrate_folder_wait(sc.s, folder, &sc.opts, &sc.err), CQL_BAD_ARGUMENT);
    assert_non_null(strstr(cql_error_text(sc.err), "tables.cql: a name begins with a number"));
    assert_int_equal(cql_migrate_folder_wait(sc.s, "no/such/folder", &sc.opts, &sc.err), CQL_NOT_FOUND);
    assert_string_equal(cql_error_text(sc.err), "no/such/folder: No such file or directory");
    end(&sc);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_those_of_the_standard),
        cmocka_unit_test(names_say_their_order),
        cmocka_unit_test(arguments_are_looked_at_first),
        cmocka_unit_test(tables_are_known_everywhere_before_they_are_read),
        cmocka_unit_test(a_node_that_is_behind_is_asked_again),
        cmocka_unit_test(folders_are_read_in_the_order_of_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
