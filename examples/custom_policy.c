/* custom_policy.c: policies of one's own: which node a request goes to, and what follows an error.
 *
 *   custom_policy [cql://HOST[:PORT]/?loop_threads=0]
 *
 * The balancing policy keeps to the replica with the fewest requests in flight, all other nodes behind; the
 * retry policy tries what is marked idempotent once more, on another node, whatever failed. */
#include <cqlnative/cql.h>
#include <stdio.h>

typedef struct counts {
    unsigned plans;
    unsigned errors;
} counts;

static size_t put_least_busy_first(const cql_balancing_query *q, uint16_t *order, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (q->in_flight(q, order[i]) < q->in_flight(q, order[best]))
            best = i;
    uint16_t first = order[best];
    order[best] = order[0];
    order[0] = first;
    return count;
}

/* Called for every attempt, on the session's loop: quick, and nothing but a decision. */
static size_t plan(void *self, const cql_balancing_query *q, uint16_t *order, size_t cap)
{
    counts *c = self;
    size_t count = 0;
    c->plans++;
    for (size_t i = 0; i < q->replica_count && count < cap; i++)
        if (q->nodes[q->replicas[i]].distance == CQL_DISTANCE_LOCAL)
            order[count++] = q->replicas[i];
    if (count > 1)
        put_least_busy_first(q, order, count);
    for (size_t i = 0; i < q->node_count && count < cap; i++)
        order[count++] = (uint16_t)((i + q->random) % q->node_count); /* twice is no harm */
    return count;
}

static cql_retry_verdict on_error(void *self, const cql_retry_info *info)
{
    counts *c = self;
    c->errors++;
    return info->idempotent && info->retries == 0 ? CQL_RETRY_NEXT_HOST : CQL_RETRY_NO;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/?loop_threads=0";
    counts count = {0, 0};
    const cql_balancing_policy balancing = {sizeof balancing, &count, NULL, plan};
    const cql_retry_policy retry = {sizeof retry, &count, on_error};
    cql_options *options = NULL;
    cql_session *s = NULL;
    cql_statement *stmt = NULL;
    cql_error *err = NULL;

    cql_status st = cql_options_new(NULL, &options);
    if (st == CQL_OK)
        st = cql_options_parse(options, url, &err);
    if (st == CQL_OK)
        st = cql_options_set_balancing_policy(options, &balancing);
    if (st == CQL_OK)
        st = cql_options_set_retry_policy(options, &retry);
    if (st == CQL_OK)
        st = cql_session_new(options, &s, &err);
    if (st == CQL_OK)
        st = cql_session_connect_wait(s, &err);
    if (st == CQL_OK)
        st = cql_statement_new("SELECT key FROM system.local", 0, NULL, &stmt);
    cql_statement_set_idempotent(stmt, true); /* else it is not sent again; NULL is fine */
    for (int i = 0; st == CQL_OK && i < 10; i++)
        st = cql_session_execute_wait(s, stmt, NULL, &err);
    if (st == CQL_OK)
        printf("10 requests, %u plans, %u errors\n", count.plans, count.errors);
    else
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    cql_statement_free(stmt);
    cql_session_free(s);
    cql_options_free(options);
    cql_error_unref(err);
    return st != CQL_OK;
}
