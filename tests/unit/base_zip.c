/* Zip files: right ones, and one test for each way in which they can be wrong. */
#include "makezip.h"
#include "unit.h"

#include "base/zip.h"

static char why[CQLN_ZIP_WHY];
static char text[300000];

static void begin(makezip *z)
{
    makezip_init(z);
    makezip_add(z, "config.json", "{\"host\": \"h\"}", 13, false);
    makezip_add(z, "cert", text, 4000, true);
    makezip_add(z, "empty", "", 0, true);
}

static int fill_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + (i * i / 7 + i / 3) % 26);
    return 0;
}

static cql_status take(const makezip *z, const char *name, char **out, size_t *len)
{
    cqln_zip zip;
    *out = NULL;
    why[0] = '\0';
    cql_status st = cqln_zip_open(&zip, z->bytes, z->len, why);
    return st ? st : cqln_zip_extract(&zip, cqln_alloc_default(), name, out, len, why);
}

static void assert_fails(const makezip *z, const char *name, cql_status wanted, const char *words)
{
    char *out;
    size_t len;
    cql_status st = take(z, name, &out, &len);
    if (st != wanted || !strstr(why, words) || out)
        fail_msg("%d \"%s\", not %d \"%s\"", st, why, wanted, words);
}

static void entries_come_out(void **state)
{
    (void)state;
    makezip z;
    char *out;
    size_t len;
    begin(&z);
    makezip_finish(&z, "a comment PK\5\6 of its own");
    assert_int_equal(take(&z, "config.json", &out, &len), CQL_OK);
    assert_string_equal(out, "{\"host\": \"h\"}");
    assert_int_equal(len, 13);
    cqln_free(cqln_alloc_default(), out);
    assert_int_equal(take(&z, "cert", &out, &len), CQL_OK);
    assert_int_equal(len, 4000);
    assert_memory_equal(out, text, 4000);
    cqln_free(cqln_alloc_default(), out);
    assert_int_equal(take(&z, "empty", &out, &len), CQL_OK);
    assert_string_equal(out, "");
    cqln_free(cqln_alloc_default(), out);
    assert_fails(&z, "key", CQL_NO_SUCH_NAME, "it has no entry \"key\"");
    makezip_fini(&z);
}

static void what_is_no_zip_is_said_to_be_none(void **state)
{
    (void)state;
    makezip z = {.bytes = (uint8_t *)text, .len = 1000};
    assert_fails(&z, "cert", CQL_MALFORMED, "it is no zip file");
    z.len = 0;
    assert_fails(&z, "cert", CQL_MALFORMED, "it is no zip file");
    z.len = 3;
    assert_fails(&z, "cert", CQL_MALFORMED, "it is no zip file");
    z.len = (size_t)CQLN_ZIP_FILE_MAX + 1;
    assert_fails(&z, "cert", CQL_MALFORMED, "it is larger than 1048576 bytes");
}

typedef struct cut {
    size_t whole;
    unsigned damaged;
} cut;

static void open_cut(const uint8_t *bytes, size_t len, void *user)
{
    cqln_zip zip;
    cut *c = user;
    assert_int_equal(cqln_zip_open(&zip, bytes, len, why), CQL_MALFORMED);
    c->damaged += strstr(why, "it is cut off") != NULL;
}

static void a_file_cut_at_every_byte_is_refused(void **state)
{
    (void)state;
    makezip z;
    cut c = {0, 0};
    begin(&z);
    makezip_finish(&z, "");
    guard_each_cut(z.bytes, z.len, open_cut, &c);
    assert_int_equal(c.damaged, z.len - 4); /* shorter ones are none at all */
    makezip_fini(&z);
}

/* Nothing but a right entry ever comes out, whatever bit is wrong. */
static void a_changed_bit_gives_no_wrong_bytes(void **state)
{
    (void)state;
    makezip z;
    begin(&z);
    makezip_finish(&z, "");
    for (size_t i = 0; i < z.len * 8; i++) {
        char *out;
        size_t len;
        z.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        if (take(&z, "cert", &out, &len) == CQL_OK) {
            assert_int_equal(len, 4000);
            assert_memory_equal(out, text, 4000);
            cqln_free(cqln_alloc_default(), out);
        } else {
            assert_null(out);
            assert_true(*why != '\0');
        }
        z.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    makezip_fini(&z);
}

/* --- entries --------------------------------------------------------------------------------------- */

static void wrong_entry(void (*spoil)(makezip_entry *e), cql_status wanted, const char *words)
{
    makezip z;
    begin(&z);
    spoil(&z.entries[1]);
    makezip_finish(&z, "");
    assert_fails(&z, "cert", wanted, words);
    makezip_fini(&z);
}

static void bad_crc(makezip_entry *e)
{
    e->crc ^= 1;
}

static void shorter(makezip_entry *e)
{
    e->size--;
}

static void longer(makezip_entry *e)
{
    e->size++;
}

static void packed_shorter(makezip_entry *e)
{
    e->packed--;
}

static void packed_beyond(makezip_entry *e)
{
    e->packed = 100000;
}

static void encrypted(makezip_entry *e)
{
    e->flags = 1;
}

static void other_method(makezip_entry *e)
{
    e->method = 12;
}

static void stored(makezip_entry *e)
{
    e->method = 0;
}

static void too_large(makezip_entry *e)
{
    e->size = CQLN_ZIP_ENTRY_MAX + 1;
}

static void local_elsewhere(makezip_entry *e)
{
    e->local += 1;
}

static void local_beyond(makezip_entry *e)
{
    e->local = 0xfffffff0;
}

static void local_of_another(makezip_entry *e)
{
    e->local = 0;
}

static void same_name(makezip_entry *e)
{
    strcpy(e->name, "config.json");
}

static void damaged_entries_are_refused(void **state)
{
    (void)state;
    static const char damaged[] = "its entry \"cert\" is damaged";
    static const char elsewhere[] = "its entry \"cert\" is not where the directory says";
    wrong_entry(bad_crc, CQL_MALFORMED, damaged);
    wrong_entry(shorter, CQL_MALFORMED, damaged);
    wrong_entry(longer, CQL_MALFORMED, damaged);
    wrong_entry(packed_shorter, CQL_MALFORMED, damaged);
    wrong_entry(packed_beyond, CQL_MALFORMED, elsewhere);
    wrong_entry(encrypted, CQL_MALFORMED, "its entry \"cert\" is encrypted");
    wrong_entry(other_method, CQL_MALFORMED, "packed by method 12");
    wrong_entry(stored, CQL_MALFORMED, elsewhere); /* the local header says otherwise */
    wrong_entry(too_large, CQL_TOO_LARGE, "at most 262144 are read");
    wrong_entry(local_elsewhere, CQL_MALFORMED, elsewhere);
    wrong_entry(local_beyond, CQL_MALFORMED, elsewhere);
    wrong_entry(local_of_another, CQL_MALFORMED, elsewhere);
    makezip z;
    begin(&z);
    same_name(&z.entries[1]);
    makezip_finish(&z, "");
    assert_fails(&z, "config.json", CQL_MALFORMED, "it has two entries \"config.json\"");
    makezip_fini(&z);
}

/* A bomb: 200,000 zeros pack to some 200 bytes. And one that says less than it has. */
static void a_bomb_is_not_unpacked(void **state)
{
    (void)state;
    makezip z;
    static const char zeros[200000];
    makezip_init(&z);
    makezip_add(&z, "cert", zeros, sizeof zeros, true);
    makezip_add(&z, "key", zeros, sizeof zeros, true);
    z.entries[1].size = 1000;
    makezip_finish(&z, "");
    assert_fails(&z, "cert", CQL_TOO_LARGE, "more than 100 times");
    assert_fails(&z, "key", CQL_MALFORMED, "its entry \"key\" is damaged");
    makezip_fini(&z);
}

/* --- the directory --------------------------------------------------------------------------------- */

static void poke(makezip *z, size_t at, uint32_t v, unsigned n)
{
    for (; n; n--, v >>= 8)
        z->bytes[at++] = (uint8_t)v;
}

static void wrong_end(size_t at, uint32_t v, unsigned n, const char *words)
{
    makezip z;
    begin(&z);
    makezip_finish(&z, "");
    poke(&z, z.len - 22 + at, v, n);
    assert_fails(&z, "cert", CQL_MALFORMED, words);
    makezip_fini(&z);
}

static void a_wrong_directory_is_refused(void **state)
{
    (void)state;
    wrong_end(4, 1, 2, "one part of several");
    wrong_end(8, 2, 2, "one part of several");
    wrong_end(10, 0xffff, 2, "zip64");
    wrong_end(12, 0xffffffff, 4, "zip64");
    wrong_end(16, 0xffffffff, 4, "zip64");
    wrong_end(12, 5, 4, "its directory is not where it should be");
    wrong_end(16, 0xfffffff0, 4, "its directory is not where it should be");
    wrong_end(8, 2 | 2 << 16, 4, "its directory is damaged"); /* one entry less than there is */
    wrong_end(8, 4 | 4 << 16, 4, "its directory is damaged"); /* one more */
    wrong_end(20, 1, 2, "it is cut off");                     /* a comment that is not there */
    makezip z;
    begin(&z);
    makezip_finish(&z, "");
    poke(&z, z.directory + 28, 0xffff, 2); /* the length of a name */
    assert_fails(&z, "cert", CQL_MALFORMED, "its directory is damaged");
    makezip_fini(&z);
    makezip_init(&z);
    for (size_t i = 0; i <= CQLN_ZIP_ENTRIES_MAX; i++)
        makezip_add(&z, "cert", "", 0, false);
    makezip_finish(&z, "");
    assert_fails(&z, "cert", CQL_MALFORMED, "it has 65 entries; at most 64 are read");
    makezip_fini(&z);
}

static cql_status take_with(const cql_allocator *al, void *user)
{
    cqln_zip zip;
    char *out = NULL;
    size_t len;
    const makezip *z = user;
    cql_status st = cqln_zip_open(&zip, z->bytes, z->len, why);
    if (st == CQL_OK)
        st = cqln_zip_extract(&zip, al, "cert", &out, &len, why);
    cqln_free(al, out);
    return st;
}

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    makezip z;
    begin(&z);
    makezip_finish(&z, "");
    assert_true(failmalloc_each(take_with, &z, false) >= 2);
    makezip_fini(&z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_out),
        cmocka_unit_test(what_is_no_zip_is_said_to_be_none),
        cmocka_unit_test(a_file_cut_at_every_byte_is_refused),
        cmocka_unit_test(a_changed_bit_gives_no_wrong_bytes),
        cmocka_unit_test(damaged_entries_are_refused),
        cmocka_unit_test(a_bomb_is_not_unpacked),
        cmocka_unit_test(a_wrong_directory_is_refused),
        cmocka_unit_test(memory_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, fill_text, NULL);
}
