/* Avro records of a topic, those that are cut short included: Avro's reader forgets what it had for them,
 * and that must not grow with their number. */
#include "unit.h"

#include "eventsink/avro.h"

#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "{\"type\":\"record\",\"name\":\"e\",\"fields\":[{\"name\":\"task\",\"type\":\"string\"},"
    "{\"name\":\"data\",\"type\":\"bytes\"}]}";

/* Five bytes in front, a string of three, bytes of two. */
static const char record[] = "\0\0\0\0\1\6abc\4xy";
enum { RECORD = sizeof record - 1 };

static void begin(avro_event *e)
{
    avro_schema_t s = NULL;
    avro_event_limit_memory();
    *e = (avro_event){.schema = NULL};
    assert_int_equal(avro_schema_from_json_length(schema, sizeof schema - 1, &s), 0);
    assert_true(avro_event_take(e, s));
}

static void reads(avro_event *e)
{
    const char *why = NULL;
    char *text = avro_event_read(e, record, RECORD, &why);
    assert_non_null(text);
    assert_string_equal(text, "{\"task\":\"abc\",\"data\":\"0x7879\"}");
    free(text);
}

static void records_cut_anywhere_leave_nothing_behind(void **state)
{
    avro_event e;
    (void)state;
    begin(&e);
    reads(&e);
    size_t before = avro_event_memory();
    assert_true(before > 0);
    for (unsigned round = 0; round < 100; round++)
        for (size_t len = 0; len < RECORD; len++) {
            const char *why = NULL;
            assert_null(avro_event_read(&e, record, len, &why));
            assert_non_null(why);
        }
    reads(&e); /* and those that follow are read */
    assert_true(avro_event_memory() <= before);
    avro_event_free(&e);
}

static void a_length_beyond_the_record_is_refused(void **state)
{
    static const char huge[] = "\0\0\0\0\1\xfe\xff\xff\xff\x0f";
    static const char longer[] = "\0\0\0\0\1\6abc\4xyz";
    const char *why = NULL;
    avro_event e;
    (void)state;
    begin(&e);
    assert_null(avro_event_read(&e, huge, sizeof huge - 1, &why));
    assert_string_equal(why, "is not a record of the schema");
    assert_null(avro_event_read(&e, longer, sizeof longer - 1, &why));
    assert_string_equal(why, "is longer than a record of the schema");
    reads(&e);
    avro_event_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_cut_anywhere_leave_nothing_behind),
        cmocka_unit_test(a_length_beyond_the_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
