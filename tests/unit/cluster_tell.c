/* What the log is told of a node that fails again and again. */
#include "cluster/tell.h"

#include "cluster/cluster.h"
#include "unit.h"

static uint64_t clock_ms;
static char said[200];
static unsigned lines;

static uint64_t now(cqln_io *io)
{
    (void)io;
    return clock_ms;
}

static void take_line(void *user, cql_log_level level, cql_str text)
{
    (void)user;
    lines += level == CQL_LOG_WARN;
    snprintf(said, sizeof said, "%.*s", (int)text.len, text.ptr);
}

static void a_failure_that_repeats_is_said_every_ten_seconds(void **state)
{
    (void)state;
    static const cqln_io_ops ops = {.now = now};
    static cqln_cluster c;
    static cqln_node n = {.cluster = &c, .address_text = "127.0.0.1:9042"};
    cqln_io io = {.ops = &ops};
    cqln_log log = {.fn = take_line, .level = CQL_LOG_WARN};
    c.loop.io = &io;
    c.loop.log = &log;
    for (clock_ms = 0; clock_ms < 10000; clock_ms += 1000) {
        cqln_tell_failure(&n, "refused");
        assert_int_equal(lines, 1);
    }
    assert_string_equal(said, "connection to 127.0.0.1:9042: refused");
    clock_ms = 10001;
    cqln_tell_failure(&n, "refused again");
    assert_int_equal(lines, 2);
    assert_string_equal(said, "connection to 127.0.0.1:9042: refused again (and 9 more failures before)");
    clock_ms = 20000;
    cqln_tell_failure(&n, "refused");
    assert_int_equal(lines, 2);
    clock_ms = 30002;
    cqln_tell_failure(&n, "reset");
    assert_string_equal(said, "connection to 127.0.0.1:9042: reset (and 1 more failures before)");
    clock_ms = 50000; /* nothing was kept back */
    cqln_tell_failure(&n, "reset");
    assert_string_equal(said, "connection to 127.0.0.1:9042: reset");
    /* Of all loops, the first one tells. */
    c.number = 1;
    clock_ms = 70000;
    cqln_tell_failure(&n, "reset");
    assert_int_equal(lines, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_that_repeats_is_said_every_ten_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
