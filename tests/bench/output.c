/*
 * The responder's sending side.
 */
#include "output.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "crc.h"

enum { SLICE = 131054, SEND_PARTS = 64 }; /* the slice size that Cassandra uses itself */

static void add_piece(output *o, const uint8_t *from, size_t at, size_t size)
{
    piece *last = o->count > o->sent ? &o->pieces[o->count - 1] : NULL;

    if (last && !last->from && !from && last->at + last->size == at) {
        last->size += size;
        return;
    }
    if (o->count == o->cap) {
        o->cap = o->cap * 2 + 16;
        o->pieces = must(realloc(o->pieces, o->cap * sizeof *o->pieces));
    }
    o->pieces[o->count++] = (piece){from, at, size};
}

/* n more bytes of our own, at the end of the queue. */
static uint8_t *add_own(output *o, size_t n)
{
    uint8_t *p = buf_space(&o->bytes, n);
    add_piece(o, NULL, o->bytes.size - n, n);
    return p;
}

void output_close(output *o)
{
    if (!o->open)
        return;
    size_t payload = o->segment + SEGMENT_HEADER;
    size_t n = o->bytes.size - payload;
    uint8_t *trailer = add_own(o, SEGMENT_TRAILER);
    segment_header(o->bytes.data + o->segment, n, SEGMENT_SELF_CONTAINED);
    put_le32(trailer, crc32_segment(o->bytes.data + payload, n));
    o->open = false;
}

static void open_segment(output *o, size_t n)
{
    if (o->open && o->bytes.size - o->segment - SEGMENT_HEADER + n > SEGMENT_MAX)
        output_close(o);
    if (o->open)
        return;
    o->segment = o->bytes.size;
    o->open = true;
    add_own(o, SEGMENT_HEADER);
}

uint8_t *output_envelope(output *o, unsigned version, uint16_t stream, enum opcode op, size_t n)
{
    if (o->framed)
        open_segment(o, ENVELOPE_HEADER + n);
    uint8_t *p = add_own(o, ENVELOPE_HEADER + n);
    put_header(p, version, stream, op, n);
    return p + ENVELOPE_HEADER;
}

static void put_slices(buf *to, const uint8_t *p, size_t n)
{
    while (n) {
        size_t part = n < SLICE ? n : SLICE;
        segment_header(buf_space(to, SEGMENT_HEADER), part, 0);
        buf_bytes(to, p, part);
        put_le32(buf_space(to, SEGMENT_TRAILER), crc32_segment(p, part));
        p += part;
        n -= part;
    }
}

void image_make(image *img, unsigned version, enum opcode op, const buf *body, bool framed)
{
    buf envelope = {0};

    put_header(buf_space(&envelope, ENVELOPE_HEADER), version, 0, op, body->size);
    buf_bytes(&envelope, body->data, body->size);
    *img = (image){.stream_at = 2};
    if (!framed) {
        img->wire = envelope;
        return;
    }
    put_slices(&img->wire, envelope.data, envelope.size);
    free(envelope.data);
    size_t first = body->size + ENVELOPE_HEADER < SLICE ? body->size + ENVELOPE_HEADER : SLICE;
    img->stream_at = SEGMENT_HEADER + 2;
    img->trailer_at = SEGMENT_HEADER + first;
    img->trailer = get_le32(img->wire.data + img->trailer_at);
    for (unsigned bit = 0; bit < 16; bit++)
        img->stream_bits[bit] = crc32_patch16(first, 2, (uint16_t)(1u << bit));
}

void output_image(output *o, const image *img, uint16_t stream)
{
    size_t head = img->stream_at + 2;
    size_t end = img->trailer_at ? img->trailer_at : img->wire.size;

    output_close(o);
    uint8_t *p = add_own(o, head);
    memcpy(p, img->wire.data, head);
    put_u16(p + img->stream_at, stream);
    add_piece(o, img->wire.data, head, end - head);
    if (!img->trailer_at)
        return;
    uint32_t crc = img->trailer;
    for (unsigned bit = 0; bit < 16; bit++)
        if (stream >> bit & 1)
            crc ^= img->stream_bits[bit];
    put_le32(add_own(o, SEGMENT_TRAILER), crc);
    size_t rest = end + SEGMENT_TRAILER;
    if (rest < img->wire.size)
        add_piece(o, img->wire.data, rest, img->wire.size - rest);
}

void output_body(output *o, unsigned version, uint16_t stream, enum opcode op, const buf *body)
{
    if (!o->framed || body->size + ENVELOPE_HEADER <= SEGMENT_MAX) {
        uint8_t *p = output_envelope(o, version, stream, op, body->size);
        if (body->size)
            memcpy(p, body->data, body->size);
        return;
    }
    buf envelope = {0};
    buf slices = {0};
    output_close(o);
    put_header(buf_space(&envelope, ENVELOPE_HEADER), version, stream, op, body->size);
    buf_bytes(&envelope, body->data, body->size);
    put_slices(&slices, envelope.data, envelope.size);
    memcpy(add_own(o, slices.size), slices.data, slices.size);
    free(envelope.data);
    free(slices.data);
}

static void advance(output *o, size_t n)
{
    while (n) {
        piece *p = &o->pieces[o->sent];
        size_t part = n < p->size ? n : p->size;
        p->at += part;
        p->size -= part;
        n -= part;
        o->sent += p->size == 0;
    }
}

bool output_send(output *o, int fd)
{
    while (output_pending(o)) {
        struct iovec parts[SEND_PARTS];
        struct msghdr msg = {.msg_iov = parts};
        for (size_t i = o->sent; i < o->count && msg.msg_iovlen < SEND_PARTS; i++) {
            const piece *p = &o->pieces[i];
            const uint8_t *base = p->from ? p->from : o->bytes.data;
            parts[msg.msg_iovlen].iov_base = (void *)(uintptr_t)(base + p->at);
            parts[msg.msg_iovlen++].iov_len = p->size;
        }
        ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        advance(o, (size_t)n);
    }
    o->sent = o->count = 0;
    o->bytes.size = 0;
    return true;
}

void output_free(output *o)
{
    free(o->bytes.data);
    free(o->pieces);
}
