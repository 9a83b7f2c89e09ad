/* A program that brings its schema with it, compiled in: waits for the cluster, creates what is
 * missing, verifies. Build: the header comes from cql/habit.cql by cql/embed.awk.
 *
 *   schema_init cql://127.0.0.1/?loop_threads=0 [REPLICATION]
 */
#include <cqlnative/cql.h>
#include <cqlnative/schema.h>
#include <stdio.h>

#include "examples/habit_cql.h"

static void say(const cql_schema_object *object, void *user)
{
    (void)user;
    printf("%s %s %s\n", object->word, object->kind, object->name);
    for (size_t i = 0; i < object->difference_count; i++)
        printf("  %s\n", object->differences[i].text);
}

static void say_more(const cql_schema_message *message, void *user)
{
    (void)user;
    if (message->kind != CQL_SCHEMA_MESSAGE_SENDING)
        fprintf(stderr, "%s\n", message->text);
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/?loop_threads=0";
    cql_options *o = NULL;
    cql_session *s = NULL;
    cql_error *err = NULL;
    cql_schema_options opts = {
        .size = sizeof(cql_schema_options),
        .wait_s = 120,
        .replication = argc > 2 ? argv[2] : NULL,
        .on_object = say,
        .on_message = say_more,
    };

    /* The session need not be connected: that is part of the waiting. */
    cql_status st = cql_options_new(NULL, &o);
    if (st == CQL_OK)
        st = cql_options_parse(o, url, &err);
    if (st == CQL_OK)
        st = cql_session_new(o, &s, &err);
    if (st == CQL_OK)
        st = cql_schema_apply_wait(s, habit_cql, &opts, &err);
    if (st != CQL_OK)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));

    (void)cql_session_close_wait(s);
    cql_session_free(s);
    cql_options_free(o);
    cql_error_unref(err);
    return st != CQL_OK;
}
