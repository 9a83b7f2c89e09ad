/* types_probe.c: one half of the comparison with the Python driver; types_cross.py runs it.
 *
 *   types_probe list             name, column and type of each case, with tabs between
 *   types_probe write URL KIND   writes every case into types_cross.cases
 *   types_probe read URL KIND    reads every case and compares it with its own; prints name, text,
 * JSON and type of what was read, with tabs between
 *
 * KIND is `all`, or `plain` for servers without vectors. */
#include "types_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LEN = 64, TEXT_MAX = 512 };

static int report(const char *what, const char *name, cql_status st, const cql_error *err)
{
    fprintf(stderr, "types_probe: %s %s: %s\n", what, name,
            err ? cql_error_text(err) : cql_status_text(st));
    return 1;
}

/* "vector<float, 3>" to "c_vector_float_3". */
static void column_name(const char *type, char out[NAME_MAX_LEN])
{
    size_t n = (size_t)snprintf(out, NAME_MAX_LEN, "c_");
    for (; *type && n < NAME_MAX_LEN - 1; type++) {
        bool good = (*type >= 'a' && *type <= 'z') || (*type >= '0' && *type <= '9');
        if (good)
            out[n++] = *type;
        else if (out[n - 1] != '_')
            out[n++] = '_';
    }
    while (out[n - 1] == '_')
        n--;
    out[n] = '\0';
}

static int list(const types_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char column[NAME_MAX_LEN];
        column_name(cases[i].type, column);
        printf("%s\t%s\t%s\n", cases[i].name, column, cases[i].type);
    }
    return 0;
}

/* --- writing -------------------------------------------------------------------------------------
 */

/* Counters have a table of their own, and are added to. */
static bool is_counter(const types_case *c)
{
    return strcmp(c->type, "counter") == 0;
}

static cql_status bind_case(cql_statement *stmt, const types_case *c, cql_error **err)
{
    cql_value id = cql_value_text(c->name);
    return is_counter(c) ? cql_statement_bind(stmt, CQL_VALUES(c->value, id), err)
                         : cql_statement_bind(stmt, CQL_VALUES(id, c->value), err);
}

static cql_status write_case(cql_session *s, const types_case *c, cql_error **err)
{
    char column[NAME_MAX_LEN];
    char cql[TEXT_MAX];
    cql_prepared *insert = NULL;
    cql_result *res = NULL;
    column_name(c->type, column);
    snprintf(cql, sizeof cql,
             is_counter(c) ? "UPDATE types_cross.counters SET %s = %s + ? WHERE id = ?"
                           : "INSERT INTO types_cross.cases (id, %s) VALUES (?, ?)",
             column, column);
    cql_status st = cql_session_prepare_wait(s, cql, &insert, err);
    cql_statement *stmt = st ? NULL : cql_prepared_bind(insert);
    if (!st && !stmt)
        st = CQL_NO_MEMORY;
    if (!st)
        st = bind_case(stmt, c, err);
    if (!st)
        st = cql_session_execute_wait(s, stmt, &res, err);
    cql_result_unref(res);
    cql_statement_free(stmt);
    cql_prepared_unref(insert);
    return st;
}

/* --- reading -------------------------------------------------------------------------------------
 */

/* A column that was never written and one that was written as null are the same. */
static bool same(const cql_value *a, const cql_value *b)
{
    if (cql_value_is_null(a) || cql_value_is_null(b))
        return cql_value_is_null(a) && cql_value_is_null(b);
    return cql_str_equal(cql_value_bytes(a), cql_value_bytes(b));
}

static char *printed(const cql_value *v, const cql_type *type, bool json, cql_status *st)
{
    size_t len = 0;
    *st = json ? cql_value_print_json(v, type, NULL, 0, &len)
               : cql_value_print(v, type, NULL, 0, &len);
    char *text = *st ? NULL : malloc(len + 1);
    if (text)
        *st = json ? cql_value_print_json(v, type, text, len + 1, &len)
                   : cql_value_print(v, type, text, len + 1, &len);
    else if (!*st)
        *st = CQL_NO_MEMORY;
    return text;
}

static cql_status show(const types_case *c, const cql_value *v, const cql_type *type)
{
    char type_text[TEXT_MAX];
    cql_status st;
    cql_status json_st;
    char *text = printed(v, type, false, &st);
    char *json = printed(v, type, true, &json_st);
    cql_status type_st = cql_type_print(type, type_text, sizeof type_text, NULL);
    if (!st && !json_st && !type_st)
        printf("%s\t%s\t%s\t%s\n", c->name, text, json, type_text);
    free(text);
    free(json);
    return st ? st : json_st ? json_st : type_st;
}

static void show_hex(const char *what, const cql_value *v)
{
    cql_str bytes = cql_value_bytes(v);
    fprintf(stderr, "  %s ", what);
    for (size_t i = 0; i < bytes.len; i++)
        fprintf(stderr, "%02x", (unsigned)(unsigned char)bytes.ptr[i]);
    fprintf(stderr, "%s\n", cql_value_is_null(v) ? "null" : "");
}

static cql_status compare(const types_case *c, const cql_result *res)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    if (!cql_rows_next(&rows)) {
        fprintf(stderr, "%s: there is no such row\n", c->name);
        return CQL_NOT_FOUND;
    }
    cql_value got = cql_rows_value(&rows, 0);
    if (!same(&got, &c->value)) {
        fprintf(stderr, "%s: other bytes\n", c->name);
        show_hex("expected", &c->value);
        show_hex("read    ", &got);
        return CQL_BAD_VALUE;
    }
    return show(c, &got, cql_result_column_type(res, 0));
}

static cql_status read_case(cql_session *s, const types_case *c, cql_error **err)
{
    char column[NAME_MAX_LEN];
    char cql[TEXT_MAX];
    cql_result *res = NULL;
    column_name(c->type, column);
    snprintf(cql, sizeof cql, "SELECT %s FROM types_cross.%s WHERE id = '%s'", column,
             is_counter(c) ? "counters" : "cases", c->name);
    cql_status st = cql_session_query_wait(s, cql, &res, err);
    if (!st)
        st = compare(c, res);
    cql_result_unref(res);
    return st;
}

/* --- all of it -----------------------------------------------------------------------------------
 */

typedef cql_status (*case_fn)(cql_session *s, const types_case *c, cql_error **err);

static int each(const char *url, bool vectors, const char *what, case_fn fn,
                const types_case *cases, size_t count)
{
    cql_session *s = NULL;
    cql_error *err = NULL;
    int failed = 0;
    cql_status st = cql_session_open_wait(url, &s, &err);
    if (st)
        failed = report("connect to", url, st, err);
    for (size_t i = 0; !st && i < count; i++) {
        if (cases[i].vector && !vectors)
            continue;
        cql_status one = fn(s, &cases[i], &err);
        if (one)
            failed = report(what, cases[i].name, one, err);
        cql_error_unref(err);
        err = NULL;
    }
    cql_error_unref(err);
    cql_session_close_wait(s);
    cql_session_free(s);
    return failed;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    const types_case *cases = types_cases(&count);
    if (!cases)
        return report("make", "the cases", CQL_NO_MEMORY, NULL);
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list(cases, count);
    bool vectors = argc == 4 && strcmp(argv[3], "all") == 0;
    if (argc == 4 && strcmp(argv[1], "write") == 0)
        return each(argv[2], vectors, "write", write_case, cases, count);
    if (argc == 4 && strcmp(argv[1], "read") == 0)
        return each(argv[2], vectors, "read", read_case, cases, count);
    fprintf(stderr, "usage: types_probe list | write URL KIND | read URL KIND\n");
    return 2;
}
