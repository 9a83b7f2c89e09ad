/* statement.h: statements and batches from the inside: values in wire form, ready to be copied. */
#ifndef CQLN_API_STATEMENT_H
#define CQLN_API_STATEMENT_H

#include "api/extra.h"
#include "cluster/cluster.h"
#include "meta/prepared.h"

#include <cqlnative/statement.h>

typedef struct cqln_routing cqln_routing; /* api/routing.h */

/* How much is said of an execution, idempotence apart. */
typedef enum cqln_said {
    CQLN_SAID_NOTHING,
    CQLN_SAID_COMMON, /* consistency, page size, time-out, routing */
    CQLN_SAID_RARE    /* all else, as that the statement is not prepared */
} cqln_said;

/* What a statement or a batch may say of its execution. */
typedef struct cqln_execution {
    int32_t consistency; /* -1: the session's */
    int32_t serial_consistency;
    int32_t page_size; /* 0: the session's */
    int8_t idempotent; /* CQLN_IDEMPOTENT_ */
    bool tracing;
    bool has_timestamp;
    uint8_t said; /* cqln_said, the most of it */
    int64_t timestamp;
    uint32_t timeout_ms; /* 0: the session's */
    bool steady;         /* never sent to two nodes at the same time */
    const cql_retry_policy *retry_policy; /* NULL: the session's */
    const struct cql_profile *place; /* that says which nodes; NULL: none does */
    cqln_extra *extra; /* NULL: nothing more to say */
    cqln_routing *routing; /* NULL: nothing is said of it */
} cqln_execution;

struct cql_statement {
    const cql_allocator *al;
    cql_prepared *prepared; /* NULL: `cql` is the text */
    char *cql;
    uint32_t markers;
    uint32_t unbound;   /* markers without a value */
    uint32_t *offsets;  /* of each [value] in `values`, and the end */
    uint8_t *bound;     /* one flag a marker */
    uint8_t *values;
    size_t cap;
    char *paging_state;
    size_t paging_state_len;
    cql_error *misfit; /* the last value that was refused; NULL: none */
    cqln_execution ex;
};

struct cql_batch {
    const cql_allocator *al;
    cql_batch_type type;
    uint32_t count;
    cqln_writer entries;
    cql_prepared **members;
    size_t member_count;
    size_t member_cap;
    int8_t members_idempotent; /* the least that was said of one */
    bool conditional; /* a member is */
    cqln_execution ex;
};

/* A statement of its own with the same text, values and options. NULL when memory is out. */
cql_statement *cqln_statement_copy(const cql_statement *stmt);

/* Notes that a value was refused, for people, and gives st back. */
__attribute__((cold, noinline)) cql_status cqln_misfit(cql_statement *s, size_t index,
                                                       const cql_value *v, cql_status st);
/* The same for a name that no marker has: CQL_NO_SUCH_NAME. */
__attribute__((cold, noinline)) cql_status cqln_misfit_name(cql_statement *s, const char *name);
/* Is it a text that means a value of the type, "50554d6e-…" for a uuid? (parsed.c) */
bool cqln_could_be_parsed(const cql_allocator *al, const cql_type *type, const cql_value *v);
/* CQL_UNBOUND, with the first marker without a value in *err. */
cql_status cqln_fail_unbound(const cql_statement *s, const cql_allocator *al, cql_error **err);

void cqln_execution_init(cqln_execution *ex);
/* What the profile says; CQL_BAD_ARGUMENT, CQL_UNSUPPORTED. (profile.c) */
cql_status cqln_execution_set_profile(cqln_execution *ex, const struct cql_profile *p);
static inline void cqln_execution_say(cqln_execution *ex, cqln_said what)
{
    if (ex->said < what)
        ex->said = (uint8_t)what;
}
static inline cqln_values_bytes cqln_statement_values(const cql_statement *s)
{
    return (cqln_values_bytes){(uint16_t)s->markers,
                               {(const char *)s->values, s->offsets[s->markers]}};
}

/* Encodes into a fresh request and notes what its answer needs. CQL_UNBOUND, CQL_TOO_LARGE … */
cql_status cqln_encode_statement(cqln_cluster *c, const cql_statement *stmt, cqln_request *req);
cql_status cqln_encode_text(cqln_cluster *c, cql_str cql, cqln_request *req);
cql_status cqln_encode_batch_request(cqln_cluster *c, const cql_batch *batch, cqln_request *req);

#endif
