/* The body of SUPPORTED: a map from names to lists of texts (native_protocol section 4.2.4). */
#include "ping/raw.h"

#include "common/escape.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct cursor {
    const uint8_t *at, *end;
    bool bad;
} cursor;

static size_t take_short(cursor *c)
{
    if (c->bad || c->end - c->at < 2) {
        c->bad = true;
        return 0;
    }
    size_t n = (size_t)c->at[0] << 8 | c->at[1];
    c->at += 2;
    return n;
}

static cql_str take_string(cursor *c)
{
    size_t n = take_short(c);
    cql_str text = {(const char *)c->at, n};
    if (c->bad || (size_t)(c->end - c->at) < n) {
        c->bad = true;
        text.len = 0;
        return text;
    }
    c->at += n;
    return text;
}

/* A list of texts as one, joined by commas; yours. */
static char *take_list(cursor *c)
{
    char *all = tool_copy("");
    for (size_t n = take_short(c); n && !c->bad; n--) {
        char *one = tool_escaped(take_string(c));
        char *longer = tool_format("%s%s%s", all, *all ? ", " : "", one);
        free(all);
        free(one);
        all = longer;
    }
    return all;
}

static bool is(cql_str name, const char *text)
{
    return cql_str_equal(name, cql_str_of(text));
}

char *ping_supported_text(const uint8_t *body, size_t len, char **compression)
{
    cursor c = {body, body + len, false};
    char *cql = tool_copy("?"), *protocols = tool_copy("?"), *packing = tool_copy("none");
    for (size_t n = take_short(&c); n && !c.bad; n--) {
        cql_str name = take_string(&c);
        char *values = take_list(&c);
        char **place = is(name, "CQL_VERSION")         ? &cql
                       : is(name, "PROTOCOL_VERSIONS") ? &protocols
                       : is(name, "COMPRESSION")       ? &packing
                                                       : NULL;
        if (place && *values) {
            free(*place);
            *place = values;
        } else {
            free(values);
        }
    }
    char *text = c.bad ? NULL
                       : tool_format("CQL %s; protocols %s; compression %s", cql, protocols, packing);
    free(cql);
    free(protocols);
    *compression = NULL;
    if (text)
        *compression = packing;
    else
        free(packing);
    return text;
}
