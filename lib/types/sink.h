/* sink.h: text into a caller's buffer, as snprintf does: cut at the end, the full length counted.
 */
#ifndef CQLN_TYPES_SINK_H
#define CQLN_TYPES_SINK_H

#include <cqlnative/base.h>

typedef struct cqln_sink {
    char *buf;
    size_t cap;
    size_t len;  /* of the full text */
    bool escape; /* inside of a JSON string: a backslash before quotes and backslashes */
} cqln_sink;

/* buf may be NULL when cap is 0. */
void cqln_sink_init(cqln_sink *out, char *buf, size_t cap);
void cqln_sink_put(cqln_sink *out, const void *text, size_t len);
void cqln_sink_char(cqln_sink *out, char c);
void cqln_sink_text(cqln_sink *out, const char *nul_terminated);
void cqln_sink_hex(cqln_sink *out, cql_str bytes); /* two lower-case digits a byte */
/* Decimal, with zeros in front up to `width` digits (the sign not counted). */
void cqln_sink_int(cqln_sink *out, int64_t n, unsigned width);
/* Ends the text with a NUL; a character cut in two goes. *len (may be NULL) is the full length. On
 * a failure the text is empty and *len is left alone. Returns st. */
cql_status cqln_sink_end(cqln_sink *out, cql_status st, size_t *len);

#endif
