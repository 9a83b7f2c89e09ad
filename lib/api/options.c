/* The options object: making, copying, contact points. */
#include "api/options.h"

#include "api/optiontab.h"
#include "base/error.h"
#include "meta/address.h"

#include <stdlib.h>
#include <string.h>

enum { CONTACTS_MAX = 1024 };

/* --- life ---------------------------------------------------------------------------------------- */

static void set_standards(cqln_config *config)
{
    const cqln_option *row;
    for (size_t i = 0; (row = cqln_option_at(i)) != NULL; i++)
        if (row->kind == CQLN_OPTION_NUMBER || row->kind == CQLN_OPTION_CHOICE)
            *cqln_option_number(config, row) = row->standard;
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
        char **field = cqln_option_text(config, row);
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
        char **field = cqln_option_text(config, row);
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

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

cql_str cqln_trim(cql_str s)
{
    while (s.len && is_blank(s.ptr[0]))
        s = (cql_str){s.ptr + 1, s.len - 1};
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

cql_str cqln_take_before(cql_str *text, char mark)
{
    const char *at = text->len ? memchr(text->ptr, mark, text->len) : NULL;
    cql_str part = {text->ptr, at ? (size_t)(at - text->ptr) : text->len};
    size_t used = at ? part.len + 1 : part.len;
    text->ptr = text->len ? text->ptr + used : text->ptr;
    text->len -= used;
    return part;
}

cql_status cqln_options_set_contacts(cql_options *o, cql_str hosts, cql_error **err)
{
    cqln_config fresh;
    cql_status st = CQL_OK;
    memset(&fresh, 0, sizeof fresh);
    if (cqln_trim(hosts).len == 0)
        return cqln_fail(err, o->al, CQL_BAD_VALUE, "no contact point is given");
    while (hosts.len && st == CQL_OK) {
        cql_str one = cqln_trim(cqln_take_before(&hosts, ','));
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
