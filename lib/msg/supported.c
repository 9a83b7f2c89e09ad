/* SUPPORTED (native_protocol section 4.2.4): [string multimap] of what STARTUP may ask for. */
#include "msg/response.h"

enum { VERSION_MAX = 31 }; /* others (65, 66: DSE) have no bit */

static bool equal_caseless(cql_str s, const char *word)
{
    size_t n = strlen(word);
    if (s.len != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = s.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != word[i])
            return false;
    }
    return true;
}

static bool contains(cql_str s, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= s.len; i++) {
        if (memcmp(s.ptr + i, word, n) == 0)
            return true;
    }
    return false;
}

/* "5/v5", "6/v6-beta". A beta is another protocol than the final version of that number. */
static void note_version(cql_str entry, cqln_supported *s)
{
    unsigned version = 0;
    size_t i = 0;
    while (i < entry.len && i < 3 && entry.ptr[i] >= '0' && entry.ptr[i] <= '9')
        version = version * 10 + (unsigned)(entry.ptr[i++] - '0');
    bool number = i > 0 && (i == entry.len || entry.ptr[i] == '/');
    if (number && version <= VERSION_MAX && !contains(entry, "beta"))
        s->versions |= 1u << version;
}

static void note(cql_str key, cql_str value, bool first, cqln_supported *s)
{
    if (cql_str_equal(key, cql_str_of("COMPRESSION"))) {
        if (equal_caseless(value, "lz4"))
            s->lz4 = true;
    } else if (cql_str_equal(key, cql_str_of("PROTOCOL_VERSIONS"))) {
        s->versions_known = true;
        note_version(value, s);
    } else if (first && cql_str_equal(key, cql_str_of("CQL_VERSION"))) {
        s->release_hint = value;
    }
}

cql_status cqln_decode_supported(cqln_reader *rd, cqln_supported *out)
{
    cqln_supported s = {0};
    uint16_t keys = cqln_read_u16(rd);
    for (uint16_t k = 0; k < keys && !rd->failed; k++) {
        cql_str key = cqln_read_string(rd);
        uint16_t values = cqln_read_u16(rd);
        for (uint16_t v = 0; v < values && !rd->failed; v++) {
            cql_str value = cqln_read_string(rd);
            if (!rd->failed)
                note(key, value, v == 0, &s);
        }
    }
    if (rd->failed)
        return CQL_MALFORMED;
    *out = s;
    return CQL_OK;
}
