/* The options allow_hosts and deny_hosts: which of the cluster's nodes may be used. */
#include "base/error.h"
#include "cluster/cluster.h"

bool cqln_rules_available(void)
{
    return true;
}

static cql_str next_word(cql_str *text)
{
    while (text->len && (text->ptr[0] == ',' || text->ptr[0] == ' '))
        *text = (cql_str){text->ptr + 1, text->len - 1};
    cql_str word = {text->ptr, 0};
    while (word.len < text->len && text->ptr[word.len] != ',' && text->ptr[word.len] != ' ')
        word.len++;
    if (word.len)
        *text = (cql_str){text->ptr + word.len, text->len - word.len};
    return word;
}

/* An address, or the host id of a node behind a proxy. */
static bool parse_rule(cql_str word, cqln_address *out)
{
    cql_uuid id;
    cql_str host;
    uint16_t port;
    if (cql_uuid_parse(word, &id) == CQL_OK) {
        *out = cqln_address_of_id(&id);
        return true;
    }
    return cqln_split_host_port(word, &host, &port) && cqln_address_parse(out, host, port);
}

/* What is no address is left out, with a word in the log. */
static cql_status parse_rules(cqln_cluster *c, const char *option, const char *text,
                              cqln_host_rules *out)
{
    cql_str rest = cql_str_of(text), word;
    while ((word = next_word(&rest)).len) {
        cqln_host_rule rule;
        if (!parse_rule(word, &rule.address)) {
            char shown[100];
            cqln_escape(shown, sizeof shown, word);
            CQLN_LOG(c->loop.log, CQL_LOG_WARN, "option %s: \"%s\" is no address", option, shown);
            continue;
        }
        cqln_host_rule *grown =
            cqln_realloc_array(c->al, out->rules, out->count + 1, sizeof *grown);
        if (!grown)
            return CQL_NO_MEMORY;
        out->rules = grown;
        out->rules[out->count++] = rule;
    }
    return CQL_OK;
}

static bool named(const cqln_host_rules *r, const cqln_address *a)
{
    for (size_t i = 0; i < r->count; i++) {
        cqln_address rule = r->rules[i].address;
        if (rule.port == 0 && !rule.is_id)
            rule.port = a->port;
        if (cqln_address_equal(&rule, a))
            return true;
    }
    return false;
}

cql_status cqln_rules_read(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    cql_status st = parse_rules(c, "allow_hosts", c->config->allow_hosts, &r->allow);
    return st ? st : parse_rules(c, "deny_hosts", c->config->deny_hosts, &r->deny);
}

void cqln_rules_free(cqln_cluster *c)
{
    cqln_free(c->al, c->router.allow.rules);
    cqln_free(c->al, c->router.deny.rules);
}

bool cqln_router_denied(const cqln_cluster *c, const cqln_address *a)
{
    const cqln_router *r = &c->router;
    return (c->config->allow_hosts && !named(&r->allow, a)) || named(&r->deny, a);
}
