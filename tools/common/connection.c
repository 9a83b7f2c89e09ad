/* From the common options to a cql_options. */
#include "common/connection.h"

#include "common/exit_code.h"
#include "common/memory.h"

#include <cqlnative/session.h>
#include <cqlnative/uuid.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WHY_SIZE           400
#define LONGEST_TIMEOUT_MS 86400000u

enum {
    OPT_HOST = TOOL_OPT_CONNECTION,
    OPT_PORT,
    OPT_USER,
    OPT_PASSWORD,
    OPT_PASSWORD_FILE,
    OPT_PASSWORD_FD,
    OPT_PROTOCOL,
    OPT_TIMEOUT,
    OPT_SETTING,
    OPT_FILE,
    OPT_BUNDLE,
    OPT_TLS,
    OPT_TLS_CA,
    OPT_TLS_CERT,
    OPT_TLS_KEY,
    OPT_TLS_NAME,
    OPT_TLS_PASSWORD_FILE,
    OPT_TLS_INSECURE
};

const tool_option tool_connection_options[TOOL_CONNECTION_OPTION_COUNT] = {
    {0, "host", "HOST[:PORT]", OPT_HOST,
     "a node to begin with; several with commas; IPv6 in brackets\n"
     "(without: CQL_CONTACT_POINTS, else 127.0.0.1:9042)"},
    {0, "port", "N", OPT_PORT, "port of hosts given without one (9042)"},
    {'u', "user", "NAME", OPT_USER, "log in as NAME (CQL_USERNAME)"},
    {0, "password-file", "FILE", OPT_PASSWORD_FILE,
     "first line of FILE is the password (CQL_PASSWORD;\nelse it is asked for on a terminal)"},
    {0, "password-fd", "N", OPT_PASSWORD_FD, "the same from an open descriptor"},
    {0, "protocol", "N", OPT_PROTOCOL, "protocol version: 4 or 5 (the highest both know)"},
    {0, "timeout", "SECONDS", OPT_TIMEOUT, "time for one request, fractions allowed"},
    {'o', "option", "NAME=VALUE", OPT_SETTING,
     "set any option of the library; '-o help' lists them"},
    {0, "options-file", "FILE", OPT_FILE,
     "read options from FILE, lines NAME = VALUE (CQL_OPTIONS_FILE)"},
    {0, "password", "PASSWORD", OPT_PASSWORD, NULL},
    {0, "tls", "[=MODE]", OPT_TLS,
     "encrypt; MODE: verify-full (certificate and name, the\ndefault), verify-ca, off"},
    {0, "tls-ca", "FILE", OPT_TLS_CA, "authorities to trust (without: the system's)"},
    {0, "tls-cert", "FILE", OPT_TLS_CERT, "this side's certificate"},
    {0, "tls-key", "FILE", OPT_TLS_KEY, "its key"},
    {0, "tls-key-password-file", "FILE", OPT_TLS_PASSWORD_FILE,
     "first line of FILE is the key's pass phrase\n(CQL_TLS_KEY_PASSWORD)"},
    {0, "tls-name", "NAME", OPT_TLS_NAME, "the name that the nodes' certificates have"},
    {0, "tls-insecure", NULL, OPT_TLS_INSECURE, "encrypt, but accept any server"},
    {0, "bundle", "FILE", OPT_BUNDLE,
     "secure connect bundle (zip) of an Astra database, in\nplace of hosts and of all about TLS"},
    {0, "local-dc", NULL, TOOL_OPT_LATER, NULL},
    {0, "proxy", NULL, TOOL_OPT_LATER, NULL},
};

void tool_connection_init(tool_connection *c)
{
    memset(c, 0, sizeof *c);
    tool_credentials_init(&c->credentials);
    tool_tls_init(&c->tls);
}

void tool_connection_free(tool_connection *c)
{
    for (size_t i = 0; i < c->setting_count; i++)
        free(c->settings[i]);
    free(c->settings);
    free(c->options_file);
    tool_targets_free(&c->words);
    tool_targets_free(&c->hosts);
    tool_credentials_free(&c->credentials);
    tool_tls_free(&c->tls);
    memset(c, 0, sizeof *c);
}

static void replace(char **text, const char *value)
{
    free(*text);
    *text = tool_copy(value);
}

static bool add_target(tool_targets *t, tool_args *a)
{
    char why[WHY_SIZE];
    if (tool_targets_add(t, a->value, why, sizeof why))
        return true;
    tool_args_fail(a, "%s", why);
    return false;
}

bool tool_connection_word(tool_connection *c, tool_args *a)
{
    return add_target(&c->words, a);
}

/* The options of the library on standard output: what '-o help' asks for. */
static void list_settings(tool_args *a)
{
    cql_option_info info;
    for (size_t i = 0; cql_options_info(i, &info); i++)
        printf("%-28s %s (%s, %s; default %s)\n", info.name, info.help, info.kind, info.range,
               *info.standard ? info.standard : "none");
    a->ended = true;
    a->exit_code = fflush(stdout) || ferror(stdout) ? TOOL_EXIT_FAILED : TOOL_EXIT_OK;
}

static void add_setting(tool_connection *c, tool_args *a)
{
    const char *equals = strchr(a->value, '=');
    if (strcmp(a->value, "help") == 0) {
        list_settings(a);
        return;
    }
    if (!equals || equals == a->value) {
        tool_args_fail(a, "--option wants NAME=VALUE ('-o help' lists the names)");
        return;
    }
    if (strncmp(a->value, "tls_key_password=", 17) == 0) {
        tool_args_fail(a, "a pass phrase on the command line can be read by every user of this "
                          "machine: use --tls-key-password-file or CQL_TLS_KEY_PASSWORD");
        return;
    }
    if (strncmp(a->value, "password=", 9) == 0) {
        tool_args_fail(a, "a password on the command line can be read by every user of this "
                          "machine: use --password-file, --password-fd or CQL_PASSWORD");
        return;
    }
    c->settings =
        tool_grow(c->settings, &c->setting_capacity, c->setting_count + 1, sizeof *c->settings);
    c->settings[c->setting_count++] = tool_copy(a->value);
}

/* --bundle FILE is -o secure_bundle=FILE. */
static void add_bundle(tool_connection *c, const char *file)
{
    static const char name[] = "secure_bundle=";
    size_t size = sizeof name + strlen(file);
    char *text = tool_alloc(size, 1);
    memcpy(text, name, sizeof name - 1);
    memcpy(text + sizeof name - 1, file, size - (sizeof name - 1));
    c->settings =
        tool_grow(c->settings, &c->setting_capacity, c->setting_count + 1, sizeof *c->settings);
    c->settings[c->setting_count++] = text;
}

static void take_user(tool_connection *c, const char *user)
{
    /* The password of the environment belongs to the user of the environment. */
    if (c->credentials.user && strcmp(c->credentials.user, user) != 0 && c->credentials.password) {
        tool_wipe(c->credentials.password, strlen(c->credentials.password));
        free(c->credentials.password);
        c->credentials.password = NULL;
    }
    replace(&c->credentials.user, user);
}

static bool take_tls(tool_tls *t, const tool_args *a)
{
    switch (a->id) {
    case OPT_TLS:
        tool_tls_set(t, TOOL_TLS_MODE, a->value ? a->value : "verify-full");
        return true;
    case OPT_TLS_CA:
        tool_tls_set(t, TOOL_TLS_CA, a->value);
        return true;
    case OPT_TLS_CERT:
        tool_tls_set(t, TOOL_TLS_CERT, a->value);
        return true;
    case OPT_TLS_KEY:
        tool_tls_set(t, TOOL_TLS_KEY, a->value);
        return true;
    case OPT_TLS_NAME:
        tool_tls_set(t, TOOL_TLS_NAME, a->value);
        return true;
    case OPT_TLS_PASSWORD_FILE:
        replace(&t->password_file, a->value);
        return true;
    case OPT_TLS_INSECURE:
        t->insecure = true;
        return true;
    default:
        return false;
    }
}

bool tool_connection_take(tool_connection *c, tool_args *a)
{
    uint64_t number;
    switch (a->id) {
    case OPT_HOST:
        (void)add_target(&c->hosts, a);
        return true;
    case OPT_PORT:
        (void)tool_args_count(a, 1, 65535, &c->port);
        return true;
    case OPT_USER:
        take_user(c, a->value);
        return true;
    case OPT_PASSWORD:
        tool_args_fail(a, "a password on the command line can be read by every user of this "
                          "machine: use --password-file, --password-fd or CQL_PASSWORD");
        return true;
    case OPT_PASSWORD_FILE:
        replace(&c->credentials.password_file, a->value);
        return true;
    case OPT_PASSWORD_FD:
        if (tool_args_count(a, 0, 1023, &number))
            c->credentials.password_fd = (int)number;
        return true;
    case OPT_PROTOCOL:
        (void)tool_args_count(a, 4, 5, &c->protocol);
        return true;
    case OPT_TIMEOUT:
        (void)tool_args_seconds(a, 1, LONGEST_TIMEOUT_MS, &c->timeout_ms);
        return true;
    case OPT_SETTING:
        add_setting(c, a);
        return true;
    case OPT_FILE:
        replace(&c->options_file, a->value);
        return true;
    case OPT_BUNDLE:
        add_bundle(c, a->value);
        return true;
    default:
        return take_tls(&c->tls, a);
    }
}

/* Options that could not be set are a matter of the command line, but for memory. */
static bool settled(tool_args *a, cql_status st, cql_error **err)
{
    if (st == CQL_OK)
        return true;
    tool_args_fail(a, "%s", *err ? cql_error_text(*err) : cql_status_text(st));
    if (st == CQL_NO_MEMORY)
        a->exit_code = TOOL_EXIT_FAILED;
    cql_error_unref(*err);
    *err = NULL;
    return false;
}

/* File and environment: what every session of the tool begins with. */
static bool apply_surroundings(tool_connection *c, tool_args *a, cql_options *o)
{
    cql_error *err = NULL;
    return (!c->options_file || settled(a, cql_options_load(o, c->options_file, &err), &err)) &&
           settled(a, cql_options_from_environment(o, &err), &err);
}

static bool apply_settings(tool_connection *c, tool_args *a, cql_options *o);

static bool has_bundle(const cql_options *o)
{
    const char *bundle = cql_options_value(o, "secure_bundle");
    return bundle && *bundle;
}

/* Contact points of file and environment, or a bundle from anywhere, become the targets when the command line
 * names none. */
static bool add_surrounding_targets(tool_connection *c, tool_args *a)
{
    char why[WHY_SIZE];
    cql_options *o = NULL;
    cql_error *none = NULL;
    if (!settled(a, cql_options_new(NULL, &o), &none))
        return false;
    bool ok = apply_surroundings(c, a, o) && apply_settings(c, a, o);
    const char *hosts = !ok                                       ? NULL
                        : cql_options_given(o, "contact_points") ? cql_options_value(o, "contact_points")
                        : has_bundle(o)                           ? TOOL_BUNDLE_TARGET
                                                                  : NULL;
    if (hosts && !tool_targets_add(&c->hosts, hosts, why, sizeof why)) {
        tool_args_fail(a, "%s", why);
        ok = false;
    }
    cql_options_free(o);
    return ok;
}

const tool_targets *tool_connection_targets(tool_connection *c, tool_args *a)
{
    char why[WHY_SIZE];
    if (c->words.count)
        return &c->words;
    const char *points = getenv("CQL_CONTACT_POINTS");
    if (!c->hosts.count && (!points || !*points) && !add_surrounding_targets(c, a))
        return NULL;
    if (tool_targets_settle(&c->hosts, why, sizeof why))
        return &c->hosts;
    tool_args_fail(a, "%s", why);
    return NULL;
}

static bool apply_settings(tool_connection *c, tool_args *a, cql_options *o)
{
    cql_error *err = NULL;
    for (size_t i = 0; i < c->setting_count; i++) {
        char *name = tool_copy(c->settings[i]);
        char *equals = strchr(name, '=');
        *equals = '\0';
        cql_status st = cql_options_set(o, name, equals + 1, &err);
        free(name);
        if (!settled(a, st, &err))
            return false;
    }
    return true;
}

static bool apply_number(tool_args *a, cql_options *o, const char *name, uint64_t number)
{
    char text[24];
    cql_error *err = NULL;
    snprintf(text, sizeof text, "%" PRIu64, number);
    return !number || settled(a, cql_options_set(o, name, text, &err), &err);
}

static bool apply_tls(tool_connection *c, tool_args *a, cql_options *o)
{
    char why[WHY_SIZE];
    cql_error *err = NULL;
    if (!tool_tls_settle(&c->tls, why, sizeof why)) {
        tool_args_fail(a, "%s", why);
        return false;
    }
    return settled(a, tool_tls_apply(&c->tls, o, &err), &err);
}

static bool apply_credentials(tool_connection *c, tool_args *a, cql_options *o)
{
    char why[WHY_SIZE];
    cql_error *err = NULL;
    const char *user = cql_options_value(o, "username");
    bool own = !c->credentials.user || (user && strcmp(user, c->credentials.user) == 0);
    if (user && *user && !c->credentials.user)
        replace(&c->credentials.user, user);
    if (own && cql_options_given(o, "password") && !c->credentials.password &&
        !c->credentials.password_file && c->credentials.password_fd < 0)
        return true; /* a file of options had both */
    if (!tool_credentials_settle(&c->credentials, why, sizeof why)) {
        tool_args_fail(a, "%s", why);
        return false;
    }
    /* Read once: further sessions of the same tool use what is known now. */
    free(c->credentials.password_file);
    c->credentials.password_file = NULL;
    c->credentials.password_fd = -1;
    return !c->credentials.user ||
           settled(a, cql_options_set_credentials(o, c->credentials.user, c->credentials.password),
                   &err);
}

/* With a bundle the hosts are none, or host ids: then only these nodes. */
static cql_status set_hosts(cql_options *o, const char *hosts, cql_error **err)
{
    cql_uuid id;
    if (!has_bundle(o))
        return cql_options_set_contact_points(o, hosts, err);
    if (strcmp(hosts, TOOL_BUNDLE_TARGET) == 0)
        return CQL_OK;
    cql_str first = {hosts, strcspn(hosts, ",")};
    return cql_uuid_parse(first, &id) == CQL_OK ? cql_options_set(o, "allow_hosts", hosts, err)
                                                : cql_options_set_contact_points(o, hosts, err);
}

/* hosts: contact points joined by commas, or a connection string. */
static bool apply(tool_connection *c, tool_args *a, cql_options *o, const char *hosts)
{
    cql_error *err = NULL;
    bool url = tool_target_is_url(hosts);
    return apply_surroundings(c, a, o) &&
           settled(a, url ? cql_options_parse(o, hosts, &err) : CQL_OK, &err) &&
           apply_settings(c, a, o) && apply_number(a, o, "port", c->port) &&
           settled(a, url ? CQL_OK : set_hosts(o, hosts, &err), &err) &&
           apply_number(a, o, "protocol", c->protocol) &&
           apply_number(a, o, "request_timeout", c->timeout_ms) && apply_tls(c, a, o) &&
           apply_credentials(c, a, o);
}

cql_options *tool_connection_build_for(tool_connection *c, tool_args *a, const char *target)
{
    cql_options *o = NULL;
    cql_error *none = NULL;
    if (!settled(a, cql_options_new(NULL, &o), &none))
        return NULL;
    if (apply(c, a, o, target))
        return o;
    cql_options_free(o);
    return NULL;
}

cql_options *tool_connection_build(tool_connection *c, tool_args *a)
{
    const tool_targets *t = tool_connection_targets(c, a);
    if (!t)
        return NULL;
    for (size_t i = 0; t->count > 1 && i < t->count; i++)
        if (tool_target_is_url(t->items[i])) {
            tool_args_fail(a, "a connection string stands alone; it can name several hosts itself");
            return NULL;
        }
    char *hosts = tool_targets_join(t);
    cql_options *o = tool_connection_build_for(c, a, hosts);
    free(hosts);
    return o;
}
