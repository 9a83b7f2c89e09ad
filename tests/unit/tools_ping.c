/* Figures of cqlping, its line for Nagios, and which statements it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/histogram.h"
#include "ping/load.h"
#include "ping/nagios.h"
#include "ping/prometheus.h"
#include "ping/query.h"
#include "ping/raw.h"
#include "ping/stats.h"

#include <stdlib.h>
#include <string.h>

static void percentiles_are_nearest_ranks(void **state)
{
    (void)state;
    uint64_t v[100];
    for (size_t i = 0; i < 100; i++)
        v[i] = i + 1;
    assert_int_equal(ping_percentile(v, 100, 50), 50);
    assert_int_equal(ping_percentile(v, 100, 99), 99);
    assert_int_equal(ping_percentile(v, 100, 100), 100);
    assert_int_equal(ping_percentile(v, 100, 0), 1);
    assert_int_equal(ping_percentile(v, 1, 50), 1);
    assert_int_equal(ping_percentile(v, 2, 50), 1);
    assert_int_equal(ping_percentile(v, 3, 50), 2);
    assert_int_equal(ping_percentile(v, 10, 99), 10);
    assert_int_equal(ping_percentile(v, 99, 99), 99);
}

static void a_summary_has_loss_and_times(void **state)
{
    (void)state;
    static const uint64_t times[] = {700, 300, 500, 100, 900};
    ping_stats st = {0};
    ping_summary s;
    for (size_t i = 0; i < 5; i++)
        ping_stats_add(&st, times[i]);
    st.sent = 8;
    ping_stats_summary(&st, &s);
    assert_int_equal(s.sent, 8);
    assert_int_equal(s.answered, 5);
    assert_int_equal(s.lost, 3);
    assert_true(s.loss_percent > 37.4 && s.loss_percent < 37.6);
    assert_true(s.has_times);
    assert_int_equal(s.min_us, 100);
    assert_int_equal(s.avg_us, 500);
    assert_int_equal(s.p50_us, 500);
    assert_int_equal(s.p99_us, 900);
    assert_int_equal(s.max_us, 900);
    ping_stats_free(&st);
}

static void without_answers_there_are_no_times(void **state)
{
    (void)state;
    ping_stats st = {0};
    ping_summary s;
    ping_stats_summary(&st, &s);
    assert_false(s.has_times);
    assert_true(s.loss_percent == 0.0);
    st.sent = 3;
    ping_stats_summary(&st, &s);
    assert_false(s.has_times);
    assert_int_equal(s.lost, 3);
    assert_true(s.loss_percent == 100.0);
    ping_stats_free(&st);
}

static void a_long_run_keeps_the_last_answers(void **state)
{
    (void)state;
    ping_stats st = {0};
    ping_summary s;
    for (uint64_t i = 0; i < 2 * PING_STATS_KEPT; i++)
        ping_stats_add(&st, i < PING_STATS_KEPT ? 1000000 : 5);
    st.sent = 2 * PING_STATS_KEPT;
    ping_stats_summary(&st, &s);
    assert_int_equal(st.kept_count, PING_STATS_KEPT);
    assert_int_equal(s.p99_us, 5);
    assert_int_equal(s.max_us, 1000000);
    assert_int_equal(s.min_us, 5);
    assert_int_equal(s.lost, 0);
    ping_stats_free(&st);
}

/* --- nagios --------------------------------------------------------------------------------------
 */

static char target_a[] = "a:9042", target_b[] = "b", release[] = "5.0.6\033";

static ping_node node_with(const ping_config *config, char *target, uint64_t sent,
                           uint64_t answered, uint64_t micros)
{
    ping_node n = {.config = config, .target = target, .protocol = 5};
    n.identity.release = release;
    n.given_up = answered == 0;
    n.stats.sent = sent;
    for (uint64_t i = 0; i < answered; i++)
        ping_stats_add(&n.stats, micros);
    return n;
}

static void expect_nagios(ping_node *nodes, size_t count, int code, const char *line)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(ping_nagios(out, nodes, count), code);
    fclose(out);
    assert_string_equal(text, line);
    free(text);
    for (size_t i = 0; i < count; i++)
        ping_stats_free(&nodes[i].stats);
}

static void nagios_gets_one_line(void **state)
{
    (void)state;
    ping_config config = {.warning_us = 10000, .critical_us = 50000};
    ping_node fine[] = {node_with(&config, target_a, 1, 1, 1234)};
    expect_nagios(fine, 1, 0,
                  "CQLPING OK - a:9042 Cassandra 5.0.6\\x1b protocol v5 1.234 ms |"
                  " 'a:9042 rtt'=1.234ms;10;50;0 'a:9042 loss'=0.0%;;;0;100\n");
    ping_node slow[] = {node_with(&config, target_a, 1, 1, 10001)};
    expect_nagios(slow, 1, 1,
                  "CQLPING WARNING - a:9042 Cassandra 5.0.6\\x1b protocol v5 10.001 ms |"
                  " 'a:9042 rtt'=10.001ms;10;50;0 'a:9042 loss'=0.0%;;;0;100\n");
    ping_node slowest[] = {node_with(&config, target_a, 1, 1, 50001)};
    expect_nagios(slowest, 1, 2,
                  "CQLPING CRITICAL - a:9042 Cassandra 5.0.6\\x1b protocol v5 50.001 ms |"
                  " 'a:9042 rtt'=50.001ms;10;50;0 'a:9042 loss'=0.0%;;;0;100\n");
}

static void nagios_takes_the_worst_of_several(void **state)
{
    (void)state;
    ping_config config = {0};
    ping_node pair[] = {node_with(&config, target_a, 2, 1, 1000),
                        node_with(&config, target_b, 1, 0, 0)};
    expect_nagios(pair, 2, 2,
                  "CQLPING CRITICAL - a:9042 Cassandra 5.0.6\\x1b protocol v5 1.000 ms 50.0% lost,"
                  " b does not answer | 'a:9042 rtt'=1.000ms;;;0 'a:9042 loss'=50.0%;;;0;100"
                  " 'b loss'=100.0%;;;0;100\n");
    ping_node denied[] = {node_with(&config, target_b, 1, 0, 0)};
    denied[0].failure = TOOL_EXIT_DENIED;
    expect_nagios(denied, 1, 2,
                  "CQLPING CRITICAL - b refused the log-in | 'b loss'=100.0%;;;0;100\n");
    ping_node stopped[] = {node_with(&config, target_b, 0, 0, 0)};
    stopped[0].given_up = false;
    expect_nagios(stopped, 1, 3, "CQLPING UNKNOWN - b does not answer | 'b loss'=0.0%;;;0;100\n");
}

/* --- statements ----------------------------------------------------------------------------------
 */

static void only_statements_that_read_are_taken(void **state)
{
    (void)state;
    static const char *const reads[] = {"SELECT * FROM t",
                                        "select\n1",
                                        "  -- why\n SELECT now() FROM system.local",
                                        "/* a */ // b\nDESCRIBE TABLES",
                                        "desc keyspaces",
                                        "LIST ROLES",
                                        "SELECT(1)",
                                        "select*"};
    static const char *const others[] = {"",
                                         "INSERT INTO t (a) VALUES (1)",
                                         "UPDATE t SET a=1",
                                         "-- SELECT\nDROP TABLE t",
                                         "selection",
                                         "/* SELECT",
                                         "BEGIN BATCH",
                                         "USE ks",
                                         "SELECT_x",
                                         "--",
                                         "TRUNCATE t",
                                         "/*SELECT*/ DELETE a"};
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++)
        if (!ping_is_read_only(reads[i]))
            fail_msg("refused: %s", reads[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (ping_is_read_only(others[i]))
            fail_msg("taken: %s", others[i]);
}

static void what_a_load_may_repeat(void **state)
{
    (void)state;
    assert_true(ping_may_repeat("select 1"));
    assert_true(ping_may_repeat("-- x\n INSERT INTO t"));
    assert_true(ping_may_repeat("/* */UPDATE t"));
    assert_true(ping_may_repeat("DELETE FROM t"));
    assert_false(ping_may_repeat("DELETED"));
    assert_false(ping_may_repeat("TRUNCATE t"));
    assert_false(ping_may_repeat("DROP TABLE t"));
    assert_false(ping_may_repeat(""));
}

/* A server that stands still: all that was due meanwhile has waited. */
static void percentiles_of_a_histogram(void **state)
{
    (void)state;
    tool_histogram *h = calloc(1, sizeof *h);
    assert_non_null(h);
    assert_int_equal(tool_histogram_at(h, 50), 0);
    for (uint64_t i = 0; i < 900; i++)
        tool_histogram_add(h, 500);
    for (uint64_t i = 0; i < 100; i++)
        tool_histogram_add(h, 1000000 - i * 10000);
    assert_int_equal(tool_histogram_at(h, 0), 500);
    assert_in_range(tool_histogram_at(h, 50), 500, 508);
    assert_in_range(tool_histogram_at(h, 90), 500, 508);
    assert_in_range(tool_histogram_at(h, 95), 500000, 520000);
    assert_int_equal(tool_histogram_at(h, 100), 1000000);
    free(h);
}

static void add_up(void *user, uint64_t from, uint64_t below, uint64_t count)
{
    assert_true(from < below);
    *(uint64_t *)user += count;
}

static void a_walk_meets_every_value_once(void **state)
{
    (void)state;
    uint64_t sum = 0;
    tool_histogram *h = calloc(1, sizeof *h);
    assert_non_null(h);
    tool_histogram_walk(h, add_up, &sum);
    assert_int_equal(sum, 0);
    for (uint64_t us = 0; us < 300; us++)
        tool_histogram_add(h, us * us * us);
    tool_histogram_walk(h, add_up, &sum);
    assert_int_equal(sum, 300);
    free(h);
}

static const uint8_t supported[] =
    "\0\3"
    "\0\13COMPRESSION\0\2\0\6snappy\0\3lz4"
    "\0\13CQL_VERSION\0\1\0\0053.4.7"
    "\0\21PROTOCOL_VERSIONS\0\2\0\0044/v4\0\0045/v5";

static void offered_options_are_read(void **state)
{
    (void)state;
    char *compression = NULL;
    char *text = ping_supported_text(supported, sizeof supported - 1, &compression);
    assert_string_equal(text, "CQL 3.4.7; protocols 4/v4, 5/v5; compression snappy, lz4");
    assert_string_equal(compression, "snappy, lz4");
    free(text);
    free(compression);
}

/* Each in a block of its own length, so that a byte too far is seen. */
static void offered_options_that_end_early_are_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof supported - 1; len++) {
        char *compression = NULL;
        uint8_t *cut = malloc(len ? len : 1);
        assert_non_null(cut);
        memcpy(cut, supported, len);
        assert_null(ping_supported_text(cut, len, &compression));
        assert_null(compression);
        free(cut);
    }
}

static void figures_are_escaped(void **state)
{
    (void)state;
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    ping_node n;
    memset(&n, 0, sizeof n);
    n.target = (char *)(uintptr_t) "a\"b\\";
    n.address = (char *)(uintptr_t) "x";
    n.identity.release = (char *)(uintptr_t) "5\n0";
    ping_prometheus(out, &n, 1);
    fclose(out);
    assert_non_null(strstr(text, "cqlping_up{target=\"a\\\"b\\\\\"} 0\n"));
    assert_non_null(strstr(text, "release=\"5\\n0\""));
    assert_null(strstr(text, "_seconds{"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_nearest_ranks),
        cmocka_unit_test(a_summary_has_loss_and_times),
        cmocka_unit_test(without_answers_there_are_no_times),
        cmocka_unit_test(a_long_run_keeps_the_last_answers),
        cmocka_unit_test(nagios_gets_one_line),
        cmocka_unit_test(nagios_takes_the_worst_of_several),
        cmocka_unit_test(only_statements_that_read_are_taken),
        cmocka_unit_test(what_a_load_may_repeat),
        cmocka_unit_test(percentiles_of_a_histogram),
        cmocka_unit_test(a_walk_meets_every_value_once),
        cmocka_unit_test(offered_options_are_read),
        cmocka_unit_test(offered_options_that_end_early_are_refused),
        cmocka_unit_test(figures_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
