/* uuid.c: UUIDs of versions 1 and 4 (RFC 9562).
 *
 * Version 1 in the order in which it is printed:
 *   bytes 0-3 time_low, 4-5 time_mid, 6-7 version and time_high, 8-9 variant and clock sequence,
 *   10-15 node; the time counts 100 ns since 1582-10-15. */
#include "base/bytes.h"
#include "base/osrandom.h"
#include "types/hex.h"

#include <cqlnative/uuid.h>
#include <stdatomic.h>

static const int64_t gregorian_to_unix = INT64_C(0x01b21dd213814000);
static const int64_t ticks_max = (INT64_C(1) << 60) - 1;
static const int64_t ticks_per_ms = 10000;

static void set_version(cql_uuid *u, unsigned version)
{
    u->bytes[6] = (uint8_t)((u->bytes[6] & 0x0f) | version << 4);
}

cql_uuid cql_uuid_random(void)
{
    cql_uuid u;
    cqln_os_random(u.bytes, sizeof u.bytes);
    set_version(&u, 4);
    u.bytes[8] = (uint8_t)((u.bytes[8] & 0x3f) | 0x80);
    return u;
}

/* A version 1 UUID of a tick count and the eight bytes behind it. */
static cql_uuid of_ticks(uint64_t ticks, uint64_t tail)
{
    cql_uuid u;
    cqln_store_u32(u.bytes, (uint32_t)ticks);
    cqln_store_u16(u.bytes + 4, (uint16_t)(ticks >> 32));
    cqln_store_u16(u.bytes + 6, (uint16_t)(ticks >> 48));
    set_version(&u, 1);
    cqln_store_u64(u.bytes + 8, tail);
    return u;
}

/* --- time UUIDs: two words are all that threads share
 * --------------------------------------------- */

static _Atomic(uint64_t) process_tail; /* variant, clock sequence and node; 0: not drawn yet */
static _Atomic(uint64_t) last_ticks;

/* A child process draws a node of its own, since it goes on from the same tick count. */
static void forget_tail(void)
{
    atomic_store_explicit(&process_tail, 0, memory_order_relaxed);
}

static uint64_t draw_tail(void)
{
    static atomic_flag registered = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&registered))
        cqln_os_at_fork(forget_tail);
    uint64_t drawn;
    cqln_os_random(&drawn, sizeof drawn);
    /* Variant 10 in the two highest bits. The multicast bit of the node says that it is no hardware
     * address. */
    drawn = (drawn & UINT64_C(0x3fffffffffffffff)) | UINT64_C(0x8000010000000000);
    uint64_t none = 0;
    /* The first thread that gets here decides for all. */
    return atomic_compare_exchange_strong(&process_tail, &none, drawn) ? drawn : none;
}

/* Each count is given once and is above all given before, also when the clock stands or goes back.
 */
static uint64_t next_ticks(void)
{
    uint64_t now = (uint64_t)(cqln_os_unix_ticks() + gregorian_to_unix);
    uint64_t last = atomic_load_explicit(&last_ticks, memory_order_relaxed);
    uint64_t next;
    do
        next = now > last ? now : last + 1;
    while (!atomic_compare_exchange_weak(&last_ticks, &last, next));
    return next;
}

cql_uuid cql_uuid_time(void)
{
    uint64_t tail = atomic_load_explicit(&process_tail, memory_order_relaxed);
    if (tail == 0)
        tail = draw_tail();
    return of_ticks(next_ticks(), tail);
}

/* --- bounds and readings
 * -------------------------------------------------------------------------- */

/* Ticks since 1582 of a time in ms and an offset below a ms, held to what 60 bits can say. */
static uint64_t ticks_of_ms(int64_t unix_ms, int64_t offset)
{
    if (unix_ms < -gregorian_to_unix / ticks_per_ms)
        return 0;
    if (unix_ms > (ticks_max - gregorian_to_unix) / ticks_per_ms)
        return (uint64_t)ticks_max;
    int64_t ticks = unix_ms * ticks_per_ms + gregorian_to_unix + offset;
    return (uint64_t)(ticks > ticks_max ? ticks_max : ticks);
}

/* The servers order the last eight bytes as signed ones: 80 is the lowest, 7f the highest. */
cql_uuid cql_uuid_min_for(int64_t unix_ms)
{
    return of_ticks(ticks_of_ms(unix_ms, 0), UINT64_C(0x8080808080808080));
}

cql_uuid cql_uuid_max_for(int64_t unix_ms)
{
    return of_ticks(ticks_of_ms(unix_ms, ticks_per_ms - 1), UINT64_C(0x7f7f7f7f7f7f7f7f));
}

int cql_uuid_version(const cql_uuid *uuid)
{
    return uuid ? uuid->bytes[6] >> 4 : 0;
}

cql_status cql_uuid_unix_ms(const cql_uuid *uuid, int64_t *unix_ms)
{
    if (!uuid || !unix_ms)
        return CQL_BAD_ARGUMENT;
    if (cql_uuid_version(uuid) != 1)
        return CQL_BAD_VALUE;
    uint64_t high = cqln_load_u16(uuid->bytes + 6) & 0x0fffu;
    uint64_t middle = cqln_load_u16(uuid->bytes + 4);
    int64_t ticks = (int64_t)(high << 48 | middle << 32 | cqln_load_u32(uuid->bytes));
    ticks -= gregorian_to_unix;
    int64_t ms = ticks / ticks_per_ms;
    *unix_ms = ticks % ticks_per_ms < 0 ? ms - 1 : ms;
    return CQL_OK;
}

/* --- text
 * ----------------------------------------------------------------------------------------- */

enum { UUID_TEXT = CQL_UUID_TEXT_SIZE - 1 };

static bool is_dash_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

cql_status cql_uuid_parse(cql_str text, cql_uuid *out)
{
    if (!out || (!text.ptr && text.len))
        return CQL_BAD_ARGUMENT;
    if (text.len != UUID_TEXT)
        return CQL_BAD_VALUE;
    cql_uuid u;
    size_t n = 0;
    for (size_t i = 0; i < UUID_TEXT; i++) {
        if (is_dash_place(i)) {
            if (text.ptr[i] != '-')
                return CQL_BAD_VALUE;
            continue;
        }
        int high = cqln_hex_digit(text.ptr[i]);
        int low = cqln_hex_digit(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return CQL_BAD_VALUE;
        u.bytes[n++] = (uint8_t)(high * 16 + low);
        i++;
    }
    *out = u;
    return CQL_OK;
}

void cql_uuid_print(const cql_uuid *uuid, char out[CQL_UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    if (!out)
        return;
    out[0] = '\0';
    if (!uuid)
        return;
    for (size_t i = 0; i < sizeof uuid->bytes; i++) {
        if (is_dash_place(n))
            out[n++] = '-';
        out[n++] = digits[uuid->bytes[i] >> 4];
        out[n++] = digits[uuid->bytes[i] & 0x0f];
    }
    out[n] = '\0';
}
