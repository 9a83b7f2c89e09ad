/* Binding to a prepared statement: all markers at once and one by one must agree. */
#include "api/statement.h"
#include "unit.h"

#include "base/alloc.h"

/* Markers k bigint, t text, b blob, d duration, n int, l timestamp. */
static const char prepared_hex[] =
    "0010 00112233445566778899aabbccddeeff 00000001 00000006 00000001 0000 0002 6b73 0001 74"
    "0001 6b 0002  0001 74 000d  0001 62 0003  0001 64 0015  0001 6e 0009  0001 6c 000b"
    "00000004 00000000";

/* Markers s smallint, i int, l bigint, c counter, v varint, d double, f float, y tinyint. */
static const char numbers_hex[] =
    "0010 00112233445566778899aabbccddeeff 00000001 00000008 00000000 0002 6b73 0001 74"
    "0001 73 0013  0001 69 0009  0001 6c 0002  0001 63 0005  0001 76 000e  0001 64 0007"
    "0001 66 0008  0001 79 0014"
    "00000004 00000000";

/* Markers v vector<float, 3>, w vector<text, 2>, t tuple<int, text>. */
static const char lengths_hex[] =
    "0010 00112233445566778899aabbccddeeff 00000001 00000003 00000000 0002 6b73 0001 74"
    "0001 76 0000 0059"
    "6f72672e6170616368652e63617373616e6472612e64622e6d61727368616c2e566563746f7254797065286f7267"
    "2e6170616368652e63617373616e6472612e64622e6d61727368616c2e466c6f617454797065202c203329"
    "0001 77 0000 0058"
    "6f72672e6170616368652e63617373616e6472612e64622e6d61727368616c2e566563746f7254797065286f7267"
    "2e6170616368652e63617373616e6472612e64622e6d61727368616c2e5554463854797065202c203229"
    "0001 74 0031 0002 0009 000d"
    "00000004 00000000";

/* Markers l list<bigint>, s set<int>, m map<text, bigint>, t tuple<int, text>, n list<frozen<list<bigint>>>. */
static const char elements_hex[] =
    "0010 00112233445566778899aabbccddeeff 00000001 00000005 00000000 0002 6b73 0001 74"
    "0001 6c 0020 0002  0001 73 0022 0009  0001 6d 0021 000d 0002  0001 74 0031 0002 0009 000d"
    "0001 6e 0020 0020 0002"
    "00000004 00000000";

/* Markers a int, v text, b text; the partition key is (b, a). */
static const char keys_hex[] =
    "0010 00112233445566778899aabbccddeeff 00000001 00000003 00000002 0002 0000 0002 6b73 0001 74"
    "0001 61 0009  0001 76 000d  0001 62 000d"
    "00000004 00000000";

static cql_prepared *make_prepared(const char *text)
{
    hex h = hex_bytes(text);
    cqln_prepared_head head;
    cqln_reader rd;
    cql_prepared *p = NULL;
    const cql_allocator *al = cqln_alloc_default();
    cqln_reader_init(&rd, h.data, h.len);
    assert_int_equal(cqln_decode_prepared(&rd, 4, al, &head), CQL_OK);
    assert_int_equal(cqln_prepared_new(al, cql_str_of("INSERT"), cql_str_of(""), &head, &p), CQL_OK);
    hex_free(&h);
    return p;
}

static cql_statement *make_statement_of(const char *text)
{
    cql_prepared *p = make_prepared(text);
    cql_statement *st = cql_prepared_bind(p);
    assert_non_null(st);
    cql_prepared_unref(p);
    return st;
}

static cql_statement *make_statement(void)
{
    return make_statement_of(prepared_hex);
}

static void wire(const cql_statement *st, const char *hex_text)
{
    cqln_values_bytes v = cqln_statement_values(st);
    assert_hex(v.bytes.ptr, v.bytes.len, hex_text);
}

/* The second call finds the room that the first made, and so goes the short way. */
static cql_status bind_twice(cql_statement *st, const cql_value *v, size_t n)
{
    cql_values values = {v, n};
    cql_status first = cql_statement_bind(st, values, NULL);
    assert_int_equal(cql_statement_bind(st, values, NULL), first);
    return first;
}

static void all_at_once_is_the_same_as_one_by_one(void **state)
{
    (void)state;
    static const char long_text[] = "a text that is longer than the sixteen bytes of a marker at first";
    const cql_duration longest = {-2147483647 - 1, -2147483647 - 1, INT64_MIN};
    const cql_value rows[][6] = {
        {cql_value_int64(-2), cql_value_text("h\xc3\xa9llo"), cql_value_blob("\xca\xfe", 2),
         cql_value_duration(longest), cql_value_int32(7), cql_value_timestamp(1)},
        {cql_value_null(), cql_value_unset(), cql_value_blob("", 0), cql_value_null(),
         cql_value_int32(-1), cql_value_int64(5)},
        {cql_value_int64(1), cql_value_text(long_text), cql_value_blob(long_text, sizeof long_text),
         cql_value_unset(), cql_value_null(), cql_value_timestamp(-1)},
        {cql_value_int64(1), cql_value_text(""), cql_value_unset(), cql_value_duration(longest),
         cql_value_unset(), cql_value_unset()},
    };
    cql_statement *all = make_statement();
    cql_statement *single = make_statement();
    for (size_t r = 0; r < CQL_COUNT(rows); r++) {
        assert_int_equal(bind_twice(all, rows[r], 6), CQL_OK);
        for (size_t i = 6; i-- > 0;)
            assert_int_equal(cql_statement_bind_value(single, i, rows[r][i]), CQL_OK);
        cqln_values_bytes a = cqln_statement_values(all), b = cqln_statement_values(single);
        assert_int_equal(all->unbound, 0);
        assert_int_equal(a.bytes.len, b.bytes.len);
        assert_memory_equal(a.bytes.ptr, b.bytes.ptr, a.bytes.len);
    }
    cql_statement_free(all);
    cql_statement_free(single);
}

static void values_have_their_wire_form(void **state)
{
    (void)state;
    cql_statement *st = make_statement();
    const cql_value v[] = {
        cql_value_int64(-2), cql_value_text("h\xc3\xa9llo"), cql_value_blob("\xca\xfe", 2),
        cql_value_duration((cql_duration){1, 2, 3}), cql_value_int32(7), cql_value_timestamp(1)};
    assert_int_equal(bind_twice(st, v, 6), CQL_OK);
    wire(st, "00000008 fffffffffffffffe  00000006 68c3a96c6c6f  00000002 cafe  00000003 020406"
             "00000004 00000007  00000008 0000000000000001");
    cql_statement_free(st);
}

/* Nothing is changed from the failing value on, what stands before it is bound. */
static void a_value_that_does_not_fit_ends_the_bind_there(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        cql_status st;
    } cases[] = {{1, CQL_TYPE_MISMATCH}, {4, CQL_TYPE_MISMATCH}, {5, CQL_UNBOUND}};
    for (size_t c = 0; c < CQL_COUNT(cases); c++) {
        cql_statement *st = make_statement();
        cql_value v[] = {cql_value_int64(1), cql_value_text("x"), cql_value_blob("y", 1),
                         cql_value_null(),   cql_value_int32(2),  cql_value_timestamp(3)};
        assert_int_equal(bind_twice(st, v, 6), CQL_OK);
        v[0] = cql_value_int64(9);
        v[cases[c].at] = cql_value_double(1.5);
        if (cases[c].st == CQL_UNBOUND)
            v[cases[c].at].state = CQL_VALUE_UNBOUND;
        assert_int_equal(cql_statement_bind(st, (cql_values){v, 6}, NULL), cases[c].st);
        wire(st, "00000008 0000000000000009  00000001 78  00000001 79  ffffffff"
                 "00000004 00000002  00000008 0000000000000003");
        cql_statement_free(st);
    }
}

static void text_is_checked_to_its_last_byte(void **state)
{
    (void)state;
    cql_statement *st = make_statement();
    char text[40];
    for (size_t len = 1; len < sizeof text; len++) {
        memset(text, 'a', sizeof text);
        cql_str view = {text, len};
        assert_int_equal(cql_statement_bind_value(st, 1, cql_value_str(view)), CQL_OK);
        for (size_t bad = 0; bad < len; bad++) {
            text[bad] = '\xff';
            assert_int_equal(cql_statement_bind_value(st, 1, cql_value_str(view)), CQL_BAD_VALUE);
            text[bad] = 'a';
        }
        if (len >= 2) { /* a character of two bytes at every place, and cut at the end */
            memcpy(text + len - 2, "\xc3\xa9", 2);
            assert_int_equal(cql_statement_bind_value(st, 1, cql_value_str(view)), CQL_OK);
            view.len--;
            assert_int_equal(cql_statement_bind_value(st, 1, cql_value_str(view)), CQL_BAD_VALUE);
        }
    }
    cql_statement_free(st);
}

static void eight_bytes_are_written_over_where_they_may(void **state)
{
    (void)state;
    cql_statement *st = make_statement();
    assert_int_equal(cql_statement_bind_int64(st, 0, 1), CQL_OK);
    assert_int_equal(cql_statement_bind_int64(st, 0, 2), CQL_OK);
    assert_int_equal(cql_statement_bind_int64(st, 5, 3), CQL_OK);
    assert_int_equal(cql_statement_bind_int64(st, 5, 4), CQL_OK);
    assert_int_equal(st->unbound, 4);
    /* eight bytes, but of text: still another type */
    assert_int_equal(cql_statement_bind_text(st, 1, "8 bytes."), CQL_OK);
    assert_int_equal(cql_statement_bind_int64(st, 1, 1), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_statement_bind_int64(st, 4, 1), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_statement_bind_int64(st, 6, 1), CQL_OUT_OF_RANGE);
    assert_int_equal(cql_statement_bind_int64(NULL, 0, 1), CQL_BAD_ARGUMENT);
    wire(st, "00000008 0000000000000002  00000008 38206279 7465732e  fffffffe fffffffe fffffffe"
             "00000008 0000000000000004");
    cql_statement_clear(st);
    assert_int_equal(cql_statement_bind_int64(st, 0, 7), CQL_OK);
    assert_int_equal(st->unbound, 5);
    cql_statement_free(st);
}

static void refused(const cql_statement *st, const char *text)
{
    const cql_error *e = cql_statement_error(st);
    assert_non_null(e);
    assert_string_equal(cql_error_text(e), text);
}

static void a_refusal_names_marker_type_and_value(void **state)
{
    (void)state;
    static const char long_text[] = "a text that is longer than what a message shows of a value to people";
    cql_statement *st = make_statement();
    cql_error *err = NULL;
    assert_null(cql_statement_error(st));
    assert_null(cql_statement_error(NULL));
    assert_int_equal(cql_statement_bind_text(st, 4, "many"), CQL_TYPE_MISMATCH);
    refused(st, "value 5 for \"n\": wrong type: it takes int, given was text 'many'");
    assert_int_equal(cql_statement_bind_text(st, 0, long_text), CQL_TYPE_MISMATCH);
    refused(st, "value 1 for \"k\": wrong type: it takes bigint, given was text "
                "'a text that is longer than what a message shows...'");
    assert_int_equal(cql_statement_bind_text(st, 4, "12"), CQL_TYPE_MISMATCH);
    refused(st, "value 5 for \"n\": wrong type: it takes int, given was text '12' "
                "(cql_statement_bind_parsed reads it)");
    assert_int_equal(cql_statement_bind_value(st, 1, cql_value_str((cql_str){"\xff", 1})), CQL_BAD_VALUE);
    assert_non_null(strstr(cql_error_text(cql_statement_error(st)), "given was text '"));
    assert_int_equal(cql_statement_bind_value(st, 4, cql_value_raw(CQL_TYPE_INT, "abc", 3)),
                     CQL_BAD_VALUE);
    assert_non_null(strstr(cql_error_text(cql_statement_error(st)), "given was int 0x616263"));
    assert_int_equal(cql_statement_bind_name(st, "nobody", cql_value_int32(1)), CQL_NO_SUCH_NAME);
    refused(st, "the statement has no marker named \"nobody\"");
    assert_int_equal(cql_statement_bind_int32(st, 6, 1), CQL_OUT_OF_RANGE);
    refused(st, "value 7: the statement has only 6 markers");
    const cql_value v[] = {cql_value_int64(1), cql_value_int32(-42)};
    assert_int_equal(cql_statement_bind(st, (cql_values){v, 2}, &err), CQL_TYPE_MISMATCH);
    assert_string_equal(cql_error_text(err), cql_error_text(cql_statement_error(st)));
    assert_non_null(strstr(cql_error_text(err), "it takes text, given was int -42"));
    cql_statement_clear(st);
    assert_null(cql_statement_error(st));
    cql_error_unref(err); /* outlives the statement's own */
    cql_statement_free(st);
}

/* --- numbers --------------------------------------------------------------------------------------- */

enum { S, I, L, C, V, D, F, Y, NUMBERS };

static void each_number_has_its_bind(void **state)
{
    (void)state;
    cql_statement *st = make_statement_of(numbers_hex);
    assert_int_equal(cql_statement_bind_int8(st, Y, -2), CQL_OK);
    assert_int_equal(cql_statement_bind_int16(st, S, -2), CQL_OK);
    assert_int_equal(cql_statement_bind_float(st, F, 1.5f), CQL_OK);
    assert_int_equal(cql_statement_bind_int8(NULL, 0, 1), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_statement_bind_int16(st, NUMBERS, 1), CQL_OUT_OF_RANGE);
    wire(st, "00000002 fffe  fffffffe fffffffe fffffffe fffffffe fffffffe  00000004 3fc00000  00000001 fe");
    cql_statement_free(st);
}

static void numbers_widen_where_nothing_is_lost(void **state)
{
    (void)state;
    const cql_value narrow[][NUMBERS] = {
        {cql_value_int8(-128), cql_value_int8(-128), cql_value_int8(-128), cql_value_int8(-128),
         cql_value_int8(-128), cql_value_float(-0.5f), cql_value_null(), cql_value_null()},
        {cql_value_unset(), cql_value_int16(-32768), cql_value_int16(32767), cql_value_int16(-1),
         cql_value_int16(128), cql_value_null(), cql_value_null(), cql_value_null()},
        {cql_value_unset(), cql_value_unset(), cql_value_int32(INT32_MIN), cql_value_int32(INT32_MAX),
         cql_value_int32(-1), cql_value_null(), cql_value_null(), cql_value_null()},
        {cql_value_unset(), cql_value_unset(), cql_value_int64(1), cql_value_int64(INT64_MIN),
         cql_value_int64(INT64_MAX), cql_value_null(), cql_value_null(), cql_value_null()},
    };
    static const char *const forms[] = {
        "00000002 ff80  00000004 ffffff80  00000008 ffffffffffffff80  00000008 ffffffffffffff80"
        "00000001 80  00000008 bfe0000000000000  ffffffff ffffffff",
        "fffffffe  00000004 ffff8000  00000008 0000000000007fff  00000008 ffffffffffffffff"
        "00000002 0080  ffffffff ffffffff ffffffff",
        "fffffffe fffffffe  00000008 ffffffff80000000  00000008 000000007fffffff"
        "00000001 ff  ffffffff ffffffff ffffffff",
        "fffffffe fffffffe  00000008 0000000000000001  00000008 8000000000000000"
        "00000008 7fffffffffffffff  ffffffff ffffffff ffffffff",
    };
    cql_statement *st = make_statement_of(numbers_hex);
    for (size_t r = 0; r < CQL_COUNT(forms); r++) {
        assert_int_equal(bind_twice(st, narrow[r], NUMBERS), CQL_OK);
        wire(st, forms[r]);
        cql_statement_clear(st);
        for (size_t i = 0; i < NUMBERS; i++)
            assert_int_equal(cql_statement_bind_value(st, i, narrow[r][i]), CQL_OK);
        wire(st, forms[r]);
    }
    assert_int_equal(cql_statement_bind_int32(st, L, -3), CQL_OK);
    assert_int_equal(cql_statement_bind_name(st, "d", cql_value_float(2)), CQL_OK);
    assert_null(cql_statement_error(st));
    cql_statement_free(st);
}

static void numbers_never_narrow(void **state)
{
    (void)state;
    const struct {
        size_t marker;
        cql_value v;
    } cases[] = {
        {Y, cql_value_int16(1)},  {S, cql_value_int32(1)},  {I, cql_value_int64(1)},
        {S, cql_value_int64(1)},  {F, cql_value_double(1)}, {L, cql_value_varint64(1)},
        {D, cql_value_int32(1)},  {I, cql_value_float(1)},  {L, cql_value_timestamp(1)},
        {L, cql_value_bool(true)}, {V, cql_value_double(1)}, {F, cql_value_int8(1)},
        {L, cql_value_raw(CQL_TYPE_INT, "abc", 3)}, {V, cql_value_raw(CQL_TYPE_INT, "", 0)},
    };
    cql_statement *st = make_statement_of(numbers_hex);
    for (size_t i = 0; i < CQL_COUNT(cases); i++)
        assert_int_equal(cql_statement_bind_value(st, cases[i].marker, cases[i].v), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_statement_bind_int64(st, I, 5), CQL_TYPE_MISMATCH);
    refused(st, "value 2 for \"i\": wrong type: it takes int, given was bigint 5");
    assert_int_equal(st->unbound, NUMBERS);
    cql_statement_free(st);
}

/* --- how many -------------------------------------------------------------------------------------- */

static void bind_built(cql_statement *st, size_t marker, cql_type_id type, const cql_value *v, size_t n,
                       cql_status wanted)
{
    cql_collection *c;
    assert_int_equal(cql_collection_new(type, NULL, &c), CQL_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(cql_collection_add(c, v[i]), CQL_OK);
    assert_int_equal(cql_statement_bind_value(st, marker, cql_value_collection(c)), wanted);
    cql_collection_free(c);
}

static void a_wrong_length_is_told(void **state)
{
    (void)state;
    const cql_value texts[] = {cql_value_text("a"), cql_value_text("b"), cql_value_text("c")};
    const cql_value floats[] = {cql_value_float(1), cql_value_float(2), cql_value_float(3),
                                cql_value_float(4)};
    const cql_value pair[] = {cql_value_int32(1), cql_value_text("b"), cql_value_text("c")};
    cql_statement *st = make_statement_of(lengths_hex);
    cql_error *err = NULL;
    bind_built(st, 0, CQL_TYPE_VECTOR, floats, 3, CQL_OK);
    bind_built(st, 0, CQL_TYPE_VECTOR, floats, 4, CQL_BAD_VALUE);
    refused(st, "value 1 for \"v\": value does not fit: it takes vector<float, 3>, "
                "given was vector<float> of 4 elements, not 3");
    bind_built(st, 0, CQL_TYPE_VECTOR, floats, 1, CQL_BAD_VALUE);
    assert_non_null(strstr(cql_error_text(cql_statement_error(st)), "of 1 element, not 3"));
    assert_int_equal(cql_statement_bind_value(st, 0, cql_value_raw(CQL_TYPE_VECTOR, "abcdefgh", 8)),
                     CQL_BAD_VALUE);
    assert_non_null(strstr(cql_error_text(cql_statement_error(st)), "of 2 elements, not 3"));
    assert_int_equal(cql_statement_bind_value(st, 0, cql_value_raw(CQL_TYPE_VECTOR, "abc", 3)),
                     CQL_BAD_VALUE);
    assert_null(strstr(cql_error_text(cql_statement_error(st)), "not 3"));
    bind_built(st, 0, CQL_TYPE_VECTOR, texts, 3, CQL_TYPE_MISMATCH); /* as many, but texts */
    assert_null(strstr(cql_error_text(cql_statement_error(st)), "not 3"));
    bind_built(st, 1, CQL_TYPE_VECTOR, texts, 3, CQL_BAD_VALUE);
    assert_non_null(strstr(cql_error_text(cql_statement_error(st)), "of 3 elements, not 2"));
    bind_built(st, 2, CQL_TYPE_TUPLE, pair, 1, CQL_OK);
    bind_built(st, 2, CQL_TYPE_TUPLE, pair, 3, CQL_BAD_VALUE);
    assert_non_null(strstr(cql_error_text(cql_statement_error(st)),
                           "given was tuple<int, text, text> of 3 fields, not 2"));
    assert_int_equal(cql_statement_bind_parsed(st, 0, "[1, 2]", &err), CQL_BAD_VALUE);
    assert_non_null(strstr(cql_error_text(err), "is no vector<float, 3>: given were 2, not 3"));
    assert_int_equal(cql_statement_bind_parsed(st, 0, "[1, 2, x]", &err), CQL_BAD_VALUE);
    assert_null(strstr(cql_error_text(err), "given were"));
    cql_error_unref(err);
    cql_statement_free(st);
}

static void wrong_elements_are_told(void **state)
{
    (void)state;
    enum { LIST, SET, MAP, TUPLE, NESTED };
    const cql_value number = cql_value_int32(1), text = cql_value_text("a");
    const cql_value pair[] = {text, number}, nulls[] = {cql_value_null(), number};
    cql_collection *c;
    cql_statement *st = make_statement_of(elements_hex);
    bind_built(st, LIST, CQL_TYPE_LIST, &number, 1, CQL_TYPE_MISMATCH);
    refused(st, "value 1 for \"l\": wrong type: it takes list<bigint>, given was list<int>");
    bind_built(st, SET, CQL_TYPE_SET, &text, 1, CQL_TYPE_MISMATCH);
    refused(st, "value 2 for \"s\": wrong type: it takes set<int>, given was set<text>");
    bind_built(st, MAP, CQL_TYPE_MAP, pair, 2, CQL_TYPE_MISMATCH);
    refused(st, "value 3 for \"m\": wrong type: it takes map<text, bigint>, given was map<text, int>");
    bind_built(st, TUPLE, CQL_TYPE_TUPLE, nulls, 2, CQL_TYPE_MISMATCH);
    refused(st, "value 4 for \"t\": wrong type: it takes frozen<tuple<int, text>>, given was tuple<?, int>");
    bind_built(st, TUPLE, CQL_TYPE_LIST, NULL, 0, CQL_TYPE_MISMATCH);
    refused(st, "value 4 for \"t\": wrong type: it takes frozen<tuple<int, text>>, given was list");
    assert_int_equal(cql_collection_new(CQL_TYPE_VECTOR, NULL, &c), CQL_OK);
    assert_int_equal(cql_collection_add(c, number), CQL_OK);
    const cql_value vector = cql_value_collection(c);
    bind_built(st, NESTED, CQL_TYPE_LIST, &vector, 1, CQL_TYPE_MISMATCH);
    refused(st, "value 5 for \"n\": wrong type: it takes list<frozen<list<bigint>>>, given was list<vector<int>>");
    const cql_value raw = cql_value_raw(CQL_TYPE_SET, "\0\0\0", 4);
    bind_built(st, NESTED, CQL_TYPE_LIST, &raw, 1, CQL_TYPE_MISMATCH);
    refused(st, "value 5 for \"n\": wrong type: it takes list<frozen<list<bigint>>>, given was list<set>");
    assert_int_equal(cql_statement_bind_value(st, LIST, raw), CQL_TYPE_MISMATCH);
    refused(st, "value 1 for \"l\": wrong type: it takes list<bigint>, given was set");
    cql_collection_free(c);
    cql_statement_free(st);
}

static void what_has_no_value_is_named(void **state)
{
    (void)state;
    cql_error *err = NULL;
    cql_statement *st = make_statement();
    assert_int_equal(cql_statement_bind_int64(st, 0, 1), CQL_OK);
    assert_int_equal(cql_statement_bind_bool(st, 1, true), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_statement_check(st, NULL), CQL_UNBOUND);
    assert_int_equal(cql_statement_check(st, &err), CQL_UNBOUND);
    assert_string_equal(cql_error_text(err),
                        "marker 2, \"t\", has no value (5 of 6 have none); refused was: value 2 for "
                        "\"t\": wrong type: it takes text, given was boolean True");
    for (size_t i = 1; i < 6; i++)
        assert_int_equal(cql_statement_bind_null(st, i), CQL_OK);
    assert_int_equal(cql_statement_check(st, &err), CQL_OK);
    assert_int_equal(cql_error_status(err), CQL_UNBOUND); /* an error that is held is no business of this call */
    assert_int_equal(cql_statement_check(NULL, &err), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_error_status(err), CQL_BAD_ARGUMENT);
    cql_error_unref(err);
    cql_statement_free(st);
}

/* --- the partition key ------------------------------------------------------------------------------- */

/* The key of these bytes, in a buffer that it just fits into, in a smaller one, and in none. */
static void has_key(const cql_statement *st, const char *text)
{
    uint8_t buf[64];
    hex h = hex_bytes(text);
    size_t len = 7;
    assert_int_equal(cql_statement_partition_key(st, buf, h.len, &len), CQL_OK);
    assert_hex(buf, len, text);
    memset(buf, 0xee, sizeof buf);
    len = 7;
    assert_int_equal(cql_statement_partition_key(st, buf, h.len - 1, &len), CQL_TOO_LARGE);
    assert_int_equal(len, h.len);
    assert_int_equal(buf[h.len - 1], 0xee);
    assert_int_equal(cql_statement_partition_key(st, NULL, 0, &len), CQL_TOO_LARGE);
    assert_int_equal(len, h.len);
    hex_free(&h);
}

static void a_partition_key_is_as_servers_keep_it(void **state)
{
    (void)state;
    size_t len = 7;
    cql_statement *st = make_statement();
    assert_int_equal(cql_statement_partition_key(st, NULL, 0, &len), CQL_UNBOUND);
    assert_int_equal(cql_statement_bind_int64(st, 0, 258), CQL_OK);
    has_key(st, "0000000000000102");
    cql_statement_free(st);
    st = make_statement_of(keys_hex);
    assert_int_equal(cql_statement_bind_int32(st, 0, 1), CQL_OK);
    assert_int_equal(cql_statement_partition_key(st, NULL, 0, &len), CQL_UNBOUND);
    assert_int_equal(cql_statement_bind_text(st, 2, "xy"), CQL_OK);
    has_key(st, "0002 7879 00  0004 00000001 00");
    assert_int_equal(cql_statement_bind_text(st, 2, ""), CQL_OK);
    has_key(st, "0000 00  0004 00000001 00");
    cql_statement_free(st);
    st = make_statement_of(numbers_hex);
    assert_int_equal(cql_statement_partition_key(st, NULL, 0, &len), CQL_NO_SUCH_NAME);
    assert_int_equal(cql_statement_partition_key(st, NULL, 1, &len), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_statement_partition_key(st, NULL, 0, NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_statement_partition_key(NULL, NULL, 0, &len), CQL_BAD_ARGUMENT);
    cql_statement_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_at_once_is_the_same_as_one_by_one),
        cmocka_unit_test(values_have_their_wire_form),
        cmocka_unit_test(a_value_that_does_not_fit_ends_the_bind_there),
        cmocka_unit_test(text_is_checked_to_its_last_byte),
        cmocka_unit_test(eight_bytes_are_written_over_where_they_may),
        cmocka_unit_test(a_refusal_names_marker_type_and_value),
        cmocka_unit_test(each_number_has_its_bind),
        cmocka_unit_test(numbers_widen_where_nothing_is_lost),
        cmocka_unit_test(numbers_never_narrow),
        cmocka_unit_test(a_wrong_length_is_told),
        cmocka_unit_test(wrong_elements_are_told),
        cmocka_unit_test(what_has_no_value_is_named),
        cmocka_unit_test(a_partition_key_is_as_servers_keep_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
