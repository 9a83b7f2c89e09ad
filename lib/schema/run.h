/* run.h: one run over a plan: what is known of the server, what was told of each object. */
#ifndef CQLSCH_RUN_H
#define CQLSCH_RUN_H

#include "schema/compare.h"
#include "schema/plan.h"
#include "schema/send.h"

/* What the texts before this run did to the session's keyspace. */
typedef struct cqlsch_use {
    bool used; /* the last one set it */
    bool left; /* it stands for none */
} cqlsch_use;

/* Follows a run statement by statement, and lets one go on where an earlier one ended. */
typedef struct cqlsch_stepping {
    size_t first;   /* steps before it were done; of these USE and CONSISTENCY are done again */
    bool uncertain; /* the first one may have been done as well: that its object is there already, or is
                     * gone already, is no failure then */
    /* The callbacks end the run by a status that is not CQL_OK. */
    cql_status (*before)(void *user, size_t step, cql_error **err);
    cql_status (*after)(void *user, size_t step, cql_error **err);
    cqlsch_use *use; /* kept from one run to the next */
    void *user;
} cqlsch_stepping;

typedef struct cqlsch_run {
    const cqlsch_stepping *stepping; /* NULL: all steps, unwatched */
    cqlsch_mem *mem;
    cqlsch_sender sender;
    const cql_schema_options *opts;
    cql_schema_summary *summary;
    cqlsch_model live;
    unsigned char *told; /* verdict of each expected object, 0: not yet */
    bool left;           /* the keyspace in use stands for none */
    unsigned looks;      /* made because something differed */
    bool changed;        /* something was sent that may have changed the schema */
    cql_error **err;
    cql_schema_plan plan; /* settled for this run; its memory is that of the run */
} cqlsch_run;

/* Reads the keyspaces of the expected objects anew. */
cql_status cqlsch_run_look(cqlsch_run *r);
/* Number of the expected object that a step creates; (size_t)-1 for none. */
size_t cqlsch_run_object_of(const cqlsch_run *r, size_t step);
/* Tells of an object, with its differences to what is live. CREATED and ABSENT are told as they
 * are; EXISTS becomes DIFFERS when the comparison says so, and says so again after another look:
 * somebody else may be in the middle of making the object. */
cql_status cqlsch_run_tell(cqlsch_run *r, size_t object, cql_schema_verdict verdict);
/* Compares all objects that were not told yet, and those that were created by this run. */
cql_status cqlsch_run_verify(cqlsch_run *r);
/* Notes keyspaces that keep more copies than there are nodes. */
void cqlsch_run_count_copies(cqlsch_run *r);
/* All steps in order, then the settings. */
cql_status cqlsch_run_apply(cqlsch_run *r);
/* A run over a plan as cql_schema_plan_apply_wait makes it, followed step by step. */
cql_status cqlsch_apply_stepping(cql_session *s, const cql_schema_plan *plan,
                                 const cql_schema_options *opts, const cqlsch_stepping *stepping,
                                 cql_error **err);
/* Drops the keyspaces that the plan creates. */
cql_status cqlsch_run_drop(cqlsch_run *r);

#endif
