/* The notations: each input is a list of up to 16 reads (one byte each, ended by 0xff) and the bytes that
 * they read. What was read is written again and must read as the same. */
#include "fuzz.h"

#include "wire/notation.h"

enum { READS = 16, MOST = 1 << 20 };

typedef struct place {
    const uint8_t *start;
    cqln_reader rd;
    cqln_writer wr;
} place;

static void check_view(const place *p, cql_str s)
{
    if (!s.ptr) {
        FUZZ_CHECK(s.len == 0);
        return;
    }
    const uint8_t *at = (const uint8_t *)s.ptr;
    FUZZ_CHECK(at >= p->start && at <= p->rd.end && s.len <= (size_t)(p->rd.end - at));
}

static void check_inet(const place *p, cqln_inet_port a)
{
    FUZZ_CHECK(p->rd.failed || a.len == 4 || a.len == 16);
}

static void read_vint(place *p)
{
    cqln_reader back;
    int64_t v = cqln_read_vint(&p->rd);
    uint8_t bytes[9];
    size_t n = cqln_store_vint(bytes, v);
    FUZZ_CHECK(n >= 1 && n <= 9);
    cqln_reader_init(&back, bytes, n);
    FUZZ_CHECK(cqln_read_vint(&back) == v && !back.failed && cqln_reader_left(&back) == 0);
}

static void read_uvint(place *p)
{
    const uint8_t *from = p->rd.at;
    uint64_t v = cqln_read_uvint(&p->rd);
    uint8_t bytes[9];
    size_t n = cqln_store_uvint(bytes, v);
    FUZZ_CHECK(p->rd.failed || n <= (size_t)(p->rd.at - from));
    cqln_reader back;
    cqln_reader_init(&back, bytes, n);
    FUZZ_CHECK(cqln_read_uvint(&back) == v && !back.failed && cqln_reader_left(&back) == 0);
}

static void read_and_write_text(place *p, uint8_t kind)
{
    const uint8_t *from = p->rd.at;
    cql_str s = {NULL, 0};
    cqln_writer_reset(&p->wr);
    switch (kind) {
    case 0:
        s = cqln_read_string(&p->rd);
        cqln_write_string(&p->wr, s);
        break;
    case 1:
        s = cqln_read_long_string(&p->rd);
        cqln_write_long_string(&p->wr, s);
        break;
    case 2:
        s = cqln_read_short_bytes(&p->rd);
        cqln_write_short_bytes(&p->wr, s);
        break;
    default:
        cqln_read_nbytes(&p->rd, &s);
        cqln_write_nbytes(&p->wr, s);
        break;
    }
    check_view(p, s);
    if (p->rd.failed)
        return;
    size_t used = (size_t)(p->rd.at - from);
    FUZZ_CHECK(p->wr.status == CQL_OK && p->wr.len == used);
    if (s.ptr) /* any negative length is null, and null is written as -1 */
        FUZZ_CHECK(memcmp(p->wr.data, from, used) == 0);
}

static void read_one(place *p, uint8_t kind)
{
    switch (kind % 9) {
    case 4:
        check_inet(p, cqln_read_inet(&p->rd));
        break;
    case 5:
        check_inet(p, cqln_read_inetaddr(&p->rd));
        break;
    case 6:
        cqln_skip_string_list(&p->rd);
        break;
    case 7:
        read_uvint(p);
        break;
    case 8:
        read_vint(p);
        break;
    default:
        read_and_write_text(p, kind % 9);
        break;
    }
    FUZZ_CHECK(p->rd.at >= p->start && p->rd.at <= p->rd.end);
    FUZZ_CHECK(!p->rd.failed || cqln_reader_left(&p->rd) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t reads = 0;
    while (reads < size && reads < READS && data[reads] != 0xff)
        reads++;
    if (reads == size)
        return 0;
    place p;
    p.start = data + reads + 1;
    cqln_reader_init(&p.rd, p.start, size - reads - 1);
    cqln_writer_init(&p.wr, cqln_alloc_default(), MOST);
    for (size_t i = 0; i < reads; i++)
        read_one(&p, data[i]);
    cqln_writer_fini(&p.wr);
    return 0;
}
