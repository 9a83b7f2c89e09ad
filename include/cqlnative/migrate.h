/* migrate.h: changes a schema step by step over its life: a list of texts in order, each applied once,
 * however many programs start at the same time.
 *
 *   static const cql_migration list[] = {{"0001_tables", m0001_cql}, {"0002_index", m0002_cql}};
 *   st = cql_migrate_wait(s, list, 2, NULL, &err);
 *
 * examples/migrate.c is a whole program. A name begins with its number and an underscore; numbers rise and are never used twice. What was applied
 * is kept in a table: name, checksum, when, how long, by whom. A text that was changed after it was applied
 * is an error that names it. One program at a time works, under a lock with a lease that the server itself
 * lets run out: if the program dies, another takes over after the lease and goes on behind the last
 * statement that was done. Texts hold what cql_schema_apply_wait takes, but SOURCE. Since 0.1. */
#ifndef CQLNATIVE_MIGRATE_H
#define CQLNATIVE_MIGRATE_H

#include <cqlnative/schema.h>

CQL_BEGIN

typedef struct cql_migration {
    const char *name; /* "0001_tables", with or without ".cql" behind */
    const char *text; /* NUL-terminated CQL */
} cql_migration;

typedef enum cql_migration_verdict {
    CQL_MIGRATION_APPLIED = 1,   /* by this run */
    CQL_MIGRATION_WAS_APPLIED = 2,
    CQL_MIGRATION_PENDING = 3,   /* dry run: it would be applied */
    CQL_MIGRATION_BASELINE = 4   /* written down as applied, and not run */
} cql_migration_verdict;

/* Told once for each text, in order; borrowed for the call. The session must not be used in it. */
typedef struct cql_migration_note {
    cql_migration_verdict verdict;
    const char *word; /* "applied", "exists", "pending", "baseline" */
    const char *name;
    size_t statements;
    size_t resumed_at; /* statements that an earlier run had done; 0: none */
    uint64_t took_ms;
} cql_migration_note;

typedef void (*cql_migration_cb)(const cql_migration_note *note, void *user);

/* What is left zero has the value that most runs want. */
typedef struct cql_migrate_options {
    size_t size;          /* sizeof(cql_migrate_options) */
    const char *keyspace; /* of the two tables kept here, made when it is not there; NULL:
                           * "cql_migrations" */
    const char *scope;    /* which list it is, where one cluster has several; NULL: "default" */
    const char *owner;    /* who, for the record; NULL: host name and process number */
    uint32_t lease_s;     /* after so long without a sign of life the lock is free; more than the
                           * longest statement takes; 0: 300 */
    uint32_t lock_wait_s; /* how long to wait for somebody else's lock; 0: 600 */
    const char *baseline; /* the texts up to this name are written down as applied and not run: for a
                           * schema that was there before. NULL: none */
    bool dry_run;         /* tell what would be done; change nothing */
    cql_migration_cb on_migration; /* may be NULL */
    void *user;
    /* How the statements are run and told of (waiting, time-outs, replication, verification,
     * callbacks); NULL: as cql_schema_apply_wait without options. replication is also that of the
     * keyspace above when it is made; without it: up to three copies in each data centre. A USE holds
     * for its text alone; the session stays in the keyspace of the last text that had one. */
    const cql_schema_options *apply;
} cql_migrate_options;

/* Applies what was not applied yet. CQL_OK: all of it is. It stops at the first statement that fails;
 * *err names text and line, and the next run begins with that statement, though the text may have been
 * mended from there on.
 * CQL_SCHEMA_DIFFERS    an applied text was changed, a new one comes before one that was applied, the
 *                       tables kept here have another shape, or a text's object has (see apply->verify)
 * CQL_BAD_ARGUMENT      names without a number or with the same one, or out of order; lease_s under 5
 * CQL_CLAIM_LOST        the lock was somebody else's at the end of a statement
 * CQL_TIMEOUT           somebody else kept the lock for lock_wait_s
 * CQL_NOT_AGREED        the nodes did not agree on the schema in time
 * and what cql_schema_apply_wait gives. [one at a time] */
CQL_API cql_status cql_migrate_wait(cql_session *s, const cql_migration *list, size_t count,
                                    const cql_migrate_options *opts, cql_error **err);
/* The same for the files of a folder whose names end in .cql, in the order of their numbers.
 * CQL_NOT_FOUND, CQL_TOO_LARGE (a file over 64 MiB), and as above. */
CQL_API cql_status cql_migrate_folder_wait(cql_session *s, const char *folder,
                                           const cql_migrate_options *opts, cql_error **err);

CQL_END
#endif
