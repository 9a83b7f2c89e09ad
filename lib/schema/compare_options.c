/* Comparing replication and table options. Only what the text names is compared, and the time to
 * live, since one that nobody expects makes data vanish. */
#include "schema/compare.h"

static const char *text_of(cqlsch_mem *mem, cql_str text)
{
    return cqlsch_copy(mem, text).ptr;
}

static const char *option_of(cqlsch_mem *mem, const cqlsch_option *option)
{
    return text_of(mem, cqlsch_option_text(mem, option));
}

/* --- replication -------------------------------------------------------------------------------
 */

static cql_str class_of(const cqlsch_option *replication)
{
    const cqlsch_pair *p = cqlsch_pair_find(replication, CQLSCH_TEXT("class"));
    return p ? cqlsch_short_class(p->value) : CQLSCH_NONE;
}

/* Every data centre of the live map has the factor that the text gives for all, or its own; and
 * every one that the text names is there. */
static bool same_replication(const cqlsch_option *expected, const cqlsch_option *live)
{
    cql_str class_key = CQLSCH_TEXT("class");
    const cqlsch_pair *all = cqlsch_pair_find(expected, CQLSCH_TEXT("replication_factor"));
    if (!cql_str_equal(class_of(expected), class_of(live)))
        return false;
    for (size_t i = 0; i < live->pairs.count; i++) {
        const cqlsch_pair *has = CQLSCH_AT(cqlsch_pair, &live->pairs, i);
        const cqlsch_pair *want = cqlsch_pair_find(expected, has->key);
        want = want ? want : all;
        if (cql_str_equal(has->key, class_key))
            continue;
        if (!want || !cqlsch_same_value(has->key, want->value, has->value))
            return false;
    }
    for (size_t i = 0; i < expected->pairs.count; i++) {
        const cqlsch_pair *want = CQLSCH_AT(cqlsch_pair, &expected->pairs, i);
        bool zero = cqlsch_is(want->value, "0");
        bool simple = cqlsch_is(class_of(expected), "SimpleStrategy");
        if ((want != all || simple) && !zero && !cqlsch_pair_find(live, want->key))
            return false;
    }
    return true;
}

void cqlsch_compare_replication(cqlsch_comparison *c, const cqlsch_object *expected,
                                const cqlsch_object *live)
{
    bool note = c->verify == CQL_SCHEMA_VERIFY_SHAPE;
    cql_str names[] = {CQLSCH_TEXT("replication"), CQLSCH_TEXT("durable_writes")};
    for (size_t i = 0; i < CQL_COUNT(names); i++) {
        const cqlsch_option *want = cqlsch_option_find(expected, names[i]);
        const cqlsch_option *has = cqlsch_option_find(live, names[i]);
        if (!want)
            continue;
        bool same = has && (i == 0 ? same_replication(want, has)
                                   : cqlsch_same_value(names[i], want->value, has->value));
        if (!same)
            cqlsch_differ(c, note, names[i].ptr, option_of(c->mem, want),
                          has ? option_of(c->mem, has) : NULL);
    }
}

/* --- table options ------------------------------------------------------------------------------
 */

/* What a null in system_schema.tables stands for. */
static cql_str default_of(cql_str name)
{
    static const struct {
        const char *name, *value;
    } known[] = {
        {"memtable", "default"},
        {"cdc", "false"},
        {"allow_auto_snapshot", "true"},
        {"incremental_backups", "true"},
    };
    for (size_t i = 0; i < CQL_COUNT(known); i++) {
        if (cqlsch_is(name, known[i].name))
            return cql_str_of(known[i].value);
    }
    return CQLSCH_NONE;
}

/* Names of sub-options that older servers took. */
static cql_str new_name(cql_str option, cql_str key)
{
    if (cqlsch_is(option, "compression")) {
        if (cqlsch_is(key, "sstable_compression"))
            return CQLSCH_TEXT("class");
        if (cqlsch_is(key, "chunk_length_kb"))
            return CQLSCH_TEXT("chunk_length_in_kb");
    }
    return key;
}

/* Thresholds that the server adds to every compaction map by itself. */
static bool is_implied(const cqlsch_pair *p)
{
    return (cqlsch_is(p->key, "max_threshold") &&
            cqlsch_same_value(p->key, p->value, CQLSCH_TEXT("32"))) ||
           (cqlsch_is(p->key, "min_threshold") &&
            cqlsch_same_value(p->key, p->value, CQLSCH_TEXT("4")));
}

/* What the server takes and does not keep, since it is so unless something else is said. */
static bool is_not_kept(cql_str option, const cqlsch_pair *p)
{
    return cqlsch_is(option, "compression") && cqlsch_is(p->key, "enabled") &&
           cqlsch_same_word(p->value, "true");
}

static void compare_map(cqlsch_comparison *c, bool note, const cqlsch_option *want,
                        const cqlsch_option *has)
{
    cql_str option = want->name;
    for (size_t i = 0; i < want->pairs.count; i++) {
        const cqlsch_pair *p = CQLSCH_AT(cqlsch_pair, &want->pairs, i);
        cql_str key = new_name(option, p->key);
        const cqlsch_pair *found = cqlsch_pair_find(has, key);
        if (found ? cqlsch_same_value(key, p->value, found->value) : is_not_kept(option, p))
            continue;
        bool is_class = cqlsch_is(key, "class");
        cql_str expected = is_class ? cqlsch_short_class(p->value) : p->value;
        cql_str there = !found     ? CQLSCH_NONE
                        : is_class ? cqlsch_short_class(found->value)
                                   : found->value;
        cqlsch_differ_in(c, note,
                         cqlsch_format(c->mem, "%s.%s", text_of(c->mem, option), text_of(c->mem, key)),
                         &expected, found ? &there : NULL);
    }
    if (!cqlsch_is(option, "compaction"))
        return;
    for (size_t i = 0; i < has->pairs.count; i++) {
        const cqlsch_pair *p = CQLSCH_AT(cqlsch_pair, &has->pairs, i);
        if (!cqlsch_pair_find(want, p->key) && !is_implied(p))
            cqlsch_differ_in(c, note, cqlsch_format(c->mem, "compaction.%s", text_of(c->mem, p->key)),
                             NULL, &p->value);
    }
}

static void compare_option(cqlsch_comparison *c, bool note, const cqlsch_option *want,
                           const cqlsch_option *has)
{
    const char *name = text_of(c->mem, want->name);
    if (cqlsch_is(want->name, "id"))
        return;
    if (!has) {
        cqlsch_differ(c, note, name, option_of(c->mem, want), NULL);
        return;
    }
    if (want->is_map && has->is_map) {
        compare_map(c, note, want, has);
        return;
    }
    cql_str there = has->is_null ? default_of(want->name) : cqlsch_option_text(c->mem, has);
    cql_str expected = cqlsch_option_text(c->mem, want);
    if (!cqlsch_same_value(want->name, expected, there))
        cqlsch_differ_in(c, note, name, &expected, &there);
}

/* Options that the text leaves to the server: a time to live is a difference, the rest notes. */
static void compare_unnamed(cqlsch_comparison *c, bool note, const cqlsch_object *expected,
                            const cqlsch_object *live)
{
    cql_str ttl = CQLSCH_TEXT("default_time_to_live");
    cql_str grace = CQLSCH_TEXT("gc_grace_seconds");
    const cqlsch_option *has = cqlsch_option_find(live, ttl);
    if (!cqlsch_option_find(expected, ttl) && has && !has->is_null &&
        !cqlsch_same_value(ttl, has->value, CQLSCH_TEXT("0")))
        cqlsch_differ(c, note, ttl.ptr, "0", text_of(c->mem, has->value));
    has = cqlsch_option_find(live, grace);
    if (!cqlsch_option_find(expected, grace) && has && !has->is_null &&
        !cqlsch_same_value(grace, has->value, CQLSCH_TEXT("864000")))
        cqlsch_differ_in(c, true, grace.ptr, NULL, &has->value);
}

void cqlsch_compare_named(cqlsch_comparison *c, const cqlsch_object *expected,
                          const cqlsch_object *live)
{
    bool note = c->verify == CQL_SCHEMA_VERIFY_SHAPE;
    for (size_t i = 0; i < expected->options.count; i++) {
        const cqlsch_option *want = CQLSCH_AT(cqlsch_option, &expected->options, i);
        compare_option(c, note, want, cqlsch_option_find(live, want->name));
    }
}

void cqlsch_compare_options(cqlsch_comparison *c, const cqlsch_object *expected,
                            const cqlsch_object *live)
{
    cqlsch_compare_named(c, expected, live);
    compare_unnamed(c, c->verify == CQL_SCHEMA_VERIFY_SHAPE, expected, live);
}
