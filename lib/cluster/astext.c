/* A node that forgets a statement as often as it learns it, since it keeps fewer than are in use, is asked with
 * the text of the statement: EXECUTE becomes QUERY, whose parameters are the same (native_protocol sections
 * 4.1.4 and 4.1.6). The request did not run, so this is no repetition. */
#include "cluster/cluster.h"
#include "cluster/race.h"

#include <string.h>

enum { FLAG_SKIP_METADATA = 0x02, FLAG_PAYLOAD = 0x04 };

/* Where the parameters begin; 0 when this is no EXECUTE that can be turned round. */
static size_t parameters_at(const cqln_request *req, uint8_t version)
{
    cqln_reader rd;
    const uint8_t *env = req->env.data;
    if (req->env.len < CQLN_FRAME_HEADER || env[4] != CQLN_OP_EXECUTE || (env[1] & FLAG_PAYLOAD))
        return 0;
    cqln_reader_init(&rd, env + CQLN_FRAME_HEADER, req->env.len - CQLN_FRAME_HEADER);
    (void)cqln_read_short_bytes(&rd); /* its id */
    if (version >= 5)
        (void)cqln_read_short_bytes(&rd); /* that of its result metadata */
    return rd.failed ? 0 : (size_t)(rd.at - env);
}

/* What the text means has to be what was prepared: in the keyspace of the connections. */
static bool means_the_same(const cqln_request *req)
{
    const cql_prepared *p = req->prepared;
    return p && cql_str_equal(p->keyspace, cql_str_of(req->cluster->keyspace)) &&
           p->cql.len < INT32_MAX;
}

bool cqln_request_as_text(cqln_request *req, uint8_t version)
{
    size_t before = req->env.len;
    size_t at = means_the_same(req) && !cqln_race_running(req) ? parameters_at(req, version) : 0;
    size_t flags_at = at + 2 + (version >= 5 ? 3 : 0); /* the lowest byte of them */
    if (!at || flags_at >= before)
        return false;
    cql_str cql = req->prepared->cql;
    size_t rest = before - at, head = CQLN_FRAME_HEADER + 4 + cql.len;
    if (head > at && !cqln_writer_reserve(&req->env, head - at))
        return false;
    uint8_t *env = req->env.data;
    env[flags_at] &= (uint8_t)~FLAG_SKIP_METADATA;
    memmove(env + head, env + at, rest);
    memcpy(env + CQLN_FRAME_HEADER + 4, cql.ptr, cql.len);
    req->env.len = head + rest;
    env[4] = CQLN_OP_QUERY;
    cqln_writer_patch_u32(&req->env, 5, (uint32_t)(req->env.len - CQLN_FRAME_HEADER));
    cqln_writer_patch_u32(&req->env, CQLN_FRAME_HEADER, (uint32_t)cql.len);
    req->known = NULL;
    cqln_request_resized(req, before);
    return true;
}
