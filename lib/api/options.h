/* options.h: the options object from the inside. */
#ifndef CQLN_API_OPTIONS_H
#define CQLN_API_OPTIONS_H

#include "cluster/config.h"

#include <cqlnative/options.h>

enum { CQLN_OPTIONS_MAX = 160 };

struct cql_options {
    const cql_allocator *al;
    cqln_config config;
    bool given[CQLN_OPTIONS_MAX]; /* by row: set by the program, not by default or preset */
    char *shown;                  /* what cql_options_value printed last */
};

/* Who sets an option. */
typedef enum cqln_option_source {
    CQLN_SOURCE_PROGRAM, /* its calls, a connection string, a command line */
    CQLN_SOURCE_AROUND   /* environment or file: what takes protection away is refused */
} cqln_option_source;

/* The kind of one row of the table. */
typedef enum cqln_option_kind {
    CQLN_OPTION_NUMBER,
    CQLN_OPTION_CHOICE,
    CQLN_OPTION_TEXT,
    CQLN_OPTION_HOSTS /* contact_points: kept in config->contacts */
} cqln_option_kind;

typedef struct cqln_option {
    const char *name;
    const char *kind_name;
    cqln_option_kind kind;
    size_t offset; /* of the field in cqln_config */
    uint32_t standard;
    uint32_t min;
    uint32_t max;
    const char *words; /* choice: "a|b|c"; number: its range for people */
    const char *standard_text;
    const char *help;
} cqln_option;

/* Row i of the table, NULL past the end; and the row of a name. */
const cqln_option *cqln_option_at(size_t i);
const cqln_option *cqln_option_find(cql_str name);
/* The known name that is most like this one, NULL when none is near. */
const char *cqln_option_nearest(cql_str name);

/* Its field: of numbers and choices, and of texts. */
static inline uint32_t *cqln_option_number(cqln_config *config, const cqln_option *row)
{
    return (uint32_t *)(void *)((char *)config + row->offset);
}
static inline char **cqln_option_text(cqln_config *config, const cqln_option *row)
{
    return (char **)(void *)((char *)config + row->offset);
}

/* The word of a choice with that index. */
cql_str cqln_option_word(const cqln_option *row, uint32_t index);

/* Words of this option that environment and file may not set, "" for none; "*": all. */
const char *cqln_option_by_hand(const char *name);

/* A setter of its own has set it. */
void cqln_option_mark_given(cql_options *o, const char *name);

/* Sets a field from text; what cql_options_set documents. */
cql_status cqln_option_apply(cql_options *o, cql_str name, cql_str value, cql_error **err);
cql_status cqln_option_apply_from(cql_options *o, cqln_option_source source, cql_str name,
                                  cql_str value, cql_error **err);
/* "host[:port],…" replaces the contact points. */
cql_status cqln_options_set_contacts(cql_options *o, cql_str hosts, cql_error **err);
/* Without the blanks at both ends. */
cql_str cqln_trim(cql_str s);
/* What stands before `mark`, which is taken off too; all of it when there is none. */
cql_str cqln_take_before(cql_str *text, char mark);
/* All or nothing: fill works on a copy, which takes o's place when that went well. */
cql_status cqln_options_change(cql_options *o,
                               cql_status (*fill)(cql_options *o, const void *arg, cql_error **err),
                               const void *arg, cql_error **err);

/* A deep copy, and what it owns. */
cql_status cqln_config_copy(const cql_allocator *al, const cqln_config *from, cqln_config *to);
void cqln_config_fini(const cql_allocator *al, cqln_config *config);
cql_status cqln_config_add_contact(const cql_allocator *al, cqln_config *config, cql_str host,
                                   uint16_t port);

#endif
