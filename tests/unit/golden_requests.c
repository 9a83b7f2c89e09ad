/* Golden requests: the encoders give the very bytes of the file for every opcode and option. */
#include "golden_help.h"

#include "base/alloc.h"

static const char one_value[] = "\0\0\0\1a";
static const char three_values[] = "\0\0\0\1a\xff\xff\xff\xff\xff\xff\xff\xfe";
static const char named_values[] = "\0\1x\0\0\0\1a\0\1y\0\0\0\1b";
static const char id[] = "\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab";
static const char result_id[] = "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd";
static const cql_str payload = {"\0\1k\0\0\0\2vw", 9};

static cqln_values_bytes values(uint16_t count, const char *bytes, size_t len)
{
    return (cqln_values_bytes){count, {bytes, len}};
}

/* Every option at once, as the *_everything frames have them. */
static cqln_query_options everything(void)
{
    return (cqln_query_options){.consistency = 4,
                                .serial_consistency = 8,
                                .tracing = true,
                                .has_timestamp = true,
                                .timestamp = -2,
                                .page_size = 10,
                                .paging_state = {"PS", 2},
                                .keyspace = {"ks", 2},
                                .has_now = true,
                                .now_in_seconds = 5,
                                .payload_count = 1,
                                .payload = payload};
}

/* --- QUERY --------------------------------------------------------------------------------------------- */

/* False when `what` is none of the queries. */
static bool query(cqln_writer *wr, uint8_t version, const char *what)
{
    cqln_query_options o = {.consistency = 1};
    cqln_values_bytes v = values(0, NULL, 0);
    const char *cql = "Q";
    if (strcmp(what, "") == 0) {
        cql = "SELECT key FROM system.local";
    } else if (strcmp(what, "_traced") == 0) {
        o.tracing = true;
    } else if (strcmp(what, "_payload") == 0) {
        o.payload_count = 1;
        o.payload = payload;
    } else if (strcmp(what, "_values") == 0) {
        o.consistency = 6;
        v = values(3, three_values, sizeof three_values - 1);
    } else if (strcmp(what, "_names") == 0) {
        o.named = true;
        v = values(2, named_values, sizeof named_values - 1);
    } else if (strcmp(what, "_page") == 0) {
        o.page_size = 5000;
    } else if (strcmp(what, "_unpaged") == 0) {
        o.page_size = -1;
    } else if (strcmp(what, "_paging_state") == 0) {
        o.page_size = 10;
        o.paging_state = (cql_str){"PS", 2};
    } else if (strcmp(what, "_serial") == 0) {
        o.consistency = 4;
        o.serial_consistency = 9;
    } else if (strcmp(what, "_timestamp") == 0) {
        o.has_timestamp = true;
        o.timestamp = INT64_C(1700000000000000);
    } else if (strcmp(what, "_keyspace") == 0) {
        o.keyspace = cql_str_of("ks");
    } else if (strcmp(what, "_now") == 0) {
        o.has_now = true;
        o.now_in_seconds = 1700000000;
    } else if (strcmp(what, "_everything") == 0) {
        o = everything();
        v = values(1, one_value, sizeof one_value - 1);
    } else {
        return false;
    }
    cqln_encode_query(wr, version, cql_str_of(cql), &o, &v);
    return true;
}

/* --- EXECUTE, BATCH -------------------------------------------------------------------------------------- */

static bool execute(cqln_writer *wr, uint8_t version, const char *what)
{
    cqln_query_options o = {.consistency = 1};
    cqln_values_bytes v = values(1, one_value, sizeof one_value - 1);
    if (strcmp(what, "_everything") == 0)
        o = everything();
    else if (strcmp(what, "") != 0 && strcmp(what, "_skip_metadata") != 0)
        return false;
    o.skip_metadata = strcmp(what, "") != 0;
    cqln_encode_execute(wr, version, (cql_str){id, 16}, (cql_str){result_id, 16}, &o, &v);
    return true;
}

static bool batch(cqln_writer *wr, uint8_t version, const char *what)
{
    static const char *const types[] = {"_logged", "_unlogged", "_counter", "_empty", "_everything"};
    cqln_query_options o = {.consistency = 1};
    cqln_values_bytes a = values(1, one_value, sizeof one_value - 1);
    cqln_values_bytes b = values(2, three_values + 5, 8);
    size_t which = 0;
    while (which < CQL_COUNT(types) && strcmp(what, types[which]) != 0)
        which++;
    if (which == CQL_COUNT(types))
        return false;
    bool empty = which == 3;
    if (which == 4)
        o = everything();
    cqln_writer entries;
    cqln_writer_init(&entries, wr->al, SIZE_MAX);
    cqln_encode_batch_query_entry(&entries, cql_str_of("INSERT"), &a);
    cqln_encode_batch_prepared_entry(&entries, (cql_str){id, 16}, &b);
    cqln_encode_batch(wr, version, (uint8_t)(which < 3 ? which : 0), empty ? 0 : 2,
                      (cql_str){(const char *)entries.data, empty ? 0 : entries.len}, &o);
    cqln_writer_fini(&entries);
    return true;
}

/* --- the rest -------------------------------------------------------------------------------------------- */

static bool other(cqln_writer *wr, uint8_t version, const char *name)
{
    if (strcmp(name, "options") == 0)
        cqln_encode_options(wr, version);
    else if (strcmp(name, "startup") == 0)
        cqln_encode_startup(wr, version, NULL, NULL, NULL);
    else if (strcmp(name, "startup_lz4") == 0)
        cqln_encode_startup(wr, version, "lz4", "name", "1.0");
    else if (strcmp(name, "auth_response") == 0)
        cqln_encode_auth_response(wr, version, (cql_str){"\0user\0secret", 12});
    else if (strcmp(name, "auth_response_null") == 0)
        cqln_encode_auth_response(wr, version, (cql_str){NULL, 0});
    else if (strcmp(name, "register") == 0)
        cqln_encode_register(wr, version, 7);
    else if (strcmp(name, "prepare") == 0)
        cqln_encode_prepare(wr, version, cql_str_of("SELECT a FROM ks.t WHERE k = ?"),
                            (cql_str){NULL, 0});
    else if (strcmp(name, "prepare_keyspace") == 0)
        cqln_encode_prepare(wr, version, cql_str_of("SELECT a FROM t WHERE k = ?"),
                            cql_str_of("ks"));
    else
        return false;
    return true;
}

static bool build(cqln_writer *wr, uint8_t version, const char *name)
{
    if (strncmp(name, "query", 5) == 0)
        return query(wr, version, name + 5);
    if (strncmp(name, "execute", 7) == 0)
        return execute(wr, version, name + 7);
    if (strncmp(name, "batch", 5) == 0)
        return batch(wr, version, name + 5);
    return other(wr, version, name);
}

static size_t by_opcode[32];

static void one_request(const golden_frame *g, void *user)
{
    char name[96];
    cqln_writer wr;
    size_t at = strlen(g->name);
    (void)user;
    assert_true(at > 3 && g->name[at - 2] == 'v');
    snprintf(name, sizeof name, "%.*s", (int)(at - 3), g->name);
    cqln_writer_init(&wr, cqln_alloc_default(), SIZE_MAX);
    if (!build(&wr, (uint8_t)(g->name[at - 1] - '0'), name))
        fail_msg("%s: the test does not know it", g->name);
    assert_int_equal(wr.status, CQL_OK);
    if (!hex_equal(wr.data, wr.len, g->hex))
        fail_msg("%s differs", g->name);
    by_opcode[wr.data[4]]++;
    cqln_writer_fini(&wr);
}

static void encoders_give_the_very_bytes(void **state)
{
    static const uint8_t opcodes[] = {0x01, 0x05, 0x07, 0x09, 0x0a, 0x0b, 0x0d, 0x0f};
    (void)state;
    size_t n = golden_each("requests.hex", one_request, NULL);
    assert_true(n >= 50);
    for (size_t i = 0; i < CQL_COUNT(opcodes); i++)
        if (by_opcode[opcodes[i]] < 2)
            fail_msg("no golden %s", cqln_opcode_name(opcodes[i]));
    print_message("golden requests: %zu frames\n", n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoders_give_the_very_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
