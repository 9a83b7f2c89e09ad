/* Golden responses: each says what the file tells, whole and byte by byte; cut anywhere it is malformed;
 * with any number in it replaced it is decoded or refused, in bounds and in bounded memory. */
#include "conn_help.h"
#include "golden_help.h"
#include "msg_help.h"

enum { TEXT_MAX = 4096, CONSTANT = 16384 };

static struct {
    size_t frames[256];
    size_t truncations;
    size_t hostile;
    size_t single_bytes;
    size_t flags;
} counts;

typedef struct parts {
    hex h;
    cqln_frame frame;
    const uint8_t *body;
} parts;

static parts take_apart(const golden_frame *g)
{
    parts p = {.h = hex_bytes(g->hex)};
    assert_true(p.h.len >= CQLN_FRAME_HEADER);
    assert_int_equal(cqln_frame_decode(p.h.data, &p.frame), CQL_OK);
    if (p.frame.length != p.h.len - CQLN_FRAME_HEADER)
        fail_msg("%s: the header says %u bytes, there are %zu", g->name, p.frame.length,
                 p.h.len - CQLN_FRAME_HEADER);
    assert_true(p.frame.response);
    p.body = p.h.data + CQLN_FRAME_HEADER;
    return p;
}

static cql_status tell(const parts *p, const uint8_t *body, size_t len, const cql_allocator *al,
                       char *text)
{
    return golden_tell(p->frame.version, p->frame.flags, p->frame.opcode, body, len, al, text,
                       TEXT_MAX);
}

/* --- whole --------------------------------------------------------------------------------------------- */

static void one_whole(const golden_frame *g, void *user)
{
    char text[TEXT_MAX] = "";
    parts p = take_apart(g);
    guard room;
    (void)user;
    guard_init(&room, p.frame.length);
    const uint8_t *body = guard_place(&room, p.body, p.frame.length);
    assert_int_equal(tell(&p, body, p.frame.length, cqln_alloc_default(), text), CQL_OK);
    if (strcmp(text, g->says) != 0)
        fail_msg("%s\n  says     %s\n  expected %s", g->name, text, g->says);
    counts.frames[p.frame.opcode]++;
    counts.flags |= p.frame.flags;
    guard_fini(&room);
    hex_free(&p.h);
}

static void each_says_what_it_means(void **state)
{
    static const uint8_t opcodes[] = {0x00, 0x02, 0x03, 0x06, 0x08, 0x0c, 0x0e, 0x10};
    (void)state;
    size_t n = golden_each("responses.hex", one_whole, NULL);
    assert_true(n >= 200);
    for (size_t i = 0; i < CQL_COUNT(opcodes); i++)
        if (counts.frames[opcodes[i]] < 2)
            fail_msg("no golden %s", cqln_opcode_name(opcodes[i]));
    assert_int_equal(counts.flags, 0x1e); /* trace, payload, warning, beta */
    print_message("golden responses: %zu frames\n", n);
}

/* --- cut ----------------------------------------------------------------------------------------------- */

static void one_cut(const uint8_t *bytes, size_t len, void *user)
{
    static char text[TEXT_MAX];
    const parts *p = user;
    cql_status st = tell(p, bytes, len, cqln_alloc_default(), text);
    if (st != CQL_MALFORMED)
        fail_msg("opcode %d cut at %zu of %u: %s", p->frame.opcode, len, p->frame.length,
                 cql_status_text(st));
    counts.truncations++;
}

static void cut_anywhere(const golden_frame *g, void *user)
{
    parts p = take_apart(g);
    (void)user;
    guard_each_cut(p.body, p.frame.length, one_cut, &p);
    hex_free(&p.h);
}

static void cut_anywhere_it_is_malformed(void **state)
{
    (void)state;
    golden_each("responses.hex", cut_anywhere, NULL);
    print_message("golden responses: %zu truncations\n", counts.truncations);
}

/* --- hostile numbers ------------------------------------------------------------------------------------- */

static void one_hostile(const parts *p, const uint8_t *body, size_t len)
{
    static char text[TEXT_MAX];
    msg_meter m;
    msg_meter_init(&m);
    cql_status st = tell(p, body, len, &m.al, text);
    if (st != CQL_OK && st != CQL_MALFORMED)
        fail_msg("%s", cql_status_text(st));
    assert_int_equal(m.live, 0);
    assert_true(m.bytes <= 8 * len + CONSTANT);
    counts.hostile++;
}

/* Counts and lengths have two or four bytes; any two or four bytes may be one. */
static void with_hostile_numbers(const golden_frame *g, void *user)
{
    static const uint32_t values[] = {0,      0x7fff,     0xffff,     0x10000,
                                      0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    parts p = take_apart(g);
    guard room;
    (void)user;
    guard_init(&room, p.frame.length);
    for (size_t width = 2; width <= 4; width *= 2)
        for (size_t at = 0; at + width <= p.frame.length; at++)
            for (size_t i = 0; i < CQL_COUNT(values); i++) {
                uint8_t *body = guard_place(&room, p.body, p.frame.length);
                if (width == 2)
                    cqln_store_u16(body + at, (uint16_t)values[i]);
                else
                    cqln_store_u32(body + at, values[i]);
                one_hostile(&p, body, p.frame.length);
            }
    guard_fini(&room);
    hex_free(&p.h);
}

static void hostile_numbers_do_no_harm(void **state)
{
    (void)state;
    golden_each("responses.hex", with_hostile_numbers, NULL);
    print_message("golden responses: %zu hostile cases\n", counts.hostile);
}

/* --- one byte at a time ---------------------------------------------------------------------------------- */

typedef struct slow {
    wire_end w[6]; /* by version */
} slow;

static void byte_by_byte(const golden_frame *g, void *user)
{
    slow *s = user;
    parts p = take_apart(g);
    wire_end *w = &s->w[p.frame.version];
    bool event = p.frame.opcode == CQLN_OP_EVENT;
    if (!event)
        cqln_store_u16(p.h.data + 2, (uint16_t)wire_submit(w, w));
    wire_listen(w);
    cqln_writer_reset(&w->heard);
    w->heard_at = 0;
    cqln_write_bytes(&w->say, p.h.data, p.h.len);
    w->step = 1;
    wire_say(w);
    cqln_conn_event ev = wire_event(w, event ? CQLN_CONN_EV_PUSH : CQLN_CONN_EV_RESPONSE);
    assert_int_equal(ev.opcode, p.frame.opcode);
    assert_int_equal(ev.len, p.frame.length);
    if (ev.len)
        assert_memory_equal(ev.body, p.body, ev.len);
    wire_no_event(w);
    counts.single_bytes += p.h.len;
    hex_free(&p.h);
}

static void byte_by_byte_it_is_the_same(void **state)
{
    (void)state;
    slow s;
    for (uint8_t v = 4; v <= 5; v++) {
        wire_with(&s.w[v], v, WITH_EVENTS);
        wire_open(&s.w[v]);
    }
    golden_each("responses.hex", byte_by_byte, &s);
    for (uint8_t v = 4; v <= 5; v++)
        wire_fini(&s.w[v]);
    print_message("golden responses: %zu bytes fed one at a time\n", counts.single_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_says_what_it_means),
        cmocka_unit_test(cut_anywhere_it_is_malformed),
        cmocka_unit_test(hostile_numbers_do_no_harm),
        cmocka_unit_test(byte_by_byte_it_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
