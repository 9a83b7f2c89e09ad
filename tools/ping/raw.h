/* raw.h: the first steps towards a node, one by one and without the library, so that each has its own
 * time and its own result: name, TCP, OPTIONS, STARTUP.
 *
 *   ping_raw r;
 *   ping_raw_probe(&r, "db1.example:9042", 9042, 5000);
 *   r.steps[PING_STEP_TCP].ok, .us, .text
 *   ping_raw_free(&r); */
#ifndef PING_RAW_H
#define PING_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ping_step_kind {
    PING_STEP_RESOLVE,
    PING_STEP_TCP,
    PING_STEP_OPTIONS,
    PING_STEP_STARTUP,
    PING_STEP_COUNT
} ping_step_kind;

typedef struct ping_step {
    bool done; /* it was tried */
    bool ok;
    uint64_t us;
    char *text; /* what came of it, escaped; never NULL once done */
} ping_step;

typedef struct ping_raw {
    ping_step steps[PING_STEP_COUNT];
    char *compression; /* of SUPPORTED: "snappy, lz4"; NULL: not known */
    bool wants_login;
    bool closed_early; /* TCP was fine, and the first message was answered with nothing or no CQL */
} ping_raw;

/* host: "name", "name:port", "[v6]:port". Stops at the first step that fails. */
void ping_raw_probe(ping_raw *r, const char *host, uint16_t port, uint32_t limit_ms);
/* Only name and TCP: for a node whose messages are to be encrypted. */
void ping_raw_reach(ping_raw *r, const char *host, uint16_t port, uint32_t limit_ms);
void ping_raw_free(ping_raw *r);

/* The text of a SUPPORTED body: "CQL 3.4.7; protocols 4/v4, 5/v5; compression snappy, lz4"; yours:
 * free(). NULL for bytes that are none. *compression as above, yours too. */
char *ping_supported_text(const uint8_t *body, size_t len, char **compression);

#endif
