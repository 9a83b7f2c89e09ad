/* journal.c: the DataFlow journal as its plugin uses it: persists, replays, deletes, tags and snapshots, with
 * the plugin's statements, on the tables of cql/dataflow.cql.
 *
 *   journal [options] [ID]         ID: a persistence id that is not in use (journal-demo- and a random part)
 *
 * Each step prints what it found and is checked; the exit code is 1 when one is not as it should be. */
#include "common/app.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS = 1000, PER_BATCH = 100, PAGE = 500, BUCKET_MS = 3600000, PARTITION = 500000 };

#define MESSAGES                                                                                   \
    "INSERT INTO dataflow_journal.messages (persistence_id, partition_nr, sequence_nr, timestamp, " \
    "timebucket, writer_uuid, ser_id, ser_manifest, event_manifest, event, meta_ser_id, "          \
    "meta_ser_manifest, meta, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

static const tool_option_set sets[] = {
    {"Connection", tool_connection_options, TOOL_CONNECTION_OPTION_COUNT},
};
static const tool_program program = {
    .name = "journal",
    .usage = "[options] [ID]",
    .purpose = "Writes, replays, deletes, tags and snapshots events as the DataFlow journal does.\n"
               "The server: --host, else CASSANDRA_HOST or CQL_CONTACT_POINTS, else 127.0.0.1.",
    .sets = sets,
    .set_count = CQL_COUNT(sets),
};

typedef struct journal {
    app app;
    const char *id;
    int64_t begin_ms;
    bool wrong;
} journal;

static int64_t partition_of(int64_t sequence)
{
    return (sequence - 1) / PARTITION;
}

static void check(journal *j, const char *what, long long found, long long wanted)
{
    printf("%s: %lld\n", what, found);
    if (found == wanted)
        return;
    tool_remark(program.name, "%s: %lld instead of %lld", what, found, wanted);
    j->wrong = true;
}

/* --- persisting ------------------------------------------------------------------------------------ */

static cql_status bind_event(journal *j, cql_statement *row, int64_t sequence, bool tagged)
{
    char event[40], bucket[24];
    cql_collection *tags = NULL;
    cql_uuid when = cql_uuid_time();
    int64_t at = j->begin_ms;
    cql_status st = cql_uuid_unix_ms(&when, &at);
    snprintf(event, sizeof event, "event %lld", (long long)sequence);
    snprintf(bucket, sizeof bucket, "%lld", (long long)(at / BUCKET_MS * BUCKET_MS));
    if (st == CQL_OK && tagged && (st = cql_collection_new(CQL_TYPE_SET, NULL, &tags)) == CQL_OK)
        st = cql_collection_add(tags, cql_value_text("demo"));
    if (st == CQL_OK)
        st = cql_statement_bind(
            row,
            CQL_VALUES(cql_value_text(j->id), cql_value_int64(partition_of(sequence)),
                       cql_value_int64(sequence), cql_value_uuid(when),
                       cql_value_text(bucket), cql_value_text("journal-example"),
                       cql_value_int32(0), cql_value_text(""), cql_value_text(""),
                       cql_value_blob(event, strlen(event)), cql_value_unset(), cql_value_unset(),
                       cql_value_unset(), tags ? cql_value_collection(tags) : cql_value_unset()),
            &j->app.err);
    cql_collection_free(tags);
    return st;
}

/* One write of the plugin: its events in one unlogged batch in one partition. */
static cql_status persist_batch(journal *j, cql_statement *row, int64_t first, int64_t last)
{
    cql_batch *batch = NULL;
    cql_result *res = NULL;
    cql_status st = cql_batch_new(CQL_BATCH_UNLOGGED, NULL, &batch);
    for (int64_t n = first; st == CQL_OK && n <= last; n++) {
        st = bind_event(j, row, n, n == EVENTS);
        if (st == CQL_OK)
            st = cql_batch_add(batch, row);
    }
    if (st == CQL_OK) {
        cql_batch_set_consistency(batch, CQL_CONSISTENCY_QUORUM);
        cql_batch_set_idempotent(batch, true);
        st = cql_session_execute_batch_wait(j->app.s, batch, &res, &j->app.err);
    }
    app_warnings(&j->app, res);
    cql_result_unref(res);
    cql_batch_free(batch);
    return st;
}

static cql_status persist(journal *j)
{
    cql_prepared *p = NULL;
    cql_statement *row = NULL;
    cql_status st = app_execute(&j->app,
                                "INSERT INTO dataflow_journal.all_persistence_ids "
                                "(persistence_id) VALUES (?)",
                                CQL_VALUES(cql_value_text(j->id)), NULL);
    if (st == CQL_OK)
        st = cql_session_prepare_wait(j->app.s, MESSAGES, &p, &j->app.err);
    if (st == CQL_OK && !(row = cql_prepared_bind(p)))
        st = CQL_NO_MEMORY;
    for (int64_t first = 1; st == CQL_OK && first <= EVENTS; first += PER_BATCH)
        st = persist_batch(j, row, first, first + PER_BATCH - 1);
    cql_statement_free(row);
    cql_prepared_unref(p);
    if (st == CQL_OK)
        printf("persisted %d events in batches of %d\n", EVENTS, PER_BATCH);
    return st;
}

/* --- replaying ------------------------------------------------------------------------------------- */

typedef struct replay {
    int64_t expected, count;
    bool in_order;
} replay;

static bool replay_row(cql_rows *rows, const cql_result *res, void *user)
{
    replay *r = user;
    char event[40];
    (void)res;
    int64_t sequence = cql_rows_int64(rows, 0);
    snprintf(event, sizeof event, "event %lld", (long long)sequence);
    cql_value blob = cql_rows_value(rows, 1);
    r->in_order = r->in_order && sequence == r->expected && cql_str_equal(cql_value_bytes(&blob), cql_str_of(event));
    r->expected = sequence + 1;
    r->count++;
    return true;
}

static cql_status replay_from(journal *j, int64_t first)
{
    char what[64];
    replay r = {first, 0, true};
    cql_status st = CQL_OK;
    for (int64_t nr = partition_of(first); st == CQL_OK && nr <= partition_of(EVENTS); nr++)
        st = app_each_row(&j->app,
                          "SELECT sequence_nr, event FROM dataflow_journal.messages WHERE "
                          "persistence_id = ? AND partition_nr = ? AND sequence_nr >= ? AND "
                          "sequence_nr <= ?",
                          CQL_VALUES(cql_value_text(j->id), cql_value_int64(nr),
                                     cql_value_int64(1), cql_value_int64(EVENTS)),
                          PAGE, replay_row, &r);
    if (st != CQL_OK)
        return st;
    snprintf(what, sizeof what, "replayed in order from %lld", (long long)first);
    check(j, what, r.in_order ? r.count : -1, EVENTS - first + 1);
    return CQL_OK;
}

static bool take_number(cql_rows *rows, const cql_result *res, void *user)
{
    (void)res;
    *(int64_t *)user = cql_rows_int64(rows, 0);
    return false;
}

static cql_status ask_number(journal *j, const char *cql, cql_values values, const char *what,
                             int64_t wanted)
{
    int64_t found = -1;
    cql_status st = app_each_row(&j->app, cql, values, PAGE, take_number, &found);
    if (st == CQL_OK)
        check(j, what, found, wanted);
    return st;
}

static cql_status highest(journal *j)
{
    return ask_number(j,
                      "SELECT sequence_nr FROM dataflow_journal.messages WHERE persistence_id = ? "
                      "AND partition_nr = ? ORDER BY sequence_nr DESC LIMIT 1",
                      CQL_VALUES(cql_value_text(j->id), cql_value_int64(partition_of(EVENTS))),
                      "highest sequence number", EVENTS);
}

/* --- deleting -------------------------------------------------------------------------------------- */

static cql_status delete_to(journal *j, int64_t to)
{
    cql_status st = app_execute(&j->app,
                                "INSERT INTO dataflow_journal.metadata (persistence_id, deleted_to) "
                                "VALUES (?, ?)",
                                CQL_VALUES(cql_value_text(j->id), cql_value_int64(to)), NULL);
    for (int64_t nr = 0; st == CQL_OK && nr <= partition_of(to); nr++)
        st = app_execute(&j->app,
                         "DELETE FROM dataflow_journal.messages WHERE persistence_id = ? AND "
                         "partition_nr = ? AND sequence_nr <= ?",
                         CQL_VALUES(cql_value_text(j->id), cql_value_int64(nr),
                                    cql_value_int64(to)),
                         NULL);
    if (st == CQL_OK)
        st = replay_from(j, to + 1);
    return st == CQL_OK ? ask_number(j,
                                     "SELECT deleted_to FROM dataflow_journal.metadata WHERE "
                                     "persistence_id = ?",
                                     CQL_VALUES(cql_value_text(j->id)), "deleted to", to)
                        : st;
}

/* --- tags ------------------------------------------------------------------------------------------ */

static cql_status tag(journal *j)
{
    cql_uuid when = cql_uuid_time();
    int64_t at = j->begin_ms;
    cql_status st = cql_uuid_unix_ms(&when, &at);
    int64_t bucket = at / BUCKET_MS * BUCKET_MS;
    if (st == CQL_OK)
        st = app_execute(
        &j->app,
        "INSERT INTO dataflow_journal.tag_views (tag_name, timebucket, timestamp, persistence_id, "
        "tag_pid_sequence_nr, sequence_nr, writer_uuid, ser_id, ser_manifest, event_manifest, event) "
        "VALUES ('demo', ?, ?, ?, 1, ?, 'journal-example', 0, '', '', ?)",
        CQL_VALUES(cql_value_int64(bucket), cql_value_uuid(when), cql_value_text(j->id),
                   cql_value_int64(EVENTS), cql_value_blob("event 1000", 10)),
        NULL);
    if (st == CQL_OK)
        st = app_execute(&j->app,
                         "INSERT INTO dataflow_journal.tag_write_progress (persistence_id, tag, "
                         "sequence_nr, tag_pid_sequence_nr, offset) VALUES (?, 'demo', ?, 1, ?)",
                         CQL_VALUES(cql_value_text(j->id), cql_value_int64(EVENTS),
                                    cql_value_uuid(when)),
                         NULL);
    if (st == CQL_OK)
        st = app_execute(&j->app,
                         "INSERT INTO dataflow_journal.tag_scanning (persistence_id, sequence_nr) "
                         "VALUES (?, ?)",
                         CQL_VALUES(cql_value_text(j->id), cql_value_int64(EVENTS)), NULL);
    return st == CQL_OK
               ? ask_number(j,
                            "SELECT sequence_nr FROM dataflow_journal.tag_views WHERE tag_name = "
                            "'demo' AND timebucket = ? AND timestamp >= ? AND timestamp <= ?",
                            CQL_VALUES(cql_value_int64(bucket), cql_value_uuid(when),
                                       cql_value_uuid(when)),
                            "event found by tag", EVENTS)
               : st;
}

/* --- ids and snapshots ----------------------------------------------------------------------------- */

typedef struct search {
    const char *id;
    int64_t found;
} search;

static bool look_for_id(cql_rows *rows, const cql_result *res, void *user)
{
    search *s = user;
    (void)res;
    s->found += cql_str_equal(cql_rows_str(rows, 0), cql_str_of(s->id));
    return true;
}

static cql_status ids(journal *j)
{
    search s = {j->id, 0};
    cql_status st = app_each_row(&j->app,
                                 "SELECT persistence_id FROM dataflow_journal.all_persistence_ids",
                                 (cql_values){NULL, 0}, PAGE, look_for_id, &s);
    if (st == CQL_OK)
        check(j, "listed among the ids", s.found, 1);
    return st;
}

static cql_status snapshots(journal *j)
{
    cql_status st = CQL_OK;
    j->app.level = CQL_CONSISTENCY_ONE;
    for (int64_t n = 250; st == CQL_OK && n <= EVENTS; n += 250)
        st = app_execute(&j->app,
                         "INSERT INTO dataflow_snapshot.snapshots (persistence_id, sequence_nr, "
                         "timestamp, ser_id, ser_manifest, snapshot_data) VALUES (?, ?, ?, 0, '', ?)",
                         CQL_VALUES(cql_value_text(j->id), cql_value_int64(n),
                                    cql_value_int64(j->begin_ms + n),
                                    cql_value_blob(&n, sizeof n)),
                         NULL);
    if (st == CQL_OK)
        st = ask_number(j,
                        "SELECT sequence_nr FROM dataflow_snapshot.snapshots WHERE persistence_id = ? "
                        "AND sequence_nr <= ? LIMIT 3",
                        CQL_VALUES(cql_value_text(j->id), cql_value_int64(INT64_MAX)),
                        "newest snapshot", EVENTS);
    if (st == CQL_OK)
        st = app_execute(&j->app,
                         "DELETE FROM dataflow_snapshot.snapshots WHERE persistence_id = ? AND "
                         "sequence_nr > ? AND sequence_nr <= ?",
                         CQL_VALUES(cql_value_text(j->id), cql_value_int64(500),
                                    cql_value_int64(INT64_MAX)),
                         NULL);
    if (st == CQL_OK)
        st = ask_number(j,
                        "SELECT sequence_nr FROM dataflow_snapshot.snapshots WHERE persistence_id = ? "
                        "LIMIT 1",
                        CQL_VALUES(cql_value_text(j->id)), "newest one left", 500);
    return st;
}

static int run(journal *j, tool_args *a)
{
    int code = app_open(&j->app, a);
    if (code)
        return code;
    j->begin_ms = app_now_ms();
    j->app.level = CQL_CONSISTENCY_QUORUM;
    cql_status (*const steps[])(journal *) = {persist, highest, tag, ids, snapshots};
    cql_status st = CQL_OK;
    for (size_t i = 0; st == CQL_OK && i < CQL_COUNT(steps); i++) {
        st = steps[i](j);
        j->app.level = CQL_CONSISTENCY_QUORUM;
        if (st == CQL_OK && i == 0)
            st = replay_from(j, 1);
    }
    if (st == CQL_OK)
        st = delete_to(j, 500);
    if (st != CQL_OK)
        return app_report(&j->app, st);
    return j->wrong ? TOOL_EXIT_FAILED : TOOL_EXIT_OK;
}

int main(int argc, char **argv)
{
    journal j = {0};
    char own[60] = "journal-demo-";
    cql_uuid random = cql_uuid_random();
    cql_uuid_print(&random, own + strlen(own));
    j.id = own;
    tool_args a;
    app_init(&j.app, program.name, "cql/dataflow.cql", "CASSANDRA_HOST");
    tool_args_init(&a, &program, argc, argv);
    while (tool_args_next(&a)) {
        if (tool_connection_take(&j.app.connection, &a))
            continue;
        if (j.id != own)
            tool_args_fail(&a, "one word too many: %s", a.value);
        else
            j.id = a.value;
    }
    int code = a.ended ? a.exit_code : run(&j, &a);
    app_free(&j.app);
    return tool_finish(program.name, code);
}
