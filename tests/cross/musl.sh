#!/bin/sh
# The layers that touch no system, built and linked with musl's headers and library alone: they need
# nothing of glibc, and no other library.
# MUSL_PREFIX=FOLDER: everything, and the programs of `make check` are run. Below the folder are libuv (shared),
# OpenSSL, lz4, zlib, cJSON and cmocka built with musl, with their lib/pkgconfig/*.pc.
# Usage: musl.sh SOURCE_FOLDER BUILD_FOLDER
# CROSS_SKIP=yes: where musl-gcc is missing, say so and pass.
set -eu
src=$1
mkdir -p "$2"
build=$(cd "$2" && pwd)
MAKE=${MAKE:-make}
layers='base wire types msg conn meta policy'

if ! command -v musl-gcc >/dev/null; then
    [ "${CROSS_SKIP-}" != yes ] || { echo "SKIP: musl: musl-gcc is missing" && exit 0; }
    echo "check-musl: needs musl-gcc: apt-get install musl-tools (CROSS_SKIP=yes passes without)" >&2
    exit 1
fi
if [ -n "${MUSL_PREFIX-}" ]; then
    export PKG_CONFIG_LIBDIR="$MUSL_PREFIX/lib/pkgconfig"
    mkdir -p "$build/whole" && cd "$build/whole"
    [ -e config.status ] || "$src/configure" -q CC=musl-gcc CXX=false --enable-werror \
        LDFLAGS="-Wl,-rpath,$MUSL_PREFIX/lib"
    $MAKE -s V=0 all
    $MAKE -s V=0 check-programs
    echo "PASS: everything with musl"
    exit 0
fi
cd "$build"
[ -e config.status ] || "$src/configure" -q CC=musl-gcc --enable-werror --enable-lib-only \
    --without-openssl --without-lz4 --without-zlib --disable-threads
archives=
for layer in $layers; do
    $MAKE -s V=0 "lib/lib$layer.la"
    archives="$archives lib/.libs/lib$layer.a"
done
cat >program.c <<'END'
#include "base/crc32.h"
#include <cqlnative/cql.h>

int main(void)
{
    cql_uuid id;
    return cqln_crc32(0, "123456789", 9) != 0xcbf43926u ||
           cql_uuid_parse(cql_str_of("00112233-4455-6677-8899-aabbccddeeff"), &id) != CQL_OK;
}
END
# shellcheck disable=SC2086 # several names
musl-gcc -static -I include -I "$src/include" -I "$src/lib" program.c -o program \
    -Wl,--whole-archive $archives -Wl,--no-whole-archive
./program
echo "PASS: $layers with musl"
