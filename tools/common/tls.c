/* From --tls and its companions to options of the library. */
#include "common/tls.h"

#include "common/credentials.h"
#include "common/memory.h"

#include <cqlnative/tls.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[TOOL_TLS_TEXTS] = {"tls", "tls_ca", "tls_cert", "tls_key", "tls_name"};

void tool_tls_init(tool_tls *t)
{
    memset(t, 0, sizeof *t);
    t->password = tool_take_variable("CQL_TLS_KEY_PASSWORD");
}

static void wipe(char **secret)
{
    if (*secret)
        tool_wipe(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void tool_tls_free(tool_tls *t)
{
    for (size_t i = 0; i < TOOL_TLS_TEXTS; i++)
        free(t->texts[i]);
    free(t->password_file);
    wipe(&t->password);
    memset(t, 0, sizeof *t);
}

void tool_tls_set(tool_tls *t, tool_tls_text which, const char *value)
{
    free(t->texts[which]);
    t->texts[which] = tool_copy(value);
}

bool tool_tls_settle(tool_tls *t, char *why, size_t why_size)
{
    if (!t->password_file)
        return true;
    char *password = tool_read_secret_file(t->password_file, why, why_size);
    if (!password)
        return false;
    wipe(&t->password);
    t->password = password;
    free(t->password_file); /* read once: further sessions of the same tool use what is known now */
    t->password_file = NULL;
    return true;
}

static bool wanted(const tool_tls *t)
{
    for (size_t i = TOOL_TLS_CA; i < TOOL_TLS_TEXTS; i++)
        if (t->texts[i])
            return true;
    return false;
}

cql_status tool_tls_apply(const tool_tls *t, cql_options *o, cql_error **err)
{
    cql_status st = CQL_OK;
    for (size_t i = 0; st == CQL_OK && i < TOOL_TLS_TEXTS; i++)
        if (t->texts[i])
            st = cql_options_set(o, names[i], t->texts[i], err);
    if (st == CQL_OK && t->password)
        st = cql_options_set(o, "tls_key_password", t->password, err);
    if (st == CQL_OK && wanted(t) && !cql_options_given(o, "tls"))
        st = cql_options_set(o, "tls", "verify-full", err);
    if (st == CQL_OK && t->insecure)
        cql_options_set_tls_insecure(o);
    return st;
}
