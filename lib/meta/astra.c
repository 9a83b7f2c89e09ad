/* astra.c: two small JSON texts. */
#include "meta/astra.h"

#include "base/jsonread.h"

#include <stdio.h>
#include <string.h>

static cql_status bad(char *why, const char *what, const char *fault)
{
    (void)snprintf(why, CQLN_ASTRA_WHY, "%s %s", what, fault);
    return CQL_MALFORMED;
}

/* Letters, digits, dots, hyphens; and colons for an IPv6 address. Nothing that could end a line. */
static bool is_host(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:");
    return len > 0 && text[len] == '\0';
}

/* "" when it is not there or null. */
static cql_status optional(cql_str object, const char *name, char *out, char *why)
{
    cql_str v;
    out[0] = '\0';
    if (!cqln_json_member(object, name, &v) || cqln_json_is_null(v))
        return CQL_OK;
    return cqln_json_string(v, out, CQLN_ASTRA_NAME) ? bad(why, name, "is no name") : CQL_OK;
}

cql_status cqln_astra_read_config(cql_str json, cqln_astra_config *out, char *why)
{
    cql_str root, v;
    uint32_t port;
    if (!cqln_json_check(json, &root))
        return bad(why, "it", "is no JSON");
    if (!cqln_json_member(root, "host", &v) || cqln_json_string(v, out->host, sizeof out->host) ||
        !is_host(out->host))
        return bad(why, "host", "is missing or no name");
    if (!cqln_json_member(root, "port", &v) || !cqln_json_number(v, 65535, &port) || port == 0)
        return bad(why, "port", "is missing or no port number");
    out->port = (uint16_t)port;
    return optional(root, "localDC", out->local_dc, why);
}

/* --- contact info ---------------------------------------------------------------------------------- */

static cql_status read_proxy(cql_str info, cqln_astra_contact *out, char *why)
{
    static const char name[] = "sni_proxy_address";
    char text[CQLN_ASTRA_HOST + 8];
    cql_str v, host;
    uint16_t port;
    if (!cqln_json_member(info, name, &v) || cqln_json_string(v, text, sizeof text))
        return bad(why, name, "is missing or too long");
    if (!cqln_split_host_port(cql_str_of(text), &host, &port) || host.len >= sizeof out->proxy)
        return bad(why, name, "is no name with a port");
    memcpy(out->proxy, host.ptr, host.len);
    out->proxy[host.len] = '\0';
    out->port = port ? port : CQLN_ASTRA_PROXY_PORT;
    return is_host(out->proxy) ? CQL_OK : bad(why, name, "is no name with a port");
}

static bool is_known(const cqln_astra_contact *c, const cql_uuid *id)
{
    for (size_t i = 0; i < c->count; i++)
        if (memcmp(&c->points[i], id, sizeof *id) == 0)
            return true;
    return false;
}

static cql_status read_points(cql_str info, cqln_astra_contact *out, char *why)
{
    static const char name[] = "contact_points";
    cql_str points, v;
    out->count = 0;
    if (!cqln_json_member(info, name, &points))
        return bad(why, name, "is missing");
    for (size_t i = 0; i < CQLN_ASTRA_POINTS && cqln_json_item(points, i, &v); i++) {
        char text[40];
        cql_uuid id;
        if (cqln_json_string(v, text, sizeof text) ||
            cql_uuid_parse(cql_str_of(text), &id) != CQL_OK)
            return bad(why, name, "holds what is no host id");
        if (!is_known(out, &id))
            out->points[out->count++] = id;
    }
    return out->count ? CQL_OK : bad(why, name, "holds no host id");
}

cql_status cqln_astra_read_contact(cql_str json, cqln_astra_contact *out, char *why)
{
    cql_str root, info;
    if (!cqln_json_check(json, &root))
        return bad(why, "it", "is no JSON");
    if (!cqln_json_member(root, "contact_info", &info))
        return bad(why, "contact_info", "is missing");
    cql_status st = read_proxy(info, out, why);
    if (st == CQL_OK)
        st = read_points(info, out, why);
    return st ? st : optional(info, "local_dc", out->local_dc, why);
}
