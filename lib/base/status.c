/* Texts of the status codes, and the string view helpers that everything shares. */
#include <cqlnative/base.h>
#include <string.h>

/* Names and texts in one block, in the order of the numbers beside them: no pointers that the loader
 * would have to set. */
static const char words[] =
#define STATUS_WORDS(name, number, text) #name "\0" text "\0"
    CQL_STATUS_MAP(STATUS_WORDS)
#undef STATUS_WORDS
    ;
static const int numbers[] = {
#define STATUS_NUMBER(name, number, text) name,
    CQL_STATUS_MAP(STATUS_NUMBER)
#undef STATUS_NUMBER
};

/* The name of a status, its text behind it; NULL for a number that has none. */
static const char *words_of(cql_status st)
{
    const char *at = words;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i] == (int)st)
            return at;
        at += strlen(at) + 1;
        at += strlen(at) + 1;
    }
    return NULL;
}

const char *cql_status_text(cql_status st)
{
    const char *found = words_of(st);
    return found ? found + strlen(found) + 1 : "unknown status";
}

const char *cql_status_name(cql_status st)
{
    return words_of(st);
}

cql_str cql_str_of(const char *nul_terminated)
{
    cql_str view = {nul_terminated, nul_terminated ? strlen(nul_terminated) : 0};
    return view;
}

bool cql_str_equal(cql_str a, cql_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
