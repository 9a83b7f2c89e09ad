/* utf8.h: validation of UTF-8 as RFC 3629 has it: no overlong form, no surrogate, at most U+10FFFF. */
#ifndef CQLN_BASE_UTF8_H
#define CQLN_BASE_UTF8_H

#include <cqlnative/base.h>

/* The length (1 to 4) of the well-formed character at the start of `text`, 0 when there is none. Its
 * code point goes to *code unless code is NULL. */
size_t cqln_utf8_next(cql_str text, uint32_t *code);
bool cqln_utf8_valid(cql_str text);
/* The length of `text` without a character at its end that has been cut in two. */
size_t cqln_utf8_whole(cql_str text);

#endif
