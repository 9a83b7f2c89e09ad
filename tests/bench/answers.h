/*
 * The answers to the benchmark's statements, made once and copied (or sent in place) afterwards.
 */
#ifndef BENCH_ANSWERS_H
#define BENCH_ANSWERS_H

#include "output.h"

/* Makes all answers. Call it once, after crc_init and bench_workload_init. */
void answers_init(void);

/* Answers PREPARE of this text. False when it is none of the benchmark's statements. */
bool answer_prepare(output *o, unsigned version, uint16_t stream, const char *cql, size_t n);

/* Answers EXECUTE; the reader stands at the start of the message. */
void answer_execute(output *o, unsigned version, uint16_t stream, reader *r);

/* Answers QUERY: the benchmark's page or a system table. */
void answer_query(output *o, unsigned version, uint16_t stream, reader *r);

void answer_void(output *o, unsigned version, uint16_t stream);
void answer_error(output *o, unsigned version, uint16_t stream, uint32_t code, const char *text);

#endif
