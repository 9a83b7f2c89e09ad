/* schema_fake.h: a server inside the test. It stands in for the public session API that the schema
 * module is written on, understands DDL through the module's own reader, answers questions about
 * system_schema from the objects it has, and fails where it is told to. */
#ifndef SCHEMA_FAKE_H
#define SCHEMA_FAKE_H

#include "schema/ddl.h"

#include <cqlnative/schema.h>

typedef struct fake_host {
    const char *data_center;
    bool up;
    const char *address; /* "10.0.0.1:9042" */
    uint8_t id;          /* first byte of its id */
    unsigned statements; /* that went to it, those of the module's own among them */
} fake_host;

typedef struct fake_server {
    cqlsch_mem mem;
    cqlsch_model model;
    char log[16384]; /* statements but those of the module's own, a line each, "LEVEL text" */
    size_t statements;
    char keyspace[64];
    /* Faults, counted from 1 over the statements of the log; 0: never. */
    size_t fail_at;
    cql_status fail_status;
    const char *fail_message;
    bool fail_maybe;    /* the error says that it may have been applied */
    bool fail_applied;  /* and it was */
    size_t down_at;     /* the first node that is up goes down right after this statement */
    size_t others_at;   /* somebody else creates the same right before this statement */
    const char *late;   /* executed by somebody else after the first answer about columns */
    size_t disagree_at; /* the nodes do not agree after it */
    cql_status agree_status;
    unsigned agreements; /* so many questions for agreement go well before that */
    /* Connecting. */
    unsigned refuse_connects; /* so many attempts fail */
    cql_status refuse_status;
    unsigned refuse_logins;  /* then so many, for the credentials */
    unsigned refuse_queries; /* so many times the port is open but nothing answers */
    unsigned connects;
    bool connected;
    const char *warning; /* attached to every statement of the log */
    fake_host *hosts;
    size_t host_count;
    size_t page; /* rows of a page of SELECT, 0: all */
    const cql_allocator *al;
    cql_status may_wait;
} fake_server;

void fake_init(fake_server *fs);
void fake_fini(fake_server *fs);
/* A session with it; lives as long as the server. */
cql_session *fake_session(fake_server *fs);
/* --- for tests that answer cql_session_execute_wait themselves */
enum { FAKE_VALUES = 12 };
const char *fake_text(const cql_statement *stmt);
/* Fails a test where nothing was said of its idempotence. */
void fake_assert_said(const cql_statement *stmt);
/* The bytes that were bound. */
cql_str fake_value(const cql_statement *stmt, size_t i);
/* 0: the session's. */
int fake_serial(const cql_statement *stmt);
/* An answer without rows. types: 't' for text, 'i' for int, for each column. */
cql_result *fake_result(const char *types);
/* Adds a row; cells without ptr are null. */
void fake_row(cql_result *res, const cql_str *cells);
/* Executes DDL as another client would. */
void fake_execute(fake_server *fs, const char *cql);

#endif
