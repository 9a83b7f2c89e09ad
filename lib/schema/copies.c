/* Keyspaces that keep more copies than there are nodes to keep them: every QUORUM and every
 * conditional write fails there, so it is said, with what mends it. */
#include "schema/run.h"

enum { SETTLE_TRIES = 20, MAX_FACTOR = 1000 };

static unsigned number_of(cql_str text)
{
    unsigned value = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
        if (value > MAX_FACTOR)
            return MAX_FACTOR;
    }
    return value;
}

/* Nodes that are up; in one data centre, or (center empty) in all. */
static unsigned count_up(const cql_hosts *hosts, cql_str center)
{
    cql_host_info info;
    unsigned up = 0;
    for (size_t i = 0; cql_hosts_at(hosts, i, &info); i++) {
        bool inside = center.len == 0 || cqlsch_is(center, info.data_center);
        up += info.up && inside ? 1 : 0;
    }
    return up;
}

static bool is_class(const cqlsch_option *replication, const char *name)
{
    const cqlsch_pair *p = cqlsch_pair_find(replication, CQLSCH_TEXT("class"));
    return p && cqlsch_is(cqlsch_short_class(p->value), name);
}

/* The map with no factor above the nodes that are up, and what is too much in words; empty when all
 * is well. */
static cql_str mended(cqlsch_run *r, const cqlsch_option *replication, const cql_hosts *hosts,
                      cqlsch_text *words)
{
    bool simple = is_class(replication, "SimpleStrategy");
    bool short_of_nodes = false;
    cqlsch_text map;
    cqlsch_text_init(&map, r->mem);
    cqlsch_text_add_c(&map, simple ? "{'class': 'SimpleStrategy'"
                                   : "{'class': 'NetworkTopologyStrategy'");
    for (size_t i = 0; i < replication->pairs.count; i++) {
        const cqlsch_pair *p = CQLSCH_AT(cqlsch_pair, &replication->pairs, i);
        if (cqlsch_is(p->key, "class"))
            continue;
        cql_str center = simple ? CQLSCH_NONE : p->key;
        unsigned up = count_up(hosts, center);
        unsigned factor = number_of(p->value);
        if (factor > up) {
            cqlsch_text_add_c(words, short_of_nodes ? " and " : "");
            cqlsch_text_add_c(words,
                              cqlsch_format(r->mem, "%u %s%s%.*s, where %u %s up", factor,
                                            factor == 1 ? "copy" : "copies", simple ? "" : " in ",
                                            (int)center.len, center.ptr, up,
                                            up == 1 ? "node is" : "nodes are"));
            short_of_nodes = true;
        }
        cqlsch_text_add_c(&map, ", ");
        cqlsch_text_add(&map, cqlsch_quote(r->mem, p->key));
        cqlsch_text_add_c(&map,
                          cqlsch_format(r->mem, ": %u", factor > up ? (up ? up : 1) : factor));
    }
    cqlsch_text_add_c(&map, "}");
    return short_of_nodes ? cqlsch_text_str(&map) : CQLSCH_NONE;
}

/* Right after connecting the session may not have reached every node yet: gives it a moment. */
static cql_hosts *settled_hosts(cqlsch_run *r)
{
    for (int i = 0;; i++) {
        cql_hosts *hosts = cql_session_hosts(r->sender.s);
        size_t count = hosts ? cql_hosts_count(hosts) : 0;
        if (count == 0 || count_up(hosts, CQLSCH_NONE) == count || i == SETTLE_TRIES)
            return hosts;
        cql_hosts_free(hosts);
        cql_result *res = NULL;
        cqlsch_pause_ms(cqlsch_retry_ms(&r->sender) / SETTLE_TRIES);
        /* A driven session only gets on while it is asked something. */
        (void)cqlsch_ask(&r->sender, "SELECT now() FROM system.local", CQLSCH_NONE,
                         CQLSCH_NONE, &res, NULL);
        cql_result_unref(res);
    }
}

void cqlsch_run_count_copies(cqlsch_run *r)
{
    cql_hosts *hosts = NULL;
    for (size_t i = 0; i < cqlsch_model_count(&r->plan.model); i++) {
        const cqlsch_object *o = cqlsch_model_at(&r->plan.model, i);
        const cqlsch_object *live = o->kind == CQLSCH_KEYSPACE ? cqlsch_live_of(&r->live, o) : NULL;
        const cqlsch_option *replication =
            live ? cqlsch_option_find(live, CQLSCH_TEXT("replication")) : NULL;
        if (!replication || !(is_class(replication, "SimpleStrategy") ||
                              is_class(replication, "NetworkTopologyStrategy")))
            continue;
        hosts = hosts ? hosts : settled_hosts(r);
        if (!hosts || cql_hosts_count(hosts) == 0)
            break;
        cqlsch_text words;
        cqlsch_text_init(&words, r->mem);
        cql_str map = mended(r, replication, hosts, &words);
        if (map.len == 0)
            continue;
        const char *name = cqlsch_full_name(r->mem, o);
        cqlsch_tell(&r->sender, CQL_SCHEMA_MESSAGE_NOTE,
                    cqlsch_format(r->mem,
                                  "keyspace %s keeps %s: QUORUM and conditional writes fail while "
                                  "that is so; on a cluster of this size: ALTER KEYSPACE %s WITH "
                                  "replication = %s;",
                                  name, cqlsch_text_str(&words).ptr, name, map.ptr),
                    "", 0);
    }
    cql_hosts_free(hosts);
}
