/* Texts of the status codes, and the string view helpers that everything shares. */
#include <cqlnative/base.h>
#include <string.h>

const char *cql_status_text(cql_status st)
{
    switch (st) {
#define STATUS_TEXT(name, number, text)                                                            \
    case name:                                                                                     \
        return text;
        CQL_STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "unknown status";
}

const char *cql_status_name(cql_status st)
{
    switch (st) {
#define STATUS_NAME(name, number, text)                                                            \
    case name:                                                                                     \
        return #name;
        CQL_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
    }
    return NULL;
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
