/* Words that name servers. */
#include "common/target.h"

#include "common/escape.h"
#include "common/memory.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool tool_target_is_url(const char *item)
{
    return strncmp(item, "cql://", 6) == 0;
}

bool tool_word_is_target(const char *word)
{
    struct stat info;
    size_t length = strlen(word);
    if (tool_target_is_url(word))
        return true;
    if (strcmp(word, "-") == 0 || (length >= 4 && strcmp(word + length - 4, ".cql") == 0))
        return false;
    return stat(word, &info) != 0 || !(S_ISREG(info.st_mode) || S_ISFIFO(info.st_mode));
}

__attribute__((format(printf, 3, 4))) static bool refuse(char *why, size_t size, const char *format,
                                                         ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return false;
}

/* user:password@ before the first slash. */
static bool has_password(const char *url)
{
    const char *rest = url + 6;
    const char *slash = strchr(rest, '/');
    size_t length = slash ? (size_t)(slash - rest) : strlen(rest);
    const char *colon = memchr(rest, ':', length);
    const char *at = NULL;
    for (size_t i = 0; i < length; i++)
        if (rest[i] == '@')
            at = rest + i;
    return at && colon && colon < at;
}

static bool is_port(const char *text, size_t length)
{
    unsigned long port = 0;
    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        port = port * 10 + (unsigned long)(text[i] - '0');
    }
    return port >= 1 && port <= 65535;
}

static bool is_host(const char *text, size_t length)
{
    if (length == 0 || length > 253)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr(".-_", text[i]))
            return false;
    return true;
}

static bool is_v6(const char *text, size_t length)
{
    if (length < 2)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr(":.%", text[i]))
            return false;
    return true;
}

/* One "host[:port]" or "[v6][:port]". */
static bool check_host(const char *text, size_t length, char *why, size_t size)
{
    cql_str whole = {text, length};
    char *shown = tool_escaped(whole);
    const char *colon = memchr(text, ':', length);
    size_t name = colon ? (size_t)(colon - text) : length;
    bool host = false, port = true;
    if (length && text[0] == '[') {
        const char *close = memchr(text, ']', length);
        name = close ? (size_t)(close - text) + 1 : length;
        host = close && is_v6(text + 1, name - 2);
        port = name == length || (text[name] == ':' && is_port(text + name + 1, length - name - 1));
    } else if (colon && memchr(colon + 1, ':', length - name - 1)) {
        (void)refuse(why, size, "'%s': write an IPv6 address in brackets: [%s]", shown, shown);
        free(shown);
        return false;
    } else {
        host = is_host(text, name);
        port = !colon || is_port(colon + 1, length - name - 1);
    }
    if (!host)
        (void)refuse(why, size, "'%s' is no host name or address", shown);
    else if (!port)
        (void)refuse(why, size, "'%s': the port has to be a number from 1 to 65535", shown);
    free(shown);
    return host && port;
}

static void append(tool_targets *t, const char *text, size_t length)
{
    cql_str item = {text, length};
    t->items = tool_grow(t->items, &t->capacity, t->count + 1, sizeof *t->items);
    t->items[t->count++] = tool_copy_str(item);
}

bool tool_targets_add(tool_targets *t, const char *text, char *why, size_t why_size)
{
    if (tool_target_is_url(text)) {
        if (has_password(text))
            return refuse(why, why_size,
                          "a password in a connection string can be read by every user of this "
                          "machine: use --password-file, --password-fd or CQL_PASSWORD");
        append(t, text, strlen(text));
        return true;
    }
    while (*text) {
        size_t length = strcspn(text, ",");
        if (!check_host(text, length, why, why_size))
            return false;
        append(t, text, length);
        text += length;
        text += *text == ',';
    }
    return t->count > 0 || refuse(why, why_size, "an empty host name");
}

bool tool_targets_settle(tool_targets *t, char *why, size_t why_size)
{
    const char *points = getenv("CQL_CONTACT_POINTS");
    if (t->count)
        return true;
    if (!points || !*points)
        return tool_targets_add(t, TOOL_DEFAULT_TARGET, why, why_size);
    char inner[200];
    if (tool_targets_add(t, points, inner, sizeof inner))
        return true;
    return refuse(why, why_size, "CQL_CONTACT_POINTS: %s", inner);
}

char *tool_targets_join(const tool_targets *t)
{
    size_t length = 1;
    for (size_t i = 0; i < t->count; i++)
        length += strlen(t->items[i]) + 1;
    char *joined = tool_alloc(length, 1), *at = joined;
    for (size_t i = 0; i < t->count; i++) {
        size_t bytes = strlen(t->items[i]);
        if (i)
            *at++ = ',';
        memcpy(at, t->items[i], bytes);
        at += bytes;
    }
    return joined;
}

char *tool_target_hosts(const char *item)
{
    if (!tool_target_is_url(item))
        return tool_copy(item);
    cql_str hosts = {item + 6, strcspn(item + 6, "/?")};
    const char *at = memchr(hosts.ptr, '@', hosts.len);
    if (at) {
        hosts.len -= (size_t)(at + 1 - hosts.ptr);
        hosts.ptr = at + 1;
    }
    return tool_copy_str(hosts);
}

void tool_targets_free(tool_targets *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->items[i]);
    free(t->items);
    memset(t, 0, sizeof *t);
}
