#!/bin/sh
# Each switch of configure that leaves something out, alone and all together: the library builds without a
# warning, its unit tests pass, and it exports what the list says. ccache helps: a switch picks source
# files, so that all builds have most of them in common.
# Usage: switches.sh SOURCE_FOLDER BUILD_FOLDER [SWITCH...]
set -eu
src=$1 build=$2
shift 2
parts='--without-openssl --without-lz4 --without-zlib --disable-threads --disable-schema --disable-jobs'
parts="$parts --disable-metadata --disable-outbox"
# shellcheck disable=SC2086 # several words
[ $# -gt 0 ] || set -- $parts --disable-tools --enable-lib-only all
MAKE=${MAKE:-make}
# Enough to find what is missing or unused; configure's answers are the same for all.
CFLAGS=${CFLAGS--O1}
export CFLAGS
failed=0

# targets_of SWITCHES: the library and its unit tests; of a build without tools or tests, all there is.
targets_of() {
    case $1 in
    --disable-tools | --enable-lib-only) echo all ;;
    *) echo lib/libcqlnative.la check-units ;;
    esac
}

try() {
    name=$1 switches=$2
    mkdir -p "$build/$name"
    # shellcheck disable=SC2086
    (cd "$build/$name" &&
        "$src/configure" -q --cache-file="$build/answers" --enable-werror --disable-examples $switches &&
        for target in $(targets_of "$switches"); do $MAKE -s "$target" || exit 1; done &&
        nm -D --defined-only lib/.libs/libcqlnative.so | awk '$3 ~ /^cql_/ { sub(/@.*/, "", $3); print $3 }' |
        LC_ALL=C sort >exported && cmp exported "$src/lib/libcqlnative.sym") >"$build/$name.log" 2>&1 || {
        echo "FAIL: $switches (see $build/$name.log)"
        tail -n 20 "$build/$name.log"
        failed=1
        return 0
    }
    echo "PASS: $switches"
}

mkdir -p "$build"
build=$(cd "$build" && pwd)
for switch in "$@"; do
    case $switch in
    all) try all "$parts --disable-tools" ;;
    --disable-tools | --enable-lib-only) try "${switch#--}" "$switch" ;;
    *) try "${switch#--}" "$switch --disable-tools" ;;
    esac
done
exit $failed
