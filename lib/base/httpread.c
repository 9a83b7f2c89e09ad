/* httpread.c: lines are gathered whole, then looked at; a body goes straight to its place. */
#include "base/httpread.h"

#include <stdio.h>
#include <string.h>

enum { CHUNK_DIGITS = 7, LENGTH_DIGITS = 9 };

void cqln_http_init(cqln_http *h, char *body, size_t cap)
{
    memset(h, 0, sizeof *h);
    h->body = body;
    h->cap = cap;
}

static void bad(cqln_http *h, const char *why)
{
    h->state = CQLN_HTTP_BAD;
    (void)snprintf(h->why, sizeof h->why, "%s", why);
}

/* --- small parts ----------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* word is in lower case. */
static bool same(cql_str text, const char *word)
{
    size_t i = 0;
    while (i < text.len && word[i] && lower(text.ptr[i]) == word[i])
        i++;
    return i == text.len && !word[i];
}

static cql_str trim(cql_str s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = (cql_str){s.ptr + 1, s.len - 1};
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static int hex_of(char c)
{
    c = lower(c);
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* --- lines ----------------------------------------------------------------------------------------- */

/* "HTTP/1.1 200 OK"; the words may be missing. */
static void take_status(cqln_http *h, cql_str line)
{
    const char *p = line.ptr;
    bool ok = line.len >= 12 && memcmp(p, "HTTP/1.", 7) == 0 && (p[7] == '0' || p[7] == '1') &&
              p[8] == ' ' && p[9] >= '1' && p[9] <= '5' && is_digit(p[10]) && is_digit(p[11]) &&
              (line.len == 12 || p[12] == ' ');
    if (!ok) {
        bad(h, "it is no answer of HTTP/1.1");
        return;
    }
    h->code = (unsigned)(p[9] - '0') * 100 + (unsigned)(p[10] - '0') * 10 + (unsigned)(p[11] - '0');
    if (h->code == 101)
        bad(h, "it changes to another protocol");
    else
        h->state = CQLN_HTTP_HEADERS;
}

static void take_length(cqln_http *h, cql_str value)
{
    uint64_t v = 0;
    bool ok = value.len > 0 && value.len <= LENGTH_DIGITS;
    for (size_t i = 0; ok && i < value.len; i++) {
        ok = is_digit(value.ptr[i]);
        v = v * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    if (!ok || (h->has_length && v != h->left)) {
        bad(h, "its Content-Length is no number that could be right");
        return;
    }
    h->has_length = true;
    h->left = v;
}

static bool is_name(cql_str name)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < name.len; i++) {
        char c = lower(name.ptr[i]);
        if (!is_digit(c) && (c < 'a' || c > 'z') && !memchr(others, c, sizeof others - 1))
            return false;
    }
    return name.len > 0;
}

static void take_header(cqln_http *h, cql_str line)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    cql_str name = {line.ptr, colon ? (size_t)(colon - line.ptr) : 0};
    if (!is_name(name)) {
        bad(h, "it has a header line that is none");
        return;
    }
    cql_str value = trim((cql_str){colon + 1, line.len - name.len - 1});
    if (same(name, "content-length")) {
        take_length(h, value);
    } else if (same(name, "transfer-encoding")) {
        if (h->chunked || !same(value, "chunked"))
            bad(h, "its Transfer-Encoding is none that is read");
        h->chunked = true;
    } else if (same(name, "content-encoding") && !same(value, "identity")) {
        bad(h, "its body is packed (Content-Encoding), which was not asked for");
    }
}

/* The empty line behind the headers. */
static void end_head(cqln_http *h)
{
    if (h->code < 200) { /* an interim answer: the real one follows */
        h->code = 0;
        h->has_length = false;
        h->chunked = false;
        h->left = 0;
        h->state = CQLN_HTTP_STATUS;
    } else if (h->code == 204 || h->code == 304) {
        h->state = CQLN_HTTP_DONE;
    } else if (h->chunked && h->has_length) {
        bad(h, "it says its length in two ways");
    } else if (h->chunked) {
        h->state = CQLN_HTTP_CHUNK;
    } else if (h->has_length) {
        h->state = h->left ? CQLN_HTTP_BODY : CQLN_HTTP_DONE;
    } else {
        h->state = CQLN_HTTP_TO_END;
    }
}

/* "1a3f" and perhaps an extension, which means nothing here. */
static void take_chunk_size(cqln_http *h, cql_str line)
{
    uint64_t v = 0;
    size_t n = 0;
    while (n < line.len && n <= CHUNK_DIGITS && hex_of(line.ptr[n]) >= 0)
        v = v << 4 | (uint64_t)hex_of(line.ptr[n++]);
    cql_str rest = trim((cql_str){line.ptr + n, line.len - n});
    if (n == 0 || n > CHUNK_DIGITS || (rest.len && rest.ptr[0] != ';')) {
        bad(h, "the size of a chunk is no number that could be right");
        return;
    }
    h->left = v;
    h->state = v ? CQLN_HTTP_IN_CHUNK : CQLN_HTTP_TRAILERS;
}

static void take_line(cqln_http *h, cql_str line)
{
    switch (h->state) {
    case CQLN_HTTP_STATUS:
        take_status(h, line);
        break;
    case CQLN_HTTP_HEADERS:
        if (line.len)
            take_header(h, line);
        else
            end_head(h);
        break;
    case CQLN_HTTP_CHUNK:
        take_chunk_size(h, line);
        break;
    case CQLN_HTTP_BEHIND_CHUNK:
        h->state = CQLN_HTTP_CHUNK;
        if (line.len)
            bad(h, "a chunk is longer than it says");
        break;
    case CQLN_HTTP_TRAILERS:
        if (line.len == 0)
            h->state = CQLN_HTTP_DONE;
        break;
    case CQLN_HTTP_BODY:
    case CQLN_HTTP_TO_END:
    case CQLN_HTTP_IN_CHUNK:
    case CQLN_HTTP_DONE:
    case CQLN_HTTP_BAD:
        break;
    }
}

/* --- bytes ----------------------------------------------------------------------------------------- */

/* One byte of a line. Lines end with CR LF; neither stands alone, and no other control character but the
 * tab is in one. */
static void take_line_byte(cqln_http *h, char c)
{
    bool ends = h->line_len > 0 && h->line[h->line_len - 1] == '\r';
    if (++h->head > CQLN_HTTP_HEAD_MAX) {
        bad(h, "its headers are too long");
    } else if (ends != (c == '\n') || (c != '\r' && c != '\n' && c != '\t' && (unsigned char)c < ' ') ||
               c == 0x7f) {
        bad(h, h->code ? "it has a header line that is none" : "it is no answer of HTTP/1.1");
    } else if (ends) {
        cql_str line = {h->line, h->line_len - 1};
        h->line_len = 0;
        take_line(h, line);
    } else if (h->line_len == sizeof h->line) {
        bad(h, "it has a line that is too long");
    } else {
        h->line[h->line_len++] = c;
    }
}

static size_t take_body(cqln_http *h, const char *bytes, size_t len)
{
    size_t n = h->state == CQLN_HTTP_TO_END || len < h->left ? len : (size_t)h->left;
    if (n > h->cap - h->len) {
        bad(h, "its body is too long");
        return 0;
    }
    memcpy(h->body + h->len, bytes, n);
    h->len += n;
    if (h->state == CQLN_HTTP_TO_END)
        return n;
    h->left -= n;
    if (h->left == 0)
        h->state = h->state == CQLN_HTTP_BODY ? CQLN_HTTP_DONE : CQLN_HTTP_BEHIND_CHUNK;
    return n;
}

static bool in_body(const cqln_http *h)
{
    return h->state == CQLN_HTTP_BODY || h->state == CQLN_HTTP_TO_END ||
           h->state == CQLN_HTTP_IN_CHUNK;
}

cql_status cqln_http_take(cqln_http *h, const void *bytes, size_t len)
{
    const char *at = bytes, *end = at + len;
    while (at < end && h->state != CQLN_HTTP_DONE && h->state != CQLN_HTTP_BAD) {
        if (in_body(h))
            at += take_body(h, at, (size_t)(end - at));
        else
            take_line_byte(h, *at++);
    }
    return h->state == CQLN_HTTP_BAD ? CQL_MALFORMED : CQL_OK;
}

cql_status cqln_http_end(cqln_http *h)
{
    if (h->state == CQLN_HTTP_TO_END)
        h->state = CQLN_HTTP_DONE;
    if (h->state != CQLN_HTTP_DONE && h->state != CQLN_HTTP_BAD)
        bad(h, h->head ? "it ends in the middle" : "it is empty");
    return h->state == CQLN_HTTP_BAD ? CQL_MALFORMED : CQL_OK;
}
