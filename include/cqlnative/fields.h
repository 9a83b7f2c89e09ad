/* fields.h: rows to structs and structs to rows, by a description of the struct.
 *
 *   struct metric { cql_uuid run; int64_t at_ms; double loss; bool has_loss; };
 *   static const cql_field metric_fields[] = {
 *       CQL_FIELD(struct metric, run, "run_id"),
 *       CQL_FIELD(struct metric, at_ms, "timestamp"),
 *       CQL_FIELD_OPT(struct metric, loss, has_loss, "loss"),
 *   };
 *   st = cql_rows_scan(&rows, metric_fields, CQL_COUNT(metric_fields), out, sizeof out[0], 1000,
 *                      &count, &err);
 *
 * What a member may be, and the columns that fit it:
 *   bool                             boolean
 *   integers of 8 to 64 bits         tinyint, smallint, int, bigint, counter, varint, timestamp
 *                                    (milliseconds since 1970), time (nanoseconds of the day), date
 *                                    (days since 1970); a number that does not fit is an error
 *   float, double                    float, double (a double into a float member rounds)
 *   cql_uuid, cql_inet, cql_duration uuid and timeuuid, inet, duration
 *   char x[N]                        text and ascii, NUL-terminated; a longer text is an error
 *   unsigned char x[N] (uint8_t)     a blob of exactly N bytes
 *   float x[N]                       vector<float, N>
 *   cql_str                          text, ascii, blob: a view into the result, as is
 *   const char *                     text and ascii, only for binding
 *   cql_value                        anything */
#ifndef CQLNATIVE_FIELDS_H
#define CQLNATIVE_FIELDS_H

#include <cqlnative/result.h>
#include <cqlnative/statement.h>

CQL_BEGIN

typedef enum cql_field_kind {
    CQL_FIELD_BOOL = 1,
    CQL_FIELD_INT,
    CQL_FIELD_UINT,
    CQL_FIELD_FLOAT,
    CQL_FIELD_UUID,
    CQL_FIELD_INET,
    CQL_FIELD_DURATION,
    CQL_FIELD_CHARS,
    CQL_FIELD_BYTES,
    CQL_FIELD_FLOATS,
    CQL_FIELD_STR,
    CQL_FIELD_CSTR,
    CQL_FIELD_VALUE
} cql_field_kind;

/* One member. Made with CQL_FIELD or CQL_FIELD_OPT, or by hand. */
typedef struct cql_field {
    const char *name; /* of the column or the marker */
    size_t offset;
    size_t size;
    size_t present; /* offset of a bool that says "not null"; CQL_FIELD_ALWAYS: there is none */
    cql_field_kind kind;
} cql_field;

#define CQL_FIELD_ALWAYS SIZE_MAX

#ifdef __cplusplus
CQL_END
namespace cql_detail {
template <typename T> struct field_kind;
#define CQL_DETAIL_KIND(type, kind)                                                                \
    template <> struct field_kind<type> {                                                          \
        static constexpr cql_field_kind value = kind;                                              \
    }
#define CQL_DETAIL_ARRAY(type, kind)                                                               \
    template <decltype(sizeof 0) N> struct field_kind<type[N]> {                                   \
        static constexpr cql_field_kind value = kind;                                              \
    }
CQL_DETAIL_KIND(bool, CQL_FIELD_BOOL);
CQL_DETAIL_KIND(signed char, CQL_FIELD_INT);
CQL_DETAIL_KIND(short, CQL_FIELD_INT);
CQL_DETAIL_KIND(int, CQL_FIELD_INT);
CQL_DETAIL_KIND(long, CQL_FIELD_INT);
CQL_DETAIL_KIND(long long, CQL_FIELD_INT);
CQL_DETAIL_KIND(unsigned char, CQL_FIELD_UINT);
CQL_DETAIL_KIND(unsigned short, CQL_FIELD_UINT);
CQL_DETAIL_KIND(unsigned, CQL_FIELD_UINT);
CQL_DETAIL_KIND(unsigned long, CQL_FIELD_UINT);
CQL_DETAIL_KIND(unsigned long long, CQL_FIELD_UINT);
CQL_DETAIL_KIND(float, CQL_FIELD_FLOAT);
CQL_DETAIL_KIND(double, CQL_FIELD_FLOAT);
CQL_DETAIL_KIND(cql_uuid, CQL_FIELD_UUID);
CQL_DETAIL_KIND(cql_inet, CQL_FIELD_INET);
CQL_DETAIL_KIND(cql_duration, CQL_FIELD_DURATION);
CQL_DETAIL_KIND(cql_str, CQL_FIELD_STR);
CQL_DETAIL_KIND(const char *, CQL_FIELD_CSTR);
CQL_DETAIL_KIND(cql_value, CQL_FIELD_VALUE);
CQL_DETAIL_ARRAY(char, CQL_FIELD_CHARS);
CQL_DETAIL_ARRAY(unsigned char, CQL_FIELD_BYTES);
CQL_DETAIL_ARRAY(float, CQL_FIELD_FLOATS);
#undef CQL_DETAIL_KIND
#undef CQL_DETAIL_ARRAY
} // namespace cql_detail
/* A member where only its type counts; without the casts of C, of which C++ programs like to be warned. */
#define CQL_FIELD_OF(type, member) static_cast<type *>(nullptr)->member
#define CQL_FIELD_KIND(type, member)                                                               \
    (::cql_detail::field_kind<decltype(CQL_FIELD_OF(type, member))>::value)
CQL_BEGIN
#else
#define CQL_FIELD_OF(type, member) ((type *)0)->member
/* A pointer to char or float is no member to copy into, an array of them is: the address tells. */
#define CQL_FIELD_KIND(type, member)                                                               \
    _Generic(&CQL_FIELD_OF(type, member),                                                          \
        char **: (cql_field_kind)0,                                                                \
        unsigned char **: (cql_field_kind)0,                                                       \
        float **: (cql_field_kind)0,                                                               \
        default: _Generic(CQL_FIELD_OF(type, member),                                              \
            bool: CQL_FIELD_BOOL,                                                                  \
            signed char: CQL_FIELD_INT,                                                            \
            short: CQL_FIELD_INT,                                                                  \
            int: CQL_FIELD_INT,                                                                    \
            long: CQL_FIELD_INT,                                                                   \
            long long: CQL_FIELD_INT,                                                              \
            unsigned char: CQL_FIELD_UINT,                                                         \
            unsigned short: CQL_FIELD_UINT,                                                        \
            unsigned: CQL_FIELD_UINT,                                                              \
            unsigned long: CQL_FIELD_UINT,                                                         \
            unsigned long long: CQL_FIELD_UINT,                                                    \
            float: CQL_FIELD_FLOAT,                                                                \
            double: CQL_FIELD_FLOAT,                                                               \
            cql_uuid: CQL_FIELD_UUID,                                                              \
            cql_inet: CQL_FIELD_INET,                                                              \
            cql_duration: CQL_FIELD_DURATION,                                                      \
            char *: CQL_FIELD_CHARS,                                                               \
            unsigned char *: CQL_FIELD_BYTES,                                                      \
            float *: CQL_FIELD_FLOATS,                                                             \
            cql_str: CQL_FIELD_STR,                                                                \
            const char *: CQL_FIELD_CSTR,                                                          \
            cql_value: CQL_FIELD_VALUE))
#endif

/* A member and its column. The kind follows from the member's type; a type that does not fit is an
 * error of the compiler, a pointer other than const char * one of the call. */
#define CQL_FIELD(type, member, column)                                                            \
    {                                                                                              \
        (column), offsetof(type, member), sizeof(CQL_FIELD_OF(type, member)), CQL_FIELD_ALWAYS,    \
            CQL_FIELD_KIND(type, member)                                                           \
    }
/* The same for a column that may be null: `has` is a bool member beside it, false for null. */
#define CQL_FIELD_OPT(type, member, has, column)                                                   \
    {                                                                                              \
        (column), offsetof(type, member), sizeof(CQL_FIELD_OF(type, member)), offsetof(type, has), \
            CQL_FIELD_KIND(type, member)                                                           \
    }

/* Reads up to `cap` of the rows that are still to come into structs that lie `stride` bytes apart; the
 * cursor then stands at the last one read, so that a second call goes on behind it. *count (may be
 * NULL) is the number of structs that are whole, also on a failure. Names and types are checked once,
 * before the first row. A null leaves the member zero and its `has` false; without one it is
 * CQL_IS_NULL. CQL_NO_SUCH_NAME, CQL_TYPE_MISMATCH, CQL_BAD_VALUE (a number or a blob that does not
 * fit), CQL_TOO_LARGE (a text that does not fit), CQL_MALFORMED, CQL_BAD_ARGUMENT; *err then names
 * column, row and types. Views in cql_str and cql_value members live as long as the result. */
CQL_API cql_status cql_rows_scan(cql_rows *rows, const cql_field *fields, size_t field_count,
                                 void *out, size_t stride, size_t cap, size_t *count,
                                 cql_error **err);

/* Binds the members of a struct: to the markers of their names when the statement is prepared, else to
 * the markers in the order of the fields. A false `has` binds null. Numbers are made what the marker
 * asks for. Markers that no field names stay as they are. Statuses as above, with *err naming marker
 * and types; nothing is changed from the failing field on. */
CQL_API cql_status cql_statement_bind_struct(cql_statement *stmt, const cql_field *fields,
                                             size_t field_count, const void *record,
                                             cql_error **err);

CQL_END
#endif
