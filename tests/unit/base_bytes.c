/* The bounded reader and the growing writer. */
#include "unit.h"

#include "base/bytes.h"

static void reader_reads_big_endian(void **state)
{
    (void)state;
    hex in = hex_bytes("ff  0102  03040506  ffffffff  0708090a0b0c0d0e  aabb");
    cqln_reader rd;
    cqln_reader_init(&rd, in.data, in.len);
    assert_int_equal(cqln_read_u8(&rd), 0xff);
    assert_int_equal(cqln_read_u16(&rd), 0x0102);
    assert_int_equal(cqln_read_u32(&rd), 0x03040506);
    assert_int_equal(cqln_read_i32(&rd), -1);
    assert_true(cqln_read_u64(&rd) == UINT64_C(0x0708090a0b0c0d0e));
    assert_int_equal(cqln_reader_left(&rd), 2);
    const uint8_t *rest = cqln_read_bytes(&rd, 2);
    assert_ptr_equal(rest, in.data + in.len - 2);
    assert_false(rd.failed);
    hex_free(&in);
}

static void read_all(const uint8_t *bytes, size_t len, void *user)
{
    (void)user;
    cqln_reader rd;
    cqln_reader_init(&rd, bytes, len);
    cqln_read_u8(&rd);
    cqln_read_u16(&rd);
    cqln_read_u32(&rd);
    cqln_read_u64(&rd);
    cqln_read_bytes(&rd, 3);
    assert_true(rd.failed);
    assert_int_equal(cqln_reader_left(&rd), 0);
}

static void reader_cut_at_every_length_fails(void **state)
{
    (void)state;
    static const uint8_t bytes[1 + 2 + 4 + 8 + 3];
    guard_each_cut(bytes, sizeof bytes, read_all, NULL);
}

static void reader_failure_is_sticky(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3};
    cqln_reader rd;
    cqln_reader_init(&rd, bytes, sizeof bytes);
    assert_int_equal(cqln_read_u32(&rd), 0);
    assert_true(rd.failed);
    assert_int_equal(cqln_read_u8(&rd), 0);
    assert_null(cqln_read_bytes(&rd, 0));
    assert_int_equal(cqln_read_u16(&rd), 0);
    assert_true(cqln_read_u64(&rd) == 0);
}

static void reader_takes_no_bytes_and_huge_lengths(void **state)
{
    (void)state;
    cqln_reader rd;
    cqln_reader_init(&rd, NULL, 0);
    assert_int_equal(cqln_reader_left(&rd), 0);
    assert_int_equal(cqln_read_u8(&rd), 0);
    assert_true(rd.failed);
    static const uint8_t bytes[] = {1, 2};
    cqln_reader_init(&rd, bytes, sizeof bytes);
    assert_ptr_equal(cqln_read_bytes(&rd, 0), bytes);
    assert_null(cqln_read_bytes(&rd, SIZE_MAX));
    assert_true(rd.failed);
    cqln_reader_init(&rd, bytes, sizeof bytes);
    cqln_reader_fail(&rd);
    assert_null(cqln_read_bytes(&rd, 1));
}

/* From one guarded place to another: a byte too much on either side would be seen. */
static void copy_one(const uint8_t *bytes, size_t len, void *user)
{
    uint8_t to[72];
    (void)user;
    memset(to, 0xee, sizeof to);
    cqln_copy(to + 1, bytes, len);
    assert_memory_equal(to + 1, bytes, len);
    assert_int_equal(to[0], 0xee);
    assert_int_equal(to[1 + len], 0xee);
}

static void every_length_is_copied(void **state)
{
    (void)state;
    uint8_t bytes[70];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i + 1);
    guard_each_cut(bytes, sizeof bytes, copy_one, NULL);
}

static void writer_writes_big_endian(void **state)
{
    (void)state;
    cqln_writer wr;
    cqln_writer_init(&wr, cqln_alloc_default(), 1000);
    cqln_write_u8(&wr, 0xff);
    cqln_write_u16(&wr, 0x0102);
    cqln_write_u32(&wr, 0x03040506);
    cqln_write_u64(&wr, UINT64_C(0x0708090a0b0c0d0e));
    cqln_write_bytes(&wr, "hi", 2);
    cqln_write_bytes(&wr, NULL, 0);
    assert_hex(wr.data, wr.len, "ff 0102 03040506 0708090a0b0c0d0e 6869");
    cqln_writer_patch_u32(&wr, 1, 0xa0b0c0d0);
    cqln_writer_patch_u32(&wr, wr.len - 4, 0x11223344);
    cqln_writer_patch_u32(&wr, wr.len - 3, 0);
    cqln_writer_patch_u32(&wr, SIZE_MAX, 0);
    assert_hex(wr.data, wr.len, "ff a0b0c0d0 0506 0708090a0b0c 11223344");
    cqln_writer_fini(&wr);
    assert_null(wr.data);
}

static void writer_stops_at_its_cap_and_stays_stopped(void **state)
{
    (void)state;
    cqln_writer wr;
    cqln_writer_init(&wr, cqln_alloc_default(), 10);
    cqln_write_u64(&wr, 1);
    cqln_write_u16(&wr, 2);
    assert_int_equal(wr.status, CQL_OK);
    cqln_write_u8(&wr, 3);
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    assert_int_equal(wr.len, 10);
    cqln_write_bytes(&wr, NULL, 0);
    cqln_writer_fail(&wr, CQL_NO_MEMORY);
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    cqln_writer_patch_u32(&wr, 0, 7);
    assert_hex(wr.data, wr.len, "0000000000000001 0002");
    cqln_writer_reset(&wr);
    cqln_write_u8(&wr, 9);
    assert_int_equal(wr.status, CQL_OK);
    assert_hex(wr.data, wr.len, "09");
    assert_false(cqln_writer_reserve(&wr, SIZE_MAX));
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    cqln_writer_fini(&wr);
}

static void writer_keeps_what_is_written_while_it_grows(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cqln_writer wr;
    cqln_writer_init(&wr, &f.al, 100000);
    for (uint32_t i = 0; i < 25000; i++)
        cqln_write_u32(&wr, i * 2654435761u);
    assert_int_equal(wr.status, CQL_OK);
    assert_int_equal(wr.len, 100000);
    assert_true(wr.cap <= 100000);
    assert_true(atomic_load(&f.requests) < 12);
    for (uint32_t i = 0; i < 25000; i++)
        assert_int_equal(cqln_load_u32(wr.data + 4 * i), i * 2654435761u);
    cqln_writer_fini(&wr);
    assert_int_equal(atomic_load(&f.live), 0);
}

static cql_status write_much(const cql_allocator *al, void *user)
{
    (void)user;
    static const uint8_t block[700];
    cqln_writer wr;
    cqln_writer_init(&wr, al, 1 << 20);
    cqln_write_u8(&wr, 1);
    for (int i = 0; i < 5; i++)
        cqln_write_bytes(&wr, block, sizeof block);
    cqln_write_u16(&wr, 2);
    cqln_write_u64(&wr, 2);
    cql_status st = wr.status;
    cqln_writer_fini(&wr);
    return st;
}

static void writer_reports_want_of_memory(void **state)
{
    (void)state;
    assert_true(failmalloc_each(write_much, NULL, false) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_reads_big_endian),
        cmocka_unit_test(reader_cut_at_every_length_fails),
        cmocka_unit_test(reader_failure_is_sticky),
        cmocka_unit_test(reader_takes_no_bytes_and_huge_lengths),
        cmocka_unit_test(every_length_is_copied),
        cmocka_unit_test(writer_writes_big_endian),
        cmocka_unit_test(writer_stops_at_its_cap_and_stays_stopped),
        cmocka_unit_test(writer_keeps_what_is_written_while_it_grows),
        cmocka_unit_test(writer_reports_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
