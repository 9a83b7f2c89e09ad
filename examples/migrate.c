/* A program whose schema changes over its life: each step is compiled in, applied once, and recorded in
 * the cluster, however many copies of the program start at the same moment.
 *
 *   migrate cql://127.0.0.1/?loop_threads=0 [REPLICATION]
 */
#include <cqlnative/cql.h>
#include <cqlnative/migrate.h>
#include <stdio.h>

/* New steps go to the end; one that was released is never changed again. */
static const cql_migration steps[] = {
    {"0001_visits", "CREATE KEYSPACE IF NOT EXISTS migrate_example WITH replication ="
                    " {'class': 'SimpleStrategy', 'replication_factor': 1};"
                    "CREATE TABLE migrate_example.visits (page text PRIMARY KEY, seen counter);"},
    {"0002_pages", "CREATE TABLE migrate_example.pages (page text PRIMARY KEY, title text);"},
    {"0003_owner", "ALTER TABLE migrate_example.pages ADD owner text;"
                   "CREATE INDEX pages_owner ON migrate_example.pages (owner);"},
};

static void say(const cql_migration_note *note, void *user)
{
    (void)user;
    printf("%s %s (%zu statements)\n", note->word, note->name, note->statements);
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/?loop_threads=0";
    cql_session *s = NULL;
    cql_error *err = NULL;
    cql_schema_options apply = {
        .size = sizeof apply,
        .replication = argc > 2 ? argv[2] : NULL,
    };
    cql_migrate_options opts = {
        .size = sizeof opts,
        .keyspace = "migrate_example_kept", /* where the record of the steps is kept */
        .scope = "example",
        .on_migration = say,
        .apply = &apply,
    };

    cql_status st = cql_session_open_wait(url, &s, &err);
    if (st == CQL_OK)
        st = cql_migrate_wait(s, steps, CQL_COUNT(steps), &opts, &err);
    if (st != CQL_OK)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));

    cql_session_free(s); /* closes it first; NULL is fine */
    cql_error_unref(err);
    return st != CQL_OK;
}
