/*
 * What it costs to read every cell of a page, beside a bare loop over the same bytes.
 *
 * The page is one answer of 5,000 rows, kept. The library reads it through its row cursor and its typed
 * getters; the bare loop walks the same lengths, swaps the same bytes and takes the same ends of the
 * strings, with nothing checked. Both take turns, so that they meet the same machine, and add up the
 * same sum.
 *
 *     decode --target HOST:PORT [--protocol 4|5] [--workload page]
 *
 * Prints one line of JSON: the shortest pass of each in microseconds, their ratio, and what was
 * allocated. Not the medians: the bare loop waits for memory, the cursor also counts and compares, so
 * another program on the same core, or on the other half of it, slows the one and not the other.
 */
#include <cqlnative/cql.h>
#include <stdio.h>
#include <stdlib.h>

#include "meter.h"
#include "wire.h"

enum { PASSES = 800, WARM = 20 };

static _Noreturn void fail(const char *text, const char *detail)
{
    meter_fail("decode", text, detail);
}

static void check(cql_status st, const char *what, const cql_error *err)
{
    if (st != CQL_OK)
        fail(what, err ? cql_error_text(err) : cql_status_text(st));
}

/* ---- the two ways ---- */

static uint64_t read_with_library(const cql_result *res)
{
    uint64_t sum = 0;
    cql_rows rows;

    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        cql_str name = cql_rows_str(&rows, 0);
        int32_t number = cql_rows_int32(&rows, 1);
        int64_t id = cql_rows_int64(&rows, 2);
        int64_t at = cql_rows_int64(&rows, 3);
        cql_str data = cql_rows_str(&rows, 4);
        sum += sum_cells((const uint8_t *)name.ptr, name.len, number, id, at,
                         (const uint8_t *)data.ptr, data.len);
    }
    check(cql_rows_status(&rows), "rows", NULL);
    return sum;
}

/* The length of the cell at *p; *p moves behind the cell. */
static inline const uint8_t *cell(const uint8_t **p, size_t *n)
{
    const uint8_t *value = *p + 4;

    *n = get_u32(*p);
    *p = value + *n;
    return value;
}

static uint64_t read_bare(const uint8_t *p, size_t rows)
{
    uint64_t sum = 0;

    while (rows--) {
        size_t name_size, data_size, n;
        const uint8_t *name = cell(&p, &name_size);
        int32_t number = (int32_t)get_u32(cell(&p, &n));
        int64_t id = (int64_t)get_u64(cell(&p, &n));
        int64_t at = (int64_t)get_u64(cell(&p, &n));
        const uint8_t *data = cell(&p, &data_size);
        sum += sum_cells(name, name_size, number, id, at, data, data_size);
    }
    return sum;
}

/* ---- measuring ---- */

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The cells of the first row begin with the length of its first. */
static const uint8_t *first_cell(const cql_result *res)
{
    cql_rows rows;

    cql_rows_init(&rows, res);
    if (!cql_rows_next(&rows))
        fail("page", "no rows");
    return (const uint8_t *)cql_rows_str(&rows, 0).ptr - 4;
}

static void measure(const cql_result *res, const bench_options *o)
{
    uint64_t library_ns = UINT64_MAX, bare_ns = UINT64_MAX;
    const uint8_t *cells = first_cell(res);
    uint64_t expected = bench_rows_sum(0, BENCH_PAGE_ROWS);
    static meter m;

    for (int i = -WARM; i < PASSES; i++) {
        if (i == 0)
            meter_begin(&m, o, PASSES);
        uint64_t start = cpu_ns();
        uint64_t sum = read_with_library(res);
        uint64_t middle = cpu_ns();
        uint64_t bare_sum = read_bare(cells, cql_result_row_count(res));
        uint64_t end = cpu_ns();
        if (sum != expected || bare_sum != expected)
            fail("page", "the cells do not add up");
        if (i >= 0) {
            library_ns = middle - start < library_ns ? middle - start : library_ns;
            bare_ns = end - middle < bare_ns ? end - middle : bare_ns;
        }
    }
    meter_end(&m);
    printf("{\"program\":\"decode\",\"protocol\":%u,\"rows\":%d,\"columns\":5,\"passes\":%d,"
           "\"library_us\":%.1f,\"bare_us\":%.1f,\"decode_ratio\":%.3f",
           o->protocol, BENCH_PAGE_ROWS, PASSES, (double)library_ns / 1000, (double)bare_ns / 1000,
           (double)library_ns / (double)bare_ns);
    if (m.counted)
        printf(",\"allocs\":%llu", (unsigned long long)m.counts.allocs);
    printf("}\n");
}

static cql_session *open_session(const bench_options *o)
{
    cql_options *options = NULL;
    cql_session *session = NULL;
    cql_error *err = NULL;
    char protocol[2] = {(char)('0' + o->protocol), 0};

    check(cql_options_new(NULL, &options), "options", NULL);
    check(cql_options_add_contact_point(options, o->host, (uint16_t)o->port), "target", NULL);
    check(cql_options_set(options, "loop_threads", "0", &err), "loop_threads", err);
    check(cql_options_set(options, "protocol", protocol, &err), "protocol", err);
    check(cql_session_new(options, &session, &err), "session", err);
    cql_options_free(options);
    check(cql_session_connect_wait(session, &err), "connect", err);
    return session;
}

int main(int argc, char **argv)
{
    bench_options o;
    cql_error *err = NULL;
    cql_prepared *prepared = NULL;
    cql_result *res = NULL;

    bench_workload_init();
    meter_options(argc, argv, &o);
    cql_session *session = open_session(&o);
    check(cql_session_prepare_wait(session, BENCH_PAGE, &prepared, &err), "prepare", err);
    cql_statement *stmt = cql_prepared_bind(prepared);
    if (!stmt)
        fail("statement", "out of memory");
    check(cql_statement_set_page_size(stmt, BENCH_PAGE_ROWS), "page size", NULL);
    check(cql_session_execute_wait(session, stmt, &res, &err), "page", err);
    measure(res, &o);
    cql_result_unref(res);
    cql_statement_free(stmt);
    cql_prepared_unref(prepared);
    check(cql_session_close_wait(session), "close", NULL);
    cql_session_free(session);
    return 0;
}
