/* options.h: the options object from the inside. */
#ifndef CQLN_API_OPTIONS_H
#define CQLN_API_OPTIONS_H

#include "cluster/config.h"

#include <cqlnative/options.h>

struct cql_options {
    const cql_allocator *al;
    cqln_config config;
    char shown[160]; /* what cql_options_value printed last */
};

/* The kind of one row of the table. */
typedef enum cqln_option_kind {
    CQLN_OPTION_NUMBER,
    CQLN_OPTION_CHOICE,
    CQLN_OPTION_TEXT
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
/* True for options of the full product that this version refuses. */
bool cqln_option_not_here(cql_str name);

/* Sets a field from text; what cql_options_set documents. */
cql_status cqln_option_apply(cql_options *o, cql_str name, cql_str value, cql_error **err);

/* A deep copy, and what it owns. */
cql_status cqln_config_copy(const cql_allocator *al, const cqln_config *from, cqln_config *to);
void cqln_config_fini(const cql_allocator *al, cqln_config *config);
cql_status cqln_config_add_contact(const cql_allocator *al, cqln_config *config, cql_str host,
                                   uint16_t port);

#endif
