/* A bundle's file, and what is taken out of it. */
#include "cluster/bundle.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/zip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXTS = 3, NAME_MAX_LEN = 200 };

/* In the order of cqln_bundle.texts. */
static const char *const entries[TEXTS] = {"ca.crt", "cert", "key"};

struct cqln_bundle {
    const cql_allocator *al;
    cqln_astra_config config;
    cql_str texts[TEXTS];
    char names[TEXTS][NAME_MAX_LEN]; /* for people: "key in PATH" */
};

__attribute__((format(printf, 3, 4))) static cql_status refuse(char *why, cql_status st, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cqln_format(why, CQLN_BUNDLE_WHY, format, args);
    va_end(args);
    return st;
}

/* --- the file -------------------------------------------------------------------------------------- */

/* It holds a key: the rules are those of tls_key. */
static const char *distrust(const struct stat *info, bool loose)
{
    if (!S_ISREG(info->st_mode))
        return "it is no regular file";
    if (info->st_size > CQLN_ZIP_FILE_MAX)
        return "it is larger than a bundle can be";
    if (loose)
        return NULL;
    if (info->st_uid != 0 && info->st_uid != geteuid())
        return "it holds a key and belongs to another user (or set tls_key_check=loose)";
    if (info->st_mode & (S_IRWXG | S_IRWXO))
        return "it holds a key, and others than its owner have access to it (chmod 600 mends that; or set "
               "tls_key_check=loose)";
    return NULL;
}

/* What is there, up to *len bytes. */
static bool read_all(int fd, uint8_t *bytes, size_t *len)
{
    size_t done = 0;
    while (done < *len) {
        ssize_t n = read(fd, bytes + done, *len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *len = done;
    return true;
}

static cql_status read_open(const cql_allocator *al, int fd, const char *path, bool loose, cql_str *out,
                            char *why)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return refuse(why, CQL_SYSTEM, "secure_bundle %s: %s", path, strerror(errno));
    const char *reason = distrust(&info, loose);
    if (reason)
        return refuse(why, CQL_BAD_VALUE, "secure_bundle %s: not read: %s", path, reason);
    size_t len = (size_t)info.st_size;
    uint8_t *bytes = cqln_alloc(al, len + 1);
    if (!bytes)
        return refuse(why, CQL_NO_MEMORY, "secure_bundle %s: out of memory", path);
    *out = (cql_str){(const char *)bytes, len};
    bool ok = read_all(fd, bytes, &out->len);
    return ok ? CQL_OK : refuse(why, CQL_SYSTEM, "secure_bundle %s: %s", path, strerror(errno));
}

static cql_status read_file(const cql_allocator *al, const cqln_config *config, cql_str *out, char *why)
{
    const char *path = config->secure_bundle;
    bool loose = config->tls_key_check == CQLN_KEY_CHECK_LOOSE;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (loose ? 0 : O_NOFOLLOW));
    if (fd < 0)
        return refuse(why, CQL_SYSTEM, "secure_bundle %s: %s", path,
                      errno == ELOOP ? "not read: it is a symbolic link (or set tls_key_check=loose)"
                                     : strerror(errno));
    cql_status st = read_open(al, fd, path, loose, out, why);
    close(fd);
    return st;
}

static void drop(const cql_allocator *al, cql_str *text)
{
    char *bytes = (char *)(uintptr_t)text->ptr; /* its own */
    if (bytes)
        cqln_wipe(bytes, text->len);
    cqln_free(al, bytes);
    *text = (cql_str){NULL, 0};
}

/* --- what is in it --------------------------------------------------------------------------------- */

static cql_status extract(const cqln_zip *z, const cql_allocator *al, const char *name, const char *path,
                          cql_str *out, char *why)
{
    char *text, reason[CQLN_ZIP_WHY] = "out of memory";
    size_t len = 0;
    cql_status st = cqln_zip_extract(z, al, name, &text, &len, reason);
    if (st)
        return refuse(why, st == CQL_NO_MEMORY ? st : CQL_BAD_VALUE, "secure_bundle %s: %s", path, reason);
    *out = (cql_str){text, len};
    return CQL_OK;
}

static cql_status read_config(cqln_bundle *b, const cqln_zip *z, const char *path, char *why)
{
    char reason[CQLN_ASTRA_WHY];
    cql_str text = {NULL, 0};
    cql_status st = extract(z, b->al, "config.json", path, &text, why);
    if (st == CQL_OK && cqln_astra_read_config(text, &b->config, reason))
        st = refuse(why, CQL_BAD_VALUE, "secure_bundle %s: config.json: %s", path, reason);
    drop(b->al, &text);
    return st;
}

static cql_status fill(cqln_bundle *b, cql_str file, const char *path, char *why)
{
    cqln_zip z;
    char reason[CQLN_ZIP_WHY];
    if (cqln_zip_open(&z, file.ptr, file.len, reason))
        return refuse(why, CQL_BAD_VALUE, "secure_bundle %s: %s", path, reason);
    cql_status st = read_config(b, &z, path, why);
    for (size_t i = 0; st == CQL_OK && i < TEXTS; i++) {
        (void)snprintf(b->names[i], sizeof b->names[i], "%s in the secure_bundle %s", entries[i], path);
        st = extract(&z, b->al, entries[i], path, &b->texts[i], why);
    }
    return st;
}

cql_status cqln_bundle_open(const cql_allocator *al, const cqln_config *config, cqln_bundle **out, char *why)
{
    cql_str file = {NULL, 0};
    *out = NULL;
    cqln_bundle *b = cqln_alloc_zero(al, sizeof *b);
    if (!b)
        return refuse(why, CQL_NO_MEMORY, "out of memory");
    b->al = al;
    cql_status st = read_file(al, config, &file, why);
    if (st == CQL_OK)
        st = fill(b, file, config->secure_bundle, why);
    drop(al, &file);
    if (st) {
        cqln_bundle_free(b);
        return st;
    }
    *out = b;
    return CQL_OK;
}

void cqln_bundle_free(cqln_bundle *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < TEXTS; i++)
        drop(b->al, &b->texts[i]);
    cqln_free(b->al, b);
}

const cqln_astra_config *cqln_bundle_config(const cqln_bundle *b)
{
    return &b->config;
}

void cqln_bundle_fill(const cqln_bundle *b, cqln_tls_config *tls)
{
    tls->ca = b->names[0];
    tls->ca_text = b->texts[0];
    tls->cert = b->names[1];
    tls->cert_text = b->texts[1];
    tls->key = b->names[2];
    tls->key_text = b->texts[2];
}
