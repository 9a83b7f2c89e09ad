/* log.h: the log sink of a session. */
#ifndef CQLN_BASE_LOG_H
#define CQLN_BASE_LOG_H

#include <cqlnative/base.h>

typedef struct cqln_log {
    cql_log_fn fn; /* NULL: no log */
    void *user;
    cql_log_level level;
} cqln_log;

/* Formats into a 1 KiB line, escapes it and hands it on. Costs a compare when the level is off. */
void cqln_log_line(const cqln_log *log, cql_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define CQLN_LOG(log, lvl, ...)                                                                    \
    do {                                                                                           \
        if ((log)->fn && (log)->level >= (lvl))                                                    \
            cqln_log_line((log), (lvl), __VA_ARGS__);                                              \
    } while (0)

#endif
