/* Log-in by SASL PLAIN, as PasswordAuthenticator speaks it: the token is 00 user 00 password. It
 * goes only to authenticators known to want it, and only where the transport may carry it. */
#include "conn/internal.h"

#include <stdio.h>

static const char *const plain_authenticators[] = {
    "org.apache.cassandra.auth.PasswordAuthenticator",
    "org.apache.cassandra.auth.MutualTlsWithPasswordFallbackAuthenticator",
    "com.scylladb.auth.SaslauthdAuthenticator",
    "com.scylladb.auth.TransitionalAuthenticator",
    "com.instaclustr.cassandra.auth.InstaclustrPasswordAuthenticator",
    "com.ericsson.bss.cassandra.ecaudit.auth.AuditPasswordAuthenticator",
    "com.amazon.helenus.auth.HelenusAuthenticator",
    "io.aiven.cassandra.auth.AivenAuthenticator",
};
/* Wants the name of the mechanism first and asks for the token by a challenge. */
static const char dse_authenticator[] = "com.datastax.bdp.cassandra.auth.DseAuthenticator";

/* Among the names of the option, with commas between? */
static bool in_text(const char *names, cql_str class_name)
{
    cql_str rest = cql_str_of(names);
    while (rest.len) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        cql_str one = {rest.ptr, comma ? (size_t)(comma - rest.ptr) : rest.len};
        size_t used = comma ? one.len + 1 : one.len;
        rest = (cql_str){rest.ptr + used, rest.len - used};
        for (; one.len && one.ptr[0] == ' '; one.len--)
            one.ptr++;
        while (one.len && one.ptr[one.len - 1] == ' ')
            one.len--;
        if (one.len && cql_str_equal(one, class_name))
            return true;
    }
    return false;
}

static bool on_list(const cqln_conn *c, cql_str class_name)
{
    if (in_text(c->config.auth_classes, class_name))
        return true;
    for (size_t i = 0; i < CQL_COUNT(plain_authenticators); i++) {
        if (cql_str_equal(class_name, cql_str_of(plain_authenticators[i])))
            return true;
    }
    return cql_str_equal(class_name, cql_str_of(dse_authenticator));
}

void cqln_login_send(cqln_conn *c, cql_str token, bool secret)
{
    cqln_writer wr;
    cqln_writer_init(&wr, c->config.al, INT32_MAX);
    cqln_encode_auth_response(&wr, c->config.version, token);
    cqln_handshake_send(c, &wr, secret);
}

static void send_credentials(cqln_conn *c)
{
    const char *password = c->config.password ? c->config.password : "";
    size_t user_len = strlen(c->config.user);
    size_t password_len = strlen(password);
    size_t len = 2 + user_len + password_len;
    char *token = cqln_alloc(c->config.al, len);
    if (!token) {
        cqln_conn_die(c, CQL_NO_MEMORY, "out of memory while logging in");
        return;
    }
    token[0] = '\0';
    memcpy(token + 1, c->config.user, user_len);
    token[1 + user_len] = '\0';
    memcpy(token + 2 + user_len, password, password_len);
    cqln_login_send(c, (cql_str){token, len}, true);
    cqln_wipe(token, len);
    cqln_free(c->config.al, token);
}

void cqln_login_begin(cqln_conn *c, cql_str class_name)
{
    char name[100];
    cqln_escape(name, sizeof name, class_name);
    if (!c->config.user && !c->config.authenticator) {
        cqln_conn_die(
            c, CQL_AUTH_FAILED,
            "authentication is required by the server (%s), but no user name and password "
            "are set",
            name);
    } else if (!c->config.auth_allowed) {
        cqln_conn_die(
            c, CQL_AUTH_FAILED,
            "the server wants a password, and credentials are not sent over an unencrypted "
            "connection: use TLS (tls=verify-full), or allow it by the option plain_auth "
            "(\"always\")");
    } else if (c->config.authenticator) {
        cqln_exchange_begin(c, class_name);
    } else if (!on_list(c, class_name)) {
        cqln_conn_die(c, CQL_AUTH_FAILED,
                      "the server's authenticator %s is not known to take a password; nothing was "
                      "sent to it (the option auth_classes can name it)",
                      name);
    } else if (cql_str_equal(class_name, cql_str_of(dse_authenticator))) {
        c->auth_plain_first = true;
        cqln_login_send(c, (cql_str){"PLAIN", 5}, false);
    } else {
        send_credentials(c);
    }
}

void cqln_login_challenge(cqln_conn *c, cql_str token)
{
    if (++c->auth_rounds > CQLN_AUTH_ROUNDS) {
        cqln_conn_die(c, CQL_AUTH_FAILED,
                      "log-in did not end: the server sent more than %d "
                      "challenges",
                      CQLN_AUTH_ROUNDS);
        return;
    }
    if (c->config.authenticator) {
        cqln_exchange_challenge(c, token);
        return;
    }
    if (c->auth_plain_first && !cql_str_equal(token, (cql_str){"PLAIN-START", 11})) {
        cqln_conn_die(c, CQL_AUTH_FAILED,
                      "the server's log-in does not offer a password (mechanism PLAIN)");
        return;
    }
    send_credentials(c);
}

void cqln_login_success(cqln_conn *c, cql_str token)
{
    if (c->config.authenticator)
        cqln_exchange_success(c, token);
}

/* True when the server repeats the password in its text. */
static bool tells_password(const cqln_conn *c, cql_str text)
{
    const char *password = c->config.password;
    size_t n = password ? strlen(password) : 0;
    for (size_t i = 0; n > 0 && i + n <= text.len; i++) {
        if (memcmp(text.ptr + i, password, n) == 0)
            return true;
    }
    return false;
}

void cqln_login_refused(cqln_conn *c, const cqln_server_error *e)
{
    char user[80];
    char what[128];
    cqln_server_error shown = *e;
    cqln_escape(user, sizeof user, cql_str_of(c->config.user));
    if (c->config.authenticator)
        snprintf(what, sizeof what, "the server refused the program's authenticator");
    else if (e->code == (uint32_t)CQL_SERVER_CODE(CQL_SERVER_BAD_CREDENTIALS))
        snprintf(what, sizeof what, "the server refused user \"%s\" (error 0x0100)", user);
    else
        snprintf(what, sizeof what, "log-in of user \"%s\" failed", user);
    if (tells_password(c, e->message))
        shown.message = cql_str_of("(its text is not shown: it holds the password)");
    cqln_conn_die_server(c, &shown, what);
}
