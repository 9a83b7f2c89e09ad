/* Settings: the first byte says how, the rest is a connection string, a list of hosts, a file of
 * options, or a name and a value. What is refused changes nothing; every value that is read back can be
 * set again and is then the same. */
#include "fuzz.h"

#include "api/options.h"
#include "meta/address.h"

#include <fcntl.h>
#include <unistd.h>

enum { MOST = 8192 };

enum way { WAY_URL, WAY_HOSTS, WAY_FILE, WAY_ONE, WAYS };

/* What o holds, one after the other: unset ones and secrets as nothing. */
static char *picture(const cql_options *o)
{
    size_t cap = 1 << 16;
    size_t len = 0;
    char *all = (char *)fuzz_block(cap);
    cql_option_info info;
    for (size_t i = 0; cql_options_info(i, &info); i++) {
        const char *v = cql_options_value(o, info.name);
        size_t n = v ? strlen(v) : 0;
        FUZZ_CHECK(len + n + 2 < cap);
        memcpy(all + len, v ? v : "", n);
        all[len + n] = '\n';
        len += n + 1;
    }
    all[len] = '\0';
    return all;
}

/* The values of o, set by name on fresh options, are the same values. Some options need others before
 * them, or are no choice by hand: what is refused is left out. */
static void set_again(const cql_options *o)
{
    cql_options *fresh = NULL;
    cql_option_info info;
    FUZZ_CHECK(cql_options_new(NULL, &fresh) == CQL_OK);
    for (size_t i = 0; cql_options_info(i, &info); i++) {
        const char *v = cql_options_value(o, info.name);
        char *kept = v ? strdup(v) : NULL;
        if (kept && *kept && cql_options_set(fresh, info.name, kept, NULL) == CQL_OK)
            FUZZ_CHECK(strcmp(cql_options_value(fresh, info.name), kept) == 0);
        free(kept);
    }
    cql_options_free(fresh);
}

static cql_status from_file(cql_options *o, const char *text, size_t len, cql_error **err)
{
    static char path[64];
    if (!*path)
        snprintf(path, sizeof path, "/tmp/fuzz-options-%ld", (long)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    close(fd);
    cql_status st = cql_options_load(o, path, err);
    unlink(path);
    return st;
}

static cql_status apply(cql_options *o, unsigned way, char *text, size_t len, cql_error **err)
{
    char *equals = strchr(text, '=');
    switch (way) {
    case WAY_URL:
        return cql_options_parse(o, text, err);
    case WAY_HOSTS:
        return cql_options_set_contact_points(o, text, err);
    case WAY_FILE:
        return from_file(o, text, len, err);
    default:
        if (equals)
            *equals = '\0';
        return cql_options_set(o, text, equals ? equals + 1 : "", err);
    }
}

static void split_address(const char *text)
{
    cql_str host;
    uint16_t port;
    cqln_address a;
    char printed[CQLN_ADDRESS_TEXT];
    if (!cqln_split_host_port(cql_str_of(text), &host, &port))
        return;
    FUZZ_CHECK(host.len > 0);
    if (port == 0 || !cqln_address_parse(&a, host, port))
        return;
    cqln_address_print(&a, printed);
    cqln_address back;
    FUZZ_CHECK(cqln_split_host_port(cql_str_of(printed), &host, &port));
    FUZZ_CHECK(cqln_address_parse(&back, host, port) && cqln_address_equal(&a, &back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cql_options *o = NULL;
    cql_error *err = NULL;
    if (size < 1 || size > MOST)
        return 0;
    char *text = (char *)fuzz_block(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    FUZZ_CHECK(cql_options_new(NULL, &o) == CQL_OK);
    char *before = picture(o);
    cql_status st = apply(o, data[0] % WAYS, text, size - 1, &err);
    if (st) {
        FUZZ_CHECK(err && *cql_error_text(err));
        char *after = picture(o);
        FUZZ_CHECK(strcmp(before, after) == 0);
        free(after);
    } else {
        FUZZ_CHECK(!err);
        set_again(o);
    }
    split_address(text);
    cql_error_unref(err);
    cql_options_free(o);
    free(before);
    free(text);
    return 0;
}
