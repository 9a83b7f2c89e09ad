/* The options object: making, copying, contact points, connection strings, the environment. */
#include "api/options.h"

#include "api/optiontab.h"
#include "base/error.h"
#include "meta/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD_ELSEWHERE                                                                         \
    "a password is not taken here, where it would be seen; use cql_options_set_credentials, or "   \
    "CQL_PASSWORD where the environment is read (the tools, cql_options_from_environment)"

enum { CONTACTS_MAX = 1024, URL_PART_MAX = 1024 };

/* --- life ---------------------------------------------------------------------------------------- */

static uint32_t *number_at(cqln_config *config, size_t offset)
{
    return (uint32_t *)(void *)((char *)config + offset);
}

static char **text_at(cqln_config *config, size_t offset)
{
    return (char **)(void *)((char *)config + offset);
}

static void set_standards(cqln_config *config)
{
    const cqln_option *row;
    for (size_t i = 0; (row = cqln_option_at(i)) != NULL; i++)
        if (row->kind == CQLN_OPTION_NUMBER || row->kind == CQLN_OPTION_CHOICE)
            *number_at(config, row->offset) = row->standard;
    config->log.level = CQL_LOG_OFF;
}

cql_status cql_options_new(const cql_allocator *al, cql_options **out)
{
    if (!out)
        return CQL_BAD_ARGUMENT;
    if (!al)
        al = cqln_alloc_default();
    cql_options *o = cqln_alloc_zero(al, sizeof *o);
    if (!o)
        return CQL_NO_MEMORY;
    o->al = al;
    set_standards(&o->config);
    *out = o;
    return CQL_OK;
}

static void clear_contacts(const cql_allocator *al, cqln_config *config)
{
    for (size_t i = 0; i < config->contact_count; i++)
        cqln_free(al, config->contacts[i].host);
    cqln_free(al, config->contacts);
    config->contacts = NULL;
    config->contact_count = 0;
}

void cqln_config_fini(const cql_allocator *al, cqln_config *config)
{
    const cqln_option *row;
    clear_contacts(al, config);
    for (size_t i = 0; (row = cqln_option_at(i)) != NULL; i++) {
        if (row->kind != CQLN_OPTION_TEXT)
            continue;
        char **field = text_at(config, row->offset);
        if (*field)
            cqln_wipe(*field, strlen(*field));
        cqln_free(al, *field);
        *field = NULL;
    }
}

static bool copy_texts(const cql_allocator *al, cqln_config *config)
{
    const cqln_option *row;
    bool ok = true;
    for (size_t i = 0; (row = cqln_option_at(i)) != NULL; i++) {
        if (row->kind != CQLN_OPTION_TEXT)
            continue;
        char **field = text_at(config, row->offset);
        if (*field && !(*field = cqln_strdup(al, cql_str_of(*field))))
            ok = false;
    }
    return ok;
}

cql_status cqln_config_copy(const cql_allocator *al, const cqln_config *from, cqln_config *to)
{
    *to = *from;
    to->contacts = NULL;
    to->contact_count = 0;
    cql_status st = copy_texts(al, to) ? CQL_OK : CQL_NO_MEMORY;
    for (size_t i = 0; st == CQL_OK && i < from->contact_count; i++)
        st = cqln_config_add_contact(al, to, cql_str_of(from->contacts[i].host),
                                     from->contacts[i].port);
    if (st)
        cqln_config_fini(al, to);
    return st;
}

cql_status cql_options_copy(const cql_options *from, cql_options **out)
{
    if (!from || !out)
        return CQL_BAD_ARGUMENT;
    cql_options *o = cqln_alloc_zero(from->al, sizeof *o);
    if (!o)
        return CQL_NO_MEMORY;
    o->al = from->al;
    memcpy(o->given, from->given, sizeof o->given);
    cql_status st = cqln_config_copy(o->al, &from->config, &o->config);
    if (st) {
        cqln_free(o->al, o);
        return st;
    }
    *out = o;
    return CQL_OK;
}

void cql_options_free(cql_options *o)
{
    if (!o)
        return;
    cqln_config_fini(o->al, &o->config);
    cqln_free(o->al, o->shown);
    cqln_free(o->al, o);
}

cql_status cqln_options_change(cql_options *o,
                               cql_status (*fill)(cql_options *o, const void *arg, cql_error **err),
                               const void *arg, cql_error **err)
{
    cql_options *copy = NULL;
    cql_status st = cql_options_copy(o, &copy);
    if (st)
        return cqln_fail(err, o->al, st, "no memory for the options");
    st = fill(copy, arg, err);
    if (st == CQL_OK) {
        cql_options old = *o;
        *o = *copy;
        *copy = old;
    }
    cql_options_free(copy);
    return st;
}

cql_status cql_options_set_retry_policy(cql_options *o, const cql_retry_policy *policy)
{
    if (!o || (policy && (policy->size < sizeof *policy || !policy->decide)))
        return CQL_BAD_ARGUMENT;
    o->config.retry_table = policy ? *policy : (cql_retry_policy){0, NULL, NULL};
    return CQL_OK;
}

/* --- contact points ------------------------------------------------------------------------------ */

cql_status cqln_config_add_contact(const cql_allocator *al, cqln_config *config, cql_str host,
                                   uint16_t port)
{
    if (config->contact_count >= CONTACTS_MAX)
        return CQL_TOO_LARGE;
    cqln_contact *grown = cqln_realloc_array(al, config->contacts, config->contact_count + 1,
                                             sizeof *grown);
    if (!grown)
        return CQL_NO_MEMORY;
    config->contacts = grown;
    char *copy = cqln_strdup(al, host);
    if (!copy)
        return CQL_NO_MEMORY;
    grown[config->contact_count].host = copy;
    grown[config->contact_count].port = port;
    config->contact_count++;
    return CQL_OK;
}

static cql_str trim(cql_str s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = (cql_str){s.ptr + 1, s.len - 1};
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static cql_str before(cql_str *text, char mark)
{
    const char *at = text->len ? memchr(text->ptr, mark, text->len) : NULL;
    size_t n = at ? (size_t)(at - text->ptr) : text->len;
    cql_str part = {text->ptr, n};
    size_t used = at ? n + 1 : n;
    text->ptr = text->len ? text->ptr + used : text->ptr;
    text->len -= used;
    return part;
}

cql_status cqln_options_set_contacts(cql_options *o, cql_str hosts, cql_error **err)
{
    cqln_config fresh;
    cql_status st = CQL_OK;
    memset(&fresh, 0, sizeof fresh);
    if (trim(hosts).len == 0)
        return cqln_fail(err, o->al, CQL_BAD_VALUE, "no contact point is given");
    while (hosts.len && st == CQL_OK) {
        cql_str one = trim(before(&hosts, ','));
        cql_str host;
        uint16_t port;
        bool whole = !one.len || !memchr(one.ptr, '\0', one.len);
        if (!whole || !cqln_split_host_port(one, &host, &port) || host.len > 255)
            st = cqln_fail(err, o->al, CQL_BAD_VALUE,
                           "\"%.*s\" is no contact point: host, host:port, or [IPv6]:port",
                           (int)one.len, one.len ? one.ptr : "");
        else if ((st = cqln_config_add_contact(o->al, &fresh, host, port)) != CQL_OK)
            cqln_fail(err, o->al, st, "too many contact points, or out of memory");
    }
    if (st) {
        clear_contacts(o->al, &fresh);
        return st;
    }
    clear_contacts(o->al, &o->config);
    o->config.contacts = fresh.contacts;
    o->config.contact_count = fresh.contact_count;
    return CQL_OK;
}

cql_status cql_options_set_contact_points(cql_options *o, const char *hosts, cql_error **err)
{
    if (!o || !hosts)
        return cqln_fail_null(err, o ? "hosts" : "o");
    return cqln_option_apply(o, cql_str_of("contact_points"), cql_str_of(hosts), err);
}

cql_status cql_options_add_contact_point(cql_options *o, const char *host, uint16_t port)
{
    if (!o || !host || !host[0])
        return CQL_BAD_ARGUMENT;
    cql_status st = cqln_config_add_contact(o->al, &o->config, cql_str_of(host), port);
    if (st == CQL_OK)
        o->given[0] = true; /* contact_points is the first row */
    return st;
}

/* --- setters ------------------------------------------------------------------------------------- */

cql_status cql_options_set(cql_options *o, const char *name, const char *value, cql_error **err)
{
    if (!o || !name || !value)
        return cqln_fail_null(err, !o ? "o" : !name ? "name" : "value");
    return cqln_option_apply(o, cql_str_of(name), cql_str_of(value), err);
}

cql_status cql_options_set_credentials(cql_options *o, const char *user, const char *password)
{
    if (!o)
        return CQL_BAD_ARGUMENT;
    cql_status st = cqln_option_apply(o, cql_str_of("username"), cql_str_of(user), NULL);
    return st ? st : cqln_option_apply(o, cql_str_of("password"), cql_str_of(password), NULL);
}

cql_status cql_options_set_keyspace(cql_options *o, const char *keyspace)
{
    if (!o)
        return CQL_BAD_ARGUMENT;
    return cqln_option_apply(o, cql_str_of("keyspace"), cql_str_of(keyspace), NULL);
}

void cql_options_set_log(cql_options *o, cql_log_fn fn, void *user, cql_log_level level)
{
    if (!o)
        return;
    o->config.log.fn = fn;
    o->config.log.user = user;
    o->config.log.level = level;
}

void cql_options_on_node_event(cql_options *o, cql_node_event_fn fn, void *user)
{
    if (!o)
        return;
    o->config.node_event = fn;
    o->config.node_event_user = user;
}

void cql_options_on_schema_event(cql_options *o, cql_schema_event_fn fn, void *user)
{
    if (!o)
        return;
    o->config.schema_event = fn;
    o->config.schema_event_user = user;
}

void cql_options_set_address_translator(cql_options *o, cql_translate_fn fn, void *user)
{
    if (!o)
        return;
    o->config.translate = fn;
    o->config.translate_user = user;
}

/* --- connection string ---------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

#define BROKEN_PART "a broken %%XX escape, or longer than 1023 bytes"

/* Undoes %XX; false for a broken escape, a NUL or a part that is too long. */
static bool unescape(cql_str in, char *out, size_t cap, cql_str *result)
{
    size_t n = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (n + 1 >= cap)
            return false;
        if (c == '%') {
            int hi = i + 2 < in.len ? hex_digit(in.ptr[i + 1]) : -1;
            int lo = i + 2 < in.len ? hex_digit(in.ptr[i + 2]) : -1;
            if (hi < 0 || lo < 0 || hi * 16 + lo == 0)
                return false;
            c = (char)(hi * 16 + lo);
            i += 2;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    *result = (cql_str){out, n};
    return true;
}

static cql_status apply_part(cql_options *o, const char *name, cql_str raw, cql_error **err)
{
    char buf[URL_PART_MAX];
    cql_str value;
    if (!unescape(raw, buf, sizeof buf, &value))
        return cqln_fail(err, o->al, CQL_BAD_ARGUMENT,
                         "connection string: %s: " BROKEN_PART, name);
    return cqln_option_apply(o, cql_str_of(name), value, err);
}

static cql_status apply_query(cql_options *o, cql_str query, cql_error **err)
{
    while (query.len) {
        char name_buf[URL_PART_MAX], value_buf[URL_PART_MAX];
        cql_str pair = before(&query, '&');
        cql_str raw_name = before(&pair, '=');
        cql_str name, value;
        if (raw_name.len == 0)
            continue;
        if (!unescape(raw_name, name_buf, sizeof name_buf, &name) ||
            !unescape(pair, value_buf, sizeof value_buf, &value))
            return cqln_fail(err, o->al, CQL_BAD_ARGUMENT,
                             "connection string: %.*s: " BROKEN_PART,
                             raw_name.len < 64 ? (int)raw_name.len : 64, raw_name.ptr);
        if (cql_str_equal(name, cql_str_of("password")))
            return cqln_fail(err, o->al, CQL_BAD_ARGUMENT,
                             "connection string: " PASSWORD_ELSEWHERE);
        if (cql_str_equal(name, cql_str_of("tls_key_password")))
            return cqln_fail(err, o->al, CQL_BAD_ARGUMENT,
                             "connection string: a pass phrase is not taken here, where it would be "
                             "seen; use CQL_TLS_KEY_PASSWORD or cql_options_set");
        cql_status st = cqln_option_apply(o, name, value, err);
        if (st)
            return st;
    }
    return CQL_OK;
}

static cql_status apply_user(cql_options *o, cql_str *authority, cql_error **err)
{
    const char *at = authority->len ? memchr(authority->ptr, '@', authority->len) : NULL;
    if (!at)
        return CQL_OK;
    cql_str user = before(authority, '@');
    if (user.len && memchr(user.ptr, ':', user.len))
        return cqln_fail(err, o->al, CQL_BAD_ARGUMENT,
                         "connection string: " PASSWORD_ELSEWHERE);
    return apply_part(o, "username", user, err);
}

/* As many as there are, so their text may be long. The zone of an IPv6 address is behind a %25. */
static cql_status apply_hosts(cql_options *o, cql_str authority, cql_error **err)
{
    cql_str hosts;
    char *buf = cqln_alloc(o->al, authority.len + 2);
    cql_status st = CQL_NO_MEMORY;
    if (!buf)
        return cqln_fail(err, o->al, st, "connection string: %s", cql_status_text(st));
    if (unescape(authority, buf, authority.len + 2, &hosts))
        st = cqln_option_apply(o, cql_str_of("contact_points"), hosts, err);
    else
        st = cqln_fail(err, o->al, CQL_BAD_ARGUMENT, "connection string: hosts: a broken %%XX escape");
    cqln_free(o->al, buf);
    return st;
}

static cql_status parse(cql_options *o, const void *arg, cql_error **err)
{
    static const char scheme[] = "cql://";
    const char *url = arg;
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return cqln_fail(err, o->al, CQL_BAD_ARGUMENT,
                         "connection string: it begins with cql://, as in cql://host:9042/keyspace");
    cql_str rest = cql_str_of(url + sizeof scheme - 1);
    cql_str path = before(&rest, '?');
    cql_str query = rest;
    cql_str authority = before(&path, '/');
    cql_status st = apply_user(o, &authority, err);
    if (st == CQL_OK && authority.len)
        st = apply_hosts(o, authority, err);
    if (st == CQL_OK && path.len)
        st = apply_part(o, "keyspace", path, err);
    if (st == CQL_OK)
        st = apply_query(o, query, err);
    if (st == CQL_OK && authority.len == 0 && !o->config.secure_bundle)
        st = cqln_fail(err, o->al, CQL_BAD_VALUE,
                       "connection string: no contact point is given, and no secure_bundle that could name "
                       "one");
    return st;
}

cql_status cql_options_parse(cql_options *o, const char *url, cql_error **err)
{
    if (!o || !url)
        return cqln_fail_null(err, o ? "url" : "o");
    return cqln_options_change(o, parse, url, err);
}
