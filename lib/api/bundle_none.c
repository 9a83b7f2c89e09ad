/* A build that reads no secure connect bundles: a session with one is refused, whatever stands beside it. */
#include "api/session.h"
#include "cluster/bundle.h"

cql_status cqln_session_open_bundle(cql_session *s, const cql_options *o, char *why)
{
    (void)o;
    return s->config.secure_bundle ? cqln_bundle_open(s->al, &s->config, &s->bundle, why) : CQL_OK;
}
