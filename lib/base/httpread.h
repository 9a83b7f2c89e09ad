/* httpread.h: the answer to one GET of HTTP/1.1 (RFC 9112), bit by bit as it comes. For small answers of
 * services that may be anybody: strict, and everything has a limit.
 *
 *   status line, header lines, empty line, body      the body by Content-Length, in chunks, or to the end
 *
 * Not read: an answer with both lengths, other transfer codings than "chunked", folded lines, a packed body. */
#ifndef CQLN_BASE_HTTPREAD_H
#define CQLN_BASE_HTTPREAD_H

#include "base/alloc.h"

enum {
    CQLN_HTTP_LINE_MAX = 2048,
    CQLN_HTTP_HEAD_MAX = 16 << 10, /* all lines that are no body, of interim answers too */
    CQLN_HTTP_WHY = 120
};

typedef enum cqln_http_state {
    CQLN_HTTP_STATUS,
    CQLN_HTTP_HEADERS,
    CQLN_HTTP_BODY,    /* `left` bytes of it */
    CQLN_HTTP_TO_END,  /* all that comes */
    CQLN_HTTP_CHUNK,   /* the line with its size */
    CQLN_HTTP_IN_CHUNK,
    CQLN_HTTP_BEHIND_CHUNK,
    CQLN_HTTP_TRAILERS,
    CQLN_HTTP_DONE,
    CQLN_HTTP_BAD
} cqln_http_state;

typedef struct cqln_http {
    cqln_http_state state;
    unsigned code;  /* 200, 404, ...; 0: not known yet */
    char *body;     /* the caller's */
    size_t cap;
    size_t len;     /* of the body so far */
    uint64_t left;
    size_t head;    /* bytes of lines so far */
    size_t line_len;
    bool has_length;
    bool chunked;
    char line[CQLN_HTTP_LINE_MAX];
    char why[CQLN_HTTP_WHY]; /* for people, when it is bad; in ASCII */
} cqln_http;

/* The body goes to body, which has room for cap bytes. */
void cqln_http_init(cqln_http *h, char *body, size_t cap);
/* Takes the next bytes; what comes behind a whole answer is left alone. CQL_MALFORMED with h->why, and the
 * same ever after. */
cql_status cqln_http_take(cqln_http *h, const void *bytes, size_t len);
/* No more bytes come. CQL_MALFORMED when the answer is not whole. */
cql_status cqln_http_end(cqln_http *h);
/* Is the answer whole? */
static inline bool cqln_http_done(const cqln_http *h)
{
    return h->state == CQLN_HTTP_DONE;
}

#endif
