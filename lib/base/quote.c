/* Quoted identifiers: the only way in which a name gets into a statement. */
#include "base/quote.h"

#include <string.h>

bool cqln_quote_name(char *out, size_t cap, const char *prefix, cql_str name)
{
    size_t at = strlen(prefix);
    if (cap)
        out[0] = '\0';
    if (name.len == 0 || memchr(name.ptr, '\0', name.len) || at + 3 > cap)
        return false;
    memcpy(out, prefix, at);
    out[at++] = '"';
    for (size_t i = 0; i < name.len; i++) {
        size_t need = name.ptr[i] == '"' ? 2 : 1;
        if (at + need + 2 > cap) {
            out[0] = '\0';
            return false;
        }
        out[at++] = name.ptr[i];
        if (need == 2)
            out[at++] = '"';
    }
    out[at++] = '"';
    out[at] = '\0';
    return true;
}
