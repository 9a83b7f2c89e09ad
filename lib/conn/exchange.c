/* Log-in by an authenticator of the program's own: its functions are called with one exchange, which
 * holds the next token until it is sent. */
#include "conn/internal.h"

enum { TOKEN_MAX = 1 << 20 };

cql_str cql_auth_class(const cql_auth *a)
{
    return a->class_name;
}

cql_str cql_auth_host(const cql_auth *a)
{
    return a->conn->config.host;
}

bool cql_auth_encrypted(const cql_auth *a)
{
    return a->conn->config.encrypted;
}

void cql_auth_set_state(cql_auth *a, void *state)
{
    a->state = state;
}

void *cql_auth_state(const cql_auth *a)
{
    return a->state;
}

static void drop_token(cql_auth *a)
{
    if (a->token)
        cqln_wipe(a->token, a->token_len);
    cqln_free(a->conn->config.al, a->token);
    a->token = NULL;
    a->token_len = 0;
}

cql_status cql_auth_respond(cql_auth *a, const void *bytes, size_t len)
{
    if (!bytes && len)
        return CQL_BAD_ARGUMENT;
    if (len > TOKEN_MAX)
        return CQL_TOO_LARGE;
    char *copy = cqln_alloc(a->conn->config.al, len);
    if (!copy)
        return CQL_NO_MEMORY;
    if (len)
        memcpy(copy, bytes, len);
    drop_token(a);
    a->token = copy;
    a->token_len = len;
    return CQL_OK;
}

/* Sends the token, or ends the connection when the program's function failed. */
static void answer(cqln_conn *c, cql_status st)
{
    cql_auth *a = &c->auth;
    if (st == CQL_NO_MEMORY)
        cqln_conn_die(c, st, "out of memory while logging in");
    else if (st)
        cqln_conn_die(c, CQL_AUTH_FAILED, "the program's authenticator gave up: %s",
                      cql_status_text(st));
    else
        cqln_login_send(c, (cql_str){a->token ? a->token : "", a->token_len}, true);
    drop_token(a);
}

void cqln_exchange_begin(cqln_conn *c, cql_str class_name)
{
    cql_auth *a = &c->auth;
    char *copy = cqln_strdup(c->config.al, class_name);
    if (!copy) {
        cqln_conn_die(c, CQL_NO_MEMORY, "out of memory while logging in");
        return;
    }
    a->conn = c;
    a->class_name = (cql_str){copy, class_name.len};
    answer(c, c->config.authenticator->initial(c->config.authenticator->self, a));
}

void cqln_exchange_challenge(cqln_conn *c, cql_str token)
{
    const cql_authenticator *program = c->config.authenticator;
    if (!program->challenge)
        cqln_conn_die(c, CQL_AUTH_FAILED,
                      "the server sent a challenge, which the program's authenticator does not "
                      "answer");
    else
        answer(c, program->challenge(program->self, &c->auth, token));
}

void cqln_exchange_success(cqln_conn *c, cql_str token)
{
    const cql_authenticator *program = c->config.authenticator;
    cql_status st = program->success ? program->success(program->self, &c->auth, token) : CQL_OK;
    if (st)
        cqln_conn_die(c, CQL_AUTH_FAILED, "the program's authenticator refused the server: %s",
                      cql_status_text(st));
    else
        cqln_exchange_end(c);
}

void cqln_exchange_end(cqln_conn *c)
{
    cql_auth *a = &c->auth;
    if (!a->conn)
        return;
    if (c->config.authenticator->ended)
        c->config.authenticator->ended(c->config.authenticator->self, a);
    drop_token(a);
    cqln_free(c->config.al, (void *)(uintptr_t)a->class_name.ptr);
    memset(a, 0, sizeof *a);
}
