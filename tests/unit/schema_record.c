/* Migrations with their record and their lock inside the test: runs that end in the middle, and two that
 * meet. */
#include "schema_fake.h"
#include "unit.h"

#include "base/error.h"

#include <cqlnative/migrate.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 8 };

typedef struct kept {
    char name[64], checksum[80], state[16], finished_checksum[80];
    char finished[4];
} kept;

/* The two tables: rows by their number, and whose the lock is. */
static kept record[MOST];
static char claim[16];
static bool locked, serially;
static char long_checksum[6000]; /* in place of those of the record; empty: those */

static const char *begins(const cql_statement *stmt, const char *with)
{
    return strncmp(fake_text(stmt), with, strlen(with)) == 0 ? fake_text(stmt) : NULL;
}

static void keep(char *to, size_t size, cql_str from)
{
    (void)snprintf(to, size, "%.*s", (int)from.len, from.ptr);
}

static void write_record(const cql_statement *stmt)
{
    kept *row = &record[(unsigned char)fake_value(stmt, 1).ptr[7]];
    keep(row->name, sizeof row->name, fake_value(stmt, 2));
    keep(row->checksum, sizeof row->checksum, fake_value(stmt, 3));
    keep(row->state, sizeof row->state, fake_value(stmt, 4));
    memcpy(row->finished, fake_value(stmt, 6).ptr, sizeof row->finished);
    keep(row->finished_checksum, sizeof row->finished_checksum, fake_value(stmt, 7));
}

static cql_result *read_record(void)
{
    cql_result *res = fake_result("tttitt");
    for (size_t i = 0; i < MOST; i++) {
        const kept *row = &record[i];
        char number[8] = {0, 0, 0, 0, 0, 0, 0, (char)i};
        cql_str cells[] = {{number, 8},
                           cql_str_of(*long_checksum ? long_checksum : row->checksum),
                           cql_str_of(row->state),
                           {row->finished, 4},
                           cql_str_of(row->finished_checksum),
                           cql_str_of("today")};
        if (row->name[0])
            fake_row(res, cells);
    }
    return res;
}

static cql_result *read_lock(void)
{
    cql_result *res = fake_result("tt");
    cql_str cells[] = {cql_str_of("somebody"), {claim, sizeof claim}};
    if (locked)
        fake_row(res, cells);
    return res;
}

static void change_lock(const cql_statement *stmt)
{
    serially = serially && fake_serial(stmt) == CQL_CONSISTENCY_SERIAL;
    if (begins(stmt, "INSERT") && !locked) {
        locked = true;
        memcpy(claim, fake_value(stmt, 2).ptr, sizeof claim);
    } else if (begins(stmt, "DELETE") && memcmp(claim, fake_value(stmt, 1).ptr, sizeof claim) == 0) {
        locked = false;
    }
}

cql_status cql_session_execute_wait(cql_session *s, const cql_statement *stmt, cql_result **out,
                                    cql_error **err)
{
    (void)s;
    (void)err;
    fake_assert_said(stmt);
    *out = NULL;
    if (begins(stmt, "SELECT table_name"))
        *out = fake_result("t");
    else if (begins(stmt, "SELECT number"))
        *out = read_record();
    else if (begins(stmt, "SELECT owner"))
        *out = read_lock();
    else if (begins(stmt, "INSERT INTO cql_migrations.migrations"))
        write_record(stmt);
    else
        change_lock(stmt);
    return CQL_OK;
}

size_t cql_result_row_count(const cql_result *res)
{
    cql_rows rows;
    size_t n = 0;
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows))
        n++;
    return n;
}

int64_t cql_rows_int64(cql_rows *rows, size_t column)
{
    return (unsigned char)cql_rows_str(rows, column).ptr[7];
}

cql_uuid cql_rows_uuid(cql_rows *rows, size_t column)
{
    cql_uuid id;
    memcpy(id.bytes, cql_rows_str(rows, column).ptr, sizeof id.bytes);
    return id;
}

typedef struct scene {
    fake_server fs;
    cql_session *s;
    cql_error *err;
    cql_migrate_options opts;
    cql_schema_options apply;
    unsigned sleep_after; /* so many texts were done the machine sleeps, and another takes the lock */
    const char *slow; /* a statement that takes longer than the lease, so that another takes the lock */
} scene;

static char waited_for[200]; /* the newest note */
static time_t slept_s; /* what CLOCK_MONOTONIC does not know */

int clock_gettime(clockid_t id, struct timespec *out)
{
    int rc = (int)syscall(SYS_clock_gettime, id, out);
    if (id != CLOCK_MONOTONIC)
        out->tv_sec += slept_s;
    return rc;
}

static void on_migration(const cql_migration_note *note, void *user)
{
    scene *sc = user;
    (void)note;
    if (sc->sleep_after == 0 || --sc->sleep_after > 0)
        return;
    slept_s += 600;
    memset(claim, 7, sizeof claim);
}

static void on_message(const cql_schema_message *m, void *user)
{
    static const struct timespec long_time = {2, 0};
    scene *sc = user;
    if (m->kind == CQL_SCHEMA_MESSAGE_NOTE)
        (void)snprintf(waited_for, sizeof waited_for, "%s", m->text);
    if (m->kind != CQL_SCHEMA_MESSAGE_SENDING || !sc->slow || strcmp(m->text, sc->slow) != 0)
        return;
    (void)nanosleep(&long_time, NULL);
    memset(claim, 7, sizeof claim);
    record[2].finished[3] = 2; /* and is further already */
}

static void begin(scene *sc)
{
    memset(sc, 0, sizeof *sc);
    memset(record, 0, sizeof record);
    locked = false;
    serially = true;
    fake_init(&sc->fs);
    sc->s = fake_session(&sc->fs);
    sc->fs.connected = true;
    sc->apply.size = sizeof sc->apply;
    sc->apply.reached = true;
    sc->apply.on_message = on_message;
    sc->apply.user = sc;
    sc->opts.size = sizeof sc->opts;
    sc->opts.apply = &sc->apply;
    sc->opts.on_migration = on_migration;
    sc->opts.user = sc;
    sc->opts.lease_s = 5;
}

static void end(scene *sc)
{
    cql_error_unref(sc->err);
    fake_fini(&sc->fs);
}

static void gives(scene *sc, const cql_migration *list, size_t count, cql_status st)
{
    cql_error_unref(sc->err);
    sc->err = NULL;
    if (cql_migrate_wait(sc->s, list, count, &sc->opts, &sc->err) != st)
        fail_msg("%s", sc->err ? cql_error_text(sc->err) : "it went well");
}

#define FIRST                                                                                      \
    {                                                                                              \
        "1_first", "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', "             \
                   "'replication_factor': 1}; CREATE TABLE k.t (a int PRIMARY KEY);"               \
    }

static void texts_are_applied_once_and_recorded(void **state)
{
    static const cql_migration list[] = {FIRST, {"2_more", "ALTER TABLE k.t ADD b int;"}};
    scene sc;
    (void)state;
    begin(&sc);
    gives(&sc, list, 2, CQL_OK);
    assert_string_equal(record[1].state, "done");
    assert_string_equal(record[2].state, "done");
    assert_int_equal(record[2].finished[3], 1);
    assert_false(locked);
    assert_true(serially); /* whatever the session's level is: the lock is one for all data centres */
    size_t sent = sc.fs.statements;
    gives(&sc, list, 2, CQL_OK);
    assert_int_equal(sc.fs.statements, sent);
    end(&sc);
}

/* The change was made, but a node did not learn of it in time: the next run meets it. */
static void a_change_not_agreed_on_may_be_there_already(void **state)
{
    static const cql_migration list[] = {FIRST,
                                         {"2_more", "ALTER TABLE k.t ADD b int; ALTER TABLE k.t ADD c int;"}};
    scene sc;
    (void)state;
    begin(&sc);
    gives(&sc, list, 1, CQL_OK);
    sc.fs.disagree_at = sc.fs.statements + 1;
    sc.fs.agreements = 1;
    sc.fs.agree_status = CQL_NOT_AGREED;
    gives(&sc, list, 2, CQL_NOT_AGREED);
    sc.fs.agree_status = CQL_OK;
    sc.fs.fail_at = sc.fs.statements + 1;
    sc.fs.fail_status = CQL_SERVER_INVALID;
    sc.fs.fail_message = "Column with name 'b' already exists";
    gives(&sc, list, 2, CQL_OK);
    assert_string_equal(record[2].state, "done");
    end(&sc);
}

/* What the servers say when a change is made for the second time. */
static void changes_that_were_made_before_are_known_by_their_errors(void **state)
{
    static const struct {
        const char *text, *message;
    } known[] = {
        {"ALTER TABLE k.t ADD b int;", "Column with name 'b' already exists"},
        {"ALTER TABLE k.t DROP b;", "Column b was not found in table 'k.t'"},
        {"ALTER TABLE k.t RENAME a TO b;", "Column a was not found in table 't'"},
        {"ALTER TYPE k.u ADD b int;",
         "Cannot add field b to type k.u: a field with name b already exists"},
        {"ALTER TYPE k.u RENAME a TO b;", "Unkown field a in user type k.u"},
        {"ALTER TYPE k.u RENAME a TO b;", "Unknown field a in user type k.u"},
        {"DROP INDEX k.i;", "Index 'k.i' doesn't exist'"},
        {"DROP TABLE k.x;", "Table 'k.x' doesn't exist"},
    };
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(known); i++) {
        const cql_migration list[] = {FIRST, {"2_more", known[i].text}};
        scene sc;
        begin(&sc);
        gives(&sc, list, 1, CQL_OK);
        sc.fs.fail_at = sc.fs.statements + 1;
        sc.fs.fail_status = CQL_SERVER_WRITE_TIMEOUT;
        sc.fs.fail_maybe = true;
        gives(&sc, list, 2, CQL_SERVER_WRITE_TIMEOUT);
        assert_string_equal(record[2].state, "running");
        sc.fs.fail_at = sc.fs.statements + 1;
        sc.fs.fail_status = CQL_SERVER_INVALID;
        sc.fs.fail_message = known[i].message;
        sc.fs.fail_maybe = false;
        gives(&sc, list, 2, CQL_OK);
        end(&sc);
    }
}

/* A statement outlasted the lease, and somebody else has gone on: the record is theirs. */
static void a_lost_lock_is_noticed_before_the_record_is_written(void **state)
{
    static const cql_migration list[] = {FIRST,
                                         {"2_more", "ALTER TABLE k.t ADD b int; ALTER TABLE k.t ADD c int; "
                                                    "ALTER TABLE k.t ADD d int;"}};
    scene sc;
    (void)state;
    begin(&sc);
    sc.slow = "ALTER TABLE k.t ADD b int";
    gives(&sc, list, 2, CQL_CLAIM_LOST);
    assert_int_equal(record[2].finished[3], 2);
    assert_true(locked);
    end(&sc);
}

/* The lease runs out while the machine sleeps, or while nothing is done but rows written. */
static void a_lock_lost_between_two_texts_is_noticed(void **state)
{
    static const cql_migration list[] = {
        FIRST, {"2_more", "ALTER TABLE k.t ADD b int;"}, {"3_last", "ALTER TABLE k.t ADD c int;"}};
    static const char *const baselines[] = {NULL, "3_last"};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(baselines); i++) {
        scene sc;
        begin(&sc);
        sc.opts.baseline = baselines[i];
        sc.sleep_after = 2;
        gives(&sc, list, 3, CQL_CLAIM_LOST);
        assert_string_equal(record[2].state, baselines[i] ? "baseline" : "done");
        assert_string_equal(record[3].name, "");
        assert_null(strstr(sc.fs.log, "ADD c"));
        assert_true(locked);
        end(&sc);
    }
}

/* What a text says about the keyspace in use holds for that text. */
static void use_ends_with_its_text(void **state)
{
    static const cql_migration list[] = {
        {"1_first", "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', "
                    "'replication_factor': 1}; USE k; CREATE TABLE t (a int PRIMARY KEY);"},
        {"2_more", "CREATE TABLE u (a int PRIMARY KEY);"}};
    scene sc;
    (void)state;
    begin(&sc);
    gives(&sc, list, 1, CQL_OK); /* the program's session stays where its last text led it */
    assert_string_equal(sc.fs.keyspace, "k");
    end(&sc);
    begin(&sc);
    gives(&sc, list, 2, CQL_BAD_CQL_FILE);
    assert_non_null(strstr(cql_error_text(sc.err), "has no keyspace"));
    assert_null(strstr(sc.fs.log, "CREATE TABLE u"));
    assert_string_equal(record[1].state, "done");
    end(&sc);
    begin(&sc);
    sc.apply.keyspace = "k";
    gives(&sc, list, 2, CQL_OK);
    end(&sc);
}

static void says(const scene *sc, const char *words)
{
    if (!strstr(cql_error_text(sc->err), words))
        fail_msg("\"%s\" lacks \"%s\"", cql_error_text(sc->err), words);
}

static void what_was_applied_stays_as_it_was(void **state)
{
    static const cql_migration list[] = {FIRST, {"2_more", "ALTER TABLE k.t ADD b int;"}};
    static const cql_migration changed[] = {FIRST, {"2_more", "ALTER TABLE k.t ADD c int;"}};
    static const cql_migration late[] = {{"1_first", list[0].text}, {"01_early", "ALTER TABLE k.t ADD c int;"}};
    static const cql_migration between[] = {{"0_early", "ALTER TABLE k.t ADD c int;"}, FIRST};
    scene sc;
    (void)state;
    begin(&sc);
    gives(&sc, list, 2, CQL_OK);
    size_t sent = sc.fs.statements;
    gives(&sc, changed, 2, CQL_SCHEMA_DIFFERS);
    says(&sc, "2_more was applied (today) with the checksum ");
    gives(&sc, between, 2, CQL_SCHEMA_DIFFERS);
    says(&sc, "0_early comes before 1_first, which was applied already");
    gives(&sc, late, 2, CQL_BAD_ARGUMENT);
    says(&sc, "have the same number");
    sc.opts.baseline = "9_none";
    gives(&sc, list, 2, CQL_BAD_ARGUMENT);
    says(&sc, "the baseline 9_none is not in the list");
    assert_int_equal(sc.fs.statements, sent);
    assert_false(locked);
    end(&sc);
}

static void the_part_that_was_done_of_a_text_stays_as_it_was(void **state)
{
    static const cql_migration list[] = {
        FIRST, {"2_more", "ALTER TABLE k.t ADD b int; ALTER TABLE k.t ADD x;"}};
    static const cql_migration before[] = {
        FIRST, {"2_more", "ALTER TABLE k.t ADD c int; ALTER TABLE k.t ADD d int;"}};
    static const cql_migration behind[] = {
        FIRST, {"2_more", "ALTER TABLE k.t ADD b int; ALTER TABLE k.t ADD d int;"}};
    scene sc;
    (void)state;
    begin(&sc);
    gives(&sc, list, 1, CQL_OK);
    sc.fs.fail_at = sc.fs.statements + 2;
    sc.fs.fail_status = CQL_SERVER_SYNTAX_ERROR;
    gives(&sc, list, 2, CQL_SERVER_SYNTAX_ERROR);
    assert_string_equal(record[2].state, "failed");
    assert_int_equal(record[2].finished[3], 1);
    sc.fs.fail_at = 0;
    gives(&sc, before, 2, CQL_SCHEMA_DIFFERS);
    says(&sc, "2_more was applied in part, and one of the 1 statements that were done has been changed");
    gives(&sc, behind, 2, CQL_OK);
    assert_string_equal(record[2].state, "done");
    end(&sc);
}

static void a_lock_of_another_is_waited_for_so_long(void **state)
{
    static const cql_migration list[] = {FIRST};
    scene sc;
    (void)state;
    begin(&sc);
    locked = true;
    memset(claim, 7, sizeof claim);
    sc.opts.lock_wait_s = 1;
    gives(&sc, list, 1, CQL_TIMEOUT);
    says(&sc, "the lock of the migrations is still held by somebody");
    assert_non_null(strstr(waited_for, "somebody is at work; waiting for its lock"));
    assert_true(locked);
    assert_string_equal(record[1].name, "");
    end(&sc);
}

static char long_centre[6000];
static fake_host hosts[] = {{long_centre, true, "10.0.0.5:9042", 5, 0}, {"dc1", true, "10.0.0.1:9042", 1, 0},
                            {"dc1", true, "10.0.0.2:9042", 2, 0},       {"dc1", true, "10.0.0.3:9042", 3, 0},
                            {"dc1", true, "10.0.0.4:9042", 4, 0}};

static void its_own_tables_have_copies_in_each_data_centre(void **state)
{
    static const cql_migration list[] = {FIRST};
    scene sc;
    (void)state;
    begin(&sc);
    snprintf(long_centre, sizeof long_centre, "dc2");
    sc.fs.hosts = hosts;
    sc.fs.host_count = CQL_COUNT(hosts);
    gives(&sc, list, 1, CQL_OK);
    assert_non_null(strstr(sc.fs.log, "cql_migrations WITH replication = {'class': 'NetworkTopologyStrategy', "
                                      "'dc2': 1, 'dc1': 3}"));
    end(&sc);
}

/* Names are long so that each copy of one is memory of its own. */
static cql_status migrate_with(const cql_allocator *al, void *user)
{
    static const cql_migration list[] = {FIRST};
    scene sc;
    begin(&sc);
    *long_checksum = '\0';
    sc.fs.al = al;
    sc.fs.hosts = hosts;
    sc.fs.host_count = user ? 0 : CQL_COUNT(hosts);
    if (user) {
        snprintf(record[1].name, sizeof record[1].name, "1_first");
        snprintf(record[1].state, sizeof record[1].state, "done");
        memset(long_checksum, 'a', sizeof long_checksum - 1);
    }
    cql_status st = cql_migrate_wait(sc.s, list, 1, &sc.opts, &sc.err);
    if (st == CQL_OK)
        assert_string_equal(record[1].state, "done");
    *long_checksum = '\0';
    end(&sc);
    return user && st == CQL_SCHEMA_DIFFERS ? CQL_OK : st;
}

static void no_memory_is_reported_at_every_step(void **state)
{
    (void)state;
    memset(long_centre, 'd', sizeof long_centre - 1);
    assert_true(failmalloc_each(migrate_with, NULL, true) > 3); /* but to give the lock back: it runs out */
    assert_true(failmalloc_each(migrate_with, record, true) > 3); /* but for the words */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_applied_once_and_recorded),
        cmocka_unit_test(a_change_not_agreed_on_may_be_there_already),
        cmocka_unit_test(changes_that_were_made_before_are_known_by_their_errors),
        cmocka_unit_test(a_lost_lock_is_noticed_before_the_record_is_written),
        cmocka_unit_test(a_lock_lost_between_two_texts_is_noticed),
        cmocka_unit_test(use_ends_with_its_text),
        cmocka_unit_test(what_was_applied_stays_as_it_was),
        cmocka_unit_test(the_part_that_was_done_of_a_text_stays_as_it_was),
        cmocka_unit_test(a_lock_of_another_is_waited_for_so_long),
        cmocka_unit_test(its_own_tables_have_copies_in_each_data_centre),
        cmocka_unit_test(no_memory_is_reported_at_every_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
