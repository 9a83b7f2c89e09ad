/* unit.h: what every unit test includes: cmocka with the headers that it wants before it, and the
 * helpers of this folder. */
#ifndef TESTS_SUPPORT_UNIT_H
#define TESTS_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failmalloc.h"
#include "guard.h"
#include "hex.h"

/* True when the bytes are those of the hex text; shows both when they are not. */
#define assert_hex(bytes, len, text) assert_true(hex_equal((bytes), (len), (text)))

#endif
