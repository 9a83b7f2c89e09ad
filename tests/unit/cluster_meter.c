/* Buckets of latencies, classes of errors, and the text made of a snapshot. */
#include "api/metrics.h"
#include "unit.h"

#include <math.h>

static void every_latency_is_within_its_bucket(void **state)
{
    (void)state;
    unsigned last = 0;
    for (uint64_t us = 0; us <= UINT32_MAX; us = us < 4096 ? us + 1 : us + us / 97) {
        unsigned b = cqln_meter_bucket((uint32_t)us);
        assert_true(b >= last && b < CQLN_METER_BUCKETS);
        assert_true(cqln_meter_bound(b) <= us && us < cqln_meter_bound(b + 1));
        assert_true(cqln_meter_bound(b + 1) - cqln_meter_bound(b) <= us / 8 + 1);
        last = b;
    }
    assert_in_range(last, CQLN_METER_BUCKETS - 2, CQLN_METER_BUCKETS - 1);
    assert_int_equal(cqln_meter_bucket(UINT32_MAX), CQLN_METER_BUCKETS - 1);
    for (unsigned b = 0; b < CQLN_METER_BUCKETS; b++) {
        assert_int_equal(cqln_meter_bucket((uint32_t)cqln_meter_bound(b)), b);
        assert_int_equal(cqln_meter_bucket((uint32_t)cqln_meter_bound(b + 1) - 1), b);
    }
}

static void every_status_has_a_class(void **state)
{
    (void)state;
#define CLASSIFY(name, number, text) {name, #name},
    static const struct {
        cql_status st;
        const char *name;
    } all[] = {CQL_STATUS_MAP(CLASSIFY)};
    for (size_t i = 0; i < CQL_COUNT(all); i++) {
        cql_metric class = cqln_meter_class(all[i].st);
        if (all[i].st == CQL_OK)
            assert_int_equal(class, CQL_METRIC_COUNT);
        else
            assert_true(class >= CQL_METRIC_ERROR_TIMEOUT && class < CQL_METRIC_COUNT);
    }
    assert_int_equal(cqln_meter_class(CQL_TIMEOUT), CQL_METRIC_ERROR_TIMEOUT);
    assert_int_equal(cqln_meter_class(CQL_NO_HOST), CQL_METRIC_ERROR_CONNECTION);
    assert_int_equal(cqln_meter_class(CQL_SERVER_OVERLOADED), CQL_METRIC_ERROR_OVERLOADED);
    assert_int_equal(cqln_meter_class(CQL_SERVER_CAS_WRITE_UNKNOWN),
                     CQL_METRIC_ERROR_SERVER_TIMEOUT);
    assert_int_equal(cqln_meter_class(CQL_STATUS_OF_SERVER(0x7777)), CQL_METRIC_ERROR_OTHER);
}

static cql_metrics *snapshot(size_t nodes)
{
    cql_metrics *m = calloc(1, sizeof *m + nodes * sizeof m->nodes[0]);
    m->al = cqln_alloc_default();
    m->count = nodes;
    return m;
}

static void add(cqln_reading *r, uint32_t us, uint64_t times)
{
    r->buckets[cqln_meter_bucket(us)] += times;
    r->count += times;
    r->sum_us += us * times;
    if (us > r->max_us)
        r->max_us = us;
}

static void shares_of_answers_are_found(void **state)
{
    (void)state;
    cql_latency l;
    cql_metrics *m = snapshot(0);
    assert_int_equal(cql_metrics_quantile(m, CQL_METRICS_SESSION, 0.5), 0);
    assert_true(cql_metrics_latency(m, CQL_METRICS_SESSION, &l));
    assert_int_equal(l.count + l.mean_us + l.p50_us + l.max_us, 0);
    add(&m->session, 100, 500);
    add(&m->session, 1000, 400);
    add(&m->session, 50000, 99);
    add(&m->session, 900000, 1);
    assert_true(cql_metrics_latency(m, CQL_METRICS_SESSION, &l));
    assert_int_equal(l.count, 1000);
    assert_int_equal(l.max_us, 900000);
    assert_int_equal(l.mean_us, (100 * 500 + 1000 * 400 + 50000 * 99 + 900000) / 1000);
    assert_in_range(l.p50_us, 100 - 100 / 8, 100 + 100 / 8);
    assert_in_range(l.p90_us, 1000 - 1000 / 8, 1000 + 1000 / 8);
    assert_in_range(l.p99_us, 50000 - 50000 / 8, 50000 + 50000 / 8);
    assert_in_range(l.p999_us, 50000 - 50000 / 8, 50000 + 50000 / 8);
    assert_in_range(cql_metrics_quantile(m, CQL_METRICS_SESSION, 1), 800000, 900000);
    assert_in_range(cql_metrics_quantile(m, CQL_METRICS_SESSION, 7), 800000, 900000);
    assert_in_range(cql_metrics_quantile(m, CQL_METRICS_SESSION, -1), 90, 110);
    assert_in_range(cql_metrics_quantile(m, CQL_METRICS_SESSION, (double)NAN), 90, 110);
    assert_false(cql_metrics_latency(m, 0, &l));
    assert_int_equal(cql_metrics_quantile(m, 3, 0.5), 0);
    assert_int_equal(cql_metrics_value(m, 3, CQL_METRIC_REQUESTS), 0);
    assert_int_equal(cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_COUNT), 0);
    assert_int_equal(cql_metrics_value(NULL, 0, CQL_METRIC_REQUESTS), 0);
    assert_string_equal(cql_metric_name(CQL_METRIC_COUNT), "");
    assert_string_equal(cql_metric_name(CQL_METRIC_IN_FLIGHT), "in_flight");
    free(m);
}

/* Each line is a comment, or name, optional labels, blank, number: and no line twice. */
static void check_lines(char *text)
{
    char *seen[4000];
    size_t count = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (line[0] == '#') {
            assert_true(strncmp(line, "# HELP cqlnative_", 17) == 0 ||
                        strncmp(line, "# TYPE cqlnative_", 17) == 0);
        } else {
            char *blank = strrchr(line, ' ');
            assert_non_null(blank);
            assert_true(strspn(blank + 1, "0123456789.") == strlen(blank + 1));
            *blank = '\0';
            assert_true(strncmp(line, "cqlnative_", 10) == 0);
            assert_true(!strchr(line, '{') || blank[-1] == '}');
        }
        for (size_t i = 0; i < count; i++)
            if (strcmp(seen[i], line) == 0)
                fail_msg("twice: %s", line);
        assert_true(count < CQL_COUNT(seen));
        seen[count++] = line;
    }
}

static void prometheus_text_is_escaped_and_bounded(void **state)
{
    (void)state;
    cql_host_info hosts[2] = {{.address = "127.0.0.1:9042", .data_center = "dc\"1\\", .rack = "r\n1"},
                              {.address = "[::1]:9042", .data_center = "d", .rack = "r"}};
    cql_metrics *m = snapshot(2);
    m->nodes[0].host = &hosts[0];
    m->nodes[1].host = &hosts[1];
    m->session.values[CQL_METRIC_REQUESTS] = 12345;
    m->nodes[1].values[CQL_METRIC_ERROR_OVERLOADED] = 77;
    add(&m->session, 100, 3);
    add(&m->session, 1000, 2);
    add(&m->session, 2000000, 1);
    char none[2] = "x";
    assert_int_equal(cql_metrics_prometheus(NULL, none, sizeof none), 0); /* no snapshot: no text */
    assert_string_equal(none, "");
    size_t len = cql_metrics_prometheus(m, NULL, 0);
    assert_true(len > 1000);
    char *text = malloc(len + 1);
    assert_int_equal(cql_metrics_prometheus(m, text, len + 1), len);
    assert_int_equal(strlen(text), len);
    assert_int_equal(text[len - 1], '\n');
    assert_non_null(strstr(text, "\ncqlnative_requests_total 12345\n"));
    assert_non_null(strstr(text, "node=\"127.0.0.1:9042\",dc=\"dc\\\"1\\\\\",rack=\"r\\n1\""));
    assert_non_null(strstr(text, "cqlnative_node_errors_total{node=\"[::1]:9042\",dc=\"d\",rack=\"r\","
                                 "class=\"overloaded\"} 77\n"));
    assert_non_null(strstr(text, "cqlnative_latency_seconds_bucket{le=\"0.000128\"} 3\n"));
    assert_non_null(strstr(text, "cqlnative_latency_seconds_bucket{le=\"0.001024\"} 5\n"));
    assert_non_null(strstr(text, "cqlnative_latency_seconds_bucket{le=\"67.108864\"} 6\n"));
    assert_non_null(strstr(text, "cqlnative_latency_seconds_bucket{le=\"+Inf\"} 6\n"));
    assert_non_null(strstr(text, "cqlnative_latency_seconds_sum 2.002300\n"));
    assert_non_null(strstr(text, "cqlnative_latency_seconds_count 6\n"));
    for (size_t cap = 0; cap <= len; cap += 1 + cap / 3) { /* never a byte more than there is room */
        char *out = malloc(cap + 1);
        out[cap] = 'x';
        assert_int_equal(cql_metrics_prometheus(m, out, cap), len);
        if (cap) {
            assert_memory_equal(out, text, cap - 1);
            assert_int_equal(out[cap - 1], '\0');
        }
        assert_int_equal(out[cap], 'x');
        free(out);
    }
    check_lines(text);
    free(text);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_latency_is_within_its_bucket),
        cmocka_unit_test(every_status_has_a_class),
        cmocka_unit_test(shares_of_answers_are_found),
        cmocka_unit_test(prometheus_text_is_escaped_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
