/* The names of the consistency levels (native_protocol section 3, [consistency]). */
#include <cqlnative/statement.h>

static const char *const levels[] = {"ANY",         "ONE",    "TWO",          "THREE",
                                     "QUORUM",      "ALL",    "LOCAL_QUORUM", "EACH_QUORUM",
                                     "SERIAL",      "LOCAL_SERIAL", "LOCAL_ONE"};

const char *cql_consistency_name(int consistency)
{
    return consistency >= 0 && (size_t)consistency < CQL_COUNT(levels) ? levels[consistency]
                                                                       : "UNKNOWN";
}

static bool same_word(cql_str text, const char *upper)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (c != upper[i] || c == '\0')
            return false;
    }
    return upper[text.len] == '\0';
}

cql_status cql_consistency_parse(cql_str name, cql_consistency *out)
{
    for (size_t i = 0; i < CQL_COUNT(levels); i++) {
        if (name.len && same_word(name, levels[i])) {
            *out = (cql_consistency)i;
            return CQL_OK;
        }
    }
    return CQL_NO_SUCH_NAME;
}
