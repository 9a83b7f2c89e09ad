/* The option table and what reads it: finding names, parsing values. */
#include "api/optiontab.h"

#include "api/options.h"
#include "base/error.h"
#include "net/tls.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROW_NUMBER(field, kind, standard, min, max, help)                                          \
    {#field, #kind, CQLN_OPTION_NUMBER, offsetof(cqln_config, field), standard, min, max,          \
     #min " to " #max, #standard, help},
#define ROW_CHOICE(field, index, standard, words, help)                                            \
    {#field, "choice", CQLN_OPTION_CHOICE, offsetof(cqln_config, field), index, 0, 0, words,       \
     standard, help},
#define ROW_TEXT(field, kind, help)                                                                \
    {#field, #kind, CQLN_OPTION_TEXT, offsetof(cqln_config, field), 0, 0, 0, "", "", help},

static const cqln_option table[] = {
    {"contact_points", "hosts", CQLN_OPTION_HOSTS, 0, 0, 0, 0, "host[:port],…", "",
     "nodes to begin with; IPv6 in brackets; none given: 127.0.0.1"},
    CQLN_OPTIONS(ROW_NUMBER, ROW_CHOICE, ROW_TEXT)};

static_assert(CQL_COUNT(table) <= CQLN_OPTIONS_MAX, "more options than marks for those given");

typedef struct word_row {
    const char *option;
    const char *words;
} word_row;

#define BY_HAND_ROW(option, words) {option, words},
static const word_row by_hand[] = {CQLN_OPTIONS_BY_HAND(BY_HAND_ROW)};

typedef struct preset_row {
    const char *preset;
    const char *option;
    const char *value;
} preset_row;

#define PRESET_ROW(preset, option, value) {preset, option, value},
static const preset_row presets[] = {CQLN_PRESETS(PRESET_ROW)};

const cqln_option *cqln_option_at(size_t i)
{
    return i < CQL_COUNT(table) ? &table[i] : NULL;
}

const cqln_option *cqln_option_find(cql_str name)
{
    for (size_t i = 0; i < CQL_COUNT(table); i++)
        if (cql_str_equal(name, cql_str_of(table[i].name)))
            return &table[i];
    return NULL;
}

const char *cqln_option_by_hand(const char *name)
{
    for (size_t i = 0; i < CQL_COUNT(by_hand); i++)
        if (strcmp(by_hand[i].option, name) == 0)
            return by_hand[i].words;
    return "";
}

/* --- values -------------------------------------------------------------------------------------- */

static bool digits(cql_str *text, uint64_t *out)
{
    uint64_t v = 0;
    size_t n = 0;
    while (n < text->len && text->ptr[n] >= '0' && text->ptr[n] <= '9' && v < UINT32_MAX)
        v = v * 10 + (uint64_t)(text->ptr[n++] - '0');
    if (n == 0)
        return false;
    text->ptr += n;
    text->len -= n;
    *out = v;
    return true;
}

/* Milliseconds, or with a unit. */
static bool unit(cql_str rest, uint64_t *v)
{
    static const struct {
        const char *name;
        uint64_t factor;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    for (size_t i = 0; i < CQL_COUNT(units); i++) {
        if (cql_str_equal(rest, cql_str_of(units[i].name))) {
            *v *= units[i].factor;
            return true;
        }
    }
    return false;
}

static cql_status apply_number(cql_options *o, const cqln_option *row, cql_str value, cql_error **err)
{
    uint64_t v = 0;
    cql_str rest = value;
    bool duration = strcmp(row->kind_name, "duration") == 0;
    bool ok = digits(&rest, &v) && (duration ? unit(rest, &v) : rest.len == 0);
    if (!ok || v < row->min || v > row->max)
        return cqln_fail(err, o->al, CQL_BAD_VALUE,
                         "option %s: \"%.*s\" is not %s from %u to %u%s", row->name,
                         (int)value.len, value.ptr, duration ? "a time" : "a number", row->min,
                         row->max, duration ? " milliseconds (units: ms, s, m, h)" : "");
    *cqln_option_number(&o->config, row) = (uint32_t)v;
    return CQL_OK;
}

static bool same_word(cql_str a, const char *b, size_t b_len)
{
    if (a.len != b_len)
        return false;
    for (size_t i = 0; i < b_len; i++) {
        char c = a.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != b[i])
            return false;
    }
    return true;
}

cql_str cqln_option_word(const cqln_option *row, uint32_t index)
{
    const char *words = row->words;
    while (index-- > 0)
        words = strchr(words, '|') + 1;
    return (cql_str){words, strcspn(words, "|")};
}

static bool word_index(const char *words, cql_str value, uint32_t *out)
{
    for (uint32_t i = 0;; i++) {
        const char *bar = strchr(words, '|');
        size_t len = bar ? (size_t)(bar - words) : strlen(words);
        if (same_word(value, words, len)) {
            *out = i;
            return true;
        }
        if (!bar)
            return false;
        words = bar + 1;
    }
}

/* "on" is what it should be: certificate and name are checked. */
static bool tls_word(cql_str value, uint32_t *index)
{
    bool on = word_index("on|true|yes|1", value, index);
    if (on || word_index("false|no|0", value, index)) {
        *index = on ? CQLN_TLS_VERIFY_FULL : CQLN_TLS_OFF;
        return true;
    }
    return false;
}

static bool choice_index(const cqln_option *row, cql_str value, uint32_t *index)
{
    bool boolean = strcmp(row->words, "false|true") == 0;
    if (strcmp(row->name, "tls") == 0 && tls_word(value, index))
        return true;
    return word_index(row->words, value, index) ||
           (boolean && word_index("0|1", value, index)) ||
           (boolean && word_index("off|on", value, index)) ||
           (boolean && word_index("no|yes", value, index));
}

static cql_status apply_choice(cql_options *o, const cqln_option *row, cql_str value, cql_error **err)
{
    uint32_t index;
    bool ok = choice_index(row, value, &index);
    if (ok && strcmp(row->name, "protocol") == 0 && index > 0 && index < 4)
        return cqln_fail(err, o->al, CQL_UNSUPPORTED,
                         "option protocol: version %u is not spoken by this library, only 4 and 5",
                         index);
    if (ok && strcmp(row->name, "tls") == 0 && index == CQLN_TLS_REQUIRE)
        return cqln_fail(err, o->al, CQL_BAD_VALUE,
                         "option tls: \"require\" would accept any server; a program says that with "
                         "cql_options_set_tls_insecure, the tools with --tls-insecure");
    if (ok && strcmp(row->name, "serial_consistency") == 0)
        ok = index == 8 || index == 9;
    if (!ok)
        return cqln_fail(err, o->al, CQL_BAD_VALUE, "option %s: \"%.*s\" is none of %s", row->name,
                         (int)value.len, value.ptr,
                         strcmp(row->name, "serial_consistency") == 0 ? "serial|local_serial"
                                                                      : row->words);
    *cqln_option_number(&o->config, row) = index;
    return CQL_OK;
}

static cql_status apply_text(cql_options *o, const cqln_option *row, cql_str value, cql_error **err)
{
    char **field = cqln_option_text(&o->config, row);
    char *copy = NULL;
    if (value.len && memchr(value.ptr, '\0', value.len))
        return cqln_fail(err, o->al, CQL_BAD_VALUE, "option %s: holds a NUL character", row->name);
    if (value.len && !(copy = cqln_strdup(o->al, value)))
        return cqln_fail(err, o->al, CQL_NO_MEMORY, "option %s: out of memory", row->name);
    if (*field)
        cqln_wipe(*field, strlen(*field));
    cqln_free(o->al, *field);
    *field = copy;
    return CQL_OK;
}

static cql_status unknown_option(cql_options *o, cql_str name, cql_error **err)
{
    const char *near = cqln_option_nearest(name);
    return cqln_fail(err, o->al, CQL_NO_SUCH_NAME, "there is no option \"%.*s\"%s%s%s",
                     (int)name.len, name.len ? name.ptr : "", near ? "; did you mean \"" : "",
                     near ? near : "", near ? "\"?" : "");
}

static cql_status apply_row(cql_options *o, const cqln_option *row, cql_str value, cql_error **err)
{
    switch (row->kind) {
    case CQLN_OPTION_NUMBER:
        return apply_number(o, row, value, err);
    case CQLN_OPTION_CHOICE:
        return apply_choice(o, row, value, err);
    case CQLN_OPTION_TEXT:
        return apply_text(o, row, value, err);
    case CQLN_OPTION_HOSTS:
        return cqln_options_set_contacts(o, value, err);
    }
    return CQL_BAD_ARGUMENT;
}

/* --- presets ------------------------------------------------------------------------------------- */

/* Options that nobody gave get their default back, then what the preset says. The rows of the presets
 * are right: a test applies each. */
static void apply_preset(cql_options *o)
{
    cql_str word = cqln_option_word(cqln_option_find(cql_str_of("preset")), o->config.preset);
    for (size_t i = 0; i < CQL_COUNT(table); i++) {
        const cqln_option *row = &table[i];
        bool plain = row->kind == CQLN_OPTION_NUMBER || row->kind == CQLN_OPTION_CHOICE;
        if (plain && !o->given[i] && strcmp(row->name, "preset") != 0)
            *cqln_option_number(&o->config, row) = row->standard;
    }
    for (size_t i = 0; i < CQL_COUNT(presets); i++) {
        const cqln_option *row = cqln_option_find(cql_str_of(presets[i].option));
        if (row && !o->given[row - table] && cql_str_equal(cql_str_of(presets[i].preset), word))
            apply_row(o, row, cql_str_of(presets[i].value), NULL);
    }
}

/* --- who may set what ---------------------------------------------------------------------------- */

static bool takes_protection_away(const cqln_option *row, cql_str value)
{
    const char *words = cqln_option_by_hand(row->name);
    uint32_t index;
    if (!words[0] || strcmp(words, "*") == 0)
        return words[0] != '\0';
    if (row->kind == CQLN_OPTION_CHOICE && choice_index(row, value, &index))
        value = cqln_option_word(row, index);
    return word_index(words, value, &index);
}

void cqln_option_mark_given(cql_options *o, const char *name)
{
    const cqln_option *row = cqln_option_find(cql_str_of(name));
    if (row)
        o->given[row - table] = true;
}

cql_status cqln_option_apply_from(cql_options *o, cqln_option_source source, cql_str name,
                                  cql_str value, cql_error **err)
{
    const cqln_option *row = cqln_option_find(name);
    if (!row)
        return unknown_option(o, name, err);
    if (source == CQLN_SOURCE_AROUND && takes_protection_away(row, value))
        return cqln_fail(err, o->al, CQL_BAD_VALUE,
                         "option %s: \"%.*s\" takes protection away: neither the environment nor a "
                         "file may say so, only the program itself or its command line",
                         row->name, (int)value.len, value.len ? value.ptr : "");
    cql_status st = apply_row(o, row, value, err);
    if (st)
        return st;
    o->given[row - table] = true;
    if (strcmp(row->name, "preset") == 0)
        apply_preset(o);
    return CQL_OK;
}

cql_status cqln_option_apply(cql_options *o, cql_str name, cql_str value, cql_error **err)
{
    return cqln_option_apply_from(o, CQLN_SOURCE_PROGRAM, name, value, err);
}

/* --- typed --------------------------------------------------------------------------------------- */

cql_status cql_options_set_number(cql_options *o, const char *name, uint64_t value, cql_error **err)
{
    char text[24];
    if (!o || !name)
        return cqln_fail_null(err, o ? "name" : "o");
    snprintf(text, sizeof text, "%" PRIu64, value);
    return cqln_option_apply(o, cql_str_of(name), cql_str_of(text), err);
}

cql_status cql_options_set_bool(cql_options *o, const char *name, bool value, cql_error **err)
{
    if (!o || !name)
        return cqln_fail_null(err, o ? "name" : "o");
    return cqln_option_apply(o, cql_str_of(name), cql_str_of(value ? "true" : "false"), err);
}

bool cql_options_given(const cql_options *o, const char *name)
{
    const cqln_option *row = o && name ? cqln_option_find(cql_str_of(name)) : NULL;
    return row && o->given[row - table];
}
