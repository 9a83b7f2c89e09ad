/* What the system tables say of the nodes: the input is the answer to a question that the control
 * connection asks, as a body of RESULT, and the node that gave it answers all else as ever. Whatever it
 * says, connecting ends, no node is taken that could not be dialled, and closing leaves nothing.
 *
 *   byte 0  bit 0: system.local, else the peers table; bit 1: protocol v4
 *   then the body */
#include "api/options.h"
#include "fuzz.h"
#include "simio.h"

#include "cluster/cluster.h"

enum { MOST_NODES = 10000, PATIENCE = 1500 };

static bool closed;

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    (void)s;
    (void)err;
    ++*(unsigned *)user;
}

static void on_closed(void *user)
{
    (void)user;
    closed = true;
}

static void check_nodes(const cqln_cluster *c)
{
    unsigned count = 0;
    for (const cqln_node *n = c->nodes; n; n = n->next) {
        FUZZ_CHECK(cqln_address_usable(&n->address));
        count++;
    }
    FUZZ_CHECK(count <= MOST_NODES);
}

static void live(mockcluster *mc)
{
    static simio io;
    static cqln_cluster c;
    cql_options *o = NULL;
    unsigned calls = 0;
    simio_init(&io, mc, 1);
    FUZZ_CHECK(cql_options_new(NULL, &o) == CQL_OK);
    FUZZ_CHECK(cql_options_set_contact_points(o, "127.9.0.1:9042", NULL) == CQL_OK);
    FUZZ_CHECK(cql_options_set(o, "connect_timeout", "300", NULL) == CQL_OK);
    FUZZ_CHECK(cqln_cluster_init(&c, &io.io, cqln_alloc_default(), &o->config, NULL) == CQL_OK);
    cqln_cluster_connect(&c, on_connected, &calls);
    simio_run(&io, io.now + PATIENCE);
    FUZZ_CHECK(calls == 1);
    check_nodes(&c);
    closed = false;
    cqln_cluster_close(&c, on_closed, NULL);
    for (int i = 0; i < 100 && !closed; i++)
        simio_run(&io, io.now + 100);
    FUZZ_CHECK(closed);
    cqln_cluster_fini(&c);
    cql_options_free(o);
    simio_fini(&io);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mockcluster mc;
    if (size < 1)
        return 0;
    uint8_t *body = fuzz_block(size - 1);
    memcpy(body, data + 1, size - 1);
    mockcluster_init(&mc, 2);
    cql_str planned = {(const char *)body, size - 1};
    if (data[0] & 1)
        mc.planned_local = planned;
    else
        mc.planned_peers = planned;
    if (data[0] & 2)
        for (size_t i = 0; i < mc.count; i++)
            mc.nodes[i].max_version = 4;
    live(&mc);
    mockcluster_fini(&mc);
    free(body);
    return 0;
}
