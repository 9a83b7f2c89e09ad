/* Connection strings. */
#include "api/options.h"

#include "base/error.h"
#include "types/hex.h"

#include <cqlnative/session.h>
#include <string.h>

#define PASSWORD_ELSEWHERE                                                                         \
    "a password is not taken here, where it would be seen; use cql_options_set_credentials, or "   \
    "CQL_PASSWORD where the environment is read (the tools, cql_options_from_environment)"

enum { URL_PART_MAX = 1024 };

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
            int hi = i + 2 < in.len ? cqln_hex_digit(in.ptr[i + 1]) : -1;
            int lo = i + 2 < in.len ? cqln_hex_digit(in.ptr[i + 2]) : -1;
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
        cql_str pair = cqln_take_before(&query, '&');
        cql_str raw_name = cqln_take_before(&pair, '=');
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
    cql_str user = cqln_take_before(authority, '@');
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
    cql_str path = cqln_take_before(&rest, '?');
    cql_str query = rest;
    cql_str authority = cqln_take_before(&path, '/');
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

cql_status cql_session_open_wait(const char *url, cql_session **out, cql_error **err)
{
    return cql_session_open_login_wait(url, NULL, NULL, out, err);
}

cql_status cql_session_open_login_wait(const char *url, const char *user, const char *password,
                                       cql_session **out, cql_error **err)
{
    cql_options *o = NULL;
    cql_session *s = NULL;
    if (!url || !out)
        return cqln_fail_null(err, url ? "out" : "url");
    *out = NULL;
    cql_status st = cql_options_new(NULL, &o);
    if (st)
        return cqln_fail(err, cqln_alloc_default(), st, "no memory for the options");
    st = cql_options_parse(o, url, err);
    if (st == CQL_OK && user && (st = cql_options_set_credentials(o, user, password)) != CQL_OK)
        cqln_fail(err, cqln_alloc_default(), st, "the user or the password: %s", cql_status_text(st));
    if (st == CQL_OK)
        st = cql_session_new(o, &s, err);
    if (st == CQL_OK)
        st = cql_session_connect_wait(s, err);
    cql_options_free(o);
    if (st) {
        cql_session_free(s);
        return st;
    }
    *out = s;
    return CQL_OK;
}
