/* An answer of HTTP: what comes out does not depend on the pieces in which it came.
 *
 *   byte 0  length of the pieces of the second reading; then the answer */
#include "fuzz.h"

#include "base/httpread.h"

enum { CAP = 1000 };

typedef struct outcome {
    cql_status status;
    bool done;
    unsigned code;
    size_t len;
    char body[CAP];
    char why[CQLN_HTTP_WHY];
} outcome;

static void read_answer(const uint8_t *data, size_t size, size_t step, outcome *out)
{
    static cqln_http h;
    char *body = (char *)fuzz_block(CAP);
    memset(out, 0, sizeof *out);
    cqln_http_init(&h, body, CAP);
    for (size_t at = 0; at < size; at += step) {
        size_t n = size - at < step ? size - at : step;
        uint8_t *piece = fuzz_block(n);
        memcpy(piece, data + at, n);
        out->status = cqln_http_take(&h, piece, n);
        free(piece);
    }
    out->status = cqln_http_end(&h);
    out->done = cqln_http_done(&h);
    out->code = h.code;
    out->len = h.len;
    FUZZ_CHECK(h.len <= CAP);
    memcpy(out->body, body, h.len);
    memcpy(out->why, h.why, sizeof out->why);
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static outcome whole, pieces;
    if (size < 1)
        return 0;
    read_answer(data + 1, size - 1, size, &whole);
    read_answer(data + 1, size - 1, (size_t)data[0] + 1, &pieces);
    FUZZ_CHECK(whole.status == CQL_OK || whole.status == CQL_MALFORMED);
    FUZZ_CHECK(whole.done == (whole.status == CQL_OK) && (whole.done || whole.why[0]));
    FUZZ_CHECK(!whole.done || (whole.code >= 200 && whole.code < 600));
    FUZZ_CHECK(whole.status == pieces.status && whole.code == pieces.code);
    if (whole.done)
        FUZZ_CHECK(whole.len == pieces.len && memcmp(whole.body, pieces.body, whole.len) == 0);
    else
        FUZZ_CHECK(strcmp(whole.why, pieces.why) == 0);
    return 0;
}
