#!/bin/sh
# Each switch of configure that leaves something out, alone and all together: the library builds without a
# warning, the tests that the switch leaves pass (tests/unit/api_parts.c asks for the missing part), and it
# exports what the list says. All are built in one folder, one after the other: a switch picks source
# files, so that only what it picks is compiled again; libraries and programs are linked anew.
# Without what the library needs, configure names the package.
# Usage: switches.sh SOURCE_FOLDER BUILD_FOLDER [SWITCH...]
set -eu
src=$1 build=$2
shift 2
parts='--without-openssl --without-lz4 --without-zlib --disable-threads --disable-schema --disable-jobs'
parts="$parts --disable-metadata --disable-outbox --disable-writer --disable-insight --disable-text"
parts="$parts --disable-routing --disable-speculation --disable-helpers --disable-discovery --disable-collections"
parts="$parts --disable-batches --disable-options-text"
# shellcheck disable=SC2086 # several words
[ $# -gt 0 ] || set -- $parts --disable-tools --enable-lib-only all lacks
MAKE=${MAKE:-make}
# Enough to find what is missing or unused.
CFLAGS=${CFLAGS--O1}
export CFLAGS
failed=0

# targets_of SWITCHES: the library and its unit tests; of a build without tools or tests, all there is.
targets_of() {
    case $1 in
    --disable-tools) echo all check-units ;;
    --enable-lib-only) echo all check ;;
    *) echo lib/libcqlnative.la check-units ;;
    esac
}

# What depends on the switches, though not by its time: every library (its list of objects) and what is
# told about the switches.
forget() {
    find . \( -name '*.la' -o -name '*.a' -o -name 'libcqlnative.so*' -o -name 'api_parts-*' \
        -o -name vars.sh -o -name 'parts_calls.h' -o -path './lib/*/none*.c' \) -exec rm -f {} +
}

# What configure writes keeps the time of the first one, or all that includes version.h would be compiled.
keep_time() {
    [ -e first ] || : >first
    touch -r first config.status Makefile stamp-h1 include/cqlnative/version.h lib/libcqlnative.pc
}

one() {
    forget
    # shellcheck disable=SC2086
    "$src/configure" -q --cache-file=answers --disable-static --enable-werror --disable-examples $1 || return 1
    keep_time
    for target in $(targets_of "$1"); do $MAKE -s "$target" || return 1; done
    nm -D --defined-only lib/.libs/libcqlnative.so |
        awk '$3 ~ /^cql_/ { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort >exported
    cmp exported "$src/lib/libcqlnative.sym"
}

try() {
    (cd "$build" && one "$2") >"$build/$1.log" 2>&1 || {
        echo "FAIL: $2 (see $build/$1.log)"
        tail -n 20 "$build/$1.log"
        failed=1
        return 0
    }
    echo "PASS: $2"
}

# lacks PACKAGE VARIABLE...: what pkg-config does not find is given in variables, but for one.
lacks() {
    package=$1
    shift
    mkdir -p "$build/lacks"
    if (cd "$build/lacks" && env PKG_CONFIG_LIBDIR=/none "$@" "$src/configure" -q) >"$build/lacks.log" 2>&1 ||
        ! grep -q "error: .*(Debian: $package)" "$build/lacks.log"; then
        echo "FAIL: configure does not ask for $package (see $build/lacks.log)"
        failed=1
    else
        echo "PASS: configure asks for $package"
    fi
}

mkdir -p "$build"
build=$(cd "$build" && pwd)
for switch in "$@"; do
    case $switch in
    lacks)
        lacks libuv1-dev
        lacks libssl-dev UV_CFLAGS=-I. UV_LIBS=-luv
        lacks liblz4-dev UV_CFLAGS=-I. UV_LIBS=-luv OPENSSL_CFLAGS=-I. OPENSSL_LIBS=-lssl
        lacks zlib1g-dev UV_CFLAGS=-I. UV_LIBS=-luv OPENSSL_CFLAGS=-I. OPENSSL_LIBS=-lssl \
            LZ4_CFLAGS=-I. LZ4_LIBS=-llz4
        ;;
    all) try all "$parts --disable-tools" ;;
    --disable-tools | --enable-lib-only) try "${switch#--}" "$switch" ;;
    *) try "${switch#--}" "$switch --disable-tools" ;;
    esac
done
exit $failed
