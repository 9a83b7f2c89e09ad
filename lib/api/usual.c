/* What the executions of a statement have in common, made when it is executed for the first time, and when its result
 * metadata or what is known of the nodes has changed. */
#include "api/usual.h"

static cqln_way way_of(cqln_cluster *c, cqln_usual *u, const cql_prepared *p)
{
    cqln_router *r = &c->router;
    bool free = p->keyspace_mark && !p->conditional;
    u->placement = free && r->quick && !r->levels ? cqln_router_placement(c, p->keyspace_mark) : NULL;
    if (free && p->keyspace_mark == atomic_load_explicit(&r->whole_mark, memory_order_relaxed))
        return CQLN_WAY_ANYWHERE;
    if (atomic_load_explicit(&r->single, memory_order_relaxed))
        return CQLN_WAY_NONE;
    if (!u->placement || r->lone || p->bind->pk_count != 1 ||
        r->map->ring->partitioner != CQLN_PARTITIONER_MURMUR3)
        return CQLN_WAY_LONG;
    u->key = p->bind->pk_index[0];
    return CQLN_WAY_REPLICA;
}

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
    u->way = (uint8_t)way_of(c, u, p);
    u->age = c->router.age;
    return true;
}
