/* conn_help.h: a connection between two byte arrays, with a clock that the test turns. The server's
 * side is scripted: a test says what was asked for and answers with respond_*(). */
#ifndef TEST_CONN_HELP_H
#define TEST_CONN_HELP_H

#include "unit.h"

#include "conn/conn.h"
#include "respond.h"
#include "wire/compress.h"
#include "wire/segment.h"

typedef struct wire_end {
    cqln_conn_config config;
    cqln_conn *conn;
    uint64_t now;
    size_t step; /* bytes a commit; 0: as many as there is room for */
    bool pull;   /* look for events after every commit but the last, as a loop does; only the closed
                  * event may come there */
    bool closed_early; /* and did */
    bool server_lz4;   /* the server offers it */
    bool framed;       /* v5 behind READY or AUTHENTICATE */
    bool lz4;          /* agreed */
    bool raw_bodies;   /* v4 with lz4: answers go uncompressed all the same */
    cqln_writer say;   /* envelopes of the server that are not sent yet */
    cqln_writer heard; /* what the client wrote, as plain envelopes */
    size_t heard_at;
    size_t wire_out;     /* bytes that the client wrote */
    unsigned writes;     /* calls of cqln_conn_output that gave something */
    cqln_writer partial; /* bytes of the client that make no whole unit yet */
    cqln_writer slices;  /* v5: envelope that comes in slices */
} wire_end;

typedef struct heard_request {
    cqln_frame frame;
    const uint8_t *body;
} heard_request;

/* A client of that version with usual settings, not started. Free with wire_fini. */
void wire_init(wire_end *w, uint8_t version);
void wire_fini(wire_end *w);
/* Makes and starts the connection with w->config. */
void wire_start(wire_end *w);
/* The whole handshake up to the ready event, whatever w->config asks for. */
void wire_open(wire_end *w);
/* Takes everything the client wants to write. */
void wire_listen(wire_end *w);
/* The next request that the client wrote; fails the test when there is none. */
heard_request wire_request(wire_end *w, uint8_t opcode);
bool wire_silent(wire_end *w); /* no request is left */
/* Sends what was put into w->say, in the framing of the moment. */
void wire_say(wire_end *w);
/* Gives the client as many of the bytes as it has room for, at most w->step; how many, 0 when it is dead. */
size_t wire_give(wire_end *w, const void *bytes, size_t n);
/* Gives bytes to the client as they are. */
void wire_feed(wire_end *w, const void *bytes, size_t n);
/* Pulls one event, which has to be of that kind. */
cqln_conn_event wire_event(wire_end *w, cqln_conn_event_kind kind);
void wire_no_event(wire_end *w);
/* The closed event with that status and with `words` in its detail, and nothing behind it. */
void wire_closed(wire_end *w, cql_status status, const char *words);
/* A QUERY of that length in all (at least 32 bytes), to be submitted. Free it. */
uint8_t *wire_query(const wire_end *w, size_t len);
/* Submits a small query; its stream. */
int16_t wire_submit(wire_end *w, void *owner);

enum { WITH_LZ4 = 1, WITH_AUTH = 2, WITH_EVENTS = 4, WITH_KEYSPACE = 8, COMBINATIONS = 16 };
/* wire_init with some of these; the user is "user", the password "secret". */
void wire_with(wire_end *w, uint8_t version, int with);
/* Starts, with WITH_AUTH, WITH_EVENTS and WITH_KEYSPACE, and stops while the client waits for the
 * answer to OPTIONS (0), STARTUP (1), AUTH_RESPONSE (2), REGISTER (3) or USE (4). */
void wire_to_phase(wire_end *w, int phase);
extern const char *const wire_phase_words[5];
/* Starts, and answers STARTUP with AUTHENTICATE. */
void wire_ask_for_password(wire_end *w, const char *class_name);
extern const char wire_password_authenticator[];

/* A body of that size that can be recognised; free it. */
uint8_t *wire_pattern(size_t n, unsigned seed);
/* v4: asks, and sends this body as the answer, with a look for events after every read. */
void wire_send_body(wire_end *w, const uint8_t *body, size_t n);
/* The answer with that body. */
cqln_conn_event wire_take_body(wire_end *w, const uint8_t *body, size_t n);

/* An allocator that knows its largest block. */
typedef struct largest {
    cql_allocator al;
    size_t size;
} largest;
void largest_init(largest *l);

#endif
