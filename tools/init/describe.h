/* describe.h: the rows of DESCRIBE, printed as cqlsh prints them.
 *
 *   init_describe *d = init_describe_new(stdout, "");    "": no keyspace in use
 *   init_describe_add(d, res);                            for each page
 *   init_describe_end(d);                                 prints what is left, frees */
#ifndef INIT_DESCRIBE_H
#define INIT_DESCRIBE_H

#include <cqlnative/result.h>
#include <stdio.h>

/* True for DESCRIBE and DESC statements. */
bool init_is_describe(const char *statement);

typedef struct init_describe init_describe;
init_describe *init_describe_new(FILE *out, const char *keyspace);
void init_describe_add(init_describe *d, const cql_result *res);
void init_describe_end(init_describe *d);

/* Names in as many columns as fit into 80 characters, filled downwards, two blanks between them. */
void init_print_columns(FILE *out, char *const *names, size_t count);

#endif
