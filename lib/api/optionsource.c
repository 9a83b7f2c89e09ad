/* Options from around the program: the environment and files. As connection strings they are read whole or not at all. */
#include "api/options.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 64 * 1024, ENVIRONMENT_NAME = 64 };

static const char file_variable[] = "CQL_OPTIONS_FILE";

/* --- all or nothing ------------------------------------------------------------------------------- */

cql_status cqln_options_change(cql_options *o,
                               cql_status (*fill)(cql_options *o, const void *arg, cql_error **err),
                               const void *arg, cql_error **err)
{
    cql_options *copy = NULL;
    cql_status st = cql_options_copy(o, &copy);
    if (st)
        return cqln_fail(err, o->al, st, "no memory for the options");
    st = fill(copy, arg, err);
    if (st == CQL_OK) {
        cql_options old = *o;
        *o = *copy;
        *copy = old;
    }
    cql_options_free(copy);
    return st;
}

/* --- file: lines ---------------------------------------------------------------------------------- */

typedef struct source_file {
    const char *path;
    const struct stat *info;
    cql_str text;
} source_file;

/* A value in double quotes keeps its blanks. */
static cql_str unquote(cql_str value)
{
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        return (cql_str){value.ptr + 1, value.len - 2};
    return value;
}

/* A secret in a file that others may read is none any more. */
static bool secret_is_safe(const source_file *f, cql_str name)
{
    const cqln_option *row = cqln_option_find(name);
    return !row || strcmp(row->kind_name, "secret") != 0 ||
           (f->info->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

static cql_status apply_line(cql_options *o, const source_file *f, cql_str line, cql_error **err)
{
    const char *equals = memchr(line.ptr, '=', line.len);
    cql_str rest = line;
    cql_str name = cqln_trim(cqln_take_before(&rest, '='));
    if (!equals || name.len == 0)
        return cqln_fail(err, o->al, CQL_BAD_VALUE, "a line has the form name = value");
    if (!secret_is_safe(f, name))
        return cqln_fail(err, o->al, CQL_BAD_ARGUMENT,
                         "it holds a password, but others than its owner may read it (chmod 600 "
                         "mends that)");
    return cqln_option_apply_from(o, CQLN_SOURCE_AROUND, name, unquote(cqln_trim(rest)), err);
}

static cql_status apply_file(cql_options *o, const void *arg, cql_error **err)
{
    static const cql_str mark = {"\xef\xbb\xbf", 3}; /* some editors begin a file with it */
    const source_file *f = arg;
    cql_str text = f->text;
    if (text.len >= mark.len && memcmp(text.ptr, mark.ptr, mark.len) == 0)
        text = (cql_str){text.ptr + mark.len, text.len - mark.len};
    for (unsigned number = 1; text.len; number++) {
        cql_error *why = NULL;
        cql_str line = cqln_trim(cqln_take_before(&text, '\n'));
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        cql_status st = apply_line(o, f, line, &why);
        if (st) {
            cqln_fail(err, o->al, st, "%s, line %u: %s", f->path, number, cql_error_text(why));
            cql_error_unref(why);
            return st;
        }
    }
    return CQL_OK;
}

/* --- file: opening ------------------------------------------------------------------------------- */

/* Whoever can change the file can change where the program connects to. */
static const char *distrust(const struct stat *info)
{
    if (!S_ISREG(info->st_mode))
        return "it is no regular file";
    if (info->st_uid != 0 && info->st_uid != geteuid())
        return "it belongs to another user";
    if (info->st_mode & (S_IWGRP | S_IWOTH))
        return "others than its owner may write it (chmod 600 mends that)";
    if (info->st_size > FILE_MAX)
        return "it is larger than 64 KiB";
    return NULL;
}

static bool read_all(int fd, char *buf, size_t *len)
{
    *len = 0;
    while (*len < FILE_MAX) {
        ssize_t n = read(fd, buf + *len, FILE_MAX - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        *len += (size_t)n;
    }
    return true;
}

static cql_status read_file(cql_options *o, const char *path, int fd, cql_error **err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return cqln_fail(err, o->al, CQL_SYSTEM, "%s: %s", path, strerror(errno));
    const char *why = distrust(&info);
    if (why)
        return cqln_fail(err, o->al, CQL_BAD_ARGUMENT, "%s: not read: %s", path, why);
    char *buf = cqln_alloc(o->al, FILE_MAX);
    if (!buf)
        return cqln_fail(err, o->al, CQL_NO_MEMORY, "%s: no memory to read it", path);
    source_file f = {.path = path, .info = &info, .text = {buf, 0}};
    cql_status st = read_all(fd, buf, &f.text.len)
                        ? cqln_options_change(o, apply_file, &f, err)
                        : cqln_fail(err, o->al, CQL_SYSTEM, "%s: %s", path, strerror(errno));
    cqln_wipe(buf, f.text.len);
    cqln_free(o->al, buf);
    return st;
}

cql_status cql_options_load(cql_options *o, const char *path, cql_error **err)
{
    if (!o || !path)
        return cqln_fail_null(err, o ? "path" : "o");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return cqln_fail(err, o->al, CQL_SYSTEM, "%s: %s", path,
                         errno == ELOOP ? "it is a symbolic link, which is not followed"
                                        : strerror(errno));
    cql_status st = read_file(o, path, fd, err);
    close(fd);
    return st;
}

/* --- environment --------------------------------------------------------------------------------- */

/* CQL_ and the name in upper case: the one rule for all options. */
static void variable_of(char out[ENVIRONMENT_NAME], const char *option)
{
    size_t n = (size_t)snprintf(out, ENVIRONMENT_NAME, "CQL_%s", option);
    for (size_t i = 0; i < n && i < ENVIRONMENT_NAME; i++)
        if (out[i] >= 'a' && out[i] <= 'z')
            out[i] = (char)(out[i] - 'a' + 'A');
}

static cql_status apply_variable(cql_options *o, const char *option, cql_error **err)
{
    char name[ENVIRONMENT_NAME];
    cql_error *why = NULL;
    variable_of(name, option);
    const char *value = getenv(name);
    if (!value || !value[0])
        return CQL_OK;
    cql_status st = cqln_option_apply_from(o, CQLN_SOURCE_AROUND, cql_str_of(option),
                                           cql_str_of(value), &why);
    if (st)
        cqln_fail(err, o->al, st, "environment, %s: %s", name, cql_error_text(why));
    cql_error_unref(why);
    return st;
}

static cql_status apply_environment(cql_options *o, const void *arg, cql_error **err)
{
    const char *path = getenv(file_variable);
    cql_status st = path && path[0] ? cql_options_load(o, path, err) : CQL_OK;
    const cqln_option *row;
    (void)arg;
    for (size_t i = 0; st == CQL_OK && (row = cqln_option_at(i)) != NULL; i++)
        st = apply_variable(o, row->name, err);
    return st;
}

cql_status cql_options_from_environment(cql_options *o, cql_error **err)
{
    return o ? cqln_options_change(o, apply_environment, NULL, err) : cqln_fail_null(err, "o");
}
