/* The statement splitter: what is one statement, what is a command of cqlsh. */
#include "schema/sha256.h"
#include "schema/split.h"

#include "unit.h"

/* Pieces in one line: kind letter and text, joined by bars; "!problem" at a failure. */
static const char *pieces_of(const char *text)
{
    static char out[8192];
    static const char letters[] = "TDSCU";
    cqlsch_splitter sp;
    cqlsch_piece piece;
    cql_status st;
    size_t used = 0;
    out[0] = '\0';
    cqlsch_splitter_init(&sp, cql_str_of(text));
    while ((st = cqlsch_split(&sp, &piece)) == CQL_OK)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%c:%.*s", used ? "|" : "",
                                 letters[piece.kind], (int)piece.text.len, piece.text.ptr);
    if (st == CQL_BAD_CQL_FILE)
        (void)snprintf(out + used, sizeof out - used, "!%u:%u %s", sp.problem_place.line,
                       sp.problem_place.column, sp.problem);
    else
        assert_int_equal(st, CQL_DONE);
    return out;
}

static void expect(const char *text, const char *pieces)
{
    assert_string_equal(pieces_of(text), pieces);
}

static void semicolons_end_statements_outside_strings_and_comments(void **state)
{
    (void)state;
    expect("a; b;c", "T:a|T:b|T:c");
    expect("a ';' ; b \";\" c; d $$;$$", "T:a ';'|T:b \";\" c|T:d $$;$$");
    expect("a -- ;\n b; // ;\n c /* ; */ d;", "T:a -- ;\n b|T:c /* ; */ d");
    expect("INSERT INTO t VALUES ('it''s; x')", "T:INSERT INTO t VALUES ('it''s; x')");
}

static void empty_pieces_are_passed_over(void **state)
{
    (void)state;
    expect("", "");
    expect(";;\n ; -- x\n;/* y */;", "");
    expect("\xef\xbb\xbf-- only a comment\r\n", "");
    expect(";a;;b;", "T:a|T:b");
    /* Files with byte-order marks, joined. */
    expect("\xef\xbb\xbf"
           "a;\n\xef\xbb\xbf"
           "b",
           "T:a|T:b");
}

static void leading_and_trailing_comments_are_not_part_of_a_statement(void **state)
{
    (void)state;
    expect("-- head\n a b -- tail\n;", "T:a b");
}

static void a_batch_is_one_statement(void **state)
{
    (void)state;
    expect("BEGIN BATCH a; b; APPLY BATCH; c;", "T:BEGIN BATCH a; b; APPLY BATCH|T:c");
    expect("begin unlogged batch using timestamp 1 a; apply batch",
           "T:begin unlogged batch using timestamp 1 a; apply batch");
    expect("BEGIN COUNTER BATCH a; APPLY x; APPLY BATCH; d",
           "T:BEGIN COUNTER BATCH a; APPLY x; APPLY BATCH|T:d");
    expect("BEGIN BATCH x = 'APPLY BATCH;'; APPLY BATCH;",
           "T:BEGIN BATCH x = 'APPLY BATCH;'; APPLY BATCH");
    expect("a;\n BEGIN BATCH b; c;", "T:a!2:2 the BEGIN BATCH here has no APPLY BATCH");
    expect("BEGIN TRANSACTION a; COMMIT TRANSACTION; b",
           "T:BEGIN TRANSACTION a; COMMIT TRANSACTION|T:b");
    expect("BEGIN; a", "T:BEGIN|T:a");
    expect("x BATCH; y", "T:x BATCH|T:y");
}

static void cqlsh_commands_end_with_their_line(void **state)
{
    (void)state;
    expect("SOURCE 'a.cql'\nCREATE x;", "S:SOURCE 'a.cql'|T:CREATE x");
    expect("source 'a.cql'; b", "S:source 'a.cql'|T:b");
    expect("CONSISTENCY QUORUM\r\nx", "C:CONSISTENCY QUORUM|T:x");
    expect("DESCRIBE KEYSPACES\nDESC TABLE a.b; c", "D:DESCRIBE KEYSPACES|D:DESC TABLE a.b|T:c");
    expect("DESCRIBE TABLES -- all of them\n'",
           "D:DESCRIBE TABLES!2:1 the string that begins here has no end");
    expect("EXPAND ON\nTRACING OFF;PAGING 10", "U:EXPAND ON|U:TRACING OFF|U:PAGING 10");
    expect("? x\ny", "U:? x|T:y");
    expect("COPY a FROM 'b", "!1:13 the string that begins here has no end");
    /* Only the first word counts. */
    expect("SELECT source FROM describe", "T:SELECT source FROM describe");
}

static cqlsch_piece first_piece(const char *text)
{
    cqlsch_splitter sp;
    cqlsch_piece piece;
    cqlsch_splitter_init(&sp, cql_str_of(text));
    assert_int_equal(cqlsch_split(&sp, &piece), CQL_OK);
    return piece;
}

static void assert_str(cql_str got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static void pieces_know_their_place_argument_and_end(void **state)
{
    (void)state;
    cqlsch_piece p = first_piece("\n -- c\n  SOURCE 'x y' ; z");
    assert_int_equal(p.place.line, 3);
    assert_int_equal(p.place.column, 3);
    assert_str(p.word, "SOURCE");
    assert_str(p.argument, "'x y'");
    assert_true(p.ended);
    assert_int_equal(p.next, 23);
    assert_str(first_piece("SOURCE 'a' 'b'").argument, "");
    assert_str(first_piece("CONSISTENCY").argument, "");
    assert_false(first_piece("SELECT 1").ended);
    assert_true(first_piece("SELECT 1;").ended);
    assert_false(first_piece("SOURCE 'a'").ended);
    assert_true(first_piece("SOURCE 'a'\n").ended);
    assert_true(first_piece("SOURCE 'a'\nb").ended);
}

static void unfinished_text_is_told_from_wrong_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool open;
    } rows[] = {{"a 'b", true}, {"a /* b", true}, {"BEGIN BATCH a;", true}, {"a \xff", false}};
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        cqlsch_splitter sp;
        cqlsch_piece piece;
        cqlsch_splitter_init(&sp, cql_str_of(rows[i].text));
        assert_int_equal(cqlsch_split(&sp, &piece), CQL_BAD_CQL_FILE);
        assert_int_equal(sp.open, rows[i].open);
    }
}

static void quotes_are_taken_off(void **state)
{
    (void)state;
    char buffer[64];
    assert_str(cqlsch_unquote(cql_str_of("'it''s'"), buffer), "it's");
    assert_str(cqlsch_unquote(cql_str_of("\"a\"\"\"\"b\""), buffer), "a\"\"b");
    assert_str(cqlsch_unquote(cql_str_of("$$it''s$$"), buffer), "it''s");
    assert_str(cqlsch_unquote(cql_str_of("''"), buffer), "");
    assert_str(cqlsch_unquote(cql_str_of("plain"), buffer), "plain");
}

/* Ten thousand statements and one of a megabyte go through in one pass. */
static void large_texts_are_split(void **state)
{
    (void)state;
    enum { COUNT = 10000, LONG = 1 << 20 };
    size_t size = COUNT * 16 + LONG + 64;
    char *text = malloc(size);
    size_t used = 0;
    size_t seen = 0;
    cqlsch_splitter sp;
    cqlsch_piece piece;
    assert_non_null(text);
    for (int i = 0; i < COUNT; i++)
        used += (size_t)snprintf(text + used, size - used, "SELECT %d;\n", i);
    used += (size_t)snprintf(text + used, size - used, "INSERT '");
    memset(text + used, 'x', LONG);
    used += LONG;
    used += (size_t)snprintf(text + used, size - used, "';");
    cqlsch_splitter_init(&sp, (cql_str){text, used});
    while (cqlsch_split(&sp, &piece) == CQL_OK)
        seen++;
    assert_int_equal(seen, COUNT + 1);
    assert_int_equal(piece.text.len, LONG + 9);
    assert_int_equal(piece.place.line, COUNT + 1);
    free(text);
}

/* The examples of FIPS 180-4, and every way of cutting a text in two. */
static void checksums_are_those_of_the_standard(void **state)
{
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    char out[CQLSCH_SHA256_TEXT];
    cqlsch_sha256 h;
    (void)state;
    cqlsch_sha256_init(&h);
    cqlsch_sha256_text(&h, out);
    assert_string_equal(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cqlsch_sha256_init(&h);
    cqlsch_sha256_add(&h, "abc", 3);
    cqlsch_sha256_text(&h, out);
    assert_string_equal(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    for (size_t cut = 0; cut < sizeof two; cut++) {
        cqlsch_sha256_init(&h);
        cqlsch_sha256_add(&h, two, cut);
        cqlsch_sha256_add(&h, two + cut, sizeof two - 1 - cut);
        cqlsch_sha256_text(&h, out);
        assert_string_equal(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(semicolons_end_statements_outside_strings_and_comments),
        cmocka_unit_test(empty_pieces_are_passed_over),
        cmocka_unit_test(leading_and_trailing_comments_are_not_part_of_a_statement),
        cmocka_unit_test(a_batch_is_one_statement),
        cmocka_unit_test(cqlsh_commands_end_with_their_line),
        cmocka_unit_test(pieces_know_their_place_argument_and_end),
        cmocka_unit_test(unfinished_text_is_told_from_wrong_text),
        cmocka_unit_test(quotes_are_taken_off),
        cmocka_unit_test(large_texts_are_split),
        cmocka_unit_test(checksums_are_those_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
