/* error.h: building the immutable error object that programs get. */
#ifndef CQLN_BASE_ERROR_H
#define CQLN_BASE_ERROR_H

#include "base/alloc.h"

#include <cqlnative/error.h>
#include <stdarg.h>

/* Everything an error can say beside its text; zero what does not apply. Views are copied and escaped
 * (control characters, ESC, line ends) and cut at a few KiB. */
typedef struct cqln_error_info {
    cql_status status;
    cql_str host;
    cql_str server_message;
    int consistency;
    int required;
    int received;
    int failures;
    bool data_present;
    bool maybe_applied;
    bool retriable;
    cql_str write_type;
    cql_str keyspace;
    cql_str table;
    cql_str arguments;     /* of a function: its types, with commas */
    int contentions;
    cql_str reasons;       /* whole entries of [byte] n, n bytes of address, [short] code */
    cql_str unprepared_id; /* raw bytes */
} cqln_error_info;

typedef struct cqln_tried {
    cql_str host;
    cql_status status;
    cql_str reason;
} cqln_tried;

/* Rows of `tried` beyond this many are left out. */
enum { CQLN_TRIED_MAX = 1024 };

/* Never NULL: when memory is out, the static out-of-memory error comes instead (one that
 * keeps maybe_applied). `tried` may be NULL. The text is cut at 2 KiB. */
cql_error *cqln_error_make(const cql_allocator *al, const cqln_error_info *info,
                           const cqln_tried *tried, size_t tried_count, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
cql_error *cqln_error_make_v(const cql_allocator *al, const cqln_error_info *info,
                             const cqln_tried *tried, size_t tried_count, const char *format,
                             va_list args) __attribute__((format(printf, 5, 0)));
/* The static object. */
cql_error *cqln_error_no_memory(void);
/* Hands `made` over into *err, releasing what was there; releases `made` when err is NULL. Returns the
 * status of `made`. */
cql_status cqln_error_give(cql_error **err, cql_error *made);
/* The short form for misuse and local failures: makes and gives. Returns st. */
cql_status cqln_fail(cql_error **err, const cql_allocator *al, cql_status st, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));
/* CQL_BAD_ARGUMENT for a parameter of this name that must not be NULL. */
cql_status cqln_fail_null(cql_error **err, const char *name);

/* Copies text with control characters as \xNN and bytes that are not UTF-8 as \xNN, always with a NUL,
 * cut at cap. Returns the length without the NUL. */
size_t cqln_escape(char *out, size_t cap, cql_str text);
/* The bytes that cqln_escape would write with this cap, the NUL included. */
size_t cqln_escaped_size(size_t cap, cql_str text);
/* vsnprintf into `out` (cap > 0); the view of what was written. A text that is cut is cut between two
 * characters. */
cql_str cqln_format(char *out, size_t cap, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
