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

bool cqln_cql_conditional(cql_str cql)
{
    static const char *const verbs[] = {"INSERT", "UPDATE", "DELETE", "BEGIN"};
    bool first = true;
    for (size_t at = 0; at < cql.len;) {
        if (!is_word(cql.ptr[at])) {
            at = skip(cql, at);
            continue;
        }
        cql_str word = {cql.ptr + at, 0};
        while (at + word.len < cql.len && is_word(word.ptr[word.len]))
            word.len++;
        at += word.len;
        bool writes = !first;
        for (size_t i = 0; first && i < CQL_COUNT(verbs); i++)
            writes = writes || same_word(word, verbs[i]);
        if (!writes)
            return false;
        if (!first && same_word(word, "IF"))
            return true;
        first = false;
    }
    return false;
}
