/* What the executions of a statement have in common, made when it is executed for the first time, and when its result
 * metadata has changed. */
#include "api/usual.h"

bool cqln_usual_make(cqln_cluster *c, cqln_hold *e, cql_prepared *p)
{
    uint8_t version = cqln_version_of(c);
    const cqln_config *config = c->config;
    cqln_metadata *newest = cqln_prepared_result(p);
    if (!newest) /* it may be retired by the next time */
        return false;
    bool known = cqln_result_is_known(p, newest, version);
    cqln_query_options o = {.consistency = (uint16_t)config->consistency,
                            .skip_metadata = known,
                            .page_size = (int32_t)config->page_size};
    cql_str metadata_id = version >= 5 ? newest->id : (cql_str){"", 0};
    cqln_tail tail = newest->count > 0 ? CQLN_TAIL_PAGE
                     : config->client_timestamps  ? CQLN_TAIL_TIME
                                                  : CQLN_TAIL_NONE;
    cqln_usual *u = &e->usual;
    if (e->prepared != p)
        cqln_holds_turn(e, p);
    u->newest = &cqln_usual_none;
    if (config->serial_consistency != CQLN_SERIAL_STANDARD ||
        !cqln_front_make(&u->front, version, p->id, metadata_id, &o, (uint16_t)p->bind->count, tail))
        return false;
    u->newest = newest;
    u->known = known ? newest : NULL;
    bool free = p->keyspace_mark && !p->conditional;
    u->keyspace = free ? p->keyspace_mark : 1;
    u->key = free && p->bind->pk_count == 1 && !c->router.levels ? p->bind->pk_index[0] : -1;
    return true;
}
