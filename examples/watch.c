/* Prints what a session learns of its cluster: nodes that come, go and change, changes of the schema.
 *
 * watch cql://host/ [SECONDS] */
#include <cqlnative/cql.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void on_node(void *user, cql_session *s, cql_node_event event, const cql_host_info *host)
{
    static const char *const words[] = {"added", "up", "down", "removed"};
    (void)user;
    (void)s;
    printf("node %s %s (%s, %s)%s%s\n", host->address, words[event], host->data_center, host->rack,
           event == CQL_NODE_DOWN ? ": " : "", event == CQL_NODE_DOWN ? host->reason : "");
    fflush(stdout);
}

/* A server's text, with what a terminal would obey escaped. */
static const char *shown(cql_str text, char *buf, size_t size)
{
    cql_value v = cql_value_str(text);
    return cql_value_print(&v, NULL, buf, size, NULL) == CQL_OK && text.len ? buf : "";
}

static void on_schema(void *user, cql_session *s, const cql_schema_note *note)
{
    static const char *const words[] = {"created", "updated", "dropped", "changed"};
    char target[40], keyspace[200], name[200];
    (void)user;
    (void)s;
    if (note->event == CQL_SCHEMA_MISSED)
        printf("schema: changes may have been missed\n");
    else
        printf("schema: %s %s %s%s%s\n", words[note->event], shown(note->target, target, sizeof target),
               shown(note->keyspace, keyspace, sizeof keyspace), note->name.len ? "." : "",
               shown(note->name, name, sizeof name));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 60;
    cql_error *err = NULL;
    cql_options *o = NULL;
    cql_session *s = NULL;
    cql_status st = cql_options_new(NULL, &o);
    if (st == CQL_OK)
        st = cql_options_parse(o, argc > 1 ? argv[1] : "cql://127.0.0.1/", &err);
    if (st == CQL_OK) {
        cql_options_on_node_event(o, on_node, NULL);
        cql_options_on_schema_event(o, on_schema, NULL);
        st = cql_session_new(o, &s, &err);
    }
    if (st == CQL_OK)
        st = cql_session_connect_wait(s, &err);
    if (st == CQL_OK) {
        printf("watching\n");
        fflush(stdout);
        sleep(seconds); /* the session's own thread calls the two functions above */
    }
    if (st != CQL_OK)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    cql_error_unref(err);
    cql_options_free(o);
    cql_session_close_wait(s);
    cql_session_free(s);
    return st != CQL_OK;
}
