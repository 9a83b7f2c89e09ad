/* lines.h: lines of a file or a pipe one after the other, and what is said of each in the same order. */
#ifndef JOBS_LINES_H
#define JOBS_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Zeroed but for fd. */
typedef struct jobs_lines {
    int fd;
    char *text; /* from `from` to `to` */
    size_t capacity, from, to;
    bool ended; /* nothing more can be read */
    int error;  /* errno of a read that failed */
} jobs_lines;

/* False: to give one (or the end) it would have to wait for who writes them. */
bool jobs_lines_are_ready(jobs_lines *l);
/* The next line without its line feed, good until the next call; NULL at the end, after an error, and
 * when it is interrupted. *n: its length; a NUL follows. */
char *jobs_lines_next(jobs_lines *l, size_t *n);
void jobs_lines_free(jobs_lines *l);

enum { JOBS_IN_ORDER = 64 };
/* Texts that come in any order and are printed in that of their places. Zeroed at first. */
typedef struct jobs_in_order {
    char *text[JOBS_IN_ORDER];
    bool come[JOBS_IN_ORDER];
    unsigned first, next;
} jobs_in_order;

/* A further place; there must not be JOBS_IN_ORDER already. */
unsigned jobs_in_order_add(jobs_in_order *o);
/* The text of a place (taken; NULL: none). Prints what it is time for. */
void jobs_in_order_come(jobs_in_order *o, unsigned place, char *text, FILE *out);
/* Places whose text has not been printed. */
unsigned jobs_in_order_count(const jobs_in_order *o);

#endif
