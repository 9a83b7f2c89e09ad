/* Reading the refusal of a protocol version. Servers differ in code and text:
 *
 *   000a "Invalid or unsupported protocol version (6); supported versions are (3/v3, 4/v4, 5/v5,
 *         6/v6-beta)"                                                             4.0 and later
 *   000a "Invalid or unsupported protocol version (5); the lowest supported version is 3 and the
 *         greatest is 4"                                                          3.x
 *   000a "Invalid or unsupported protocol version: 5", also as code 0000          2.x
 *   000a "Beta version of the protocol used (5/v5-beta), but USE_BETA flag is unset"
 *
 * The header of the ERROR has a version that the server speaks. */
#include "conn/internal.h"

enum { CODE_SERVER_ERROR = 0x0000, CODE_PROTOCOL_ERROR = 0x000a };

/* What follows `word` in the text; false when it is not there. */
static bool after(cql_str text, const char *word, cql_str *rest)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= text.len; i++) {
        if (memcmp(text.ptr + i, word, n) == 0) {
            *rest = (cql_str){text.ptr + i + n, text.len - i - n};
            return true;
        }
    }
    return false;
}

/* Takes a number of at most two digits from the front; 0 when there is none. */
static unsigned take_number(cql_str *s)
{
    unsigned n = 0;
    for (int digits = 0; digits < 2 && s->len && s->ptr[0] >= '0' && s->ptr[0] <= '9'; digits++) {
        n = n * 10 + (unsigned)(s->ptr[0] - '0');
        s->ptr++;
        s->len--;
    }
    return n;
}

/* "3/v3, 4/v4, 5/v5, 6/v6-beta)": the highest that is not beta. */
static unsigned highest_of_list(cql_str list)
{
    unsigned best = 0;
    while (list.len && list.ptr[0] != ')') {
        unsigned n = take_number(&list);
        size_t end = 0;
        while (end < list.len && list.ptr[end] != ',' && list.ptr[end] != ')')
            end++;
        cql_str rest;
        if (n > best && !after((cql_str){list.ptr, end}, "beta", &rest))
            best = n;
        while (end < list.len && (list.ptr[end] == ',' || list.ptr[end] == ' '))
            end++;
        list.ptr += end;
        list.len -= end;
    }
    return best;
}

static unsigned named_version(cql_str text, uint8_t header, uint8_t ours)
{
    cql_str rest;
    if (after(text, "supported versions are (", &rest))
        return highest_of_list(rest);
    if (after(text, "greatest is ", &rest))
        return take_number(&rest);
    return header < ours ? header : 0;
}

bool cqln_refusal_of_version(const cqln_server_error *e, uint8_t header, uint8_t ours,
                             uint8_t *server_version)
{
    cql_str rest;
    if (e->code != CODE_PROTOCOL_ERROR && e->code != CODE_SERVER_ERROR)
        return false;
    if (!after(e->message, "unsupported protocol version", &rest) &&
        !after(e->message, "Beta version of the protocol", &rest))
        return false;
    *server_version = (uint8_t)named_version(e->message, header, ours);
    return true;
}
