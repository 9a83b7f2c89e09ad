/* What a value that was refused is, and what it should have been. */
#include "api/misfit.h"
#include "types/coll.h"

#include <stdio.h>
#include <string.h>

enum { HEX_SHOWN = 16 };

/* Bytes that are no value of their type. */
static void show_hex(const cql_value *v, char *out, size_t cap)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = cqln_value_ptr(v);
    size_t n = v->len < HEX_SHOWN ? v->len : HEX_SHOWN;
    char hex[2 * HEX_SHOWN + 1];
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[p[i] >> 4];
        hex[2 * i + 1] = digits[p[i] & 15];
    }
    hex[2 * n] = '\0';
    snprintf(out, cap, " 0x%s%s", hex, n < v->len ? "..." : "");
}

/* " 42", " 'abc...'"; nothing for what has elements. */
static void show_value(const cql_value *v, char out[CQLN_VALUE_SHOWN + 16])
{
    char text[CQLN_VALUE_SHOWN];
    size_t len = 0;
    bool quoted = v->type == CQL_TYPE_TEXT || v->type == CQL_TYPE_ASCII;
    out[0] = '\0';
    if (v->inside == 2 || v->type >= CQL_TYPE_LIST)
        return;
    if (cql_value_print(v, NULL, text, sizeof text, &len) != CQL_OK)
        show_hex(v, out, CQLN_VALUE_SHOWN + 16);
    else
        snprintf(out, CQLN_VALUE_SHOWN + 16, " %s%s%s%s", quoted ? "'" : "", text,
                 len >= sizeof text ? "..." : "", quoted ? "'" : "");
}

/* " of 2 elements, not 3": a vector of another length than the type's, a tuple or user type with more fields. Of
 * bytes that no builder made only vectors of numbers show how many they are. */
static void show_length(const cql_type *type, const cql_value *v, char out[CQLN_LENGTH_SHOWN])
{
    bool vector = type->id == CQL_TYPE_VECTOR;
    uint32_t each = vector ? type->items[0]->packed : 0;
    uint32_t wanted = vector ? type->dimension : type->count, given;
    out[0] = '\0';
    if (v->type != type->id || (!vector && type->id != CQL_TYPE_TUPLE && type->id != CQL_TYPE_UDT))
        return;
    if (v->inside == 2)
        given = ((const cql_collection *)v->u.built.shape)->count;
    else if (each && v->len % each == 0)
        given = v->len / each;
    else
        return;
    if (given > wanted || (vector && given < wanted))
        snprintf(out, CQLN_LENGTH_SHOWN, " of %u %s%s, not %u", given, vector ? "element" : "field",
                 given == 1 ? "" : "s", wanted);
}

/* "int", "list<int>": of what a builder made with its elements. */
static void show_type(const cql_value *v, char out[CQLN_TYPE_SHOWN])
{
    cqln_sink text;
    cqln_sink_init(&text, out, CQLN_TYPE_SHOWN);
    if (v->state != CQL_VALUE_SET)
        cqln_sink_text(&text, cqln_state_name(v));
    else if (v->inside == 2)
        cqln_shape_print(&text, v->u.built.shape);
    else
        cqln_sink_text(&text, cql_type_id_name((cql_type_id)v->type));
    cqln_sink_end(&text, CQL_OK, NULL);
}

void cqln_show(cqln_shown *out, const cql_statement *s, const cql_type *wanted, const cql_value *v, cql_status st)
{
    bool set = v->state == CQL_VALUE_SET;
    if (wanted)
        cql_type_print(wanted, out->taken, sizeof out->taken, NULL);
    show_type(v, out->given);
    if (set)
        show_value(v, out->value);
    if (set && wanted)
        show_length(wanted, v, out->length);
    out->advice = set && wanted && st == CQL_TYPE_MISMATCH && cqln_could_be_parsed(s->al, wanted, v)
                      ? " (cql_statement_bind_parsed reads it)"
                      : "";
}
