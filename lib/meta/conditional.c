/* Words of a statement, as far as it takes to find IF. */
#include "meta/conditional.h"

#include <string.h>

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool same_word(cql_str word, const char *upper)
{
    if (word.len != strlen(upper))
        return false;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        if ((c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c) != upper[i])
            return false;
    }
    return true;
}

/* Behind the text that begins at `at` and ends with `mark`; the end when it is open. */
static size_t behind(cql_str cql, size_t at, const char *mark)
{
    size_t n = strlen(mark);
    for (; at + n <= cql.len; at++)
        if (memcmp(cql.ptr + at, mark, n) == 0)
            return at + n;
    return cql.len;
}

static bool starts(cql_str cql, size_t at, const char *text)
{
    size_t n = strlen(text);
    return cql.len - at >= n && memcmp(cql.ptr + at, text, n) == 0;
}

/* Steps over what holds no words of the language, or over one character. */
static size_t skip(cql_str cql, size_t at)
{
    if (starts(cql, at, "--") || starts(cql, at, "//"))
        return behind(cql, at + 2, "\n");
    if (starts(cql, at, "/*"))
        return behind(cql, at + 2, "*/");
    if (starts(cql, at, "$$"))
        return behind(cql, at + 2, "$$");
    if (cql.ptr[at] == '\'')
        return behind(cql, at + 1, "'"); /* a doubled quote is two strings side by side */
    if (cql.ptr[at] == '"')
        return behind(cql, at + 1, "\"");
    return at + 1;
}

/* The next word; empty: there is none. */
static cql_str next_word(cql_str cql, size_t *at)
{
    while (*at < cql.len && !is_word(cql.ptr[*at]))
        *at = skip(cql, *at);
    cql_str word = {cql.ptr + *at, 0};
    while (*at < cql.len && is_word(cql.ptr[*at])) {
        ++*at;
        word.len++;
    }
    return word;
}

static bool writes_rows(cql_str verb)
{
    static const char *const verbs[] = {"INSERT", "UPDATE", "DELETE", "BEGIN"};
    for (size_t i = 0; i < CQL_COUNT(verbs); i++)
        if (same_word(verb, verbs[i]))
            return true;
    return false;
}

bool cqln_cql_conditional(cql_str cql)
{
    size_t at = 0;
    if (!writes_rows(next_word(cql, &at)))
        return false;
    for (cql_str word; (word = next_word(cql, &at)).len > 0;)
        if (same_word(word, "IF"))
            return true;
    return false;
}

bool cqln_cql_repeatable(cql_str cql)
{
    size_t at = 0;
    cql_str verb = next_word(cql, &at);
    if (!writes_rows(verb))
        return same_word(verb, "SELECT");
    return !same_word(next_word(cql, &at), "COUNTER") && !cqln_cql_conditional(cql);
}
