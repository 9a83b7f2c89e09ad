/* Reading the settings. The file is walked as a tree; each leaf comes as a dotted name with its text. */
#include "trainmetrics/config.h"

#include "common/credentials.h"
#include "common/nearest.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static bool wrong(train_config *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool wrong(train_config *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->why, sizeof c->why, format, args);
    va_end(args);
    return false;
}

/* --- single values --------------------------------------------------------------------------------- */

static bool number(train_config *c, const char *name, const char *text, long min, long max, long *out)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (!*text || *end || n < min || n > max)
        return wrong(c, "%s: \"%s\" is not a whole number from %ld to %ld", name, text, min, max);
    *out = n;
    return true;
}

static bool truth(train_config *c, const char *name, const char *text, int *out)
{
    if (strcmp(text, "1") == 0 || strcmp(text, "true") == 0 || strcmp(text, "True") == 0)
        *out = 1;
    else if (strcmp(text, "0") == 0 || strcmp(text, "false") == 0 || strcmp(text, "False") == 0)
        *out = 0;
    else
        return wrong(c, "%s: \"%s\" is neither true nor false", name, text);
    return true;
}

static bool level(train_config *c, const char *name, const char *text, cql_consistency *out)
{
    if (strcmp(text, "ONE") != 0 && strcmp(text, "QUORUM") != 0 && strcmp(text, "ALL") != 0)
        return wrong(c, "%s: \"%s\" is none of ONE, QUORUM, ALL", name, text);
    return cql_consistency_parse(cql_str_of(text), out) == CQL_OK;
}

static bool copy(train_config *c, const char *name, const char *text, char *out, size_t size)
{
    if (strlen(text) >= size)
        return wrong(c, "%s is too long", name);
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static bool keyspace(train_config *c, const char *name, const char *text)
{
    for (const char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '_')
            return wrong(c, "%s: \"%s\" is not the name of a keyspace", name, text);
    if (!isalpha((unsigned char)text[0]) || strlen(text) > 48)
        return wrong(c, "%s: \"%s\" is not the name of a keyspace", name, text);
    return copy(c, name, text, c->keyspace, sizeof c->keyspace);
}

static const char *const keys[] = {
    "enabled",          "contact_points",        "port",
    "keyspace",         "auth_provider.enabled", "auth_provider.username",
    "pool_size",        "auth_provider.password", "connect_timeout",
    "request_timeout",  "batch_size",            "flush_interval",
    "consistency.write", "consistency.read",     "ttl.metrics",
    "ttl.topology",     "ttl.runs"};

static bool unknown(train_config *c, const char *name)
{
    const char *near = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        tool_nearest(name, keys[i], &best, &near);
    return near ? wrong(c, "there is no setting \"%s\"; did you mean \"%s\"?", name, near)
                : wrong(c, "there is no setting \"%s\"", name);
}

/* shown: what to call it when it is wrong. */
static bool take(train_config *c, const char *name, const char *shown, const char *text)
{
    const struct {
        const char *name;
        long min, max, *to;
    } numbers[] = {{"port", 1, 65535, &c->port},
                   {"pool_size", 1, 256, &c->pool_size},
                   {"connect_timeout", 1, 3600, &c->connect_timeout},
                   {"request_timeout", 1, 3600, &c->request_timeout},
                   {"batch_size", 1, 65535, &c->batch_size},
                   {"flush_interval", 1, 86400, &c->flush_interval},
                   {"ttl.metrics", 0, 630720000, &c->ttl_metrics},
                   {"ttl.topology", 0, 630720000, &c->ttl_topology},
                   {"ttl.runs", 0, 630720000, &c->ttl_runs}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(name, numbers[i].name) == 0)
            return number(c, shown, text, numbers[i].min, numbers[i].max, numbers[i].to);
    int enabled;
    if (strcmp(name, "enabled") == 0) {
        bool fine = truth(c, shown, text, &enabled);
        c->enabled = fine && enabled;
        return fine;
    }
    if (strcmp(name, "keyspace") == 0)
        return keyspace(c, shown, text);
    if (strcmp(name, "contact_points") == 0)
        return copy(c, shown, text, c->contact_points, sizeof c->contact_points);
    if (strcmp(name, "auth_provider.enabled") == 0)
        return truth(c, shown, text, &c->auth);
    if (strcmp(name, "auth_provider.username") == 0)
        return copy(c, shown, text, c->username, sizeof c->username);
    if (strcmp(name, "auth_provider.password") == 0)
        return copy(c, shown, text, c->password, sizeof c->password);
    if (strcmp(name, "consistency.write") == 0)
        return level(c, shown, text, &c->write);
    if (strcmp(name, "consistency.read") == 0)
        return level(c, shown, text, &c->read);
    return unknown(c, name);
}

/* --- the file -------------------------------------------------------------------------------------- */

static const char *text_of(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

/* ${NAME} becomes the environment's; one that is not set is left empty for the log-in, which says so when
 * it is needed, and is an error elsewhere. */
static bool substitute(train_config *c, const char *name, const char *text, char *out, size_t size)
{
    size_t n = 0;
    bool login = strncmp(name, "auth_provider.", 14) == 0;
    while (*text) {
        const char *end = strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;
        char variable[128];
        if (!end) {
            if (n + 1 >= size)
                return wrong(c, "%s is too long", name);
            out[n++] = *text++;
            continue;
        }
        snprintf(variable, sizeof variable, "%.*s", (int)(end - text - 2), text + 2);
        const char *value = getenv(variable);
        if (!value && !login)
            return wrong(c, "%s: the environment has no %s", name, variable);
        size_t len = value ? strlen(value) : 0;
        if (n + len >= size)
            return wrong(c, "%s is too long", name);
        memcpy(out + n, value ? value : "", len);
        n += len;
        text = end + 1;
    }
    out[n] = 0;
    return true;
}

static bool leaf(train_config *c, const char *name, const char *text)
{
    char value[1024];
    return substitute(c, name, text, value, sizeof value) && take(c, name, name, value);
}

/* A list of hosts, joined. */
static bool list(train_config *c, yaml_document_t *doc, const char *name, const yaml_node_t *node)
{
    char joined[1024] = "";
    size_t n = 0;
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        const char *text = text_of(yaml_document_get_node(doc, *item));
        if (!text || n + strlen(text) + 2 > sizeof joined)
            return wrong(c, "%s is not a list of hosts", name);
        n += (size_t)snprintf(joined + n, sizeof joined - n, "%s%s", n ? "," : "", text);
    }
    return leaf(c, name, joined);
}

/* The settings below a node; groups one level deep. */
static bool walk(train_config *c, yaml_document_t *doc, const char *prefix, const yaml_node_t *node)
{
    if (!node || node->type != YAML_MAPPING_NODE)
        return wrong(c, "%s is not a group of settings", *prefix ? prefix : "cassandra");
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        char name[128];
        const char *key = text_of(yaml_document_get_node(doc, pair->key));
        const yaml_node_t *value = yaml_document_get_node(doc, pair->value);
        bool fine = false;
        snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key ? key : "?");
        if (text_of(value))
            fine = leaf(c, name, text_of(value));
        else if (value && value->type == YAML_SEQUENCE_NODE && strcmp(name, "contact_points") == 0)
            fine = list(c, doc, name, value);
        else if (*prefix)
            fine = unknown(c, name);
        else
            fine = walk(c, doc, name, value);
        if (!fine)
            return false;
    }
    return true;
}

static yaml_node_t *child(yaml_document_t *doc, const yaml_node_t *node, const char *name)
{
    if (!node || node->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const char *key = text_of(yaml_document_get_node(doc, pair->key));
        if (key && strcmp(key, name) == 0)
            return yaml_document_get_node(doc, pair->value);
    }
    return NULL;
}

static bool read_document(train_config *c, yaml_document_t *doc, const char *path)
{
    yaml_node_t *root = yaml_document_get_root_node(doc);
    yaml_node_t *node = child(doc, root, "cassandra");
    if (!node)
        node = child(doc, child(doc, root, "backend"), "cassandra");
    return node ? walk(c, doc, "", node)
                : wrong(c, "%s has neither cassandra: nor backend: with cassandra: in it", path);
}

static bool read_file(train_config *c, const char *path)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    FILE *f = fopen(path, "r");
    bool fine;
    if (!f)
        return wrong(c, "%s cannot be read", path);
    if (!yaml_parser_initialize(&parser)) {
        fclose(f);
        return wrong(c, "no memory to read %s", path);
    }
    yaml_parser_set_input_file(&parser, f);
    fine = yaml_parser_load(&parser, &doc);
    if (fine) {
        fine = read_document(c, &doc, path);
        yaml_document_delete(&doc);
    } else {
        wrong(c, "%s, line %zu: %s", path, parser.problem_mark.line + 1,
              parser.problem ? parser.problem : "not YAML");
    }
    yaml_parser_delete(&parser);
    if (*c->password)
        tool_warn_of_readers(fileno(f), path);
    fclose(f);
    return fine;
}

/* --- all of it ------------------------------------------------------------------------------------- */

static bool read_environment(train_config *c)
{
    static const char *const names[][2] = {{"CASCOR_CASSANDRA_ENABLED", "enabled"},
                                           {"CASCOR_CASSANDRA_CONTACT_POINTS", "contact_points"},
                                           {"CASCOR_CASSANDRA_PORT", "port"},
                                           {"CASCOR_CASSANDRA_KEYSPACE", "keyspace"},
                                           {"CASCOR_CASSANDRA_BATCH_SIZE", "batch_size"},
                                           {"CASCOR_CASSANDRA_FLUSH_INTERVAL", "flush_interval"},
                                           {"CASSANDRA_USERNAME", "auth_provider.username"},
                                           {"CASSANDRA_PASSWORD", "auth_provider.password"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i][0]);
        if (value && *value && !take(c, names[i][1], names[i][0], value))
            return false;
    }
    return true;
}

bool train_config_has_login(const train_config *c)
{
    return c->auth == 1 || (c->auth < 0 && *c->username);
}

bool train_config_load(train_config *c, const char *path)
{
    *c = (train_config){.contact_points = "localhost", .keyspace = "cascor", .auth = -1,
                        .port = 9042, .pool_size = 10, .connect_timeout = 10,
                        .request_timeout = 10, .batch_size = 100, .flush_interval = 5,
                        .ttl_metrics = 2592000, .ttl_topology = 7776000,
                        .write = CQL_CONSISTENCY_ONE, .read = CQL_CONSISTENCY_ONE};
    if ((path && !read_file(c, path)) || !read_environment(c))
        return false;
    if (c->auth == 1 && !*c->username)
        return wrong(c, "auth_provider.enabled is true, but there is no user name: set "
                        "CASSANDRA_USERNAME and CASSANDRA_PASSWORD");
    return true;
}
