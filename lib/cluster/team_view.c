/* The picture of the nodes of a session of several loops: the connections of all. */
#include "cluster/team.h"
#include "cluster/view.h"

#include <string.h>

static cql_host_info *row_of(struct cql_hosts *v, const char *address)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->rows[i].address, address) == 0)
            return &v->rows[i];
    return NULL;
}

static void add_view(struct cql_hosts *to, const struct cql_hosts *more)
{
    for (size_t i = 0; more && i < more->count; i++) {
        cql_host_info *row = row_of(to, more->rows[i].address);
        if (!row)
            continue;
        row->connections += more->rows[i].connections;
        row->up = row->connections > 0;
        row->reason = row->up ? "" : row->reason;
    }
}

struct cql_hosts *cqln_team_view(const cqln_team *t)
{
    struct cql_hosts *first = cqln_cluster_view(t->members[0]);
    size_t count = first ? first->count : 0;
    struct cql_hosts *v =
        first ? cqln_alloc_zero(first->al, sizeof *v + count * sizeof v->rows[0]) : NULL;
    if (!v) {
        cql_hosts_free(first);
        return NULL;
    }
    atomic_init(&v->refs, 1);
    v->al = first->al;
    v->count = count;
    v->base = first;
    for (size_t i = 0; i < count; i++)
        v->rows[i] = first->rows[i];
    for (uint32_t i = 1; i < t->count; i++) {
        struct cql_hosts *more = cqln_cluster_view(t->members[i]);
        add_view(v, more);
        cql_hosts_free(more);
    }
    return v;
}
