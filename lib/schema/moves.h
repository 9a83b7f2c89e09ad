/* moves.h: the parts of a migration: the list, the tables that are kept, the lock. */
#ifndef CQLSCH_MOVES_H
#define CQLSCH_MOVES_H

#include "schema/run.h"
#include "schema/sha256.h"

#include <cqlnative/migrate.h>

typedef struct cqlsch_move {
    const char *name;
    uint64_t number;
    cql_str text;
    char checksum[CQLSCH_SHA256_TEXT];
    /* What is recorded of it. */
    bool recorded;
    bool done;      /* or of the baseline */
    bool uncertain; /* a run ended in the middle: the statement behind `finished` may have been done */
    size_t finished;
    const char *recorded_checksum;
    const char *finished_checksum; /* of the statements that were done */
    const char *when;
} cqlsch_move;

typedef struct cqlsch_moves {
    cql_session *s;
    cqlsch_mem mem;
    cqlsch_list list; /* cqlsch_move, by number */
    const char *keyspace; /* as CQL writes it */
    const char *scope;
    const char *owner;
    cql_uuid token;
    uint64_t renewed_ms; /* when the lease began to run */
    bool locked;
    cqlsch_use use;
    const char *shape; /* first difference of the tables kept here */
    cql_error **err;
    cql_error *own_err; /* for callers that want none */
    cql_migrate_options opts;
    cql_schema_options apply;
    cql_schema_summary summary;
} cqlsch_moves;

/* Fails with a text. */
cql_status cqlsch_moves_fail(cqlsch_moves *m, cql_status st, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* moves_list.c: reads numbers, sorts, takes checksums. CQL_BAD_ARGUMENT. */
cql_status cqlsch_moves_order(cqlsch_moves *m);
cql_status cqlsch_moves_folder(cqlsch_moves *m, const char *folder);
cql_status cqlsch_moves_add(cqlsch_moves *m, const char *name, cql_str text);
/* The checksum of the first `count` statements of a plan. */
void cqlsch_moves_sum(const cql_schema_plan *plan, size_t count, char out[CQLSCH_SHA256_TEXT]);

/* moves_kept.c: the tables. */
/* One statement; level: CQL_CONSISTENCY_QUORUM or _SERIAL for a read behind a conditional write. */
cql_status cqlsch_moves_ask(cqlsch_moves *m, const char *cql, cql_consistency level,
                            cql_values values, cql_result **res, cql_error **err);
/* The same for a write: the answer to it does not count. */
cql_status cqlsch_moves_do(cqlsch_moves *m, const char *cql, cql_values values, cql_error **err);
cql_status cqlsch_moves_make_tables(cqlsch_moves *m);
/* *there: the tables exist. */
cql_status cqlsch_moves_look(cqlsch_moves *m, bool *there);
cql_status cqlsch_moves_read(cqlsch_moves *m);
/* state: "running", "failed", "done", "baseline". */
cql_status cqlsch_moves_write(cqlsch_moves *m, const cqlsch_move *move, const char *state,
                              size_t finished, size_t statements, const char *finished_checksum,
                              uint64_t took_ms, const char *problem);

/* moves_lock.c */
cql_status cqlsch_moves_lock(cqlsch_moves *m);
/* Renews the lease when a third of it has run. CQL_CLAIM_LOST. */
cql_status cqlsch_moves_hold(cqlsch_moves *m);
void cqlsch_moves_unlock(cqlsch_moves *m);
uint64_t cqlsch_now_ms(void);

#endif
