/* compare.h: what differs between an expected object and the live one. */
#ifndef CQLSCH_COMPARE_H
#define CQLSCH_COMPARE_H

#include "schema/model.h"

#include <cqlnative/schema.h>

typedef struct cqlsch_comparison {
    cqlsch_mem *mem;
    cql_schema_verify verify;
    cqlsch_list differences; /* cql_schema_difference */
} cqlsch_comparison;

/* Adds the differences of one object. `live` NULL: it does not exist. With CQL_SCHEMA_VERIFY_OFF
 * only existence counts. */
void cqlsch_compare(cqlsch_comparison *c, const cqlsch_object *expected, const cqlsch_object *live);
/* Adds a difference for each index of the live table that nothing expects. */
void cqlsch_compare_extra_indexes(cqlsch_comparison *c, const cqlsch_object *table,
                                  const cqlsch_model *expected, const cqlsch_model *live);
/* The live object that an expected one means: by name; an index without one by its target. */
cqlsch_object *cqlsch_live_of(const cqlsch_model *live, const cqlsch_object *expected);
/* Differences that are no notes. */
size_t cqlsch_comparison_count(const cqlsch_comparison *c);
/* Whether two values of an option mean the same: classes without their packages, numbers by value,
 * truth values without case. `name` is the option's, or "class" and the like within a map. */
bool cqlsch_same_value(cql_str name, cql_str a, cql_str b);
/* A replication or option map in one line: {'class': 'SimpleStrategy', …}. */
cql_str cqlsch_option_text(cqlsch_mem *mem, const cqlsch_option *option);
/* The class name without its package. */
cql_str cqlsch_short_class(cql_str name);

/* --- in compare_options.c --------------------------------------------------------------------- */
void cqlsch_compare_replication(cqlsch_comparison *c, const cqlsch_object *expected,
                                const cqlsch_object *live);
void cqlsch_compare_options(cqlsch_comparison *c, const cqlsch_object *expected,
                            const cqlsch_object *live);
/* Only the options that `expected` names. */
void cqlsch_compare_named(cqlsch_comparison *c, const cqlsch_object *expected,
                          const cqlsch_object *live);

/* --- in compare_derived.c --------------------------------------------------------------------- */
/* What a view, function, aggregate or trigger consists of beside columns and options. */
void cqlsch_compare_parts(cqlsch_comparison *c, const cqlsch_object *expected,
                          const cqlsch_object *live);
bool cqlsch_selects_all(const cqlsch_object *view);

/* --- in compare.c ----------------------------------------------------------------------------- */
/* Adds one difference. expected or found NULL: that side has nothing of the kind. */
void cqlsch_differ(cqlsch_comparison *c, bool note, const char *subject, const char *expected,
                   const char *found);
/* The same with texts that may have no NUL. */
void cqlsch_differ_in(cqlsch_comparison *c, bool note, const char *subject, const cql_str *expected,
                      const cql_str *found);

#endif
