/* A build without what spares a program work (configure --disable-helpers): values are not borrowed, but copied. */
#include "api/statement.h"

cql_status cql_statement_bind_borrowed(cql_statement *s, size_t index, cql_value v)
{
    return cql_statement_bind_value(s, index, v);
}

const cqln_piece *cqln_extra_piece(const cql_statement *s, size_t marker)
{
    (void)s;
    (void)marker;
    return NULL;
}

bool cqln_extra_has_pieces(const cql_statement *s)
{
    (void)s;
    return false;
}

cql_status cqln_extra_splice(const cql_statement *s, cqln_writer *env, size_t at)
{
    (void)s;
    (void)env;
    (void)at;
    return CQL_OK;
}
