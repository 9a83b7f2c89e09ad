/* Replication and table options of one installation, put into the statements of the files. */
#include "schema/rewrite.h"

enum { MAX_FACTOR = 1000 };

/* --- replication -------------------------------------------------------------------------------
 */

static bool factor_of(cql_str text, unsigned *out)
{
    unsigned value = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
        if (value > MAX_FACTOR)
            return false;
    }
    *out = value;
    return true;
}

static cql_str trimmed(cql_str text)
{
    while (text.len && text.ptr[0] == ' ')
        text = cqlsch_sub(text, 1, text.len);
    while (text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* One "dc:rf" of a list, added to the map. */
static bool add_center(cqlsch_mem *mem, cqlsch_text *map, cql_str item)
{
    size_t colon = item.len;
    unsigned factor = 0;
    while (colon && item.ptr[colon - 1] != ':')
        colon--;
    if (colon < 2 || !factor_of(trimmed(cqlsch_sub(item, colon, item.len)), &factor))
        return false;
    cql_str name = trimmed(cqlsch_sub(item, 0, colon - 1));
    if (name.len == 0)
        return false;
    cqlsch_text_add_c(map, ", ");
    cqlsch_text_add(map, cqlsch_quote(mem, name));
    cqlsch_text_add_c(map, cqlsch_format(mem, ": %u", factor));
    return true;
}

cql_status cqlsch_replication_map(cqlsch_mem *mem, cql_str text, cql_str *map, const char **why)
{
    cqlsch_text out;
    unsigned factor = 0;
    text = trimmed(text);
    cqlsch_text_init(&out, mem);
    if (factor_of(text, &factor) && factor > 0) {
        *map = cql_str_of(
            cqlsch_format(mem, "{'class': 'SimpleStrategy', 'replication_factor': %u}", factor));
        return cqlsch_mem_status(mem);
    }
    cqlsch_text_add_c(&out, "{'class': 'NetworkTopologyStrategy'");
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != ',')
            continue;
        if (!add_center(mem, &out, cqlsch_sub(text, from, i))) {
            *why = cqlsch_format(mem,
                                 "replication '%.*s' is neither a number of copies (3) nor data "
                                 "centres with theirs (dc1:3,dc2:2)",
                                 (int)text.len, text.ptr ? text.ptr : "");
            return CQL_BAD_ARGUMENT;
        }
        from = i + 1;
    }
    cqlsch_text_add_c(&out, "}");
    *map = cqlsch_text_str(&out);
    return cqlsch_mem_status(mem);
}

/* --- options -----------------------------------------------------------------------------------
 */

/* A value as the user typed it, as CQL: what is no number, truth value, string or map gets quotes.
 */
static cql_str value_as_cql(cqlsch_mem *mem, cql_str value)
{
    cqlsch_lexer lx;
    cqlsch_lexer_init(&lx, value);
    cqlsch_token first = cqlsch_lex(&lx);
    if (cqlsch_is_punct(&first, '-'))
        first = cqlsch_lex(&lx);
    cqlsch_token second = cqlsch_lex(&lx);
    bool one = second.kind == CQLSCH_END;
    bool plain = one && (first.kind == CQLSCH_STRING || cqlsch_is_word(&first, "true") ||
                         cqlsch_is_word(&first, "false"));
    if (one && first.kind == CQLSCH_NUMBER) {
        char last = first.text.ptr[first.text.len - 1];
        plain = last >= '0' && last <= '9';
    }
    if (plain || cqlsch_is_punct(&first, '{'))
        return cqlsch_copy(mem, value);
    return cqlsch_quote(mem, value);
}

/* A name of the three before the equals sign: lower case unless quoted. */
static bool take_part(cqlsch_mem *mem, cqlsch_lexer *lx, cql_str *out)
{
    cqlsch_token t = cqlsch_lex(lx);
    if (t.kind != CQLSCH_WORD && t.kind != CQLSCH_NAME)
        return false;
    *out = cqlsch_plain(mem, &t);
    return !mem->failed;
}

static bool take_char(cqlsch_lexer *lx, char c)
{
    cqlsch_token t = cqlsch_lex(lx);
    return cqlsch_is_punct(&t, c);
}

cql_status cqlsch_setting_read(cqlsch_mem *mem, cql_str text, cqlsch_setting *out, const char **why)
{
    cqlsch_lexer lx;
    cql_str name;
    *out = (cqlsch_setting){.text = CQLSCH_NONE};
    cqlsch_lexer_init(&lx, text);
    bool fine = take_part(mem, &lx, &out->keyspace) && take_char(&lx, '.') &&
                take_part(mem, &lx, &out->table) && take_char(&lx, '.') &&
                take_part(mem, &lx, &name) && take_char(&lx, '=');
    cql_str value = fine ? trimmed(cqlsch_sub(text, lx.at, text.len)) : CQLSCH_NONE;
    if (!fine || value.len == 0) {
        *why = cqlsch_format(mem, "'%.*s' is not KEYSPACE.TABLE.OPTION=VALUE", (int)text.len,
                             text.ptr ? text.ptr : "");
        return mem->failed ? CQL_NO_MEMORY : CQL_BAD_ARGUMENT;
    }
    out->text = value_as_cql(mem, value);
    cql_status st = cqlsch_option_read(mem, name, out->text, &out->option);
    if (st == CQL_BAD_ARGUMENT)
        *why = cqlsch_format(mem, "the value of '%.*s' is no value of an option", (int)text.len,
                             text.ptr);
    return st;
}

cql_status cqlsch_step_set_option(cqlsch_mem *mem, cqlsch_step *step, cql_str name, cql_str value)
{
    cqlsch_text out;
    const cqlsch_option *old = cqlsch_option_find(&step->ddl.object, name);
    cqlsch_text_init(&out, mem);
    if (old) {
        cqlsch_text_add(&out, cqlsch_sub(step->text, 0, old->from));
        cqlsch_text_add(&out, value);
        cqlsch_text_add(&out, cqlsch_sub(step->text, old->to, step->text.len));
    } else {
        cqlsch_text_add(&out, step->text);
        cqlsch_text_add_c(&out, step->ddl.has_with ? " AND " : " WITH ");
        cqlsch_text_add(&out, cqlsch_identifier(mem, name));
        cqlsch_text_add_c(&out, " = ");
        cqlsch_text_add(&out, value);
    }
    if (mem->failed)
        return CQL_NO_MEMORY;
    step->text = cqlsch_text_str(&out);
    step->rewritten = true;
    return cqlsch_ddl_read(mem, step->text, &step->ddl);
}
