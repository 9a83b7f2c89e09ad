/* Replication maps. */
#include "meta/replication.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

void cqln_replication_init(cqln_replication *r)
{
    memset(r, 0, sizeof *r);
}

static cql_str last_part(cql_str name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '.')
            return (cql_str){name.ptr + i, name.len - i};
    return name;
}

static const struct {
    const char *name;
    cqln_strategy strategy;
} strategies[] = {{"LocalStrategy", CQLN_STRATEGY_LOCAL},
                  {"EverywhereStrategy", CQLN_STRATEGY_EVERYWHERE},
                  {"SimpleStrategy", CQLN_STRATEGY_SIMPLE},
                  {"NetworkTopologyStrategy", CQLN_STRATEGY_TOPOLOGY}};

static cqln_strategy strategy_of(cql_str class_name)
{
    cql_str last = last_part(class_name);
    for (size_t i = 0; i < CQL_COUNT(strategies); i++)
        if (cql_str_equal(last, cql_str_of(strategies[i].name)))
            return strategies[i].strategy;
    return CQLN_STRATEGY_UNKNOWN;
}

/* Numbers that are too large count as the largest: more copies than nodes are as many as nodes. */
static bool parse_number(cql_str text, uint16_t *out)
{
    uint32_t v = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        v = v * 10 + (uint32_t)(text.ptr[i] - '0');
        if (v > CQLN_COPIES_MAX)
            v = CQLN_COPIES_MAX;
    }
    *out = (uint16_t)v;
    return true;
}

static bool parse_copies(cql_str text, cqln_copies *out)
{
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    if (!slash)
        return parse_number(text, &out->all);
    size_t before = (size_t)(slash - text.ptr);
    return parse_number((cql_str){text.ptr, before}, &out->all) &&
           parse_number((cql_str){slash + 1, text.len - before - 1}, &out->transient) &&
           out->transient <= out->all;
}

void cqln_replication_add(cqln_replication *r, cql_str key, cql_str value)
{
    cqln_copies copies = {key, 0, 0};
    if (cql_str_equal(key, cql_str_of("class"))) {
        r->strategy = strategy_of(value);
        return;
    }
    if (r->count < CQLN_REPLICATION_DCS && parse_copies(value, &copies))
        r->copies[r->count++] = copies;
}

static bool is_again(const cqln_replication *r, uint32_t kept, cql_str dc)
{
    for (uint32_t i = 0; i < kept; i++)
        if (cql_str_equal(r->copies[i].dc, dc))
            return true;
    return false;
}

void cqln_replication_end(cqln_replication *r)
{
    static const char factor[] = "replication_factor";
    uint32_t kept = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        bool is_factor = cql_str_equal(r->copies[i].dc, cql_str_of(factor));
        /* With the topology strategy a factor has been spread over the data centres already. */
        if (is_factor == (r->strategy == CQLN_STRATEGY_SIMPLE) &&
            !is_again(r, kept, r->copies[i].dc))
            r->copies[kept++] = r->copies[i];
    }
    r->count = kept;
    if (r->strategy == CQLN_STRATEGY_SIMPLE) {
        r->count = kept > 1 ? 1 : kept;
        r->copies[0].dc = (cql_str){NULL, 0};
        if (kept == 0)
            r->strategy = CQLN_STRATEGY_UNKNOWN;
    } else if (r->strategy != CQLN_STRATEGY_TOPOLOGY) {
        r->count = 0;
    }
}

bool cqln_replication_equal(const cqln_replication *a, const cqln_replication *b)
{
    if (a->strategy != b->strategy || a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!cql_str_equal(a->copies[i].dc, b->copies[i].dc) ||
            a->copies[i].all != b->copies[i].all ||
            a->copies[i].transient != b->copies[i].transient)
            return false;
    return true;
}

void cqln_replication_print(const cqln_replication *r, char *out, size_t cap)
{
    const char *name = "an unknown strategy";
    for (size_t i = 0; i < CQL_COUNT(strategies); i++)
        if (strategies[i].strategy == r->strategy)
            name = strategies[i].name;
    int made = snprintf(out, cap, "%s", name);
    size_t at = made > 0 ? (size_t)made : 0;
    for (uint32_t i = 0; i < r->count && at + 1 < cap; i++) {
        const cqln_copies *c = &r->copies[i];
        char dc[100], part[8] = "";
        cqln_escape(dc, sizeof dc, c->dc);
        if (c->transient)
            snprintf(part, sizeof part, "/%u", c->transient);
        made = snprintf(out + at, cap - at, " %s%s%u%s", dc, c->dc.len ? ":" : "", c->all, part);
        at += made > 0 ? (size_t)made : 0;
    }
}
