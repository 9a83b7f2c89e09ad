/* The 9-byte envelope header. */
#include "unit.h"

#include "wire/frame.h"

static void decodes_a_response(void **state)
{
    (void)state;
    hex in = hex_bytes("84 0b 8001 08 00010203");
    cqln_frame f;
    assert_int_equal(cqln_frame_decode(in.data, &f), CQL_OK);
    assert_int_equal(f.version, 4);
    assert_true(f.response);
    assert_int_equal(f.flags, CQLN_FLAG_COMPRESSION | CQLN_FLAG_TRACING | CQLN_FLAG_WARNING);
    assert_int_equal(f.stream, -32767);
    assert_int_equal(f.opcode, CQLN_OP_RESULT);
    assert_int_equal(f.length, 0x00010203);
    hex_free(&in);
}

static void decodes_a_request(void **state)
{
    (void)state;
    hex in = hex_bytes("05 10 7fff 0a 7fffffff");
    cqln_frame f;
    assert_int_equal(cqln_frame_decode(in.data, &f), CQL_OK);
    assert_int_equal(f.version, 5);
    assert_false(f.response);
    assert_int_equal(f.flags, CQLN_FLAG_BETA);
    assert_int_equal(f.stream, 32767);
    assert_int_equal(f.opcode, CQLN_OP_EXECUTE);
    assert_int_equal(f.length, INT32_MAX);
    hex_free(&in);
}

static void refuses_a_negative_length(void **state)
{
    (void)state;
    static const char *const headers[] = {"840000000880000000", "8400000008ffffffff"};
    for (size_t i = 0; i < CQL_COUNT(headers); i++) {
        hex in = hex_bytes(headers[i]);
        cqln_frame f = {.version = 77};
        assert_int_equal(cqln_frame_decode(in.data, &f), CQL_MALFORMED);
        assert_int_equal(f.version, 77);
        hex_free(&in);
    }
}

static void touches_nine_bytes(void **state)
{
    (void)state;
    guard g;
    guard_init(&g, CQLN_FRAME_HEADER);
    cqln_frame f;
    uint8_t *at = guard_place(&g, "\x85\0\0\1\2\0\0\0\0", CQLN_FRAME_HEADER);
    assert_int_equal(cqln_frame_decode(at, &f), CQL_OK);
    assert_int_equal(f.opcode, CQLN_OP_READY);
    guard_fini(&g);
}

static void writes_header_and_length(void **state)
{
    (void)state;
    cqln_writer wr;
    cqln_writer_init(&wr, cqln_alloc_default(), 100);
    size_t options = cqln_frame_begin(&wr, 5, 0, CQLN_OP_OPTIONS);
    cqln_frame_end(&wr, options);
    size_t query = cqln_frame_begin(&wr, 4, CQLN_FLAG_TRACING, CQLN_OP_QUERY);
    cqln_write_bytes(&wr, "abc", 3);
    cqln_frame_end(&wr, query);
    assert_hex(wr.data, wr.len, "05 00 0000 05 00000000   04 02 0000 07 00000003 616263");
    cqln_frame back;
    assert_int_equal(cqln_frame_decode(wr.data + query, &back), CQL_OK);
    assert_int_equal(back.length, 3);
    assert_false(back.response);
    cqln_writer_fini(&wr);
}

static void a_failed_writer_stays_failed(void **state)
{
    (void)state;
    cqln_writer wr;
    cqln_writer_init(&wr, cqln_alloc_default(), 8);
    size_t begin = cqln_frame_begin(&wr, 4, 0, CQLN_OP_QUERY);
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    cqln_frame_end(&wr, begin);
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    cqln_writer_fini(&wr);
}

/* The block is not really that large: _end only looks at the numbers. */
static void a_body_of_two_gib_is_too_large(void **state)
{
    (void)state;
    if (SIZE_MAX <= UINT32_MAX)
        return;
    uint8_t block[CQLN_FRAME_HEADER] = {0};
    cqln_writer wr = {.data = block, .len = (size_t)INT32_MAX + CQLN_FRAME_HEADER, .cap = SIZE_MAX};
    cqln_frame_end(&wr, 0);
    assert_int_equal(wr.status, CQL_OK);
    assert_hex(block, sizeof block, "00 00 0000 00 7fffffff");
    wr.len++;
    cqln_frame_end(&wr, 0);
    assert_int_equal(wr.status, CQL_TOO_LARGE);
}

static void opcodes_have_names_and_directions(void **state)
{
    (void)state;
    static const struct {
        uint8_t opcode;
        const char *name;
        bool response;
    } rows[] = {
        {0x00, "ERROR", true},           {0x01, "STARTUP", false},
        {0x02, "READY", true},           {0x03, "AUTHENTICATE", true},
        {0x05, "OPTIONS", false},        {0x06, "SUPPORTED", true},
        {0x07, "QUERY", false},          {0x08, "RESULT", true},
        {0x09, "PREPARE", false},        {0x0a, "EXECUTE", false},
        {0x0b, "REGISTER", false},       {0x0c, "EVENT", true},
        {0x0d, "BATCH", false},          {0x0e, "AUTH_CHALLENGE", true},
        {0x0f, "AUTH_RESPONSE", false},  {0x10, "AUTH_SUCCESS", true},
    };
    size_t known = 0;
    for (unsigned op = 0; op < 256; op++) {
        const char *name = "unknown";
        bool response = false;
        for (size_t i = 0; i < CQL_COUNT(rows); i++) {
            if (rows[i].opcode != op)
                continue;
            name = rows[i].name;
            response = rows[i].response;
            known++;
        }
        assert_string_equal(cqln_opcode_name((uint8_t)op), name);
        assert_int_equal(cqln_opcode_is_response((uint8_t)op), response);
    }
    assert_int_equal(known, CQL_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_a_response),
        cmocka_unit_test(decodes_a_request),
        cmocka_unit_test(refuses_a_negative_length),
        cmocka_unit_test(touches_nine_bytes),
        cmocka_unit_test(writes_header_and_length),
        cmocka_unit_test(a_failed_writer_stays_failed),
        cmocka_unit_test(a_body_of_two_gib_is_too_large),
        cmocka_unit_test(opcodes_have_names_and_directions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
