/* One line of log: formatted on the stack, escaped, handed to the program's sink. */
#include "base/log.h"

#include "base/error.h"


enum { LINE_MAX_BYTES = 1024, ESCAPED_MAX = 2048 };

void cqln_log_line(const cqln_log *log, cql_log_level level, const char *format, ...)
{
    if (!log->fn || level > log->level || level <= CQL_LOG_OFF)
        return;
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    cql_str text = cqln_format(line, sizeof line, format, args);
    va_end(args);
    char escaped[ESCAPED_MAX];
    cql_str out = {escaped, cqln_escape(escaped, sizeof escaped, text)};
    log->fn(log->user, level, out);
}
