/*
 * The 64 sets of cells behind the rows.
 */
#include "workload.h"

#include <stdio.h>

static struct {
    char name[32];
    size_t name_size;
    int32_t number;
    int64_t at;
    uint8_t data[BENCH_DATA_SIZE];
} sets[BENCH_TEMPLATES];

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

void bench_workload_init(void)
{
    uint64_t state = 0x9e3779b97f4a7c15;

    for (int i = 0; i < BENCH_TEMPLATES; i++) {
        uint64_t r = next_random(&state);
        int n = snprintf(sets[i].name, sizeof sets[i].name, "sensor-%.*s-%02d", (int)(r % 12),
                         "temperature", i);
        sets[i].name_size = (size_t)n;
        sets[i].number = (int32_t)(uint32_t)next_random(&state);
        sets[i].at = 1700000000000 + (int64_t)(next_random(&state) % 86400000);
        for (int b = 0; b < BENCH_DATA_SIZE; b++)
            sets[i].data[b] = (uint8_t)next_random(&state);
    }
}

bench_row bench_row_of(int64_t id)
{
    size_t i = (uint64_t)id % BENCH_TEMPLATES;
    return (bench_row){
        .name = sets[i].name,
        .name_size = sets[i].name_size,
        .number = sets[i].number,
        .id = id,
        .at = sets[i].at,
        .data = sets[i].data,
    };
}

uint64_t bench_rows_sum(int64_t first, uint64_t n)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += bench_row_sum(first + (int64_t)i);
    return sum;
}

const char *bench_workload_name(enum bench_workload w)
{
    static const char *const names[] = {"insert", "select", "page"};
    return names[w];
}
