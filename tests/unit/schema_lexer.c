/* The CQL lexer: tokens, places, and what has no end. */
#include "schema/lexer.h"

#include "unit.h"

/* Tokens of a text in one line: kind letter and text, joined by blanks. */
static const char *tokens_of(cql_str text)
{
    static char out[4096];
    static const char letters[] = "EWNSDPB";
    cqlsch_lexer lx;
    size_t used = 0;
    cqlsch_token t;
    cqlsch_lexer_init(&lx, text);
    do {
        t = cqlsch_lex(&lx);
        assert_true(used + t.text.len + 8 < sizeof out);
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%c:%.*s", used ? " " : "",
                                 letters[t.kind], (int)t.text.len, t.text.ptr);
    } while (t.kind != CQLSCH_END && t.kind != CQLSCH_BAD);
    return out;
}

static void expect(const char *text, const char *tokens)
{
    assert_string_equal(tokens_of(cql_str_of(text)), tokens);
}

static void words_names_strings_and_numbers_are_told_apart(void **state)
{
    (void)state;
    expect("CREATE Table_1", "W:CREATE W:Table_1 E:");
    expect("\"Quoted \"\"x\"\"\"", "N:\"Quoted \"\"x\"\"\" E:");
    expect("'it''s; --no comment'", "S:'it''s; --no comment' E:");
    expect("$$a 'b' ; /* $ */ $$;", "S:$$a 'b' ; /* $ */ $$ P:; E:");
    expect("1 1.5 -2 1e-5 0xCAFE 1h30m", "D:1 D:1.5 P:- D:2 D:1e-5 D:0xCAFE D:1h30m E:");
    expect("a.b<c>", "W:a P:. W:b P:< W:c P:> E:");
    expect("", "E:");
    expect("$x", "P:$ W:x E:");
}

static void comments_of_all_three_kinds_are_passed_over(void **state)
{
    (void)state;
    expect("a -- b ' \n c", "W:a W:c E:");
    expect("a // b \" \r\n c", "W:a W:c E:");
    expect("a /* ; 'x \n -- */ c", "W:a W:c E:");
    expect("a /**/ b", "W:a W:b E:");
    expect("a - b / c * d", "W:a P:- W:b P:/ W:c P:* W:d E:");
    expect("-- only", "E:");
    expect("/* outer /* inner */ x", "W:x E:");
}

static void expect_place(const char *text, int index, uint32_t line, uint32_t column)
{
    cqlsch_lexer lx;
    cqlsch_token t;
    cqlsch_lexer_init(&lx, cql_str_of(text));
    do {
        t = cqlsch_lex(&lx);
    } while (index--);
    assert_int_equal(t.place.line, line);
    assert_int_equal(t.place.column, column);
}

static void places_count_lines_and_characters(void **state)
{
    (void)state;
    expect_place("a b", 1, 1, 3);
    expect_place("a\r\n  b", 1, 2, 3);
    expect_place("'\n\n' b", 1, 3, 3);
    expect_place("'\xc3\xa9\xe2\x82\xac' b", 1, 1, 6); /* two characters of five bytes */
    expect_place("\xef\xbb\xbf"
                 "a",
                 0, 1, 1); /* a byte-order mark takes no column */
}

static void expect_problem(cql_str text, cqlsch_problem problem, uint32_t line, uint32_t column)
{
    cqlsch_lexer lx;
    cqlsch_token t;
    cqlsch_lexer_init(&lx, text);
    do {
        t = cqlsch_lex(&lx);
    } while (t.kind != CQLSCH_END && t.kind != CQLSCH_BAD);
    assert_int_equal(t.kind, CQLSCH_BAD);
    assert_int_equal(lx.problem, problem);
    assert_int_equal(t.place.line, line);
    assert_int_equal(t.place.column, column);
    /* It says the same again. */
    assert_int_equal(cqlsch_lex(&lx).kind, CQLSCH_BAD);
    assert_true(strlen(cqlsch_problem_text(problem)) > 10);
}

static void what_has_no_end_is_named_with_its_beginning(void **state)
{
    (void)state;
    expect_problem(cql_str_of("a\n  'b\nc"), CQLSCH_OPEN_STRING, 2, 3);
    expect_problem(cql_str_of("'a''"), CQLSCH_OPEN_STRING, 1, 1);
    expect_problem(cql_str_of("x \"a"), CQLSCH_OPEN_NAME, 1, 3);
    expect_problem(cql_str_of("x $$ a $ "), CQLSCH_OPEN_DOLLAR, 1, 3);
    expect_problem(cql_str_of("x\n\n /* a *"), CQLSCH_OPEN_COMMENT, 3, 2);
    assert_true(cqlsch_problem_open(CQLSCH_OPEN_STRING));
    assert_true(cqlsch_problem_open(CQLSCH_OPEN_COMMENT));
    assert_false(cqlsch_problem_open(CQLSCH_NUL_BYTE));
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    static const char nul[] = "ab\n c\0d";
    expect_problem((cql_str){nul, sizeof nul - 1}, CQLSCH_NUL_BYTE, 2, 3);
    expect_problem((cql_str){"'a\0'", 4}, CQLSCH_NUL_BYTE, 1, 3);
    expect_problem(cql_str_of("a \xff"), CQLSCH_NOT_UTF8, 1, 3);
    expect_problem(cql_str_of("'\xc3'"), CQLSCH_NOT_UTF8, 1, 2);
    expect_problem(cql_str_of("-- \xe2\x82"), CQLSCH_NOT_UTF8, 1, 4);
    expect_problem(cql_str_of("/* \xed\xa0\x80 */"), CQLSCH_NOT_UTF8, 1, 4); /* a surrogate */
    expect_problem(cql_str_of("\xc0\x80"), CQLSCH_NOT_UTF8, 1, 1);           /* overlong */
    expect_problem(cql_str_of("\xf4\x90\x80\x80"), CQLSCH_NOT_UTF8, 1, 1);
    expect_problem((cql_str){"\xff\xfe"
                             "a\0",
                             4},
                   CQLSCH_UTF16, 1, 1);
}

static void characters_of_every_length_are_text(void **state)
{
    (void)state;
    expect(
        "'\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf'",
        "S:'\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf' "
        "E:");
    expect("\xc3\xa9", "P:\xc3\xa9 E:");
}

static void lex_all(const uint8_t *bytes, size_t len, void *user)
{
    cqlsch_lexer lx;
    cqlsch_token t;
    size_t count = 0;
    (void)user;
    cqlsch_lexer_init(&lx, (cql_str){(const char *)bytes, len});
    do {
        t = cqlsch_lex(&lx);
        count++;
    } while (t.kind != CQLSCH_END && t.kind != CQLSCH_BAD);
    assert_true(count <= len + 1);
}

static void prefixes_never_read_beyond_their_end(void **state)
{
    (void)state;
    static const char all[] =
        "CREATE TABLE \"a\"\"b\" ( x text, -- c\n y $$ q $$ ) /* z */ 1.5e-3 'k''l' "
        "// d\r\n \xe2\x82\xac $ 0x1f -";
    guard_each_cut(all, sizeof all - 1, lex_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_names_strings_and_numbers_are_told_apart),
        cmocka_unit_test(comments_of_all_three_kinds_are_passed_over),
        cmocka_unit_test(places_count_lines_and_characters),
        cmocka_unit_test(what_has_no_end_is_named_with_its_beginning),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(characters_of_every_length_are_text),
        cmocka_unit_test(prefixes_never_read_beyond_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
