/* inet.c: addresses as text. */
#include "types/inet.h"

#include "base/bytes.h"

enum { GROUPS = 8 };

static void print_four(cqln_sink *out, const uint8_t *p)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            cqln_sink_char(out, '.');
        cqln_sink_int(out, p[i], 1);
    }
}

/* The longest run of at least two groups that are zero: where it starts and ends. */
static void longest_zeros(const uint16_t groups[GROUPS], int *from, int *to)
{
    *from = *to = 0;
    for (int i = 0; i < GROUPS; i++) {
        int end = i;
        while (end < GROUPS && groups[end] == 0)
            end++;
        if (end - i >= 2 && end - i > *to - *from) {
            *from = i;
            *to = end;
        }
    }
}

static void print_group(cqln_sink *out, unsigned group)
{
    static const char digits[] = "0123456789abcdef";
    for (int shift = 12; shift >= 0; shift -= 4)
        if (shift == 0 || group >> shift)
            cqln_sink_char(out, digits[group >> shift & 0x0f]);
}

void cqln_print_inet(cqln_sink *out, cql_str address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *p = (const uint8_t *)address.ptr;
    if (address.len == 4) {
        print_four(out, p);
        return;
    }
    if (memcmp(p, mapped, sizeof mapped) == 0) {
        cqln_sink_text(out, "::ffff:");
        print_four(out, p + sizeof mapped);
        return;
    }
    uint16_t groups[GROUPS];
    int from;
    int to;
    for (int i = 0; i < GROUPS; i++)
        groups[i] = cqln_load_u16(p + 2 * i);
    longest_zeros(groups, &from, &to);
    for (int i = 0; i < GROUPS; i++) {
        if (i == from && to > from) {
            cqln_sink_text(out, "::");
            i = to - 1;
            continue;
        }
        if (i > 0 && i != to)
            cqln_sink_char(out, ':');
        print_group(out, groups[i]);
    }
}
