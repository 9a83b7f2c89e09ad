/* jsonread.h: looks things up in a JSON text (RFC 8259) without a tree: values are views of the text. For small
 * texts from services; work grows with their length, memory not at all. */
#ifndef CQLN_BASE_JSONREAD_H
#define CQLN_BASE_JSONREAD_H

#include "base/alloc.h"

enum { CQLN_JSON_DEPTH = 16, CQLN_JSON_MAX = 1 << 20 };

/* Is the whole text one well-formed value? At most CQLN_JSON_DEPTH levels, CQLN_JSON_MAX bytes; strings are
 * UTF-8. What follows expects a text, or a part of one, for which this was true. *root becomes the value
 * without the space around it. */
bool cqln_json_check(cql_str text, cql_str *root);

/* The member of an object; of several with this name the first. False: no object, or no such member. Names are
 * compared as they are written: with escapes in them they are not found. */
bool cqln_json_member(cql_str object, const char *name, cql_str *value);
/* Item i of an array. False: no array, or past its end. */
bool cqln_json_item(cql_str array, size_t i, cql_str *value);
/* A string, unescaped, NUL-terminated. CQL_TYPE_MISMATCH: no string; CQL_TOO_LARGE: longer than cap allows;
 * CQL_BAD_VALUE: it holds a NUL or half a surrogate pair. */
cql_status cqln_json_string(cql_str value, char *out, size_t cap);
/* A whole number in [0, max]. */
bool cqln_json_number(cql_str value, uint32_t max, uint32_t *out);
bool cqln_json_is_null(cql_str value);

#endif
