/* The version of the library. */
#include <cqlnative/version.h>

const char *cql_version(void)
{
    return CQL_VERSION_STRING;
}

int cql_version_number(void)
{
    return CQL_VERSION_NUMBER;
}
