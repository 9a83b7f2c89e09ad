/* number_text.h: floats, big integers and decimals as text. */
#ifndef CQLN_TYPES_NUMBER_TEXT_H
#define CQLN_TYPES_NUMBER_TEXT_H

#include "types/sink.h"

/* Big integers up to this many bytes are written as decimal digits, longer ones as 0x and hex: the
 * conversion takes time by the square of the length. */
enum { CQLN_VARINT_TEXT_MAX = 512 };

/* The shortest digits that read back as the same number; NaN, Infinity, -Infinity. No locale. */
void cqln_print_double(cqln_sink *out, double v);
void cqln_print_float(cqln_sink *out, float v);
/* Both false when the number is too long for digits: the bytes were printed as 0x and hex. */
bool cqln_print_varint(cqln_sink *out, cql_str bytes);
/* 1.50, 1E+3: with an exponent where plain digits would need zeros that the number does not have.
 * `bytes` is the whole value (scale and number), for the hex form. */
bool cqln_print_decimal(cqln_sink *out, int32_t scale, cql_str unscaled, cql_str bytes);

#endif
