/* Values that are borrowed until the statement was executed: they stay where they are, and go to their places in the
 * request. */
#include "api/statement.h"
#include "types/value.h"

#include <string.h>

enum { BORROW_FROM = 64 };

static cqln_piece *piece_of(cqln_extra *x, size_t marker)
{
    for (uint32_t i = 0; i < x->piece_count; i++)
        if (x->pieces[i].marker == marker)
            return &x->pieces[i];
    return NULL;
}

static cqln_piece *add_piece(cqln_extra *x, size_t marker)
{
    cqln_piece *known = piece_of(x, marker);
    if (known)
        return known;
    if (x->piece_count == x->piece_cap) {
        uint32_t cap = x->piece_cap ? x->piece_cap * 2 : 4;
        cqln_piece *grown = cqln_realloc_array(x->al, x->pieces, cap, sizeof *grown);
        if (!grown)
            return NULL;
        x->pieces = grown;
        x->piece_cap = cap;
    }
    x->pieces[x->piece_count].marker = (uint32_t)marker;
    return &x->pieces[x->piece_count++];
}

/* Parts of the partition key tell where the statement goes, so they are kept at hand. */
static bool is_key(const cql_statement *s, size_t marker)
{
    const cqln_metadata *bind = s->prepared ? s->prepared->bind : NULL;
    for (uint32_t i = 0; bind && i < bind->pk_count; i++)
        if (bind->pk_index[i] == marker)
            return true;
    return false;
}

cql_status cql_statement_bind_borrowed(cql_statement *s, size_t index, cql_value v)
{
    if (!s)
        return CQL_BAD_ARGUMENT;
    if (index >= s->markers)
        return cqln_misfit(s, index, &v, CQL_OUT_OF_RANGE);
    if (v.state != CQL_VALUE_SET || v.inside == 1 || v.len < BORROW_FROM || is_key(s, index))
        return cql_statement_bind_value(s, index, v);
    const cql_type *type = s->prepared ? cql_prepared_marker_type(s->prepared, index) : NULL;
    cql_status st = type ? cqln_value_check(type, &v) : v.len > INT32_MAX ? CQL_TOO_LARGE : CQL_OK;
    if (st)
        return cqln_misfit(s, index, &v, st);
    cqln_extra *x = cqln_extra_make(&s->ex.extra, s->al);
    cqln_piece *piece = x ? add_piece(x, index) : NULL;
    if (!piece)
        return CQL_NO_MEMORY;
    piece->len = 0; /* none, should the next step fail */
    st = cql_statement_bind_value(s, index, cql_value_null());
    if (st)
        return st;
    cqln_execution_say(&s->ex, CQLN_SAID_RARE);
    piece->ptr = cqln_value_ptr(&v);
    piece->len = v.len;
    cqln_store_u32(s->values + s->offsets[index], v.len);
    return CQL_OK;
}

const cqln_piece *cqln_extra_piece(const cql_statement *s, size_t marker)
{
    if (!s->ex.extra || s->offsets[marker + 1] - s->offsets[marker] != 4)
        return NULL;
    const cqln_piece *piece = piece_of(s->ex.extra, marker);
    if (!piece || !piece->len || cqln_load_u32(s->values + s->offsets[marker]) != piece->len)
        return NULL;
    return piece;
}

bool cqln_extra_has_pieces(const cql_statement *s)
{
    for (uint32_t i = 0; s->ex.extra && i < s->ex.extra->piece_count; i++)
        if (cqln_extra_piece(s, s->ex.extra->pieces[i].marker))
            return true;
    return false;
}

static uint64_t pieces_size(const cql_statement *s)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->ex.extra->piece_count; i++) {
        const cqln_piece *piece = cqln_extra_piece(s, s->ex.extra->pieces[i].marker);
        sum += piece ? piece->len : 0;
    }
    return sum;
}

/* From the last value to the first, so that each byte is moved once. */
cql_status cqln_extra_splice(const cql_statement *s, cqln_writer *env, size_t at)
{
    uint64_t more = pieces_size(s);
    if (env->len + more - CQLN_FRAME_HEADER > INT32_MAX)
        return CQL_TOO_LARGE;
    if (!cqln_writer_reserve(env, (size_t)more))
        return env->status;
    uint8_t *end = env->data + env->len + more;     /* behind what is in its place */
    const uint8_t *from = env->data + env->len;     /* behind what is not yet */
    for (uint32_t i = s->markers; i-- > 0;) {
        const cqln_piece *piece = cqln_extra_piece(s, i);
        if (!piece)
            continue;
        const uint8_t *behind = env->data + at + s->offsets[i + 1];
        end -= from - behind;
        memmove(end, behind, (size_t)(from - behind));
        end -= piece->len;
        memcpy(end, piece->ptr, piece->len);
        from = behind;
    }
    env->len += (size_t)more;
    cqln_store_u32(env->data + 5, (uint32_t)(env->len - CQLN_FRAME_HEADER));
    return CQL_OK;
}
