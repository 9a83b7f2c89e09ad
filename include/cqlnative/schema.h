/* schema.h: brings a schema to a cluster: waits until it answers, applies CQL in order with schema
 * agreement after each change, tells of each object whether it was created or was there, and
 * compares what is there with the text. The text itself is the description: there is no second one
 * to keep.
 *
 *   st = cql_schema_apply_wait(s, telemetry_cql, &(cql_schema_options){
 *            .size = sizeof(cql_schema_options), .wait_s = 120, .on_object = say}, &err);
 *
 * Statements are cut by the rules of the server's own grammar: semicolons in strings, quoted names,
 * $$ bodies, comments and BEGIN … APPLY BATCH do not end one. SOURCE 'file' includes a file,
 * relative to the one that names it; CONSISTENCY LEVEL and DESCRIBE are understood; other commands
 * of cqlsh are refused. Keyspaces, tables, types, indexes and views are compared column by column and
 * option by option, views by their relations too; functions by argument names, types, language and
 * body, aggregates by their functions, state and first value, triggers by their class. Functions and
 * aggregates of one name are told apart by their argument types. An object that exists is not sent
 * again, so a second run changes nothing; only CREATE OR REPLACE is sent each time.
 *
 * All calls block and are [one at a time] for one session; on the session's loop thread, and for a
 * session on the caller's own loop, they return CQL_WRONG_THREAD. Since 0.1. */
#ifndef CQLNATIVE_SCHEMA_H
#define CQLNATIVE_SCHEMA_H

#include <cqlnative/session.h>

CQL_BEGIN

/* --- what is told while it runs ------------------------------------------------------------------
 */
typedef enum cql_schema_verdict {
    CQL_SCHEMA_OBJECT_CREATED = 1,
    CQL_SCHEMA_OBJECT_EXISTS = 2,  /* and is as the text says, as far as the options ask */
    CQL_SCHEMA_OBJECT_DIFFERS = 3, /* exists in another shape, or (verify) does not exist */
    CQL_SCHEMA_OBJECT_DROPPED = 4, /* by a reset */
    CQL_SCHEMA_OBJECT_ABSENT = 5   /* dry run: would be created */
} cql_schema_verdict;

/* One difference between text and server. */
typedef struct cql_schema_difference {
    const char *subject;  /* "column executed_at", "compaction.min_threshold", "replication" … */
    const char *expected; /* "" when the text has nothing of the kind */
    const char *found;    /* "" when the server has nothing of the kind */
    const char *text;     /* the three in one line for a person */
    bool note;            /* told, but no failure (see cql_schema_options.verify) */
} cql_schema_difference;

typedef struct cql_schema_object {
    cql_schema_verdict verdict;
    const char *word; /* "created", "exists", "differs", "dropped", "absent" */
    const char *kind; /* "keyspace", "table", "type", "index", "view", "function" … */
    const char *name; /* in full, as CQL writes it: ks, ks.name, "Ks".name */
    const char *file; /* where the text creates it; the text's name when it is no file */
    uint32_t line;
    const cql_schema_difference *differences;
    size_t difference_count;
} cql_schema_object;

/* Called once per object, in order. Everything is borrowed for the call. It must not use the
 * session. The same holds for the other callbacks. */
typedef void (*cql_schema_object_cb)(const cql_schema_object *object, void *user);

typedef enum cql_schema_message_kind {
    CQL_SCHEMA_MESSAGE_WAITING = 1, /* an attempt to reach the cluster failed, another follows */
    CQL_SCHEMA_MESSAGE_WARNING = 2, /* the server's own words about a statement */
    CQL_SCHEMA_MESSAGE_NOTE = 3,    /* worth knowing, no failure */
    CQL_SCHEMA_MESSAGE_SENDING = 4  /* a statement, before it is sent; dry run: instead of that */
} cql_schema_message_kind;

typedef struct cql_schema_message {
    cql_schema_message_kind kind;
    const char *text;
    const char *file;       /* "" where no statement is concerned */
    uint32_t line;          /* 0 likewise */
    uint32_t left_ms;       /* waiting: time that is left */
    const cql_error *cause; /* waiting: why the attempt failed; else NULL */
} cql_schema_message;

typedef void (*cql_schema_message_cb)(const cql_schema_message *message, void *user);

/* One page of the rows of a statement that has some (SELECT, DESCRIBE, a conditional write). */
typedef struct cql_schema_rows {
    const cql_result *result;
    const char *statement;
    const char *keyspace; /* in use as far as the text says; "" for none */
    bool first;           /* first page of the statement */
    bool last;
} cql_schema_rows;

typedef void (*cql_schema_rows_cb)(const cql_schema_rows *rows, void *user);

/* Counts over a run. */
typedef struct cql_schema_summary {
    size_t created;
    size_t existing;
    size_t differing;
    size_t dropped;
    size_t absent;      /* dry run */
    size_t statements;  /* others that were run: INSERT, ALTER, SELECT … */
    size_t differences; /* not counting notes */
    size_t notes;       /* messages and differences that are only notes */
    size_t warnings;    /* of the server */
} cql_schema_summary;

/* --- options ---------------------------------------------------------------------------------- */
typedef enum cql_schema_verify {
    /* Columns, types, keys, order, indexes, replication, time to live, and every other option that
     * the text names must be as the text says. */
    CQL_SCHEMA_VERIFY_FULL = 0,
    /* Differences of replication and options are notes. */
    CQL_SCHEMA_VERIFY_SHAPE = 1,
    /* Nothing is compared; existence is still looked at. */
    CQL_SCHEMA_VERIFY_OFF = 2
} cql_schema_verify;

/* What is left zero has the value that most runs want. Strings are borrowed for the call. */
typedef struct cql_schema_options {
    size_t size; /* sizeof(cql_schema_options) */
    /* How long to try to reach the cluster, an attempt counting when a query is answered; 0: one
     * attempt. Refused credentials and TLS end it at once; credentials after 15 s where a node was
     * seen starting, since it makes its first user late. */
    uint32_t wait_s;
    uint32_t retry_ms; /* pause between attempts; 0: 2000 */
    /* Time for one statement; 0: the session's, and a minute for what changes the schema. */
    uint32_t timeout_ms;
    /* Replication of every keyspace of the text instead of what the text says: "3" (SimpleStrategy)
     * or "dc1:3,dc2:2" (NetworkTopologyStrategy). NULL: as the text says. */
    const char *replication;
    /* Options of tables: "KEYSPACE.TABLE.OPTION=VALUE". Put into the CREATE, altered on a table
     * that exists, and expected by the comparison. */
    const char *const *settings;
    size_t setting_count;
    /* Keyspace of names without one, until the text says USE. NULL: none; such statements are then
     * sent as they are, and their objects are not looked at. */
    const char *keyspace;
    /* Level of the statements until the text says CONSISTENCY, such as "QUORUM". NULL: the
     * session's. */
    const char *consistency;
    cql_schema_verify verify;
    bool keyspaces_only;            /* only the statements about keyspaces */
    bool dry_run;                   /* look, and tell what would be sent; change nothing */
    bool drop_all_data;             /* what cql_schema_reset_wait must be told */
    bool reached;                   /* the session is connected and answers: do not ask again */
    cql_schema_object_cb on_object; /* these may be NULL */
    cql_schema_message_cb on_message;
    cql_schema_rows_cb on_rows;
    void *user;
    cql_schema_summary *summary; /* filled also when the run fails; may be NULL */
} cql_schema_options;

/* --- one text --------------------------------------------------------------------------------- */
/* Applies `text` (NUL-terminated) and compares the result. opts may be NULL. The session may be
 * connected or new. Nothing is sent when the text cannot be cut into statements. It stops at the
 * first statement that fails: *err then names the text, the line, and what the server said.
 * CQL_OK                everything is there, as far as opts->verify asks
 * CQL_SCHEMA_DIFFERS    everything was applied, but an object has another shape; on_object told which
 * CQL_BAD_CQL_FILE      unfinished string, name, comment or batch, SOURCE that cannot be followed, a
 *                       command of cqlsh that is not supported; with line and column
 * CQL_BAD_ARGUMENT      options that make no sense, such as a setting of a table not in the text
 * CQL_NOT_AGREED        the change was made, but the nodes did not agree on it in time
 * CQL_WRONG_THREAD, CQL_NO_MEMORY, and what connecting and the server give. */
CQL_API cql_status cql_schema_apply_wait(cql_session *s, const char *text,
                                         const cql_schema_options *opts, cql_error **err);
/* Only compares; changes nothing. An object that is missing differs. Statuses as above. */
CQL_API cql_status cql_schema_verify_wait(cql_session *s, const char *text,
                                          const cql_schema_options *opts, cql_error **err);
/* Drops the keyspaces that the text creates, with all their data, and applies the text.
 * CQL_BAD_STATE and nothing done unless opts->drop_all_data is set. */
CQL_API cql_status cql_schema_reset_wait(cql_session *s, const char *text,
                                         const cql_schema_options *opts, cql_error **err);

/* Only waits: connects, where the session is new, and asks a query, again and again for
 * opts->wait_s. */
CQL_API cql_status cql_schema_reach_wait(cql_session *s, const cql_schema_options *opts,
                                         cql_error **err);

/* --- several texts and files ------------------------------------------------------------------ */
/* Texts in the order in which they are to be applied. USE holds until the end of its text, those of
 * included files among it. [one at a time] */
typedef struct cql_schema_plan cql_schema_plan;

/* al may be NULL (the C library's). Yours: free with cql_schema_plan_free. CQL_NO_MEMORY. */
CQL_API cql_status cql_schema_plan_new(const cql_allocator *al, cql_schema_plan **out);
CQL_API void cql_schema_plan_free(cql_schema_plan *plan);
/* Adds a text, copied. name: what messages call it, such as "standard input"; NULL: "text". folder:
 * where SOURCE looks for files; NULL: SOURCE is refused. CQL_BAD_CQL_FILE, CQL_NO_MEMORY; the plan
 * is of no further use after a failure. */
CQL_API cql_status cql_schema_plan_add_text(cql_schema_plan *plan, const char *name,
                                            const char *folder, cql_str text, cql_error **err);
/* Adds a file. CQL_NOT_FOUND when it cannot be opened, CQL_TOO_LARGE above 64 MiB, else as above.
 */
CQL_API cql_status cql_schema_plan_add_file(cql_schema_plan *plan, const char *path,
                                            cql_error **err);
/* Statements in the plan, those of included files among them. */
CQL_API size_t cql_schema_plan_count(const cql_schema_plan *plan);
/* As the calls for one text. The plan is not changed and can be used again. With opts->dry_run s
 * may be NULL: nothing is asked then, and every statement is told, as for an empty server. */
CQL_API cql_status cql_schema_plan_apply_wait(cql_session *s, const cql_schema_plan *plan,
                                              const cql_schema_options *opts, cql_error **err);
CQL_API cql_status cql_schema_plan_verify_wait(cql_session *s, const cql_schema_plan *plan,
                                               const cql_schema_options *opts, cql_error **err);
CQL_API cql_status cql_schema_plan_reset_wait(cql_session *s, const cql_schema_plan *plan,
                                              const cql_schema_options *opts, cql_error **err);

/* --- for prompts ------------------------------------------------------------------------------ */
/* Finds the first statement of `text` at offset *at: CQL_OK, and *at is behind it and its
 * semicolon; CQL_DONE when only blanks and comments are left; CQL_WOULD_BLOCK when it has no end
 * yet and more text could bring one; CQL_BAD_CQL_FILE for bytes that are no text. *at is only moved
 * on CQL_OK. The statement is a view of `text` without the semicolon. [any thread] */
CQL_API cql_status cql_schema_split(cql_str text, size_t *at, cql_str *statement);

CQL_END
#endif
