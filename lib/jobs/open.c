/* open.c: a job store over a session. */
#include "jobs/cqlstore.h"

cql_status cql_jobs_new_with(cql_session *s, const cql_jobs_options *options, cql_jobs **out,
                             cql_error **err)
{
    const cql_allocator *al;
    cqljob_settings set;
    cqljob_store store;
    cql_status st;

    if (out)
        *out = NULL;
    if (!s || !out)
        return cqljob_give(err, cql_error_make(NULL, CQL_BAD_ARGUMENT, NULL,
                                               s ? "out: must not be NULL" : "session: must not be NULL"));
    al = cql_session_allocator(s);
    if (!al)
        al = cqljob_standard_allocator();
    st = cqljob_settings_read(&set, options, err);
    if (st)
        return st;
    st = cqljob_cqlstore_new(s, al, &set, &store);
    if (!st)
        st = cqljob_jobs_make(al, &store, &set, out);
    if (st)
        return cqljob_give(err, cql_error_make(al, st, NULL, cql_status_text(st)));
    return CQL_OK;
}

cql_status cql_jobs_new(cql_session *s, const char *keyspace, cql_jobs **out)
{
    cql_jobs_options options = {.size = sizeof options, .keyspace = keyspace};

    return cql_jobs_new_with(s, &options, out, NULL);
}
