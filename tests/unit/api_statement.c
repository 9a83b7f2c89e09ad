/* Statements and batches: values in wire form, bound, bound again, and shifted. */
#include "api/statement.h"
#include "api/session.h"
#include "unit.h"

static cql_statement *plain(size_t markers)
{
    cql_statement *st = NULL;
    assert_int_equal(cql_statement_new("INSERT …", markers, NULL, &st), CQL_OK);
    return st;
}

static void wire(const cql_statement *st, const char *hex_text)
{
    cqln_values_bytes v = cqln_statement_values(st);
    assert_hex(v.bytes.ptr, v.bytes.len, hex_text);
}

static void values_stand_in_wire_form(void **state)
{
    (void)state;
    cql_statement *st = plain(4);
    assert_int_equal(cql_statement_bind(
                         st,
                         CQL_VALUES(cql_value_int32(1), cql_value_text("ab"), cql_value_null(),
                                    cql_value_unset()),
                         NULL),
                     CQL_OK);
    wire(st, "00000004 00000001  00000002 6162  ffffffff  fffffffe");
    assert_int_equal(st->unbound, 0);
    cql_statement_free(st);
}

static void values_grow_shrink_and_move_each_other(void **state)
{
    (void)state;
    cql_statement *st = plain(3);
    assert_int_equal(cql_statement_bind_text(st, 2, "last"), CQL_OK);
    assert_int_equal(st->unbound, 2);
    assert_int_equal(cql_statement_bind_text(st, 0, "a long first value, longer than any room"),
                     CQL_OK);
    assert_int_equal(cql_statement_bind_int32(st, 1, 7), CQL_OK);
    assert_int_equal(cql_statement_bind_text(st, 0, "x"), CQL_OK);
    wire(st, "00000001 78  00000004 00000007  00000004 6c617374");
    assert_int_equal(cql_statement_bind_null(st, 1), CQL_OK);
    wire(st, "00000001 78  ffffffff  00000004 6c617374");
    assert_int_equal(cql_statement_bind_text(st, 0, ""), CQL_OK);
    wire(st, "00000000  ffffffff  00000004 6c617374");
    cql_statement_clear(st);
    assert_int_equal(st->unbound, 3);
    wire(st, "fffffffe fffffffe fffffffe");
    cql_statement_free(st);
}

static void misuse_is_told(void **state)
{
    (void)state;
    cql_error *err = NULL;
    cql_statement *st = plain(1);
    assert_int_equal(cql_statement_bind_int32(st, 1, 0), CQL_OUT_OF_RANGE);
    assert_int_equal(cql_statement_bind_name(st, "a", cql_value_null()), CQL_OK);
    assert_int_equal(
        cql_statement_bind(st, CQL_VALUES(cql_value_null(), cql_value_null()), &err),
        CQL_OUT_OF_RANGE);
    assert_non_null(strstr(cql_error_text(err), "only 1"));
    assert_int_equal(cql_statement_set_page_size(st, 0), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_statement_set_serial_consistency(st, CQL_CONSISTENCY_ONE),
                     CQL_BAD_ARGUMENT);
    cql_error_unref(err);
    cql_statement_free(st);
    assert_int_equal(cql_statement_new("x", 65536, NULL, &st), CQL_TOO_LARGE);
    assert_null(st);
    assert_int_equal(cql_statement_new(NULL, 0, NULL, &st), CQL_BAD_ARGUMENT);
    cql_statement_free(NULL);
}

/* As a bind that found no memory leaves them: what returns nothing passes over them, the rest says so. */
static void none_may_be_set_and_not_executed(void **state)
{
    (void)state;
    cql_statement *none = cql_prepared_bind(NULL);
    assert_null(none);
    cql_statement_clear(none);
    cql_statement_set_consistency(none, CQL_CONSISTENCY_ONE);
    cql_statement_set_idempotent(none, true);
    cql_statement_set_timestamp(none, 1);
    cql_statement_set_tracing(none, true);
    cql_statement_set_timeout(none, 1);
    cql_statement_set_retry_policy(none, NULL);
    cql_statement_set_speculative(none, false);
    assert_int_equal(cql_statement_set_page_size(none, 1), CQL_BAD_ARGUMENT);
    cql_batch_clear(NULL);
    cql_batch_set_consistency(NULL, CQL_CONSISTENCY_ONE);
    cql_batch_set_idempotent(NULL, true);
    cql_batch_set_timestamp(NULL, 1);
    cql_batch_set_tracing(NULL, true);
    cql_batch_set_timeout(NULL, 1);
    cql_batch_set_retry_policy(NULL, NULL);
    cql_batch_set_speculative(NULL, false);
    cql_options_set_log(NULL, NULL, NULL, CQL_LOG_INFO);
    cql_options_on_node_event(NULL, NULL, NULL);
    cql_options_set_tls_insecure(NULL);
    cql_session *session = NULL;
    assert_int_equal(cql_session_execute(session, none, NULL, NULL), CQL_BAD_ARGUMENT);
}

/* --- profiles ------------------------------------------------------------------------------------- */

static void a_profile_sets_what_it_says_and_no_more(void **state)
{
    (void)state;
    cql_statement *st = plain(1);
    cql_profile p = {.size = sizeof p, .consistency = CQL_CONSISTENCY_TWO, .timeout_ms = 70, .idempotent = -1};
    cql_statement_set_page_size(st, 9);
    cql_statement_set_timeout(st, 5);
    assert_int_equal(cql_statement_set_profile(st, &p), CQL_OK);
    assert_int_equal(st->ex.consistency, CQL_CONSISTENCY_TWO);
    assert_int_equal(st->ex.serial_consistency, -1);
    assert_int_equal(st->ex.timeout_ms, 70);
    assert_int_equal(st->ex.page_size, 9);
    assert_int_equal(st->ex.idempotent, CQLN_IDEMPOTENT_NO);
    assert_false(st->ex.steady);
    assert_null(st->ex.retry_policy);
    assert_null(st->ex.place);
    p = (cql_profile){.size = sizeof p, .serial_consistency = CQL_CONSISTENCY_LOCAL_SERIAL, .page_size = -1,
                      .idempotent = 1, .speculative = -1, .retry = cql_retry_fall_through(), .local_dc = "far"};
    assert_int_equal(cql_statement_set_profile(st, &p), CQL_OK);
    assert_int_equal(st->ex.consistency, CQL_CONSISTENCY_TWO);
    assert_int_equal(st->ex.serial_consistency, CQL_CONSISTENCY_LOCAL_SERIAL);
    assert_int_equal(st->ex.page_size, -1);
    assert_int_equal(st->ex.idempotent, CQLN_IDEMPOTENT_YES);
    assert_true(st->ex.steady);
    assert_ptr_equal(st->ex.retry_policy, cql_retry_fall_through());
    assert_ptr_equal(st->ex.place, &p);
    cql_statement_set_timeout(st, 6); /* what comes later counts */
    assert_int_equal(st->ex.timeout_ms, 6);
    assert_int_equal(cql_statement_set_profile(st, NULL), CQL_OK);
    assert_null(st->ex.place);
    assert_int_equal(st->ex.timeout_ms, 6);
    cql_statement_free(st);
}

static size_t no_plan(void *self, const cql_balancing_query *q, uint16_t *order, size_t cap)
{
    (void)self;
    (void)q;
    (void)order;
    (void)cap;
    return 0;
}

static void a_profile_that_makes_no_sense_sets_nothing(void **state)
{
    (void)state;
    const cql_balancing_policy empty = {.size = sizeof empty}, mine = {.size = sizeof mine, .plan = no_plan};
    const cql_profile bad[] = {
        {.size = sizeof(cql_profile) - 1, .timeout_ms = 5},
        {.size = sizeof(cql_profile), .timeout_ms = 5, .consistency = 11},
        {.size = sizeof(cql_profile), .timeout_ms = 5, .consistency = -1},
        {.size = sizeof(cql_profile), .timeout_ms = 5, .serial_consistency = CQL_CONSISTENCY_QUORUM},
        {.size = sizeof(cql_profile), .timeout_ms = 5, .page_size = -2},
        {.size = sizeof(cql_profile), .timeout_ms = 5, .local_dc = "far", .balancing = &mine},
        {.size = sizeof(cql_profile), .timeout_ms = 5, .balancing = &empty},
    };
    cql_statement *st = plain(1);
    cql_batch *b = NULL;
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &b), CQL_OK);
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        assert_int_equal(cql_statement_set_profile(st, &bad[i]), CQL_BAD_ARGUMENT);
        assert_int_equal(cql_batch_set_profile(b, &bad[i]), CQL_BAD_ARGUMENT);
    }
    assert_int_equal(st->ex.timeout_ms, 0);
    assert_int_equal(b->ex.timeout_ms, 0);
    assert_int_equal(cql_statement_set_profile(NULL, &bad[0]), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_batch_set_profile(NULL, NULL), CQL_BAD_ARGUMENT);
    cql_batch_free(b);
    cql_statement_free(st);
}

static void batch_takes_bound_statements_only(void **state)
{
    (void)state;
    cql_batch *b = NULL;
    cql_statement *st = plain(1);
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &b), CQL_OK);
    assert_int_equal(cql_batch_add(b, st), CQL_UNBOUND);
    assert_int_equal(cql_batch_count(b), 0);
    cql_statement_bind_int32(st, 0, 5);
    assert_int_equal(cql_batch_add(b, st), CQL_OK);
    assert_int_equal(b->members_idempotent, CQLN_IDEMPOTENT_UNSAID);
    cql_batch_clear(b);
    cql_statement_set_idempotent(st, true);
    assert_int_equal(cql_batch_add(b, st), CQL_OK);
    assert_int_equal(b->members_idempotent, CQLN_IDEMPOTENT_YES);
    assert_int_equal(cql_batch_count(b), 1);
    cql_batch_free(b);
    cql_batch_free(NULL);
    cql_statement_free(st);
}

/* In a build without routing too: what may have been applied, and may be sent again, hangs on it. */
static void a_batch_knows_of_a_conditional_member(void **state)
{
    (void)state;
    cql_batch *b = NULL;
    cql_statement *lwt = NULL, *st = plain(0);
    assert_int_equal(cql_statement_new("UPDATE t SET v = 1 WHERE k = 1 IF v = 0", 0, NULL, &lwt), CQL_OK);
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &b), CQL_OK);
    assert_int_equal(cql_batch_add(b, st), CQL_OK);
    assert_false(b->conditional);
    assert_int_equal(cql_batch_add(b, lwt), CQL_OK);
    assert_int_equal(cql_batch_add(b, st), CQL_OK);
    assert_true(b->conditional);
    cql_batch_clear(b);
    assert_int_equal(cql_batch_add(b, st), CQL_OK);
    assert_false(b->conditional);
    cql_batch_free(b);
    cql_statement_free(lwt);
    cql_statement_free(st);
}

static void consistency_names_go_both_ways(void **state)
{
    (void)state;
    cql_consistency level;
    for (int i = 0; i <= CQL_CONSISTENCY_LOCAL_ONE; i++) {
        assert_int_equal(cql_consistency_parse(cql_str_of(cql_consistency_name(i)), &level), CQL_OK);
        assert_int_equal(level, i);
    }
    assert_int_equal(cql_consistency_parse(cql_str_of("quorum"), &level), CQL_OK);
    assert_int_equal(cql_consistency_parse(cql_str_of("quor"), &level), CQL_NO_SUCH_NAME);
    assert_int_equal(cql_consistency_parse(cql_str_of("quorums"), &level), CQL_NO_SUCH_NAME);
    assert_string_equal(cql_consistency_name(99), "UNKNOWN");
}

static cql_status bind_and_batch(const cql_allocator *al, void *user)
{
    static const char big[600] = {'x'};
    cql_statement *s = NULL;
    cql_batch *b = NULL;
    (void)user;
    cql_status st = cql_statement_new("INSERT …", 2, al, &s);
    if (st == CQL_OK)
        st = cql_statement_bind_blob(s, 0, big, sizeof big);
    if (st == CQL_OK)
        st = cql_statement_bind_int32(s, 1, 1);
    if (st == CQL_OK)
        st = cql_statement_set_paging_state(s, (cql_str){"state", 5});
    if (st == CQL_OK)
        st = cql_batch_new(CQL_BATCH_LOGGED, al, &b);
    if (st == CQL_OK)
        st = cql_batch_add(b, s);
    cql_batch_free(b);
    cql_statement_free(s);
    return st;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    assert_true(failmalloc_each(bind_and_batch, NULL, false) >= 8);
}

/* One marker of that type. */
static cql_prepared *prepared(const char *cql, uint8_t id, uint16_t type)
{
    char text[200];
    cqln_prepared_head head;
    cqln_reader rd;
    cql_prepared *p = NULL;
    snprintf(text, sizeof text,
             "0004 aabbcc%02x 00000001 00000001 00000000 0002 6b73 0001 74 0001 76 %04x 00000004 00000000", id, type);
    hex h = hex_bytes(text);
    cqln_reader_init(&rd, h.data, h.len);
    assert_int_equal(cqln_decode_prepared(&rd, 4, cqln_alloc_default(), &head), CQL_OK);
    assert_int_equal(cqln_prepared_new(cqln_alloc_default(), cql_str_of(cql), cql_str_of("ks"), &head, &p),
                     CQL_OK);
    hex_free(&h);
    return p;
}

static void add_number(cql_batch *b, const cql_prepared *p, int32_t value)
{
    cql_statement *s = cql_prepared_bind(p);
    assert_int_equal(cql_statement_bind_int32(s, 0, value), CQL_OK);
    assert_int_equal(cql_batch_add(b, s), CQL_OK);
    cql_statement_free(s);
}

static void a_batch_takes_other_ids_for_the_same_statements(void **state)
{
    (void)state;
    cql_prepared *old = prepared("INSERT", 1, 9), *now = prepared("INSERT", 2, 9);
    cql_prepared *other = prepared("UPDATE", 3, 9), *wide = prepared("INSERT", 4, 2);
    cql_batch *b = NULL;
    cql_statement *text = plain(1);
    assert_int_equal(cql_batch_new(CQL_BATCH_UNLOGGED, NULL, &b), CQL_OK);
    assert_null(cql_batch_prepared(b, 0));
    assert_int_equal(cql_statement_bind_value(text, 0, cql_value_unset()), CQL_OK);
    add_number(b, old, 7);
    assert_int_equal(cql_batch_add(b, text), CQL_OK);
    add_number(b, other, (int32_t)0xaabbcc01); /* as the id looks */
    add_number(b, old, 8);
    assert_ptr_equal(cql_batch_prepared(b, 0), old);
    assert_ptr_equal(cql_batch_prepared(b, 1), other);
    assert_null(cql_batch_prepared(b, 2));
    assert_int_equal(cql_batch_renew(b, old, wide), CQL_PREPARED_CHANGED);
    assert_int_equal(cql_batch_renew(b, old, other), CQL_PREPARED_CHANGED);
    assert_int_equal(cql_batch_renew(b, old, NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_batch_renew(b, old, old), CQL_OK);
    assert_int_equal(cql_batch_renew(b, now, old), CQL_OK); /* not among them */
    assert_int_equal(cql_batch_renew(b, old, now), CQL_OK);
    assert_hex(b->entries.data, b->entries.len,
               "01 0004 aabbcc02 0001 00000004 00000007"
               "00 0000000a 494e5345525420e280a6 0001 fffffffe"
               "01 0004 aabbcc03 0001 00000004 aabbcc01"
               "01 0004 aabbcc02 0001 00000004 00000008");
    assert_ptr_equal(cql_batch_prepared(b, 0), now);
    cql_statement_free(text);
    cql_batch_free(b);
    cql_prepared_unref(old);
    cql_prepared_unref(now);
    cql_prepared_unref(other);
    cql_prepared_unref(wide);
}

static void a_session_without_a_host_is_of_this_machine(void **state)
{
    (void)state;
    cql_options *o = NULL;
    cql_session *s = NULL;
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    assert_int_equal(s->config.contact_count, 1);
    assert_string_equal(s->config.contacts[0].host, "127.0.0.1");
    cql_session_free(s);
    cql_options_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_in_wire_form),
        cmocka_unit_test(values_grow_shrink_and_move_each_other),
        cmocka_unit_test(misuse_is_told),
        cmocka_unit_test(none_may_be_set_and_not_executed),
        cmocka_unit_test(a_profile_sets_what_it_says_and_no_more),
        cmocka_unit_test(a_profile_that_makes_no_sense_sets_nothing),
        cmocka_unit_test(batch_takes_bound_statements_only),
        cmocka_unit_test(a_batch_knows_of_a_conditional_member),
        cmocka_unit_test(consistency_names_go_both_ways),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_batch_takes_other_ids_for_the_same_statements),
        cmocka_unit_test(a_session_without_a_host_is_of_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
