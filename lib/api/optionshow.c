/* Options as text for people: their values, the table of them, and the name that was meant. */
#include "api/options.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- likeness ------------------------------------------------------------------------------------ */

enum { NAME_MAX_LEN = 40 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Edit distance of two short names. */
static unsigned distance(cql_str a, cql_str b)
{
    unsigned row[NAME_MAX_LEN + 1];
    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned up = row[j];
            unsigned cost = a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1;
            row[j] = least(up + 1, row[j - 1] + 1, diagonal + cost);
            diagonal = up;
        }
    }
    return row[b.len];
}

const char *cqln_option_nearest(cql_str name)
{
    const char *best = NULL;
    const cqln_option *row;
    unsigned best_distance = (unsigned)name.len / 3 + 2; /* what is farther was not meant */
    if (name.len == 0 || name.len > NAME_MAX_LEN)
        return NULL;
    for (size_t i = 0; (row = cqln_option_at(i)) != NULL; i++) {
        unsigned d = distance(name, cql_str_of(row->name));
        if (d < best_distance) {
            best = row->name;
            best_distance = d;
        }
    }
    return best;
}

/* --- showing ------------------------------------------------------------------------------------- */

/* The text that `shown` points to is o's own and replaced by each call; NULL when memory is out. */
static const char *show(cql_options *o, const char *text, size_t len)
{
    char *copy = cqln_strdup(o->al, (cql_str){text, len});
    cqln_free(o->al, o->shown);
    o->shown = copy;
    return copy;
}

static size_t print_contact(char *out, size_t cap, const cqln_contact *c, bool first)
{
    bool v6 = strchr(c->host, ':') != NULL;
    int n = c->port ? snprintf(out, cap, "%s%s%s%s:%u", first ? "" : ",", v6 ? "[" : "", c->host,
                               v6 ? "]" : "", (unsigned)c->port)
                    : snprintf(out, cap, "%s%s%s%s", first ? "" : ",", v6 ? "[" : "", c->host,
                               v6 ? "]" : "");
    return n > 0 ? (size_t)n : 0;
}

static const char *show_contacts(cql_options *o)
{
    size_t len = 0, at = 0;
    for (size_t i = 0; i < o->config.contact_count; i++)
        len += print_contact(NULL, 0, &o->config.contacts[i], i == 0);
    char *text = cqln_alloc_zero(o->al, len + 1);
    for (size_t i = 0; text && i < o->config.contact_count; i++)
        at += print_contact(text + at, len + 1 - at, &o->config.contacts[i], i == 0);
    cqln_free(o->al, o->shown);
    o->shown = text;
    return text;
}

const char *cql_options_value(const cql_options *o, const char *name)
{
    const cqln_option *row = o && name ? cqln_option_find(cql_str_of(name)) : NULL;
    cql_options *mutable_o = (cql_options *)(uintptr_t)o;
    if (!row || strcmp(row->kind_name, "secret") == 0)
        return NULL;
    if (row->kind == CQLN_OPTION_HOSTS)
        return show_contacts(mutable_o);
    if (row->kind == CQLN_OPTION_TEXT) {
        const char *text = *cqln_option_text(&mutable_o->config, row);
        return text ? text : "";
    }
    uint32_t value = *cqln_option_number(&mutable_o->config, row);
    if (row->kind == CQLN_OPTION_CHOICE) {
        cql_str word = cqln_option_word(row, value);
        return show(mutable_o, word.ptr, word.len);
    }
    char text[16];
    int n = snprintf(text, sizeof text, "%" PRIu32, value);
    return show(mutable_o, text, n > 0 ? (size_t)n : 0);
}

bool cql_options_info(size_t i, cql_option_info *out)
{
    const cqln_option *row = cqln_option_at(i);
    if (!row)
        return false;
    out->name = row->name;
    out->kind = row->kind_name;
    out->range = row->words;
    out->standard = row->standard_text;
    out->help = row->help;
    out->by_hand = cqln_option_by_hand(row->name);
    return true;
}
