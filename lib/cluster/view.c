/* Building and handing out the picture of the nodes. */
#include "cluster/view.h"

#include <string.h>

static size_t text_size(const cqln_node *n)
{
    return strlen(n->address_text) + strlen(n->data_center) + strlen(n->rack) +
           strlen(n->release) + strlen(n->last_reason) + 5;
}

static const char *put(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

static void fill_row(cql_host_info *row, const cqln_node *n, char **at)
{
    row->address = put(at, n->address_text);
    row->data_center = put(at, n->data_center);
    row->rack = put(at, n->rack);
    row->release_version = put(at, n->release);
    row->reason = put(at, n->usable ? "" : n->last_reason);
    row->host_id = n->host_id;
    row->up = n->usable > 0;
    row->connections = n->usable;
}

static struct cql_hosts *build(const cqln_cluster *c)
{
    size_t count = 0, gone = 0, text = 0;
    for (const cqln_node *n = c->nodes; n; n = n->next) {
        count += !n->removed;
        gone += n->removed;
        text += n->removed ? 0 : text_size(n);
    }
    struct cql_hosts *v = cqln_alloc_zero(c->al, sizeof *v + count * sizeof v->rows[0] +
                                                     (count + gone) * sizeof v->meters[0] + text);
    if (!v)
        return NULL;
    atomic_init(&v->refs, 1);
    v->al = c->al;
    v->meters = (cqln_meter **)(void *)&v->rows[count];
    v->meter_count = count + gone;
    char *at = (char *)&v->meters[v->meter_count];
    for (const cqln_node *n = c->nodes; n; n = n->next) {
        v->meters[n->removed ? count + --gone : v->count] = cqln_meter_ref(n->meter);
        if (!n->removed)
            fill_row(&v->rows[v->count++], n, &at);
    }
    return v;
}

void cqln_cluster_publish(cqln_cluster *c)
{
    struct cql_hosts *fresh = build(c);
    if (!fresh)
        return; /* the older picture stays */
    pthread_mutex_lock(&c->view_lock);
    struct cql_hosts *old = c->view;
    c->view = fresh;
    pthread_mutex_unlock(&c->view_lock);
    cql_hosts_free(old);
}

struct cql_hosts *cqln_cluster_view(cqln_cluster *c)
{
    pthread_mutex_lock(&c->view_lock);
    struct cql_hosts *v = c->view;
    if (v)
        atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&c->view_lock);
    return v;
}

size_t cql_hosts_count(const cql_hosts *hosts)
{
    return hosts ? hosts->count : 0;
}

bool cql_hosts_at(const cql_hosts *hosts, size_t i, cql_host_info *out)
{
    if (!hosts || i >= hosts->count)
        return false;
    *out = hosts->rows[i];
    return true;
}

void cql_hosts_free(cql_hosts *hosts)
{
    if (!hosts || atomic_fetch_sub_explicit(&hosts->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < hosts->meter_count; i++)
        cqln_meter_unref(hosts->meters[i]);
    cql_hosts_free(hosts->base);
    cqln_free(hosts->al, hosts);
}
