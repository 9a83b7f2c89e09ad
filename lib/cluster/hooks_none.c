/* A build without what people look at (configure --disable-insight): no program can give hooks. */
#include "cluster/hooks.h"

void cqln_hooks_start(cqln_request *req)
{
    (void)req;
}

void cqln_hooks_attempt(cqln_request *req, const cqln_link *link)
{
    (void)req;
    (void)link;
}

void cqln_hooks_end(cqln_request *req, const cql_error *err)
{
    (void)req;
    (void)err;
}
