/* CQL text: cut into statements, which must come out the same when they are put together again;
 * each read as DDL, whose objects must not differ from themselves; options set in them, which must
 * then be read back; and types in canonical form, which must be that of themselves. */
#include "fuzz.h"

#include "schema/compare.h"
#include "schema/rewrite.h"
#include "schema/split.h"
#include "schema/typetext.h"

static void check_type(cqlsch_mem *mem, cql_str type)
{
    cql_str keyspace = cql_str_of("ks");
    cql_str once = cqlsch_type_text(mem, keyspace, type);
    cql_str twice = cqlsch_type_text(mem, keyspace, once);
    FUZZ_CHECK(cql_str_equal(once, twice));
}

static void check_name(cqlsch_mem *mem, cql_str name)
{
    cqlsch_lexer lx;
    cql_str written = cqlsch_identifier(mem, name);
    cqlsch_lexer_init(&lx, written);
    cqlsch_token t = cqlsch_lex(&lx);
    FUZZ_CHECK(t.kind == CQLSCH_WORD || t.kind == CQLSCH_NAME);
    FUZZ_CHECK(t.text.len == written.len);
}

/* Names given twice are two columns of one name, or two values of one option; the server refuses
 * such statements, and here the first is found for both. */
static bool has_doubles(const cqlsch_object *o)
{
    for (size_t i = 0; i < o->columns.count; i++) {
        const cqlsch_column *c = CQLSCH_AT(cqlsch_column, &o->columns, i);
        if (cqlsch_column_find(o, c->name) != c)
            return true;
    }
    for (size_t i = 0; i < o->options.count; i++) {
        const cqlsch_option *option = CQLSCH_AT(cqlsch_option, &o->options, i);
        if (cqlsch_option_find(o, option->name) != option)
            return true;
        for (size_t k = 0; k < option->pairs.count; k++) {
            const cqlsch_pair *p = CQLSCH_AT(cqlsch_pair, &option->pairs, k);
            if (cqlsch_pair_find(option, p->key) != p)
                return true;
        }
    }
    return false;
}

/* A model of one statement, compared with itself. */
static void check_object(cqlsch_mem *mem, const cqlsch_ddl *ddl)
{
    cqlsch_model m;
    cqlsch_model_init(&m, mem);
    FUZZ_CHECK(cqlsch_model_take(&m, ddl, cql_str_of("ks"), 0) == CQL_OK);
    for (size_t i = 0; i < cqlsch_model_count(&m); i++) {
        const cqlsch_object *o = cqlsch_model_at(&m, i);
        check_name(mem, o->name);
        FUZZ_CHECK(*cqlsch_full_name(mem, o));
        FUZZ_CHECK(cqlsch_live_of(&m, o) == o);
        cqlsch_comparison c = {.mem = mem};
        cqlsch_compare(&c, o, o);
        FUZZ_CHECK(cqlsch_comparison_count(&c) == 0 || has_doubles(o));
        for (size_t k = 0; !o->unread && k < o->columns.count; k++)
            check_type(mem, CQLSCH_AT(cqlsch_column, &o->columns, k)->type);
    }
}

static void check_option(cqlsch_mem *mem, cql_str text, const cqlsch_ddl *ddl)
{
    cqlsch_step step = {.text = text, .ddl = *ddl};
    cql_str name = cql_str_of("comment");
    if (ddl->verb != CQLSCH_CREATE || ddl->object.unread ||
        (ddl->object.kind != CQLSCH_TABLE && ddl->object.kind != CQLSCH_KEYSPACE))
        return;
    FUZZ_CHECK(cqlsch_step_set_option(mem, &step, name, cql_str_of("'it''s'")) == CQL_OK);
    const cqlsch_option *option = cqlsch_option_find(&step.ddl.object, name);
    FUZZ_CHECK(option && cql_str_equal(option->value, cql_str_of("it's")));
    FUZZ_CHECK(cql_str_equal(step.ddl.object.name, ddl->object.name));
    FUZZ_CHECK(step.ddl.object.columns.count == ddl->object.columns.count);
}

static void check_statement(cql_str text)
{
    cqlsch_mem mem;
    cqlsch_ddl ddl;
    cqlsch_mem_init(&mem, NULL);
    FUZZ_CHECK(cqlsch_ddl_read(&mem, text, &ddl) == CQL_OK);
    check_object(&mem, &ddl);
    check_option(&mem, text, &ddl);
    check_type(&mem, text);
    cqlsch_mem_fini(&mem);
}

/* Splits; with `first` the pieces must be those of it. Returns their number. */
static size_t split(cql_str text, cqlsch_mem *mem, cqlsch_list *out, const cqlsch_list *first)
{
    cqlsch_splitter sp;
    cqlsch_piece piece;
    cql_status st;
    size_t at = 0;
    cqlsch_splitter_init(&sp, text);
    while ((st = cqlsch_split(&sp, &piece)) == CQL_OK) {
        FUZZ_CHECK(piece.text.len > 0 && piece.next > at && piece.next <= text.len);
        FUZZ_CHECK(piece.text.ptr >= text.ptr + at);
        FUZZ_CHECK(piece.text.ptr + piece.text.len <= text.ptr + piece.next);
        at = piece.next;
        if (first)
            FUZZ_CHECK(out->count < first->count &&
                       cql_str_equal(CQLSCH_AT(cqlsch_piece, first, out->count)->text, piece.text));
        cqlsch_piece *kept = cqlsch_push(mem, out, sizeof *kept);
        FUZZ_CHECK(kept);
        *kept = piece;
    }
    FUZZ_CHECK(st == CQL_DONE || (st == CQL_BAD_CQL_FILE && *sp.problem && !first));
    return out->count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cqlsch_mem mem;
    cqlsch_list pieces = {NULL, 0, 0};
    cqlsch_list again = {NULL, 0, 0};
    cqlsch_text joined;
    uint8_t *block = fuzz_block(size);
    if (size)
        memcpy(block, data, size);
    cqlsch_mem_init(&mem, NULL);
    cqlsch_text_init(&joined, &mem);
    size_t count = split((cql_str){(const char *)block, size}, &mem, &pieces, NULL);
    for (size_t i = 0; i < count; i++) {
        const cqlsch_piece *piece = CQLSCH_AT(cqlsch_piece, &pieces, i);
        check_statement(piece->text);
        cqlsch_text_add(&joined, piece->text);
        cqlsch_text_add_c(&joined, ";\n");
    }
    FUZZ_CHECK(split(cqlsch_text_str(&joined), &mem, &again, &pieces) == count);
    cqlsch_mem_fini(&mem);
    free(block);
    return 0;
}
