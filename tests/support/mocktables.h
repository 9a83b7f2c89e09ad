/* mocktables.h: what a mock node says of its cluster and its schema when a system table is read. */
#ifndef TESTS_SUPPORT_MOCKTABLES_H
#define TESTS_SUPPORT_MOCKTABLES_H

#include "mocknode.h"

/* Is the word in the text? */
bool mock_has(cql_str text, const char *word);

/* Cells of a row. */
void mock_cell_text(cqln_writer *wr, const char *text);
void mock_cell_int(cqln_writer *wr, uint32_t v);

/* False: the statement reads none of these tables. */
bool mocktables_answer(mockconn *c, int16_t stream, cql_str cql, cqln_writer *out);

#endif
