/* SCHEMA_CHANGE (native_protocol sections 4.2.5.5 and 4.2.6): [string] change, [string] target, and
 * for each target: KEYSPACE keyspace; TABLE, TYPE keyspace, name; FUNCTION, AGGREGATE keyspace,
 * name, [string list] of argument types. */
#include "msg/response.h"

static bool is(cql_str s, const char *word)
{
    return cql_str_equal(s, cql_str_of(word));
}

static void read_target(cqln_reader *rd, cqln_schema_change *c)
{
    if (is(c->target, "KEYSPACE")) {
        c->keyspace = cqln_read_string(rd);
    } else if (is(c->target, "TABLE") || is(c->target, "TYPE")) {
        c->keyspace = cqln_read_string(rd);
        c->name = cqln_read_string(rd);
    } else if (is(c->target, "FUNCTION") || is(c->target, "AGGREGATE")) {
        c->keyspace = cqln_read_string(rd);
        c->name = cqln_read_string(rd);
        cqln_skip_string_list(rd);
    } else {
        /* A target of a later server: its keyspace when there is one, so that it can be refreshed.
         */
        cqln_reader ahead = *rd;
        cql_str keyspace = cqln_read_string(&ahead);
        if (!ahead.failed)
            c->keyspace = keyspace;
    }
}

cql_status cqln_decode_schema_change(cqln_reader *rd, cqln_schema_change *out)
{
    cqln_schema_change c = {0};
    c.change = cqln_read_string(rd);
    c.target = cqln_read_string(rd);
    if (!rd->failed)
        read_target(rd, &c);
    if (rd->failed)
        return CQL_MALFORMED;
    *out = c;
    return CQL_OK;
}
