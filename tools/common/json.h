/* json.h: JSON lines: one object a line, written at once.
 *
 *   cJSON *line = tool_json_object("probe");          {"event":"probe"
 *   tool_json_text(line, "host", host);               text of any origin
 *   tool_json_int(line, "protocol", 5);
 *   tool_json_ms(line, "rtt_ms", micros);             412 becomes 0.412
 *   tool_json_error(line, err);                       "error":{"status":"CQL_TIMEOUT",...}
 *   tool_json_line(stdout, line);                     prints, flushes, frees
 *
 * Fields keep the order in which they were added. */
#ifndef TOOL_JSON_H
#define TOOL_JSON_H

#include <cjson/cJSON.h>
#include <cqlnative/error.h>
#include <stdio.h>

/* An object whose first field is "event"; NULL: without one. */
cJSON *tool_json_object(const char *event);
/* NULL becomes null; bytes that are not UTF-8 become U+FFFD. */
void tool_json_text(cJSON *object, const char *name, const char *text);
void tool_json_str(cJSON *object, const char *name, cql_str text);
void tool_json_int(cJSON *object, const char *name, int64_t number);
void tool_json_bool(cJSON *object, const char *name, bool truth);
/* Microseconds as milliseconds with three digits. */
void tool_json_ms(cJSON *object, const char *name, uint64_t micros);
/* Text that is JSON already, such as that of cql_value_print_json. */
void tool_json_raw(cJSON *object, const char *name, const char *json);
/* "error": status (name), text, and where there are some: host, server_code, server_message, and
 * the nodes tried with the reason of each. */
void tool_json_error(cJSON *object, const cql_error *err);
/* A list under this name, and what is put into it. Both take the child over. */
cJSON *tool_json_array(cJSON *object, const char *name);
void tool_json_array_add(cJSON *array, cJSON *item);
void tool_json_object_add(cJSON *object, const char *name, cJSON *item);
/* One JSON value (RFC 8259) and nothing else but blanks. */
bool tool_json_is_value(const char *text);
/* Prints it as one line, flushes, frees it; false when the line could not be written. */
bool tool_json_line(FILE *out, cJSON *object);

#endif
