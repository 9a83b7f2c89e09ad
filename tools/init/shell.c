/* Statements typed on a terminal: each runs at its semicolon. */
#include "init/run.h"

#include "common/memory.h"
#include "common/report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What one typed text needs to know from those before it. */
typedef struct shell {
    const init_config *config;
    cql_session *s;
    cql_schema_options *opts;
    init_say *say;
    char *keyspace;
    char *level;
    char *buffer; /* typed and not run yet */
    size_t used;
    size_t capacity;
    bool left;
} shell;

/* True when the statement begins with the word; *rest is what follows it, without blanks. */
static bool begins_with(const char *statement, const char *word, const char **rest)
{
    size_t length = strlen(word);
    if (strncasecmp(statement, word, length) != 0 || isalnum((unsigned char)statement[length]) ||
        statement[length] == '_')
        return false;
    *rest = statement + length;
    while (isspace((unsigned char)**rest))
        (*rest)++;
    return true;
}

char *init_used_keyspace(const char *statement)
{
    const char *rest;
    if (!begins_with(statement, "USE", &rest) || !*rest)
        return NULL;
    char *name = tool_copy(rest);
    char *to = name;
    if (*rest != '"') {
        for (; isalnum((unsigned char)*rest) || *rest == '_'; rest++)
            *to++ = (char)tolower((unsigned char)*rest);
    } else {
        for (rest++; *rest && (*rest != '"' || rest[1] == '"'); rest++) {
            rest += *rest == '"' ? 1 : 0;
            *to++ = *rest;
        }
    }
    *to = '\0';
    return name;
}

/* Keeps what outlives a statement. */
static void remember(shell *sh, const char *statement)
{
    const char *rest;
    char *keyspace = init_used_keyspace(statement);
    if (keyspace) {
        free(sh->keyspace);
        sh->keyspace = keyspace;
    } else if (begins_with(statement, "CONSISTENCY", &rest)) {
        free(sh->level);
        sh->level = tool_copy(rest);
    }
    sh->opts->keyspace = sh->keyspace && *sh->keyspace ? sh->keyspace : NULL;
    sh->opts->consistency = sh->level;
}

static bool wants_to_leave(const char *statement)
{
    const char *rest;
    return begins_with(statement, "EXIT", &rest) || begins_with(statement, "QUIT", &rest);
}

static void run_one(shell *sh, const char *statement)
{
    cql_schema_plan *plan = NULL;
    cql_error *err = NULL;
    if (wants_to_leave(statement)) {
        sh->left = true;
        return;
    }
    cql_status st = cql_schema_plan_new(NULL, &plan);
    if (st == CQL_OK)
        st = cql_schema_plan_add_text(plan, "typed", "", cql_str_of(statement), &err);
    if (st == CQL_OK)
        st = cql_schema_plan_apply_wait(sh->s, plan, sh->opts, &err);
    if (st == CQL_OK)
        remember(sh, statement);
    else if (st != CQL_SCHEMA_DIFFERS)
        init_say_error(sh->say, err);
    cql_error_unref(err);
    cql_schema_plan_free(plan);
}

/* Runs what is complete and keeps the rest. */
static void run_complete(shell *sh)
{
    size_t at = 0;
    cql_str statement;
    cql_str typed = {sh->buffer, sh->used};
    cql_status st;
    while (!sh->left && (st = cql_schema_split(typed, &at, &statement)) == CQL_OK) {
        char *copy = tool_copy_str(statement);
        run_one(sh, copy);
        free(copy);
    }
    if (!sh->left && st == CQL_BAD_CQL_FILE) {
        tool_remark(INIT_NAME, "that is no UTF-8 text");
        at = sh->used;
    }
    if (!sh->left && st == CQL_DONE)
        at = sh->used;
    memmove(sh->buffer, sh->buffer + at, sh->used - at);
    sh->used -= at;
}

static void add_line(shell *sh, const char *line, size_t length)
{
    sh->buffer = tool_grow(sh->buffer, &sh->capacity, sh->used + length, 1);
    memcpy(sh->buffer + sh->used, line, length);
    sh->used += length;
}

/* EXIT and QUIT leave without a semicolon too. */
static bool is_leave_line(const shell *sh, const char *line)
{
    return sh->used == 0 && wants_to_leave(line);
}

int init_shell(const init_config *config, cql_session *s, cql_schema_options *opts, init_say *say,
               const char *keyspace)
{
    shell sh = {.config = config, .s = s, .opts = opts, .say = say};
    char *line = NULL;
    size_t size = 0;
    sh.keyspace = tool_copy(keyspace);
    sh.level = config->consistency ? tool_copy(config->consistency) : NULL;
    puts("Statements run at their semicolon. EXIT or Ctrl-D leaves.");
    while (!sh.left) {
        if (sh.used)
            fputs("   ...> ", stdout);
        else
            printf(INIT_NAME "%s%s> ", *sh.keyspace ? ":" : "", sh.keyspace);
        fflush(stdout);
        ssize_t got = getline(&line, &size, stdin);
        if (got < 0) {
            puts("");
            break;
        }
        if (is_leave_line(&sh, line))
            break;
        add_line(&sh, line, (size_t)got);
        run_complete(&sh);
    }
    if (sh.used)
        tool_remark(INIT_NAME, "the last statement has no semicolon and was not run");
    opts->keyspace = NULL;
    opts->consistency = NULL;
    free(line);
    free(sh.buffer);
    free(sh.keyspace);
    free(sh.level);
    return 0;
}
