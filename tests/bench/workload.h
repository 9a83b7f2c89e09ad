/*
 * What is asked and answered: one table, three statements, rows that follow from their id.
 *
 * The responder, the floor and the client take everything from here, so they agree on every cell
 * and each client can prove that it read the right ones.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_KEYSPACE "bench"
#define BENCH_TABLE    "rows"
#define BENCH_COLUMNS  "name, number, id, at, data"

#define BENCH_INSERT "INSERT INTO bench.rows (" BENCH_COLUMNS ") VALUES (?, ?, ?, ?, ?)"
#define BENCH_SELECT "SELECT " BENCH_COLUMNS " FROM bench.rows WHERE id = ?"
#define BENCH_PAGE   "SELECT " BENCH_COLUMNS " FROM bench.rows"

enum { BENCH_DATA_SIZE = 100, BENCH_PAGE_ROWS = 5000, BENCH_TEMPLATES = 64 };

enum bench_workload { WORKLOAD_INSERT, WORKLOAD_SELECT, WORKLOAD_PAGE };

/* One row of bench.rows (name text, number int, id bigint PRIMARY KEY, at timestamp, data blob). */
typedef struct bench_row {
    const char *name;
    size_t name_size;
    int32_t number;
    int64_t id;
    int64_t at;
    const uint8_t *data; /* BENCH_DATA_SIZE bytes */
} bench_row;

/* The row with this id: its cells but for the id are one of 64 sets, so making one costs nothing.
 */
bench_row bench_row_of(int64_t id);

/* Fills the 64 sets. Call it once, first. */
void bench_workload_init(void);

const char *bench_workload_name(enum bench_workload w);

/*
 * What "reads a cell" means in the floor and in the client alike: the number, or the length and the
 * ends of a string. Every cell is added to a sum that the caller compares with bench_row_sum.
 */
static inline uint64_t sum_bytes(const uint8_t *p, size_t n)
{
    return n ? n + p[0] + p[n - 1] : 0;
}

static inline uint64_t sum_cells(const uint8_t *name, size_t name_size, int32_t number, int64_t id,
                                 int64_t at, const uint8_t *data, size_t data_size)
{
    return sum_bytes(name, name_size) + (uint64_t)number + (uint64_t)id + (uint64_t)at +
           sum_bytes(data, data_size);
}

static inline uint64_t bench_row_sum(int64_t id)
{
    bench_row r = bench_row_of(id);
    return sum_cells((const uint8_t *)r.name, r.name_size, r.number, r.id, r.at, r.data,
                     BENCH_DATA_SIZE);
}

/* The sum over rows first … first + n - 1. */
uint64_t bench_rows_sum(int64_t first, uint64_t n);

#endif
