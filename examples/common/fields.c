/* Fields of JSON lines, checked as strictly as the tables' types want them. */
#include "common/app.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The field, or NULL when it is absent or null. */
static const cJSON *field_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return item && !cJSON_IsNull(item) ? item : NULL;
}

const char *app_text(const cJSON *object, const char *field, const char **out)
{
    const cJSON *item = field_of(object, field);
    if (!item)
        return NULL;
    if (!cJSON_IsString(item))
        return "is not a text";
    *out = item->valuestring;
    return NULL;
}

const char *app_bool(const cJSON *object, const char *field, int *out)
{
    const cJSON *item = field_of(object, field);
    if (!item)
        return NULL;
    if (!cJSON_IsBool(item))
        return "is neither true nor false";
    *out = cJSON_IsTrue(item);
    return NULL;
}

/* Behind the string that begins at `at`. */
static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

/* The text of a field's value in an object that is known to be well formed: the last of that name, as
 * the reader takes the first only when there is one. */
static const char *value_text(const char *line, const char *field)
{
    size_t len = strlen(field);
    int depth = 0;
    for (const char *at = line; *at; at++) {
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        if (*at != '"')
            continue;
        const char *end = skip_string(at);
        const char *colon = end + strspn(end, " \t\r\n");
        if (depth == 1 && *colon == ':' && (size_t)(end - at) == len + 2 &&
            strncmp(at + 1, field, len) == 0)
            return colon + 1 + strspn(colon + 1, " \t\r\n");
        at = end - 1;
    }
    return NULL;
}

const char *app_int64(const cJSON *object, const char *line, const char *field, int64_t *out,
                      bool *present)
{
    const cJSON *item = field_of(object, field);
    *present = item != NULL;
    if (!item)
        return NULL;
    const char *text = value_text(line, field);
    if (!cJSON_IsNumber(item) || !text)
        return "is not a number";
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (*end == '.' || *end == 'e' || *end == 'E')
        return "is not a whole number";
    if (errno == ERANGE)
        return "does not fit 64 bits";
    *out = n;
    return NULL;
}

const char *app_list(const cJSON *object, const char *field, cql_collection **out)
{
    const cJSON *item = field_of(object, field), *each;
    if (!item)
        return NULL;
    if (!cJSON_IsArray(item))
        return "is not a list";
    if (!item->child)
        return NULL; /* stored as null anyway, and would leave a tombstone */
    if (cql_collection_new(CQL_TYPE_LIST, NULL, out) != CQL_OK)
        return "does not fit into memory";
    cJSON_ArrayForEach(each, item)
    {
        if (!cJSON_IsString(each))
            return "is not a list of texts";
        if (cql_collection_add(*out, cql_value_text(each->valuestring)) != CQL_OK)
            return "is not valid text";
    }
    return NULL;
}

const char *app_map(const cJSON *object, const char *field, cql_collection **out)
{
    const cJSON *item = field_of(object, field), *each;
    if (!item)
        return NULL;
    if (!cJSON_IsObject(item))
        return "is not an object";
    if (!item->child)
        return NULL;
    if (cql_collection_new(CQL_TYPE_MAP, NULL, out) != CQL_OK)
        return "does not fit into memory";
    cJSON_ArrayForEach(each, item)
    {
        if (!cJSON_IsString(each))
            return "has a value that is not a text";
        if (cql_collection_add_pair(*out, cql_value_text(each->string),
                                    cql_value_text(each->valuestring)) != CQL_OK)
            return "is not valid text";
    }
    return NULL;
}
