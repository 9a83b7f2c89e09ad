/* Policies: tables of what happened and what follows. */
#include "policy/budget.h"
#include "policy/latency.h"
#include "policy/reconnect.h"
#include "policy/retry.h"
#include "policy/timestamp.h"
#include "unit.h"

#include <pthread.h>

typedef struct row {
    uint32_t code;
    bool idempotent;
    unsigned retries;
    int32_t received, required;
    bool data;
    const char *write_type;
    cqln_retry expected;
} row;

static void errors_are_retried_by_the_rule(void **state)
{
    (void)state;
    static const row rows[] = {
        {0x1000, false, 0, 1, 2, false, "", CQLN_RETRY_NEXT_HOST},
        {0x1000, true, 1, 1, 2, false, "", CQLN_RETRY_NO},
        {0x1200, false, 0, 2, 2, false, "", CQLN_RETRY_SAME_HOST},
        {0x1200, false, 0, 2, 2, true, "", CQLN_RETRY_NO},
        {0x1200, false, 0, 1, 2, false, "", CQLN_RETRY_NO},
        {0x1200, false, 1, 2, 2, false, "", CQLN_RETRY_NO},
        {0x1100, true, 0, 1, 2, false, "BATCH_LOG", CQLN_RETRY_SAME_HOST},
        {0x1100, false, 0, 1, 2, false, "BATCH_LOG", CQLN_RETRY_NO},
        {0x1100, true, 0, 1, 2, false, "SIMPLE", CQLN_RETRY_NO},
        {0x1100, true, 0, 1, 2, false, "BATCH", CQLN_RETRY_NO},
        {0x1100, true, 0, 1, 2, false, "COUNTER", CQLN_RETRY_NO},
        {0x1100, true, 0, 1, 2, false, "VIEW", CQLN_RETRY_NO},
        {0x1100, true, 0, 1, 2, false, "CDC", CQLN_RETRY_NO},
        {0x1100, true, 0, 1, 2, false, "CAS", CQLN_RETRY_NO},
        {0x1001, true, 0, 0, 0, false, "", CQLN_RETRY_NEXT_HOST},
        {0x1001, false, 0, 0, 0, false, "", CQLN_RETRY_NO},
        {0x0000, true, 3, 0, 0, false, "", CQLN_RETRY_NEXT_HOST},
        {0x0000, false, 0, 0, 0, false, "", CQLN_RETRY_NO},
        {0x1003, true, 0, 0, 0, false, "", CQLN_RETRY_NEXT_HOST},
        {0x1002, false, 7, 0, 0, false, "", CQLN_RETRY_NEXT_HOST_UNCOUNTED},
        {0x1300, true, 0, 0, 2, false, "", CQLN_RETRY_NO},
        {0x1500, true, 0, 0, 2, false, "", CQLN_RETRY_NO},
        {0x1700, true, 0, 0, 2, false, "", CQLN_RETRY_NO},
        {0x2000, true, 0, 0, 0, false, "", CQLN_RETRY_NO},
        {0x2200, true, 0, 0, 0, false, "", CQLN_RETRY_NO},
        {0x9999, true, 0, 0, 0, false, "", CQLN_RETRY_NO},
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        const row *r = &rows[i];
        cqln_attempt a = {r->idempotent, false, false, r->retries};
        cqln_server_error e;
        memset(&e, 0, sizeof e);
        e.code = r->code;
        e.received = r->received;
        e.required = r->required;
        e.data_present = r->data;
        e.write_type = cql_str_of(r->write_type);
        if (cqln_retry_on_error(cql_retry_default(), &a, &e) != r->expected)
            fail_msg("row %zu: code %04x", i, (unsigned)r->code);
    }
}

/* On v5 replicas say why they failed. */
static void read_failures_that_may_pass_are_repeated_once(void **state)
{
    static const struct {
        const char *reasons;
        uint32_t code;
        bool idempotent;
        unsigned retries;
        cqln_retry expected;
    } failures[] = {
        {"04 7f000001 0003", 0x1300, true, 0, CQLN_RETRY_NEXT_HOST},
        {"04 7f000001 0000", 0x1300, true, 0, CQLN_RETRY_NEXT_HOST},
        {"10 00000000000000000000000000000001 0003 04 7f000001 0000", 0x1300, true, 0, CQLN_RETRY_NEXT_HOST},
        {"04 7f000001 0003", 0x1300, true, 1, CQLN_RETRY_NO},
        {"04 7f000001 0003", 0x1300, false, 0, CQLN_RETRY_NO},
        {"04 7f000001 0001", 0x1300, true, 0, CQLN_RETRY_NO},
        {"04 7f000001 0003 04 7f000002 0001", 0x1300, true, 0, CQLN_RETRY_NO},
        {"04 7f000001 0103", 0x1300, true, 0, CQLN_RETRY_NO},
        {"04 7f000001 0004", 0x1300, true, 0, CQLN_RETRY_NO},
        {"", 0x1300, true, 0, CQLN_RETRY_NO},
        {"04 7f000001 0003", 0x1500, true, 0, CQLN_RETRY_NO},
    };
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(failures); i++) {
        cqln_attempt a = {failures[i].idempotent, false, false, failures[i].retries};
        hex h = hex_bytes(failures[i].reasons);
        cqln_server_error e;
        memset(&e, 0, sizeof e);
        e.code = failures[i].code;
        e.reasons = (cql_str){(const char *)h.data, h.len};
        if (cqln_retry_on_error(cql_retry_default(), &a, &e) != failures[i].expected)
            fail_msg("row %zu", i);
        assert_int_equal(cqln_retry_on_error(cql_retry_fall_through(), &a, &e), CQLN_RETRY_NO);
        hex_free(&h);
    }
}

static void lost_request_is_repeated_only_when_that_is_safe(void **state)
{
    (void)state;
    const cql_retry_policy *p = cql_retry_default();
    cqln_attempt idempotent = {true, false, false, 0}, other = {false, false, false, 0};
    assert_int_equal(cqln_retry_on_lost(p, &idempotent, true), CQLN_RETRY_NEXT_HOST);
    assert_int_equal(cqln_retry_on_lost(p, &idempotent, false), CQLN_RETRY_NEXT_HOST);
    assert_int_equal(cqln_retry_on_lost(p, &other, false), CQLN_RETRY_NEXT_HOST);
    assert_int_equal(cqln_retry_on_lost(p, &other, true), CQLN_RETRY_NO);
}

static void fall_through_sends_again_only_what_never_left(void **state)
{
    (void)state;
    const cql_retry_policy *p = cql_retry_fall_through();
    cqln_attempt a = {true, false, false, 0};
    cqln_server_error e;
    memset(&e, 0, sizeof e);
    for (e.code = 0; e.code < 0x2600; e.code += 0x100)
        assert_int_equal(cqln_retry_on_error(p, &a, &e), CQLN_RETRY_NO);
    assert_int_equal(cqln_retry_on_lost(p, &a, true), CQLN_RETRY_NO);
    assert_int_equal(cqln_retry_on_lost(p, &a, false), CQLN_RETRY_NEXT_HOST);
}

static cql_retry_verdict always(void *self, const cql_retry_info *info)
{
    *(cql_retry_info *)self = *info;
    return CQL_RETRY_SAME_HOST;
}

/* A policy of the program's sees the facts, and cannot have a write applied twice. */
static void a_policy_of_ones_own_is_asked_and_kept_in_bounds(void **state)
{
    (void)state;
    cql_retry_info seen;
    cql_retry_policy p = {sizeof p, &seen, always};
    cqln_attempt a = {false, false, false, 3};
    cqln_server_error e;
    memset(&e, 0, sizeof e);
    e.code = 0x1100;
    e.required = 2;
    e.received = 1;
    e.consistency = 6;
    e.write_type = cql_str_of("SIMPLE");
    assert_int_equal(cqln_retry_on_error(&p, &a, &e), CQLN_RETRY_NO);
    assert_int_equal(seen.status, CQL_SERVER_WRITE_TIMEOUT);
    assert_true(seen.maybe_applied && !seen.idempotent);
    assert_int_equal(seen.retries, 3);
    assert_int_equal(seen.required, 2);
    assert_int_equal(seen.received, 1);
    assert_int_equal(seen.consistency, 6);
    assert_true(cql_str_equal(seen.write_type, cql_str_of("SIMPLE")));
    a.idempotent = true;
    assert_int_equal(cqln_retry_on_error(&p, &a, &e), CQLN_RETRY_SAME_HOST);
    a = (cqln_attempt){.maybe_applied = true}; /* refused now, but in doubt from an attempt before */
    e.code = 0x1000;
    assert_int_equal(cqln_retry_on_error(&p, &a, &e), CQLN_RETRY_NO);
    a.maybe_applied = false;
    assert_int_equal(cqln_retry_on_error(&p, &a, &e), CQLN_RETRY_SAME_HOST);
    assert_int_equal(cqln_retry_on_lost(&p, &a, true), CQLN_RETRY_NO);
    a.idempotent = true;
    assert_int_equal(cqln_retry_on_lost(&p, &a, true), CQLN_RETRY_SAME_HOST);
}

static uint64_t take_all(cqln_budget *b, uint64_t requests, uint64_t now)
{
    uint64_t n = 0;
    while (cqln_budget_take(b, requests, now))
        n++;
    return n;
}

static void a_budget_is_a_share_of_the_load(void **state)
{
    (void)state;
    cqln_budget b;
    cqln_budget_init(&b, 10, 5000);
    assert_int_equal(take_all(&b, 0, 5000), 100); /* what is saved at the start */
    assert_int_equal(take_all(&b, 50, 5000), 5);
    assert_int_equal(take_all(&b, 50, 6000), 10); /* one idle second */
    assert_int_equal(take_all(&b, 1000000, 6000), 100); /* no more than may be saved */
    assert_int_equal(take_all(&b, 1000000, 6000 + 86400000), 100);
    cqln_budget_init(&b, 0, 0);
    assert_int_equal(take_all(&b, 0, 0), 100);
    assert_int_equal(take_all(&b, 1000000, 0), 0);
}

static void a_percentile_of_the_answers(void **state)
{
    (void)state;
    static cqln_latency l;
    for (uint64_t i = 1; i < CQLN_LATENCY_ENOUGH; i++)
        cqln_latency_add(&l, 5);
    assert_int_equal(cqln_latency_at(&l, 99, 77), 77); /* too few */
    cqln_latency_add(&l, 5);
    assert_int_equal(cqln_latency_at(&l, 99, 77), 5);
    for (uint64_t i = 0; i < 100; i++)
        cqln_latency_add(&l, 1000);
    assert_int_equal(cqln_latency_at(&l, 50, 77), 5);
    for (uint64_t i = 0; i < 100; i++)
        cqln_latency_add(&l, 1000);
    assert_in_range(cqln_latency_at(&l, 90, 77), 1000, 1125);
    for (uint64_t i = 0; i < 40000; i++) /* times change, the old ones fade */
        cqln_latency_add(&l, 2);
    assert_int_equal(cqln_latency_at(&l, 99, 77), 2);
    cqln_latency_add(&l, UINT64_MAX);
    for (uint64_t i = 0; i < 100; i++)
        cqln_latency_add(&l, 0);
    assert_in_range(cqln_latency_at(&l, 99, 77), 1, 2);
}

static void what_may_have_been_applied_is_said(void **state)
{
    (void)state;
    static const uint32_t maybe[] = {0x0000, 0x1003, 0x1100, 0x1500, 0x1600, 0x1700, 0x1800, 0x9999};
    static const uint32_t never[] = {0x000a, 0x0100, 0x1000, 0x1001, 0x1002, 0x1200,
                                     0x2000, 0x2100, 0x2200, 0x2300, 0x2400, 0x2500};
    cqln_server_error e;
    memset(&e, 0, sizeof e);
    for (size_t i = 0; i < CQL_COUNT(maybe); i++) {
        e.code = maybe[i];
        if (!cqln_error_maybe_applied(&e, false) || !cqln_error_maybe_applied(&e, true))
            fail_msg("%04x may have been applied", (unsigned)maybe[i]);
    }
    for (size_t i = 0; i < CQL_COUNT(never); i++) {
        e.code = never[i];
        if (cqln_error_maybe_applied(&e, false))
            fail_msg("%04x was refused", (unsigned)never[i]);
    }
}

/* Without replicas for the serial phase a conditional statement has not run; without those for the commit it may
 * have: what the level says. */
static void a_conditional_statement_may_be_decided_before_replicas_are_missing(void **state)
{
    (void)state;
    cqln_server_error e;
    memset(&e, 0, sizeof e);
    e.code = 0x1000;
    for (uint16_t level = 0; level <= CQL_CONSISTENCY_LOCAL_ONE; level++) {
        bool serial = level == CQL_CONSISTENCY_SERIAL || level == CQL_CONSISTENCY_LOCAL_SERIAL;
        cqln_attempt a = {.conditional = true};
        e.consistency = level;
        assert_int_equal(cqln_error_maybe_applied(&e, true), !serial);
        assert_false(cqln_error_maybe_applied(&e, false));
        assert_int_equal(cqln_retry_on_error(cql_retry_default(), &a, &e),
                         serial ? CQLN_RETRY_NEXT_HOST : CQLN_RETRY_NO);
    }
}

static void delays_double_up_to_the_maximum_with_jitter(void **state)
{
    (void)state;
    cqln_rand rand;
    cqln_backoff b = {.base_ms = 1000, .max_ms = 60000, .jitter = 15};
    cqln_rand_seed(&rand, 7);
    uint32_t nominal = 1000;
    bool jitter = false;
    for (int i = 0; i < 40; i++) {
        uint32_t d = cqln_backoff_next(&b, &rand);
        assert_in_range(d, nominal / 100 * 85, nominal / 100 * 115 < 60000 ? nominal / 100 * 115 : 60000);
        jitter = jitter || d != nominal;
        nominal = nominal * 2 < 60000 ? nominal * 2 : 60000;
    }
    assert_true(jitter);
    cqln_backoff_reset(&b);
    assert_in_range(cqln_backoff_next(&b, &rand), 850, 1150);
}

static void same_seed_gives_the_same_delays(void **state)
{
    (void)state;
    cqln_rand r1, r2;
    cqln_backoff a = {.base_ms = 1000, .max_ms = 600000, .jitter = 15}, b = a;
    cqln_rand_seed(&r1, 3);
    cqln_rand_seed(&r2, 3);
    for (int i = 0; i < 20; i++)
        assert_int_equal(cqln_backoff_next(&a, &r1), cqln_backoff_next(&b, &r2));
}

/* The sequence of JobSharp's settings: 1 s and 600 s, from a seed; and the same without jitter. */
static void the_sequence_from_one_second_to_ten_minutes(void **state)
{
    static const uint32_t plain[] = {1000,  2000,   4000,   8000,   16000,  32000,
                                     64000, 128000, 256000, 512000, 600000, 600000};
    (void)state;
    cqln_rand rand;
    cqln_backoff even = {.base_ms = 1000, .max_ms = 600000};
    cqln_backoff jittered = {.base_ms = 1000, .max_ms = 600000, .jitter = 20};
    cqln_rand_seed(&rand, 42);
    for (size_t i = 0; i < CQL_COUNT(plain); i++) {
        assert_int_equal(cqln_backoff_next(&even, &rand), plain[i]);
        uint32_t d = cqln_backoff_next(&jittered, &rand);
        uint32_t most = plain[i] / 100 * 120;
        assert_in_range(d, plain[i] / 100 * 80, most < 600000 ? most : 600000);
    }
}

static void a_constant_delay_does_not_grow(void **state)
{
    (void)state;
    cqln_rand rand;
    cqln_backoff b = {.base_ms = 1000, .max_ms = 600000, .constant = true};
    cqln_rand_seed(&rand, 1);
    for (int i = 0; i < 40; i++)
        assert_int_equal(cqln_backoff_next(&b, &rand), 1000);
    b.jitter = 100;
    for (int i = 0; i < 1000; i++)
        assert_in_range(cqln_backoff_next(&b, &rand), 1, 2000);
}

static void clock_rises_when_the_wall_clock_does_not(void **state)
{
    (void)state;
    cqln_clock c = {0};
    assert_int_equal(cqln_clock_next(&c, 100), 100);
    assert_int_equal(cqln_clock_next(&c, 100), 101);
    assert_int_equal(cqln_clock_next(&c, 50), 102);
    assert_int_equal(cqln_clock_next(&c, 1000), 1000);
}

enum { THREADS = 4, STAMPS = 20000 };

typedef struct stamper {
    cqln_clock *clock;
    int64_t stamps[STAMPS];
} stamper;

static void *take_stamps(void *arg)
{
    stamper *s = arg;
    for (int i = 0; i < STAMPS; i++)
        s->stamps[i] = cqln_clock_next(s->clock, 5);
    return NULL;
}

static void stamps_are_unique_over_threads(void **state)
{
    (void)state;
    static stamper s[THREADS];
    static bool seen[THREADS * STAMPS + 8];
    cqln_clock clock = {0};
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++) {
        s[i].clock = &clock;
        pthread_create(&t[i], NULL, take_stamps, &s[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < STAMPS; k++) {
            assert_in_range(s[i].stamps[k], 5, THREADS * STAMPS + 5);
            assert_false(seen[s[i].stamps[k]]);
            assert_true(k == 0 || s[i].stamps[k] > s[i].stamps[k - 1]);
            seen[s[i].stamps[k]] = true;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_retried_by_the_rule),
        cmocka_unit_test(read_failures_that_may_pass_are_repeated_once),
        cmocka_unit_test(lost_request_is_repeated_only_when_that_is_safe),
        cmocka_unit_test(fall_through_sends_again_only_what_never_left),
        cmocka_unit_test(a_policy_of_ones_own_is_asked_and_kept_in_bounds),
        cmocka_unit_test(a_budget_is_a_share_of_the_load),
        cmocka_unit_test(a_percentile_of_the_answers),
        cmocka_unit_test(what_may_have_been_applied_is_said),
        cmocka_unit_test(a_conditional_statement_may_be_decided_before_replicas_are_missing),
        cmocka_unit_test(delays_double_up_to_the_maximum_with_jitter),
        cmocka_unit_test(same_seed_gives_the_same_delays),
        cmocka_unit_test(the_sequence_from_one_second_to_ten_minutes),
        cmocka_unit_test(a_constant_delay_does_not_grow),
        cmocka_unit_test(clock_rises_when_the_wall_clock_does_not),
        cmocka_unit_test(stamps_are_unique_over_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
