/* Names and their order, texts and their checksums. */
#include "schema/moves.h"

#include "schema/fail.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIGITS = 18 };

/* Line ends of either kind give one checksum: a checkout on another system changes nothing. */
static void add_text(cqlsch_sha256 *h, cql_str text)
{
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\r' || i + 1 == text.len || text.ptr[i + 1] != '\n')
            continue;
        cqlsch_sha256_add(h, text.ptr + from, i - from);
        from = i + 1;
    }
    cqlsch_sha256_add(h, text.ptr + from, text.len - from);
}

void cqlsch_moves_sum(const cql_schema_plan *plan, size_t count, char out[CQLSCH_SHA256_TEXT])
{
    cqlsch_sha256 h;
    cqlsch_sha256_init(&h);
    for (size_t i = 0; i < count && i < plan->steps.count; i++) {
        add_text(&h, cqlsch_plan_step(plan, i)->text);
        cqlsch_sha256_add(&h, ";", 1);
    }
    cqlsch_sha256_text(&h, out);
}

static bool read_number(const char *name, uint64_t *out)
{
    size_t digits = strspn(name, "0123456789");
    if (digits == 0 || digits > MOST_DIGITS || name[digits] != '_')
        return false;
    *out = strtoull(name, NULL, 10);
    return true;
}

cql_status cqlsch_moves_add(cqlsch_moves *m, const char *name, cql_str text)
{
    cqlsch_sha256 h;
    cqlsch_move move = {0};
    if (!read_number(name, &move.number))
        return cqlsch_moves_fail(m, CQL_BAD_ARGUMENT,
                                 "%s: a name begins with a number and an underscore, "
                                 "such as 0001_tables.cql",
                                 name);
    cqlsch_move *added = cqlsch_push(&m->mem, &m->list, sizeof *added);
    if (!added)
        return CQL_NO_MEMORY;
    move.name = cqlsch_copy(&m->mem, cql_str_of(name)).ptr;
    move.text = text;
    cqlsch_sha256_init(&h);
    add_text(&h, text);
    cqlsch_sha256_text(&h, move.checksum);
    *added = move;
    return cqlsch_mem_status(&m->mem);
}

static int by_number(const void *a, const void *b)
{
    const cqlsch_move *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

cql_status cqlsch_moves_order(cqlsch_moves *m)
{
    if (m->list.count)
        qsort(m->list.items, m->list.count, sizeof(cqlsch_move), by_number);
    for (size_t i = 1; i < m->list.count; i++) {
        const cqlsch_move *a = CQLSCH_AT(cqlsch_move, &m->list, i - 1), *b = a + 1;
        if (a->number == b->number)
            return cqlsch_moves_fail(m, CQL_BAD_ARGUMENT, "%s and %s have the same number", a->name,
                                     b->name);
    }
    return CQL_OK;
}

static cql_status add_file(cqlsch_moves *m, const char *folder, const char *name)
{
    cql_str text;
    const char *why = NULL;
    const char *path = cqlsch_format(&m->mem, "%s/%s", folder, name);
    cql_status st = cqlsch_read_file(&m->mem, path, &text, &why);
    if (st != CQL_OK && why)
        return cqlsch_moves_fail(m, st, "%s: %s", path, why);
    return st == CQL_OK ? cqlsch_moves_add(m, name, text) : st;
}

cql_status cqlsch_moves_folder(cqlsch_moves *m, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    cql_status st = CQL_OK;
    if (!dir)
        return cqlsch_moves_fail(m, CQL_NOT_FOUND, "%s: %s", folder, strerror(errno));
    while (st == CQL_OK && (entry = readdir(dir)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (length > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + length - 4, ".cql") == 0)
            st = add_file(m, folder, entry->d_name);
    }
    closedir(dir);
    return st;
}
