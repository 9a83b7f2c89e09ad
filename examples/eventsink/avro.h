/* avro.h: an Avro record as the text of a JSON object, so that it is checked and stored like any other. */
#ifndef EVENTSINK_AVRO_H
#define EVENTSINK_AVRO_H

#include <avro.h>
#include <stdbool.h>
#include <stddef.h>

/* A schema, and room for one record of it. */
typedef struct avro_event {
    avro_schema_t schema;
    avro_value_iface_t *iface;
    avro_value_t value;
} avro_event;

/* Before anything else of Avro: no length in hostile bytes makes it take more memory than an event may. */
void avro_event_limit_memory(void);
/* Bytes that Avro has now. */
size_t avro_event_memory(void);
/* What is wrong with a schema's text for task events; NULL: nothing. */
const char *avro_event_schema_problem(const char *json, size_t len);
/* From the file of a schema, after a message with this name in front: false. */
bool avro_event_open(avro_event *e, const char *path, const char *name);
/* Takes the schema over, also when it fails. */
bool avro_event_take(avro_event *e, avro_schema_t schema);
void avro_event_free(avro_event *e);

/* The value read last. Yours: free(); NULL: *why is set. */
char *avro_event_json(avro_event *e, const char **why);
/* The same of a message as schema registries frame them: five bytes, then the record. */
char *avro_event_read(avro_event *e, const void *bytes, size_t len, const char **why);
/* The hexadecimal digits of bytes that cannot be read, for the dead letters. Yours: free(). */
char *avro_event_bytes(const void *bytes, size_t len);

#endif
