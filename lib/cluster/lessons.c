/* Prepared statements on their way to the nodes. */
#include "cluster/lessons.h"

#include "cluster/inner.h"
#include "cluster/team.h"

enum { AT_ONCE = 8 /* lessons of one node that nobody waits for */ };

/* One PREPARE under way. */
typedef struct lesson {
    cqln_list link; /* in the node's list */
    cqln_node *node;
    cql_prepared *prepared;
    cqln_list waiting; /* requests, by their `queue` */
    bool eager;
    cqln_inner *inner;
} lesson;

static void teach_more(cqln_node *n);

/* --- what is remembered -------------------------------------------------------------------------- */

static cql_prepared **place_of(cqln_cluster *c, uint64_t number)
{
    return &c->lessons.items[number % c->lessons.cap];
}

static bool same_statement(const cql_prepared *a, const cql_prepared *b)
{
    return cql_str_equal(a->id, b->id) && cql_str_equal(a->cql, b->cql) &&
           cql_str_equal(a->keyspace, b->keyspace) && cqln_metadata_same(a->bind, b->bind);
}

static cql_prepared *find_same(cqln_cluster *c, const cql_prepared *p)
{
    for (uint64_t s = c->lessons.end - c->lessons.count; s < c->lessons.end; s++)
        if (same_statement(*place_of(c, s), p))
            return *place_of(c, s);
    return NULL;
}

static bool make_room(cqln_cluster *c)
{
    uint32_t cap = c->config->max_prepared;
    if (c->lessons.items || cap == 0)
        return c->lessons.items != NULL;
    c->lessons.items = cqln_alloc_array(c->al, cap, sizeof *c->lessons.items);
    c->lessons.cap = cap;
    return c->lessons.items != NULL;
}

static void remember(cqln_cluster *c, cql_prepared *p)
{
    if (!make_room(c))
        return;
    pthread_mutex_lock(&c->view_lock);
    cql_prepared **place = place_of(c, c->lessons.end);
    if (c->lessons.count == c->lessons.cap)
        cql_prepared_unref(*place);
    else
        c->lessons.count++;
    *place = cql_prepared_ref(p);
    c->lessons.end++;
    pthread_mutex_unlock(&c->view_lock);
}

static void retire_in(cqln_cluster *c, const cql_prepared *known, bool like_it)
{
    pthread_mutex_lock(&c->view_lock);
    for (uint64_t s = c->lessons.end - c->lessons.count; s < c->lessons.end; s++) {
        cql_prepared *p = *place_of(c, s);
        if (cql_str_equal(p->id, known->id) && cqln_prepared_fits(p, known->bind) == like_it)
            cqln_prepared_retire(p, true);
    }
    pthread_mutex_unlock(&c->view_lock);
}

/* What has the same id, and the same types or others. The servers know the id by what was prepared last and do not ask
 * for it any more, whichever loop it was that remembers what had it before. */
static void retire_all(cqln_cluster *c, const cql_prepared *known, bool like_it)
{
    for (uint32_t i = 0; c->team && i < c->team->count; i++)
        retire_in(c->team->members[i], known, like_it);
    if (!c->team)
        retire_in(c, known, like_it);
}

/* Remembered or not. */
static void retire(cqln_cluster *c, cql_prepared *p)
{
    cqln_prepared_retire(p, true);
    retire_all(c, p, true);
}

cql_prepared *cqln_lessons_keep(cqln_cluster *c, cql_prepared *fresh, cqln_node *known_by)
{
    cql_prepared *old = find_same(c, fresh);
    retire_all(c, fresh, false);
    if (old) {
        cqln_metadata *now = cqln_prepared_result(fresh);
        if (cqln_prepared_retired(old))
            cqln_prepared_retire(old, false);
        if (now)
            cqln_prepared_learn(old, now);
        cql_prepared_unref(fresh);
        return cql_prepared_ref(old);
    }
    remember(c, fresh);
    for (cqln_node *n = c->nodes; n; n = n->next) {
        if (n == known_by && n->taught + 1 == c->lessons.end)
            n->taught++;
        else if (n->usable)
            teach_more(n);
    }
    return fresh;
}

void cqln_lessons_free(cqln_cluster *c)
{
    for (uint64_t s = c->lessons.end - c->lessons.count; s < c->lessons.end; s++)
        cql_prepared_unref(*place_of(c, s));
    cqln_free(c->al, c->lessons.items);
}

/* --- a lesson ------------------------------------------------------------------------------------ */

static lesson *find_lesson(cqln_node *n, const cql_prepared *p)
{
    for (cqln_list *at = n->lessons.next; at != &n->lessons; at = at->next) {
        lesson *l = CQLN_CONTAINER(at, lesson, link);
        if (l->prepared == p ||
            (cql_str_equal(l->prepared->id, p->id) && cqln_prepared_fits(l->prepared, p->bind)))
            return l;
    }
    return NULL;
}

static void drop_lesson(lesson *l)
{
    cqln_list_remove(&l->link);
    cql_prepared_unref(l->prepared);
    cqln_free(l->node->cluster->al, l);
}

/* What a PREPARED answer says of the statement: the status, and its id where that changed. */
static cql_status learn(cql_prepared *p, cqln_link *link, const cqln_conn_event *ev,
                        cqln_lesson_end *end)
{
    cqln_prepared_head head;
    cqln_prefix prefix;
    cqln_reader rd;
    cqln_reader_init(&rd, ev->body, ev->len);
    cql_status st = cqln_decode_prefix(&rd, ev->flags, &prefix);
    if (st == CQL_OK && ev->opcode == CQLN_OP_ERROR) {
        st = cqln_decode_error(&rd, ev->version, &end->error);
        end->refused = st == CQL_OK;
        return st;
    }
    if (st)
        return st;
    if (ev->opcode != CQLN_OP_RESULT || cqln_read_u32(&rd) != CQLN_RESULT_PREPARED || rd.failed)
        return CQL_MALFORMED;
    st = cqln_decode_prepared(&rd, ev->version, link->loop->al, &head);
    if (st)
        return st;
    if (!cql_str_equal(p->id, head.id)) {
        end->new_id = head.id; /* a view of the body */
        st = CQL_PREPARED_CHANGED;
    } else if (!cqln_prepared_fits(p, head.bind)) {
        st = CQL_PREPARED_CHANGED;
    } else {
        cqln_prepared_learn(p, head.result);
    }
    cqln_metadata_unref(head.bind);
    cqln_metadata_unref(head.result);
    return st;
}

static lesson *begin(cqln_node *n, cqln_link *link, cql_prepared *p, bool eager, cql_status *st);

/* The markers do not fit, says a node that comes up. It may not know the newest schema yet: another one is asked, and
 * believed; where there is none, it is. */
static void ask_another(cqln_node *n, cql_prepared *p)
{
    cqln_cluster *c = n->cluster;
    cql_status st;
    for (cqln_node *other = c->nodes; other; other = other->next) {
        cqln_link *link = other != n && other->usable && !other->removed ? cqln_nodes_pick(c, other, NULL) : NULL;
        if (link && (find_lesson(other, p) || begin(other, link, p, false, &st)))
            return;
    }
    retire(c, p);
}

static void on_taught(void *user, cql_status st, cqln_link *link, const cqln_conn_event *ev)
{
    lesson *l = user;
    cqln_node *n = l->node;
    cqln_lesson_end end = {.prepared = l->prepared};
    cqln_list waiting;
    cqln_list *at;
    end.answered = st != CQL_TIMEOUT && st != CQL_CLOSED;
    end.status = st ? st : learn(l->prepared, link, ev, &end);
    cqln_list_init(&waiting);
    cqln_list_move(&waiting, &l->waiting);
    cql_prepared *held = cql_prepared_ref(l->prepared);
    bool eager = l->eager;
    n->teaching -= eager;
    drop_lesson(l);
    bool misfit = end.status == CQL_PREPARED_CHANGED && !end.new_id.len && !cqln_prepared_retired(held);
    if (misfit && eager && cqln_list_empty(&waiting))
        ask_another(n, held);
    else if (misfit)
        retire(n->cluster, held);
    while ((at = cqln_list_pop(&waiting)) != NULL)
        cqln_request_taught(CQLN_CONTAINER(at, cqln_request, queue), link, &end);
    cql_prepared_unref(held);
    if (eager && end.answered)
        teach_more(n);
}

/* On v5 the statement is prepared in the keyspace that it was first prepared in, whatever the
 * connection's is now. */
static lesson *begin(cqln_node *n, cqln_link *link, cql_prepared *p, bool eager, cql_status *st)
{
    cqln_cluster *c = n->cluster;
    cqln_writer env;
    lesson *l = cqln_alloc_zero(c->al, sizeof *l);
    *st = CQL_NO_MEMORY;
    if (!l)
        return NULL;
    l->node = n;
    l->prepared = cql_prepared_ref(p);
    l->eager = eager;
    cqln_list_init(&l->waiting);
    cqln_list_push(&n->lessons, &l->link);
    cqln_writer_init(&env, c->al, (size_t)1 << 28);
    cqln_encode_prepare(&env, cqln_conn_version(link->conn), p->cql, p->keyspace);
    *st = cqln_inner_send(&c->loop, link, &env, cqln_config_patience(c->config), on_taught, l, &l->inner);
    if (*st) {
        drop_lesson(l);
        return NULL;
    }
    n->teaching += eager;
    cqln_meter_count(c->meter, CQL_METRIC_REPREPARES);
    cqln_meter_count(n->meter, CQL_METRIC_REPREPARES);
    return l;
}

static void teach_more(cqln_node *n)
{
    cqln_cluster *c = n->cluster;
    uint64_t first = c->lessons.end - c->lessons.count;
    if (n->taught < first)
        n->taught = first;
    while (n->teaching < AT_ONCE && n->taught < c->lessons.end && !n->removed) {
        cql_prepared *p = *place_of(c, n->taught);
        cql_status st;
        cqln_link *link = find_lesson(n, p) ? NULL : cqln_nodes_pick(c, n, NULL);
        if (link && !begin(n, link, p, true, &st))
            return;
        n->taught++; /* without a free stream it is left to the first request that needs it */
    }
}

void cqln_lessons_begin(cqln_node *n)
{
    n->taught = 0;
    teach_more(n);
}

cql_status cqln_lessons_await(cqln_request *req, cqln_link *link, cql_prepared *p)
{
    cql_status st = CQL_OK;
    lesson *l = find_lesson(cqln_link_node(link), p);
    if (!l)
        l = begin(cqln_link_node(link), link, p, false, &st);
    if (l)
        cqln_list_push(&l->waiting, &req->queue);
    return st;
}

void cqln_lessons_repeat(cqln_link *link, cql_prepared *p)
{
    cql_status st;
    if (!find_lesson(cqln_link_node(link), p))
        begin(cqln_link_node(link), link, p, false, &st);
}
