/* print_text.h: text as cqlsh shows it. */
#ifndef CQLN_TYPES_PRINT_TEXT_H
#define CQLN_TYPES_PRINT_TEXT_H

#include "types/sink.h"

/* Backslashes doubled, control characters and bytes that are no UTF-8 escaped; quoted: between quotes, and
 * those inside doubled. */
void cqln_print_text(cqln_sink *out, cql_str text, bool quoted);

#endif
