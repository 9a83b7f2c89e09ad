/* Texts and files as one list of steps. */
#include "schema/plan.h"

#include "schema/fail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILE = 64 << 20, MAX_DEPTH = 32, READ_SIZE = 65536 };

/* One text being read. */
typedef struct reading {
    cql_schema_plan *plan;
    const char *name;
    const char *folder; /* "" for the current one; NULL: SOURCE is refused */
    cql_error **err;
} reading;

static cql_status add_text(const reading *r, cql_str text);

static cql_status fail_at(const reading *r, cql_status st, cqlsch_place place, const char *text)
{
    cqlsch_mem *mem = &r->plan->mem;
    return cqlsch_failf(mem, r->err, st, NULL, "%s:%u:%u: %s", r->name, place.line, place.column,
                        text);
}

static cql_status memory(const reading *r)
{
    return cqlsch_no_memory(r->err, &r->plan->mem.al);
}

/* --- files ---------------------------------------------------------------------------------------
 */

cql_status cqlsch_read_file(cqlsch_mem *mem, const char *path, cql_str *out, const char **why)
{
    cqlsch_text all;
    cql_status st = CQL_OK;
    FILE *file = fopen(path, "rb");
    char *buffer = cqlsch_alloc(mem, READ_SIZE);
    cqlsch_text_init(&all, mem);
    if (!file) {
        *why = strerror(errno);
        return CQL_NOT_FOUND;
    }
    while (st == CQL_OK && buffer) {
        size_t got = fread(buffer, 1, READ_SIZE, file);
        cqlsch_text_add(&all, (cql_str){buffer, got});
        if (ferror(file)) {
            *why = strerror(errno);
            st = CQL_NOT_FOUND;
        } else if (all.len > MAX_FILE) {
            *why = "the file is larger than 64 MiB";
            st = CQL_TOO_LARGE;
        } else if (got == 0) {
            break;
        }
    }
    (void)fclose(file);
    *out = cqlsch_text_str(&all);
    return mem->failed ? CQL_NO_MEMORY : st;
}

/* The folder part of a path, "" when there is none. */
static cql_str folder_of(cql_str path)
{
    size_t end = path.len;
    while (end && path.ptr[end - 1] != '/')
        end--;
    return cqlsch_sub(path, 0, end);
}

/* Which file it is, whatever it is called; all zero when there is none. */
static cqlsch_file identity_of(const char *path)
{
    struct stat info;
    cqlsch_file id = {0, 0};
    if (stat(path, &info) == 0)
        id = (cqlsch_file){(uint64_t)info.st_dev, (uint64_t)info.st_ino};
    return id;
}

static bool is_open(const cql_schema_plan *plan, const char *path)
{
    cqlsch_file id = identity_of(path);
    for (size_t i = 0; i < plan->open.count; i++) {
        const cqlsch_file *open = CQLSCH_AT(cqlsch_file, &plan->open, i);
        if (open->inode && open->device == id.device && open->inode == id.inode)
            return true;
    }
    return false;
}

/* Reads a file whose name is settled; *why tells what is wrong with the file itself. */
static cql_status add_file(cql_schema_plan *plan, const char *path, cql_error **err,
                           const char **why)
{
    cql_str text;
    cqlsch_file *open = cqlsch_push(&plan->mem, &plan->open, sizeof *open);
    if (!open)
        return CQL_NO_MEMORY;
    *open = identity_of(path);
    cql_status st = cqlsch_read_file(&plan->mem, path, &text, why);
    if (st == CQL_OK) {
        cql_str folder = cqlsch_copy(&plan->mem, folder_of(cql_str_of(path)));
        reading r = {plan, cqlsch_copy(&plan->mem, cql_str_of(path)).ptr, folder.ptr, err};
        st = add_text(&r, text);
    }
    plan->open.count--;
    return st;
}

/* SOURCE 'file' */
static cql_status include(const reading *r, const cqlsch_piece *piece)
{
    cqlsch_mem *mem = &r->plan->mem;
    char first = piece->argument.len ? piece->argument.ptr[0] : '\0';
    char *buffer = cqlsch_alloc(mem, piece->argument.len + 1);
    if (!buffer)
        return memory(r);
    if (first != '\'' && first != '"')
        return fail_at(r, CQL_BAD_CQL_FILE, piece->place, "SOURCE wants one file name in quotes");
    if (!r->folder)
        return fail_at(r, CQL_BAD_CQL_FILE, piece->place,
                       "SOURCE is not possible here: there is no file to be relative to");
    cql_str name = cqlsch_unquote(piece->argument, buffer);
    bool absolute = name.len && name.ptr[0] == '/';
    const char *path =
        cqlsch_format(mem, "%s%.*s", absolute ? "" : r->folder, (int)name.len, name.ptr);
    if (is_open(r->plan, path))
        return fail_at(r, CQL_BAD_CQL_FILE, piece->place,
                       cqlsch_format(mem, "SOURCE '%s': the file would include itself", path));
    if (r->plan->open.count >= MAX_DEPTH)
        return fail_at(r, CQL_BAD_CQL_FILE, piece->place,
                       cqlsch_format(mem, "SOURCE '%s': more than %d files deep", path, MAX_DEPTH));
    const char *why = NULL;
    cql_status st = add_file(r->plan, path, r->err, &why);
    if (st != CQL_OK && why)
        return fail_at(r, CQL_BAD_CQL_FILE, piece->place,
                       cqlsch_format(mem, "SOURCE '%s': %s", path, why));
    return st;
}

/* --- pieces ----------------------------------------------------------------------------------- */

static cql_status take_level(const reading *r, const cqlsch_piece *piece, cqlsch_step *step)
{
    cqlsch_mem *mem = &r->plan->mem;
    if (piece->argument.len == 0)
        return fail_at(r, CQL_BAD_CQL_FILE, piece->place, "CONSISTENCY wants one level");
    if (cql_consistency_parse(piece->argument, &step->level) == CQL_OK)
        return CQL_OK;
    return fail_at(r, CQL_BAD_CQL_FILE, piece->place,
                   cqlsch_format(mem,
                                 "CONSISTENCY %.*s: not one of ANY, ONE, TWO, THREE, QUORUM, ALL, "
                                 "LOCAL_QUORUM, EACH_QUORUM, LOCAL_ONE, SERIAL, LOCAL_SERIAL",
                                 (int)piece->argument.len, piece->argument.ptr));
}

static cql_status add_step(const reading *r, const cqlsch_piece *piece)
{
    cql_schema_plan *plan = r->plan;
    cqlsch_step step = {.kind = piece->kind, .file = r->name, .place = piece->place};
    cql_status st = CQL_OK;
    step.part = plan->parts;
    step.text = cqlsch_copy(&plan->mem, piece->text);
    if (piece->kind == CQLSCH_CONSISTENCY)
        st = take_level(r, piece, &step);
    else if (piece->kind == CQLSCH_STATEMENT)
        st = cqlsch_ddl_read(&plan->mem, step.text, &step.ddl);
    if (st == CQL_NO_MEMORY)
        return memory(r);
    if (st != CQL_OK)
        return st;
    cqlsch_step *added = cqlsch_push(&plan->mem, &plan->steps, sizeof *added);
    if (!added)
        return memory(r);
    *added = step;
    return CQL_OK;
}

static cql_status add_piece(const reading *r, const cqlsch_piece *piece)
{
    cqlsch_mem *mem = &r->plan->mem;
    switch (piece->kind) {
    case CQLSCH_SOURCE:
        return include(r, piece);
    case CQLSCH_UNSUPPORTED:
        return fail_at(
            r, CQL_BAD_CQL_FILE, piece->place,
            cqlsch_format(mem,
                          "%.*s is a command of cqlsh that is not supported here (SOURCE, "
                          "CONSISTENCY and DESCRIBE are)",
                          (int)piece->word.len, piece->word.ptr));
    case CQLSCH_STATEMENT:
    case CQLSCH_DESCRIBE:
    case CQLSCH_CONSISTENCY:
        break;
    }
    return add_step(r, piece);
}

static cql_status add_text(const reading *r, cql_str text)
{
    cqlsch_splitter sp;
    cqlsch_piece piece;
    cql_status st;
    cqlsch_splitter_init(&sp, text);
    while ((st = cqlsch_split(&sp, &piece)) == CQL_OK) {
        st = add_piece(r, &piece);
        if (st != CQL_OK)
            return st;
    }
    if (st == CQL_BAD_CQL_FILE)
        return fail_at(r, st, sp.problem_place, sp.problem);
    return CQL_OK;
}

/* --- public ----------------------------------------------------------------------------------- */

cql_status cql_schema_plan_new(const cql_allocator *al, cql_schema_plan **out)
{
    cqlsch_mem mem;
    if (!out)
        return CQL_BAD_ARGUMENT;
    *out = NULL;
    cqlsch_mem_init(&mem, al);
    cql_schema_plan *plan = mem.al.malloc_fn(mem.al.context, sizeof *plan);
    if (!plan)
        return CQL_NO_MEMORY;
    memset(plan, 0, sizeof *plan);
    plan->mem = mem;
    plan->first_keyspace = CQLSCH_NONE;
    *out = plan;
    return CQL_OK;
}

void cql_schema_plan_free(cql_schema_plan *plan)
{
    if (!plan)
        return;
    cql_allocator al = plan->mem.al;
    cqlsch_mem_fini(&plan->mem);
    al.free_fn(al.context, plan);
}

cql_status cql_schema_plan_add_text(cql_schema_plan *plan, const char *name, const char *folder,
                                    cql_str text, cql_error **err)
{
    if (!plan || (text.len && !text.ptr))
        return cqlsch_fail(err, NULL, CQL_BAD_ARGUMENT, NULL, "a plan and a text are needed");
    cqlsch_mem *mem = &plan->mem;
    const char *slash = folder && *folder && folder[strlen(folder) - 1] != '/' ? "/" : "";
    reading r = {plan, cqlsch_copy(mem, cql_str_of(name ? name : "text")).ptr, NULL, err};
    if (folder)
        r.folder = cqlsch_format(mem, "%s%s", folder, slash);
    cql_str copy = cqlsch_copy(mem, text);
    plan->parts++;
    if (mem->failed)
        return memory(&r);
    return add_text(&r, copy);
}

cql_status cql_schema_plan_add_file(cql_schema_plan *plan, const char *path, cql_error **err)
{
    if (!plan || !path)
        return cqlsch_fail(err, NULL, CQL_BAD_ARGUMENT, NULL, "a plan and a path are needed");
    const char *why = NULL;
    plan->parts++;
    cql_status st = add_file(plan, path, err, &why);
    if (st == CQL_NO_MEMORY)
        return cqlsch_no_memory(err, &plan->mem.al);
    if (st != CQL_OK && why)
        return cqlsch_failf(&plan->mem, err, st, NULL, "%s: %s", path, why);
    return st;
}

size_t cql_schema_plan_count(const cql_schema_plan *plan)
{
    return plan ? plan->steps.count : 0;
}

cql_status cql_schema_split(cql_str text, size_t *at, cql_str *statement)
{
    cqlsch_splitter sp;
    cqlsch_piece piece;
    if (!at || !statement || *at > text.len || (text.len && !text.ptr))
        return CQL_BAD_ARGUMENT;
    cqlsch_splitter_init(&sp, cqlsch_sub(text, *at, text.len));
    cql_status st = cqlsch_split(&sp, &piece);
    if (st == CQL_BAD_CQL_FILE && sp.open)
        return CQL_WOULD_BLOCK;
    if (st != CQL_OK)
        return st;
    if (!piece.ended)
        return CQL_WOULD_BLOCK;
    *statement = piece.text;
    *at += piece.next;
    return CQL_OK;
}

/* --- inside ----------------------------------------------------------------------------------- */

cqlsch_step *cqlsch_plan_step(const cql_schema_plan *plan, size_t i)
{
    return CQLSCH_AT(cqlsch_step, &plan->steps, i);
}

cql_str cqlsch_step_keyspace(const cqlsch_step *step)
{
    return step->ddl.object.keyspace.len ? step->ddl.object.keyspace : step->keyspace;
}

const char *cqlsch_step_place(cqlsch_mem *mem, const cqlsch_step *step)
{
    return cqlsch_format(mem, "%s:%u", step->file, step->place.line);
}
