/* What passes between the loops of a session: pictures of the nodes from the first to the others, and the
 * keyspace from whoever changed it to all. */
#include "cluster/team.h"

#include "cluster/astra.h"
#include "cluster/expiry.h"
#include "cluster/race.h"
#include "cluster/slots.h"

#include <string.h>

/* --- pictures ------------------------------------------------------------------------------------- */

typedef struct picture_row {
    cqln_node_info info;
    const char *contact; /* the contact point that led to it; the session's */
    bool up;
    bool said_down;
} picture_row;

struct cqln_picture {
    _Atomic(uint32_t) refs;
    const cql_allocator *al;
    int version;
    char *local_dc; /* NULL: every node is local */
    cqln_ring *ring;
    cqln_tokenmap *map;
    cqln_proxies proxies; /* with a secure connect bundle */
    size_t count;
    picture_row rows[]; /* in the order of the ring's members; texts behind them */
};

static cqln_picture *picture_ref(cqln_picture *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

static void picture_unref(cqln_picture *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    cqln_tokenmap_unref(p->map);
    cqln_ring_unref(p->ring);
    cqln_free(p->al, p);
}

static cql_str put(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    cql_str copy = {memcpy(*at, text, size), size - 1};
    *at += size;
    return copy;
}

static size_t text_size(const cqln_node *n)
{
    return strlen(n->data_center) + strlen(n->rack) + strlen(n->release) + 3;
}

static void fill_row(picture_row *row, const cqln_node *n, char **at)
{
    row->info.address = n->address;
    row->info.heard = n->heard;
    row->info.host_id = n->host_id;
    row->info.data_center = put(at, n->data_center);
    row->info.rack = put(at, n->rack);
    row->info.release = put(at, n->release);
    row->contact = cqln_secure_contact(n->cluster->secure, &n->address);
    row->up = n->usable > 0;
    row->said_down = n->said_down;
}

static cqln_picture *paint(cqln_cluster *c)
{
    size_t count = 0, text = c->local_dc ? strlen(c->local_dc) + 1 : 0;
    for (const cqln_node *n = c->nodes; n; n = n->next) {
        count += !n->removed;
        text += n->removed ? 0 : text_size(n);
    }
    cqln_picture *p = cqln_alloc_zero(c->al, sizeof *p + count * sizeof p->rows[0] + text);
    if (!p)
        return NULL;
    char *at = (char *)&p->rows[count];
    atomic_init(&p->refs, 1);
    p->al = c->al;
    p->version = atomic_load(&c->version);
    if (c->astra)
        cqln_astra_show(c->astra, &p->proxies);
    p->local_dc = c->local_dc ? memcpy(at, c->local_dc, strlen(c->local_dc) + 1) : NULL;
    at += c->local_dc ? strlen(c->local_dc) + 1 : 0;
    p->ring = c->router.ring ? cqln_ring_ref(c->router.ring) : NULL;
    p->map = c->router.map ? cqln_tokenmap_ref(c->router.map) : NULL;
    for (const cqln_node *n = c->nodes; n; n = n->next)
        if (!n->removed)
            fill_row(&p->rows[p->count++], n, &at);
    return p;
}

/* --- following ------------------------------------------------------------------------------------ */

static cqln_node **place_of(cqln_cluster *c, const cqln_address *a)
{
    cqln_node **at = &c->nodes;
    while (*at && ((*at)->removed || !cqln_address_equal(&(*at)->address, a)))
        at = &(*at)->next;
    return at;
}

/* Members of the ring are named by their place among the nodes that are not removed. Nodes come and go in
 * the same order here as there, but for pictures that were not looked at. */
static void order_nodes(cqln_cluster *c, const cqln_picture *p)
{
    cqln_node *ordered = NULL, **end = &ordered;
    const cqln_node *n = c->nodes;
    size_t i = 0;
    for (; n && i < p->count; n = n->next)
        if (n->seen && !cqln_address_equal(&n->address, &p->rows[i++].info.address))
            break;
    if (!n || i == p->count)
        return;
    for (i = 0; i < p->count; i++) {
        cqln_node **at = place_of(c, &p->rows[i].info.address);
        if (!*at)
            continue;
        *end = *at;
        *at = (*at)->next;
        end = &(*end)->next;
    }
    *end = c->nodes;
    c->nodes = ordered;
}

static bool same_nodes(const cqln_cluster *c, const cqln_picture *p)
{
    const cqln_router *r = &c->router;
    if (r->peers.count != p->count)
        return false;
    for (uint32_t i = 0; i < r->peers.count; i++)
        if (!cqln_address_equal(&r->nodes[i]->address, &p->rows[i].info.address))
            return false;
    return true;
}

void cqln_team_adopt(cqln_cluster *c)
{
    const cqln_picture *p = c->picture;
    bool usable = p && p->ring && same_nodes(c, p); /* not when memory was out for one of them */
    cqln_ring *ring = usable ? cqln_ring_ref(p->ring) : NULL;
    cqln_tokenmap *map = usable && p->map ? cqln_tokenmap_ref(p->map) : NULL;
    cqln_router_use(c, ring, map);
}

static void take_nodes(cqln_cluster *c, const cqln_picture *p)
{
    cqln_nodes_unsee(c);
    for (size_t i = 0; i < p->count; i++) {
        const picture_row *row = &p->rows[i];
        if (row->contact)
            cqln_secure_resolved(c->secure, row->contact, &row->info.address);
        cqln_node *n = cqln_node_put(c, &row->info);
        if (n)
            n->said_down = row->said_down;
    }
    order_nodes(c, p);
    cqln_nodes_sweep(c);
    cqln_nodes_fill(c);
    for (size_t i = 0; i < p->count; i++)
        if (p->rows[i].up) /* the leader reached it: worth a try at once */
            cqln_node_hint_up(c, &p->rows[i].info.address);
}

/* p is taken over. The first one begins the connect. */
static void look_at(cqln_cluster *c, cqln_picture *p)
{
    cqln_cluster_state state = cqln_cluster_state_of(c);
    if (state >= CQLN_CLUSTER_CLOSING) {
        picture_unref(p);
        return;
    }
    picture_unref(c->picture);
    c->picture = p;
    if (state == CQLN_CLUSTER_NEW) {
        atomic_store(&c->version, p->version);
        atomic_store(&c->state, CQLN_CLUSTER_CONNECTING);
    }
    if (!c->local_dc && p->local_dc)
        c->local_dc = cqln_strdup(c->al, cql_str_of(p->local_dc));
    if (c->astra)
        cqln_astra_follow(c->astra, &p->proxies);
    take_nodes(c, p);
    cqln_cluster_publish(c);
    cqln_cluster_check(c);
}

static void on_picture(cqln_mail *m)
{
    cqln_inbox *in = CQLN_CONTAINER(m, cqln_inbox, mail);
    atomic_store(&in->mailed, false);
    cqln_picture *p = atomic_exchange(&in->newest, NULL);
    if (p)
        look_at(in->to, p);
}

/* --- leading -------------------------------------------------------------------------------------- */

bool cqln_team_share(cqln_cluster *lead)
{
    cqln_team *t = lead->team;
    cqln_picture *p = paint(lead);
    if (!p)
        return false;
    for (uint32_t i = 1; i < t->count; i++) {
        cqln_inbox *in = &t->inboxes[i];
        picture_unref(atomic_exchange(&in->newest, picture_ref(p)));
        if (!atomic_exchange(&in->mailed, true))
            cqln_loop_post(&in->to->loop, &in->mail);
    }
    picture_unref(p);
    return true;
}

static void on_sharing(cqln_deferred *d)
{
    cqln_cluster *lead = CQLN_CONTAINER(d, cqln_team, sharing)->members[0];
    if (cqln_cluster_state_of(lead) == CQLN_CLUSTER_CONNECTED)
        cqln_team_share(lead);
}

void cqln_team_share_soon(cqln_cluster *c)
{
    if (c->team && !cqln_team_follows(c) && cqln_cluster_state_of(c) == CQLN_CLUSTER_CONNECTED)
        cqln_loop_defer(&c->loop, &c->team->sharing);
}

/* --- the keyspace --------------------------------------------------------------------------------- */

typedef struct use_all use_all;

typedef struct use_mail {
    cqln_mail mail;
    cqln_cluster *to;
    use_all *all;
    char *keyspace; /* for `to` to keep */
} use_mail;

/* Goes from the loop of the request to the leader, from there to all, and back from the last of them. Since
 * the leader sends it on, every loop hears of changes in the same order. */
struct use_all {
    cqln_mail mail;
    cqln_request *req;
    cqln_cluster *origin;
    _Atomic(uint32_t) left;
    uint32_t count;
    use_mail to[];
};

static void use_free(use_all *u)
{
    const cql_allocator *al = u->origin->al;
    for (uint32_t i = 0; i < u->count; i++)
        cqln_free(al, u->to[i].keyspace);
    cqln_free(al, u);
}

static void on_use_done(cqln_mail *m)
{
    use_all *u = CQLN_CONTAINER(m, use_all, mail);
    cqln_cluster *c = u->origin;
    cqln_request *req = u->req;
    use_free(u);
    cqln_request_succeed(req, req->held);
    c->waits--;
    cqln_cluster_check(c);
}

static void use_back(use_all *u)
{
    u->mail.fn = on_use_done;
    cqln_loop_post(&u->origin->loop, &u->mail);
}

static void on_use(cqln_mail *m)
{
    use_mail *um = CQLN_CONTAINER(m, use_mail, mail);
    char *keyspace = um->keyspace;
    use_all *u = um->all;
    um->keyspace = NULL;
    cqln_cluster_use_copy(um->to, keyspace, NULL);
    if (atomic_fetch_sub(&u->left, 1) == 1)
        use_back(u);
}

/* On the leader's loop. Once it closes the others may be gone. */
static void on_use_spread(cqln_mail *m)
{
    use_all *u = CQLN_CONTAINER(m, use_all, mail);
    uint32_t count = u->count;
    if (cqln_cluster_state_of(u->origin->team->members[0]) >= CQLN_CLUSTER_CLOSING) {
        use_back(u);
        return;
    }
    atomic_store(&u->left, count);
    for (uint32_t i = 0; i < count; i++) /* the last post may be the end of u */
        cqln_loop_post(&u->to[i].to->loop, &u->to[i].mail);
}

static use_all *use_new(cqln_cluster *c, cqln_request *req, cql_str keyspace)
{
    const cqln_team *t = c->team;
    use_all *u = cqln_alloc_zero(c->al, sizeof *u + t->count * sizeof u->to[0]);
    if (!u)
        return NULL;
    u->req = req;
    u->origin = c;
    u->count = t->count;
    u->mail.fn = on_use_spread;
    bool whole = true;
    for (uint32_t i = 0; i < t->count; i++) {
        u->to[i] = (use_mail){{{NULL}, on_use}, t->members[i], u, cqln_strdup(c->al, keyspace)};
        whole = whole && u->to[i].keyspace;
    }
    if (whole)
        return u;
    use_free(u);
    return NULL;
}

/* Without memory to tell the others the change is undone: the connection that has it is closed. */
static void use_fails(cqln_request *req, cqln_link *link)
{
    cqln_link_close(link, "out of memory while its keyspace changed");
    cqln_request_fail(req, cqln_report_local(req->cluster, CQL_NO_MEMORY, req,
                                             "the keyspace of the session stays what it was"));
}

bool cqln_team_use(cqln_request *req, cqln_link *link, const cql_result *res)
{
    cqln_cluster *c = req->cluster;
    if (!c->team)
        return false;
    if (req->race)
        cqln_race_end(req);
    req->held = cql_result_ref(res);
    use_all *u = req->held ? use_new(c, req, res->keyspace) : NULL;
    if (!u) {
        use_fails(req, link);
        return true;
    }
    cqln_cluster_use(c, res->keyspace, link);
    req->state = CQLN_REQUEST_ASIDE;
    cqln_expiry_clear(req);
    c->waits++;
    cqln_loop_post(&c->team->members[0]->loop, &u->mail);
    return true;
}

/* --- life ----------------------------------------------------------------------------------------- */

void cqln_team_init(cqln_team *t, cqln_cluster **members, uint32_t count)
{
    t->count = count;
    cqln_deferred_init(&t->sharing, on_sharing);
    for (uint32_t i = 0; i < count; i++) {
        t->members[i] = members[i];
        t->inboxes[i].mail.fn = on_picture;
        t->inboxes[i].to = members[i];
        members[i]->team = t;
        members[i]->number = i;
    }
}

void cqln_team_fini(cqln_team *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        picture_unref(atomic_exchange(&t->inboxes[i].newest, NULL));
        picture_unref(t->members[i]->picture);
        t->members[i]->picture = NULL;
    }
}
