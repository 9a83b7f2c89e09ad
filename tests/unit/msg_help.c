#include "msg_help.h"

#include "base/alloc.h"

unsigned msg_touch(cql_str s)
{
    unsigned sum = 0;
    for (size_t i = 0; i < s.len; i++)
        sum = sum * 31 + (unsigned char)s.ptr[i];
    return sum;
}

static void *meter_malloc(void *context, size_t size)
{
    msg_meter *m = context;
    m->bytes += size;
    m->live++;
    return malloc(size);
}

static void *meter_realloc(void *context, void *block, size_t size)
{
    msg_meter *m = context;
    m->bytes += size;
    if (!block)
        m->live++;
    return realloc(block, size);
}

static void meter_free(void *context, void *block)
{
    msg_meter *m = context;
    if (block)
        m->live--;
    free(block);
}

void msg_meter_init(msg_meter *m)
{
    *m = (msg_meter){.al = {m, meter_malloc, meter_realloc, meter_free}};
}

typedef struct cut_run {
    msg_decode decode;
    void *user;
    const size_t *ends;
} cut_run;

static void one_cut(const uint8_t *bytes, size_t len, void *user)
{
    const cut_run *run = user;
    cql_status expected = CQL_MALFORMED;
    for (const size_t *end = run->ends; end && *end; end++) {
        if (*end == len)
            expected = CQL_OK;
    }
    cql_status st = run->decode(bytes, len, cqln_alloc_default(), run->user);
    if (st != expected)
        fail_msg("cut at %zu: %s", len, cql_status_text(st));
}

void msg_cuts(const char *golden, msg_decode decode, void *user, const size_t *ends)
{
    hex h = hex_bytes(golden);
    cut_run run = {decode, user, ends};
    guard_each_cut(h.data, h.len, one_cut, &run);
    hex_free(&h);
}

static void one_hostile(const uint8_t *bytes, size_t len, msg_decode decode, void *user,
                        size_t per_byte)
{
    msg_meter m;
    msg_meter_init(&m);
    cql_status st = decode(bytes, len, &m.al, user);
    if (st != CQL_OK && st != CQL_MALFORMED)
        fail_msg("%s", cql_status_text(st));
    assert_int_equal(m.live, 0);
    assert_true(m.bytes <= len * per_byte + 16384);
}

void msg_hostile(const char *golden, msg_decode decode, void *user, size_t per_byte)
{
    static const uint32_t values[] = {0,          1,          2,          0x7f,       0x80,
                                      0xff,       0xffff,     0x7fff,     0x10000,    0xffffff,
                                      0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x40000001};
    hex h = hex_bytes(golden);
    guard g;
    guard_init(&g, h.len);
    for (size_t width = 1; width <= 4; width *= 2) {
        for (size_t at = 0; at + width <= h.len; at++) {
            for (size_t i = 0; i < CQL_COUNT(values); i++) {
                uint8_t *p = guard_place(&g, h.data, h.len);
                for (size_t b = 0; b < width; b++)
                    p[at + b] = (uint8_t)(values[i] >> (8 * (width - 1 - b)));
                one_hostile(p, h.len, decode, user, per_byte);
            }
        }
    }
    guard_fini(&g);
    hex_free(&h);
}

void msg_torture(const char *golden, msg_decode decode, void *user)
{
    hex h = hex_bytes(golden);
    guard g;
    guard_init(&g, h.len + 3);
    const uint8_t *p = guard_place(&g, h.data, h.len);
    assert_int_equal(decode(p, h.len, cqln_alloc_default(), user), CQL_OK);
    guard_fini(&g);
    hex_free(&h);
    msg_cuts(golden, decode, user, NULL);
    msg_hostile(golden, decode, user, 100);
}
