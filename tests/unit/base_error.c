/* The error object, status texts, escaping, UTF-8, the log line. */
#include "unit.h"

#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"

static cql_str str(const char *text)
{
    return cql_str_of(text);
}

static void every_status_has_text_and_name(void **state)
{
    (void)state;
#define CHECK(name, number, text)                                                                  \
    assert_string_equal(cql_status_text(name), text);                                              \
    assert_string_equal(cql_status_name(name), #name);                                             \
    assert_int_equal(name, number);
    CQL_STATUS_MAP(CHECK)
#undef CHECK
    assert_string_equal(cql_status_text((cql_status)99), "unknown status");
    assert_null(cql_status_name((cql_status)99));
    assert_int_equal(CQL_STATUS_OF_SERVER(0x2200), CQL_SERVER_INVALID);
    assert_int_equal(CQL_SERVER_CODE(CQL_SERVER_INVALID), 0x2200);
    assert_int_equal(CQL_SERVER_CODE(CQL_TIMEOUT), -1);
}

static void views_compare_by_bytes(void **state)
{
    (void)state;
    cql_str none = {NULL, 0};
    assert_true(cql_str_equal(str(NULL), none));
    assert_true(cql_str_equal(str(""), none));
    assert_true(cql_str_equal(str("ab"), str("ab")));
    assert_false(cql_str_equal(str("ab"), str("ac")));
    assert_false(cql_str_equal(str("ab"), str("abc")));
}

static void error_says_everything(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cqln_error_info info = {
        .status = CQL_SERVER_WRITE_TIMEOUT, .host = str("10.0.0.1:9042"),
        .server_message = str("Operation timed out"), .consistency = 4, .required = 2,
        .received = 1, .failures = 3, .data_present = true, .maybe_applied = true,
        .retriable = true, .write_type = str("BATCH"), .keyspace = str("ks"), .table = str("t"),
    };
    cqln_tried tried[] = {{str("a:1"), CQL_TIMEOUT, str("slow")},
                          {str("b:2"), CQL_CONNECT_FAILED, str("refused")}};
    cql_error *e = cqln_error_make(&f.al, &info, tried, 2, "write to %s timed out", "10.0.0.1");
    assert_int_equal(atomic_load(&f.requests), 1);
    assert_int_equal(cql_error_status(e), CQL_SERVER_WRITE_TIMEOUT);
    assert_int_equal(cql_error_server_code(e), 0x1100);
    assert_string_equal(cql_error_text(e), "write to 10.0.0.1 timed out");
    assert_string_equal(cql_error_server_message(e), "Operation timed out");
    assert_string_equal(cql_error_host(e), "10.0.0.1:9042");
    assert_int_equal(cql_error_consistency(e), 4);
    assert_int_equal(cql_error_required(e), 2);
    assert_int_equal(cql_error_received(e), 1);
    assert_int_equal(cql_error_failures(e), 3);
    assert_true(cql_error_data_present(e));
    assert_true(cql_error_maybe_applied(e));
    assert_true(cql_error_retriable(e));
    assert_string_equal(cql_error_write_type(e), "BATCH");
    assert_string_equal(cql_error_keyspace(e), "ks");
    assert_string_equal(cql_error_table(e), "t");
    const char *host, *reason;
    cql_status st;
    assert_int_equal(cql_error_tried_count(e), 2);
    assert_int_equal(cql_error_tried(e, 1, &host, &st, &reason), CQL_OK);
    assert_string_equal(host, "b:2");
    assert_int_equal(st, CQL_CONNECT_FAILED);
    assert_string_equal(reason, "refused");
    assert_int_equal(cql_error_tried(e, 0, &host, NULL, NULL), CQL_OK);
    assert_string_equal(host, "a:1");
    assert_int_equal(cql_error_tried(e, 2, &host, &st, &reason), CQL_OUT_OF_RANGE);
    assert_string_equal(host, "a:1");
    cql_error_unref(e);
    assert_int_equal(atomic_load(&f.live), 0);
}

static void reasons_of_replicas_are_kept(void **state)
{
    (void)state;
    static const char map[] = "\x04\x0a\0\0\1\0\2\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\5"
                              "\x04\x0a\0"; /* the last one is cut and left out */
    cqln_error_info info = {.status = CQL_SERVER_READ_FAILURE,
                            .arguments = str("int, text"),
                            .contentions = 3,
                            .reasons = {map, sizeof map - 1},
                            .unprepared_id = {"\0id", 3}};
    cql_error *cause = cqln_error_make(cqln_alloc_default(), &info, NULL, 0, "x");
    cql_error *err = cql_error_make(NULL, CQL_NOT_FOUND, cause, "y"); /* lends the detail */
    cql_error_unref(cause);
    cql_str address = {NULL, 0};
    int code = -1;
    assert_int_equal(cql_error_reason_count(err), 2);
    assert_int_equal(cql_error_reason(err, 0, &address, &code), CQL_OK);
    assert_true(address.len == 4 && address.ptr[0] == 10 && code == 2);
    assert_int_equal(cql_error_reason(err, 1, &address, &code), CQL_OK);
    assert_true(address.len == 16 && code == 5);
    assert_string_equal(cql_error_reason_name(code), "node down");
    assert_string_equal(cql_error_reason_name(77), "unknown");
    assert_int_equal(cql_error_reason(err, 2, NULL, NULL), CQL_OUT_OF_RANGE);
    assert_string_equal(cql_error_argument_types(err), "int, text");
    assert_int_equal(cql_error_contentions(err), 3);
    assert_int_equal(cql_error_unprepared_id(err).len, 3);
    cql_error_unref(err);
    assert_int_equal(cql_error_reason_count(cqln_error_no_memory()), 0);
    assert_string_equal(cql_error_argument_types(cqln_error_no_memory()), "");
}

static void error_is_counted(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cqln_error_info info = {.status = CQL_CLOSED};
    cql_error *e = cqln_error_make(&f.al, &info, NULL, 9, "closed");
    assert_int_equal(cql_error_tried_count(e), 0);
    assert_string_equal(cql_error_host(e), "");
    assert_string_equal(cql_error_server_message(e), "");
    assert_int_equal(cql_error_server_code(e), -1);
    assert_ptr_equal(cql_error_ref(e), e);
    cql_error_unref(e);
    assert_string_equal(cql_error_text(e), "closed");
    cql_error_unref(e);
    assert_int_equal(atomic_load(&f.live), 0);
    assert_null(cql_error_ref(NULL));
    cql_error_unref(NULL);
}

static void error_for_want_of_memory_is_static(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    f.fail_at = 1;
    f.fail_after = true;
    cqln_error_info info = {.status = CQL_TIMEOUT};
    cql_error *e = cqln_error_make(&f.al, &info, NULL, 0, "x");
    assert_ptr_equal(e, cqln_error_no_memory());
    assert_int_equal(cql_error_status(e), CQL_NO_MEMORY);
    assert_string_equal(cql_error_text(e), "out of memory");
    assert_string_equal(cql_error_table(e), "");
    assert_false(cql_error_maybe_applied(e));
    assert_ptr_equal(cql_error_ref(e), e);
    for (int i = 0; i < 5; i++)
        cql_error_unref(e);
    assert_string_equal(cql_error_text(e), "out of memory");
    info.maybe_applied = true;
    e = cqln_error_make(&f.al, &info, NULL, 0, "x");
    assert_int_equal(cql_error_status(e), CQL_NO_MEMORY);
    assert_true(cql_error_maybe_applied(e));
    cql_error_unref(e);
    cql_error_unref(e);
    assert_int_equal(cql_error_tried(e, 0, NULL, NULL, NULL), CQL_OUT_OF_RANGE);
}

static void one_error_variable_serves_a_whole_function(void **state)
{
    (void)state;
    failmalloc f;
    failmalloc_init(&f);
    cql_error *err = NULL;
    assert_int_equal(cqln_fail(&err, &f.al, CQL_BAD_ARGUMENT, "port %d", 70000), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "port 70000");
    assert_int_equal(cqln_fail(&err, &f.al, CQL_BAD_STATE, "closed"), CQL_BAD_STATE);
    assert_string_equal(cql_error_text(err), "closed");
    assert_int_equal(atomic_load(&f.live), 1);
    assert_int_equal(cqln_fail(NULL, &f.al, CQL_TIMEOUT, "x"), CQL_TIMEOUT);
    cqln_error_info info = {.status = CQL_CLOSED};
    assert_int_equal(cqln_error_give(NULL, cqln_error_make(&f.al, &info, NULL, 0, "x")), CQL_CLOSED);
    assert_int_equal(cqln_error_give(&err, cqln_error_make(&f.al, &info, NULL, 0, "y")), CQL_CLOSED);
    assert_string_equal(cql_error_text(err), "y");
    f.fail_at = atomic_load(&f.requests) + 1;
    assert_int_equal(cqln_fail(&err, &f.al, CQL_BAD_STATE, "z"), CQL_BAD_STATE);
    assert_ptr_equal(err, cqln_error_no_memory());
    cql_error_unref(err);
    assert_int_equal(atomic_load(&f.live), 0);
}

static void error_text_is_escaped_and_cut(void **state)
{
    (void)state;
    static char hostile[9000];
    memset(hostile, '\n', sizeof hostile - 1);
    cqln_error_info info = {.status = CQL_SERVER_INVALID, .server_message = str(hostile),
                            .host = str("h\x1b[2J"), .keyspace = str(hostile)};
    static cqln_tried tried[CQLN_TRIED_MAX + 5];
    for (size_t i = 0; i < CQL_COUNT(tried); i++)
        tried[i].reason = str("bad\r\nthing");
    cql_error *e = cqln_error_make(cqln_alloc_default(), &info, tried, CQL_COUNT(tried), "%s",
                                   hostile);
    assert_string_equal(cql_error_host(e), "h\\x1b[2J");
    assert_true(strlen(cql_error_text(e)) < 2048);
    assert_true(strlen(cql_error_server_message(e)) < 4096);
    assert_true(strlen(cql_error_server_message(e)) > 4000);
    assert_true(strlen(cql_error_keyspace(e)) < 1024);
    assert_memory_equal(cql_error_text(e), "\\x0a\\x0a", 8);
    assert_null(strchr(cql_error_server_message(e), '\n'));
    assert_int_equal(cql_error_tried_count(e), CQLN_TRIED_MAX);
    const char *reason;
    assert_int_equal(cql_error_tried(e, CQLN_TRIED_MAX - 1, NULL, NULL, &reason), CQL_OK);
    assert_string_equal(reason, "bad\\x0d\\x0athing");
    cql_error_unref(e);
}

static void formatted_text_is_cut_between_characters(void **state)
{
    (void)state;
    char text[2049];
    for (size_t i = 0; i < 2046; i++)
        text[i] = 'a';
    memcpy(text + 2046, "\xc3\xa9", 3); /* 2,047 bytes fit: half of this one */
    cqln_error_info info = {.status = CQL_CLOSED};
    cql_error *e = cqln_error_make(cqln_alloc_default(), &info, NULL, 0, "%s", text);
    assert_int_equal(strlen(cql_error_text(e)), 2046);
    assert_true(strchr(cql_error_text(e), '\\') == NULL);
    cql_error_unref(e);
}

static void escape_shows_what_a_terminal_would_obey(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"plain \\ text", "plain \\ text"},
        {"tab\there", "tab\\x09here"},
        {"\x7f", "\\x7f"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xc2\x9b" "31m", "\\xc2\\x9b31m"},                 /* U+009B, CSI in one character */
        {"a\xe2\x80\xa8" "b", "a\\xe2\\x80\\xa8b"},          /* U+2028, line separator */
        {"\xe2\x80\xae", "\\xe2\\x80\\xae"},                 /* U+202E, right-to-left override */
        {"\xff\xc3", "\\xff\\xc3"},                          /* no UTF-8 */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},                 /* a surrogate */
    };
    char out[64];
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        size_t len = cqln_escape(out, sizeof out, str(rows[i].in));
        assert_string_equal(out, rows[i].out);
        assert_int_equal(len, strlen(rows[i].out));
        assert_int_equal(cqln_escaped_size(sizeof out, str(rows[i].in)), len + 1);
    }
    cql_str nul = {"a\0b", 3};
    cqln_escape(out, sizeof out, nul);
    assert_string_equal(out, "a\\x00b");
}

/* "a é \n": 1 + 2 + 4 bytes; every smaller block gets whole characters only. */
static void escape_is_cut_between_characters(void **state)
{
    (void)state;
    static const size_t want[] = {0, 0, 1, 1, 3, 3, 3, 3, 7, 7};
    for (size_t cap = 0; cap < CQL_COUNT(want); cap++) {
        guard g;
        guard_init(&g, cap);
        char *out = (char *)guard_place(&g, "xxxxxxxxx", cap);
        assert_int_equal(cqln_escape(out, cap, str("a\xc3\xa9\n")), want[cap]);
        assert_int_equal(cqln_escaped_size(cap, str("a\xc3\xa9\n")), cap ? want[cap] + 1 : 0);
        if (cap)
            assert_int_equal(out[want[cap]], 0);
        guard_fini(&g);
    }
}

static void utf8_is_judged_as_the_rfc_does(void **state)
{
    (void)state;
    static const char *const good[] = {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
                                       "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", ("\xc2" "a"),
                                      "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82",
                                      "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                                      "\xf0\x90\x80", "\xff", "ok\xfe"};
    for (size_t i = 0; i < CQL_COUNT(good); i++)
        assert_true(cqln_utf8_valid(str(good[i])));
    for (size_t i = 0; i < CQL_COUNT(bad); i++)
        assert_false(cqln_utf8_valid(str(bad[i])));
    uint32_t code = 0;
    assert_int_equal(cqln_utf8_next(str("\xf0\x9f\x98\x80"), &code), 4);
    assert_int_equal(code, 0x1f600);
    assert_int_equal(cqln_utf8_next(str(""), &code), 0);
}

static uint32_t decode_by_definition(const uint8_t *p, size_t n)
{
    static const uint32_t low[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    if (n == 1)
        return p[0] < 0x80 ? p[0] : UINT32_MAX;
    uint32_t c = p[0] ^ (uint32_t)lead[n];
    if (c >> (7 - n) != 0)
        return UINT32_MAX;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return UINT32_MAX;
        c = c << 6 | (p[i] & 0x3fu);
    }
    return c < low[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? UINT32_MAX : c;
}

/* All strings of up to three bytes, against the definition. */
static void utf8_agrees_with_the_definition(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 1u << 24; v += v < 1u << 16 ? 1 : 7) {
        const uint8_t p[] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16)};
        size_t want = 0;
        for (size_t n = 1; n <= 3 && !want; n++)
            want = decode_by_definition(p, n) != UINT32_MAX ? n : 0;
        cql_str s = {(const char *)p, 3};
        if (cqln_utf8_next(s, NULL) != want)
            fail_msg("bytes %02x %02x %02x", p[0], p[1], p[2]);
    }
}

static void a_character_cut_in_two_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t whole;
    } rows[] = {
        {"", 0}, {"abc", 3}, {"\xc3\xa9", 2}, {"a\xc3", 1}, {"a\xe2\x82", 1}, {"a\xe2", 1},
        {"a\xf0\x9f\x98", 1}, {"\xf0\x9f\x98\x80", 4}, {"a\x80\x80\x80\x80", 5}, {"\x80", 1},
        {"a\xff", 2}, {"\xc3\xa9\x80", 3},
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++)
        assert_int_equal(cqln_utf8_whole(str(rows[i].text)), rows[i].whole);
}

typedef struct sink {
    int lines;
    cql_log_level level;
    char text[4096];
} sink;

static void keep_line(void *user, cql_log_level level, cql_str text)
{
    sink *s = user;
    s->lines++;
    s->level = level;
    snprintf(s->text, sizeof s->text, "%.*s", (int)text.len, text.ptr);
}

static void log_line_is_filtered_and_escaped(void **state)
{
    (void)state;
    sink s = {0};
    cqln_log log = {keep_line, &s, CQL_LOG_INFO};
    CQLN_LOG(&log, CQL_LOG_DEBUG, "not %s", "shown");
    cqln_log_line(&log, CQL_LOG_DEBUG, "not shown");
    cqln_log_line(&log, CQL_LOG_OFF, "not shown");
    assert_int_equal(s.lines, 0);
    CQLN_LOG(&log, CQL_LOG_WARN, "%s left\n", "node 1");
    assert_int_equal(s.lines, 1);
    assert_int_equal(s.level, CQL_LOG_WARN);
    assert_string_equal(s.text, "node 1 left\\x0a");
    static char longer[5000];
    memset(longer, 'x', sizeof longer - 1);
    CQLN_LOG(&log, CQL_LOG_ERROR, "%s", longer);
    assert_int_equal(strlen(s.text), 1023);
    memcpy(longer + 1022, "\xc3\xa9", 2); /* half of it would fit */
    CQLN_LOG(&log, CQL_LOG_ERROR, "%s", longer);
    assert_int_equal(strlen(s.text), 1022);
    cqln_log silent = {NULL, NULL, CQL_LOG_TRACE};
    CQLN_LOG(&silent, CQL_LOG_ERROR, "x");
    cqln_log_line(&silent, CQL_LOG_ERROR, "x");
    assert_int_equal(s.lines, 3);
}

static cql_status make_one_of_its_own(const cql_allocator *al, void *user)
{
    cql_error *own = cql_error_make(al, CQL_CLAIM_LOST, user, "job 7: the claim was lost");
    cql_status st = cql_error_status(own);
    if (st != CQL_NO_MEMORY)
        assert_string_equal(cql_error_text(own), "job 7: the claim was lost");
    cql_error_unref(own);
    return st == CQL_NO_MEMORY ? st : CQL_OK;
}

static void a_module_makes_errors_of_its_own(void **state)
{
    (void)state;
    cqln_error_info info = {
        .status = CQL_SERVER_WRITE_TIMEOUT, .host = str("10.0.0.1:9042"),
        .server_message = str("Operation timed out"), .consistency = 6, .required = 2,
        .received = 1, .failures = 3, .data_present = true, .maybe_applied = true,
        .retriable = true, .write_type = str("CAS"), .keyspace = str("ks"), .table = str("t"),
    };
    cqln_tried tried[] = {{str("a:1"), CQL_TIMEOUT, str("slow")}};
    cql_error *cause = cqln_error_make(cqln_alloc_default(), &info, tried, 1, "write timed out");
    cql_error *own = cql_error_make(NULL, CQL_OUTCOME_UNKNOWN, cause, "job 7: perhaps\n");
    const char *host, *reason;
    cql_status st;
    assert_int_equal(cql_error_status(own), CQL_OUTCOME_UNKNOWN);
    assert_string_equal(cql_error_text(own), "job 7: perhaps\\x0a");
    assert_string_equal(cql_error_host(own), "10.0.0.1:9042");
    assert_string_equal(cql_error_server_message(own), "Operation timed out");
    assert_string_equal(cql_error_write_type(own), "CAS");
    assert_string_equal(cql_error_keyspace(own), "ks");
    assert_string_equal(cql_error_table(own), "t");
    assert_int_equal(cql_error_consistency(own), 6);
    assert_int_equal(cql_error_required(own), 2);
    assert_int_equal(cql_error_received(own), 1);
    assert_int_equal(cql_error_failures(own), 3);
    assert_true(cql_error_data_present(own));
    assert_true(cql_error_maybe_applied(own));
    assert_true(cql_error_retriable(own));
    assert_int_equal(cql_error_tried_count(own), 1);
    assert_int_equal(cql_error_tried(own, 0, &host, &st, &reason), CQL_OK);
    assert_string_equal(host, "a:1");
    assert_int_equal(st, CQL_TIMEOUT);
    assert_string_equal(reason, "slow");
    cql_error_unref(own);

    own = cql_error_make(NULL, CQL_NOT_FOUND, NULL, "job 8: not found");
    assert_int_equal(cql_error_status(own), CQL_NOT_FOUND);
    assert_string_equal(cql_error_server_message(own), "");
    assert_false(cql_error_maybe_applied(own));
    assert_int_equal(cql_error_tried_count(own), 0);
    cql_error_unref(own);

    /* One allocation, with the rows of tried nodes in it. */
    assert_int_equal(failmalloc_each(make_one_of_its_own, cause, true), 1);
    cql_error_unref(cause);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_text_and_name),
        cmocka_unit_test(views_compare_by_bytes),
        cmocka_unit_test(error_says_everything),
        cmocka_unit_test(reasons_of_replicas_are_kept),
        cmocka_unit_test(error_is_counted),
        cmocka_unit_test(a_module_makes_errors_of_its_own),
        cmocka_unit_test(error_for_want_of_memory_is_static),
        cmocka_unit_test(one_error_variable_serves_a_whole_function),
        cmocka_unit_test(error_text_is_escaped_and_cut),
        cmocka_unit_test(formatted_text_is_cut_between_characters),
        cmocka_unit_test(escape_shows_what_a_terminal_would_obey),
        cmocka_unit_test(escape_is_cut_between_characters),
        cmocka_unit_test(utf8_is_judged_as_the_rfc_does),
        cmocka_unit_test(utf8_agrees_with_the_definition),
        cmocka_unit_test(a_character_cut_in_two_is_left_out),
        cmocka_unit_test(log_line_is_filtered_and_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
