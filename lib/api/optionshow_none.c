/* A build that has options by their exact names alone (configure --disable-options-text). */
#include "api/options.h"

const char *cqln_option_nearest(cql_str name)
{
    (void)name;
    return NULL;
}
