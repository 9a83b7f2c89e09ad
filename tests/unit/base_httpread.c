/* Answers of HTTP: right ones in pieces of every size, and one test for each way to be wrong. */
#include "unit.h"

#include "base/httpread.h"

enum { CAP = 4096 };

static char body[CAP];

typedef struct answer {
    cql_status status;
    unsigned code;
    size_t len;
    char why[CQLN_HTTP_WHY];
} answer;

/* In pieces of `step` bytes, each in a block of its own, and then the end. */
static answer read_answer(const char *text, size_t len, size_t step)
{
    static cqln_http h;
    answer a = {CQL_OK, 0, 0, ""};
    cqln_http_init(&h, body, sizeof body);
    for (size_t at = 0; at < len && a.status == CQL_OK; at += step) {
        size_t n = len - at < step ? len - at : step;
        guard g;
        guard_init(&g, n);
        a.status = cqln_http_take(&h, guard_place(&g, text + at, n), n);
        guard_fini(&g);
    }
    if (a.status == CQL_OK)
        a.status = cqln_http_end(&h);
    if (a.status)
        assert_int_equal(cqln_http_take(&h, "HTTP/1.1 200 OK\r\n\r\n", 19), CQL_MALFORMED);
    assert_true(cqln_http_done(&h) == (a.status == CQL_OK));
    a.code = h.code;
    a.len = h.len;
    memcpy(a.why, h.why, sizeof a.why);
    return a;
}

static void assert_body(const char *text, unsigned code, const char *wanted)
{
    size_t len = strlen(text);
    for (size_t step = 1; step <= len; step++) {
        answer a = read_answer(text, len, step);
        if (a.status || a.code != code || a.len != strlen(wanted) || memcmp(body, wanted, a.len) != 0)
            fail_msg("%s\nsteps of %zu: %d %s, code %u, body %.*s", text, step, a.status, a.why, a.code,
                     (int)a.len, body);
    }
}

static void bodies_of_each_form_are_read(void **state)
{
    (void)state;
    assert_body("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello");
    assert_body("HTTP/1.0 200\r\nX: y\r\n\r\nto the end", 200, "to the end");
    assert_body("HTTP/1.1 200 OK\r\ncontent-length:5\r\nCONTENT-LENGTH: 5 \r\n\r\nhello and more", 200,
                "hello");
    assert_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n02;a=b\r\nlo\r\n0\r\nT: x\r\n\r\n",
                200, "hello");
    assert_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "");
    assert_body("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Encoding: identity\r\n\r\n", 200, "");
    assert_body("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404, "no");
    assert_body("HTTP/1.1 204 No Content\r\n\r\n", 204, "");
    assert_body("HTTP/1.1 100 Continue\r\nContent-Length: 7\r\n\r\nHTTP/1.1 103 Early\r\n\r\n"
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
                200, "x");
}

static void wrong(const char *text, const char *words)
{
    answer a = read_answer(text, strlen(text), 3);
    if (a.status != CQL_MALFORMED || !strstr(a.why, words))
        fail_msg("%s\n%d \"%s\", not \"%s\"", text, a.status, a.why, words);
}

#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_LINE "Transfer-Encoding: chunked\r\n\r\n"

static void a_wrong_head_is_refused(void **state)
{
    (void)state;
    static const char none[] = "it is no answer of HTTP/1.1", line[] = "a header line that is none";
    static const char length[] = "Content-Length is no number";
    wrong("", "it is empty");
    wrong("\x15\x03\x01\x02\x02\x02", none);
    wrong("SSH-2.0-OpenSSH_9.2\r\n", none);
    wrong("HTTP/2 200\r\n\r\n", none);
    wrong("HTTP/1.1 20\r\n\r\n", none);
    wrong("HTTP/1.1 2000\r\n\r\n", none);
    wrong("HTTP/1.1 600 X\r\n\r\n", none);
    wrong("HTTP/1.2 200 OK\r\n\r\n", none);
    wrong("HTTP/1.1  200 OK\r\n\r\n", none);
    wrong("HTTP/1.1 200 OK\n\n", none);
    wrong("\r\nHTTP/1.1 200 OK\r\n\r\n", none);
    wrong("HTTP/1.1 101 Switching\r\n\r\n", "another protocol");
    wrong(OK_LINE "X: y\nZ: 1\r\n\r\n", line);
    wrong(OK_LINE "X: \rZ: 1\r\n\r\n", line);
    wrong(OK_LINE "X: \x01\r\n\r\n", line);
    wrong(OK_LINE "X: \x7f\r\n\r\n", line);
    wrong(OK_LINE "X\r\n\r\n", line);
    wrong(OK_LINE ": x\r\n\r\n", line);
    wrong(OK_LINE "X : y\r\n\r\n", line);
    wrong(OK_LINE "X: y\r\n folded\r\n\r\n", line);
    wrong(OK_LINE "Content-Length: \r\n\r\n", length);
    wrong(OK_LINE "Content-Length: -1\r\n\r\n", length);
    wrong(OK_LINE "Content-Length: 0x5\r\n\r\n", length);
    wrong(OK_LINE "Content-Length: 5, 5\r\n\r\n", length);
    wrong(OK_LINE "Content-Length: 9999999999\r\n\r\n", length);
    wrong(OK_LINE "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", length);
    wrong(OK_LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "its length in two ways");
    wrong(OK_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", "its Transfer-Encoding is none");
    wrong(OK_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
          "its Transfer-Encoding is none");
    wrong(OK_LINE "Content-Encoding: gzip\r\n\r\n", "its body is packed");
}

static void a_wrong_body_is_refused(void **state)
{
    (void)state;
    static const char size[] = "the size of a chunk is no number", middle[] = "it ends in the middle";
    wrong(OK_LINE "Content-Length: 6\r\n\r\nhello", middle);
    wrong(OK_LINE "Content-Length: 4097\r\n\r\nhello", middle);
    wrong(CHUNKED "5\r\nhello\r\n", middle);
    wrong(CHUNKED "5\r\nhello\r\n0\r\n", middle);
    wrong(CHUNKED "5\r\nhello!\r\n0\r\n\r\n", "a chunk is longer than it says");
    wrong(CHUNKED "5\r\nhello!x\r\n0\r\n\r\n", "a chunk is longer than it says");
    wrong(CHUNKED "\r\n", size);
    wrong(CHUNKED "x\r\n", size);
    wrong(CHUNKED "-1\r\n", size);
    wrong(CHUNKED "5 5\r\n", size);
    wrong(CHUNKED "12345678\r\n", size);
    wrong(CHUNKED "ffffffffffffffff1\r\n", size);
}

static void what_has_no_end_is_refused(void **state)
{
    (void)state;
    enum { MUCH = 20000 };
    static char text[MUCH + 1];
    memset(text, 'x', MUCH);
    wrong(text, "it has a line that is too long");
    for (size_t i = 0; i + 6 <= MUCH; i += 6)
        memcpy(text + i, "X: y\r\n", 6);
    memcpy(text, OK_LINE "A", 18);
    wrong(text, "its headers are too long");
    for (size_t i = 0; i + 25 <= MUCH; i += 25)
        memcpy(text + i, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    wrong(text, "its headers are too long");
    memset(text, 'x', MUCH);
    memcpy(text, OK_LINE "\r\n", 19);
    wrong(text, "its body is too long");
    memcpy(text, OK_LINE "Content-Length: 19000\r\n\r\n", 42);
    wrong(text, "its body is too long");
    memcpy(text, CHUNKED "1001\r\n", 53);
    wrong(text, "its body is too long");
}

static void read_cut(const uint8_t *bytes, size_t len, void *user)
{
    (void)user;
    answer a = read_answer((const char *)bytes, len, 7);
    assert_int_equal(a.status, CQL_MALFORMED);
    assert_string_equal(a.why, len ? "it ends in the middle" : "it is empty");
}

static void an_answer_cut_at_every_byte_is_refused(void **state)
{
    (void)state;
    static const char length[] = OK_LINE "Content-Length: 5\r\nX: y\r\n\r\nhello";
    static const char chunked[] = CHUNKED "3\r\nhel\r\n2\r\nlo\r\n0\r\nT: x\r\n\r\n";
    guard_each_cut(length, sizeof length - 1, read_cut, NULL);
    guard_each_cut(chunked, sizeof chunked - 1, read_cut, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_of_each_form_are_read), cmocka_unit_test(a_wrong_head_is_refused),
        cmocka_unit_test(a_wrong_body_is_refused), cmocka_unit_test(what_has_no_end_is_refused),
        cmocka_unit_test(an_answer_cut_at_every_byte_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
