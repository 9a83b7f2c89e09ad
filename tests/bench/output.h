/*
 * What a connection of the responder has to send: envelopes written side by side, packed into v5
 * segments where the connection speaks them, and large answers sent from where they were made.
 */
#ifndef BENCH_OUTPUT_H
#define BENCH_OUTPUT_H

#include <stdbool.h>

#include "buf.h"

/* A large answer in its wire form with stream id 0. */
typedef struct image {
    buf wire;
    size_t stream_at;         /* where the stream id is */
    size_t trailer_at;        /* where the first segment's CRC32 is; 0 on v4 */
    uint32_t trailer;         /* that CRC32 */
    uint32_t stream_bits[16]; /* what each bit of the stream id changes of it */
} image;

/* Sent in order: a part of `bytes`, or (from set) bytes of an image. */
typedef struct piece {
    const uint8_t *from;
    size_t at;
    size_t size;
} piece;

typedef struct output {
    bool framed;
    bool open;      /* a segment is being filled */
    size_t segment; /* where its header is in `bytes` */
    buf bytes;
    piece *pieces;
    size_t count;
    size_t cap;
    size_t sent; /* whole pieces sent; the first of the rest has shrunk by what left of it */
} output;

/* Makes an image of an answer; `framed` makes the segments that v5 wants. */
void image_make(image *img, unsigned version, enum opcode op, const buf *body, bool framed);

/* Room for a body of n bytes after a fresh header; n is less than a segment. Fill it at once. */
uint8_t *output_envelope(output *o, unsigned version, uint16_t stream, enum opcode op, size_t n);

/* Any body, split into segments where it must be. */
void output_body(output *o, unsigned version, uint16_t stream, enum opcode op, const buf *body);

void output_image(output *o, const image *img, uint16_t stream);

/* Ends the open segment; call it before the first output_send of a turn and when framing begins. */
void output_close(output *o);

/* Sends what the socket takes. False when the connection is broken. */
bool output_send(output *o, int fd);

static inline bool output_pending(const output *o)
{
    return o->sent < o->count;
}

void output_free(output *o);

#endif
