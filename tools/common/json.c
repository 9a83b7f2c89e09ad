/* JSON lines on top of cJSON. */
#include "common/json.h"

#include "common/escape.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Out of memory in cJSON comes back as NULL: then the line would lack a field, so the program ends.
 */
static void sure(const void *made)
{
    if (!made) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
}

cJSON *tool_json_object(const char *event)
{
    cJSON *object = cJSON_CreateObject();
    sure(object);
    if (event)
        sure(cJSON_AddStringToObject(object, "event", event));
    return object;
}

void tool_json_str(cJSON *object, const char *name, cql_str text)
{
    char *valid = tool_valid_utf8(text);
    sure(cJSON_AddStringToObject(object, name, valid));
    free(valid);
}

void tool_json_text(cJSON *object, const char *name, const char *text)
{
    cql_str view = {text, text ? strlen(text) : 0};
    if (text)
        tool_json_str(object, name, view);
    else
        sure(cJSON_AddNullToObject(object, name));
}

void tool_json_raw(cJSON *object, const char *name, const char *json)
{
    sure(cJSON_AddRawToObject(object, name, json));
}

/* As text, since cJSON keeps numbers as double, which ends at 2^53. */
void tool_json_int(cJSON *object, const char *name, int64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, number);
    tool_json_raw(object, name, text);
}

void tool_json_bool(cJSON *object, const char *name, bool truth)
{
    sure(cJSON_AddBoolToObject(object, name, truth));
}

void tool_json_ms(cJSON *object, const char *name, uint64_t micros)
{
    char text[40];
    snprintf(text, sizeof text, "%" PRIu64 ".%03u", micros / 1000, (unsigned)(micros % 1000));
    tool_json_raw(object, name, text);
}

cJSON *tool_json_array(cJSON *object, const char *name)
{
    cJSON *list = cJSON_AddArrayToObject(object, name);
    sure(list);
    return list;
}

void tool_json_array_add(cJSON *array, cJSON *item)
{
    sure(cJSON_AddItemToArray(array, item) ? item : NULL);
}

void tool_json_object_add(cJSON *object, const char *name, cJSON *item)
{
    sure(cJSON_AddItemToObject(object, name, item) ? item : NULL);
}

static void add_status(cJSON *object, cql_status st)
{
    const char *name = cql_status_name(st);
    char number[24];
    snprintf(number, sizeof number, "0x%x", (unsigned)st);
    tool_json_text(object, "status", name ? name : number);
}

static void add_tried(cJSON *object, const cql_error *err)
{
    cJSON *list = cJSON_AddArrayToObject(object, "tried");
    sure(list);
    for (size_t i = 0; i < cql_error_tried_count(err); i++) {
        const char *host, *reason;
        cql_status st;
        if (cql_error_tried(err, i, &host, &st, &reason) != CQL_OK)
            break;
        cJSON *row = tool_json_object(NULL);
        tool_json_text(row, "host", host);
        add_status(row, st);
        tool_json_text(row, "reason", reason);
        cJSON_AddItemToArray(list, row);
    }
}

void tool_json_error(cJSON *object, const cql_error *err)
{
    cJSON *inner = cJSON_AddObjectToObject(object, "error");
    sure(inner);
    add_status(inner, cql_error_status(err));
    tool_json_text(inner, "text", cql_error_text(err));
    if (*cql_error_host(err))
        tool_json_text(inner, "host", cql_error_host(err));
    tool_json_bool(inner, "maybe_applied", cql_error_maybe_applied(err));
    if (cql_error_server_code(err) >= 0) {
        tool_json_int(inner, "server_code", cql_error_server_code(err));
        tool_json_text(inner, "server_message", cql_error_server_message(err));
    }
    if (cql_error_tried_count(err))
        add_tried(inner, err);
}

/* --- what is JSON ------------------------------------------------------------------------------ */
static bool skip_digits(const char **at)
{
    const char *from = *at;
    while (**at >= '0' && **at <= '9')
        (*at)++;
    return *at > from;
}

/* A number up to what may follow one. */
static bool skip_number(const char **at)
{
    *at += **at == '-';
    if (**at == '0')
        (*at)++;
    else if (!skip_digits(at))
        return false;
    if (**at == '.') {
        (*at)++;
        if (!skip_digits(at))
            return false;
    }
    if (**at == 'e' || **at == 'E') {
        (*at)++;
        *at += **at == '+' || **at == '-';
        if (!skip_digits(at))
            return false;
    }
    return strchr(",]} \t\r\n", **at) != NULL; /* or its end */
}

/* What cJSON lets pass: a byte order mark, 01 and 1., control characters in strings and as blanks. */
static bool is_strict(const char *at)
{
    bool in_string = false;
    if (strncmp(at, "\xef\xbb\xbf", 3) == 0)
        return false;
    while (*at) {
        if ((unsigned char)*at < 0x20 && (in_string || !strchr("\t\r\n", *at)))
            return false;
        if (!in_string && (*at == '-' || (*at >= '0' && *at <= '9'))) {
            if (!skip_number(&at))
                return false;
            continue;
        }
        if (*at == '"')
            in_string = !in_string;
        at += in_string && *at == '\\' && at[1] ? 2 : 1;
    }
    return true;
}

bool tool_json_is_value(const char *text)
{
    cJSON *parsed = cJSON_ParseWithOpts(text, NULL, 1);
    bool good = parsed && is_strict(text);
    cJSON_Delete(parsed);
    return good;
}

bool tool_json_line(FILE *out, cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    sure(text);
    bool fine = fprintf(out, "%s\n", text) > 0 && fflush(out) == 0;
    cJSON_free(text);
    cJSON_Delete(object);
    return fine;
}
