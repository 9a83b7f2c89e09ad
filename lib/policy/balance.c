/* The order of nodes, stage by stage. */
#include "policy/balance.h"

enum { STAGES = 12 };

static const cqln_reason stages[STAGES] = {
    {true, false, CQLN_NEAR_RACK},   {true, false, CQLN_NEAR_LOCAL},
    {false, false, CQLN_NEAR_RACK},  {false, false, CQLN_NEAR_LOCAL},
    {true, true, CQLN_NEAR_RACK},    {true, true, CQLN_NEAR_LOCAL},
    {false, true, CQLN_NEAR_RACK},   {false, true, CQLN_NEAR_LOCAL},
    {true, false, CQLN_NEAR_REMOTE}, {false, false, CQLN_NEAR_REMOTE},
    {true, true, CQLN_NEAR_REMOTE},  {false, true, CQLN_NEAR_REMOTE},
};

static uint32_t draw(cqln_plan *p, uint32_t below)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((p->random >> 32) * below >> 32);
}

/* --- replicas ------------------------------------------------------------------------------------- */

static inline bool is_slow(const cqln_peers *peers, uint32_t node)
{
    const cqln_peer *peer = &peers->peer[node];
    return peer->slow || (peer->room && peers->load(peers->context, node) >= peer->room);
}

static inline bool belongs(const cqln_peers *peers, uint32_t node, const cqln_reason *stage, bool ring)
{
    const cqln_peer *peer = &peers->peer[node];
    uint8_t near = ring && peer->near == CQLN_NEAR_RACK ? CQLN_NEAR_LOCAL : peer->near;
    return near == stage->near && peer->up && is_slow(peers, node) == stage->slow;
}

static void hold_replicas(cqln_plan *p, const cqln_reason *stage)
{
    bool ring = p->wish->choice == CQLN_CHOICE_RING;
    p->left = 0;
    p->at = 0;
    for (uint32_t i = 0; i < p->replica_count; i++)
        if (belongs(p->peers, p->wish->replicas[i], stage, ring))
            p->held[p->left++] = p->wish->replicas[i];
}

static uint32_t choose(cqln_plan *p)
{
    uint32_t a = draw(p, p->left);
    if (p->wish->choice == CQLN_CHOICE_SHUFFLE)
        return a;
    uint32_t b = draw(p, p->left - 1);
    b += b >= a;
    const cqln_peers *peers = p->peers;
    return peers->load(peers->context, p->held[b]) < peers->load(peers->context, p->held[a]) ? b : a;
}

static uint32_t take_replica(cqln_plan *p)
{
    if (p->wish->choice == CQLN_CHOICE_RING) {
        p->left--;
        return p->held[p->at++];
    }
    uint32_t i = p->left > 1 ? choose(p) : 0;
    uint32_t node = p->held[i];
    p->held[i] = p->held[--p->left];
    return node;
}

static bool is_replica(const cqln_plan *p, uint32_t node)
{
    for (uint32_t i = 0; i < p->replica_count; i++)
        if (p->wish->replicas[i] == node)
            return true;
    return false;
}

/* --- the others ----------------------------------------------------------------------------------- */

static bool next_other(cqln_plan *p, const cqln_reason *stage, uint32_t *node)
{
    const cqln_peers *peers = p->peers;
    uint32_t begin = stage->near == CQLN_NEAR_RACK ? 0 : peers->ends[stage->near - 1];
    uint32_t count = peers->ends[stage->near] - begin;
    while (p->left > 0) {
        uint32_t i = p->at + p->wish->turn % count;
        uint32_t n = peers->ready[begin + (i < count ? i : i - count)];
        p->at++;
        p->left--;
        if (is_slow(peers, n) == stage->slow && !is_replica(p, n)) {
            *node = n;
            return true;
        }
    }
    return false;
}

/* --- the plan ------------------------------------------------------------------------------------- */

static void enter_stage(cqln_plan *p)
{
    const cqln_reason *stage = &stages[p->stage];
    if (stage->replica) {
        hold_replicas(p, stage);
        return;
    }
    uint32_t begin = stage->near == CQLN_NEAR_RACK ? 0 : p->peers->ends[stage->near - 1];
    p->left = p->peers->ends[stage->near] - begin;
    p->at = 0;
}

void cqln_plan_begin(cqln_plan *p, const cqln_peers *peers, const cqln_wish *wish)
{
    uint32_t n = 0, max = wish->replica_count;
    p->peers = peers;
    p->wish = wish;
    p->random = wish->random;
    if (max > CQLN_PLAN_REPLICAS)
        max = CQLN_PLAN_REPLICAS;
    while (n < max && wish->replicas[n] < peers->count)
        n++;
    p->replica_count = n;
    p->stage = 0;
    enter_stage(p);
}

bool cqln_plan_next(cqln_plan *p, uint32_t *node, cqln_reason *why)
{
    while (p->stage < STAGES) {
        const cqln_reason *stage = &stages[p->stage];
        bool found = p->left > 0;
        if (found && stage->replica)
            *node = take_replica(p);
        else if (found)
            found = next_other(p, stage, node);
        if (found) {
            if (why) {
                *why = *stage;
                why->near = (cqln_near)p->peers->peer[*node].near;
            }
            return true;
        }
        do
            p->stage++;
        while (p->stage < STAGES && p->wish->local_only &&
               stages[p->stage].near == CQLN_NEAR_REMOTE);
        if (p->stage < STAGES)
            enter_stage(p);
    }
    return false;
}
