#!/bin/sh
# What gets installed works: programs outside the tree build with pkg-config alone, as C11 and as C++17,
# shared, static and without any shared library, run, and need no library beyond libuv, OpenSSL, lz4,
# zlib and the C library. The sources of the modules compile with the installed headers alone.
set -eu
. ./tests/checks/vars.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT
export LC_ALL=C

fail() {
    echo "$1"
    [ -z "${2-}" ] || cat "$2"
    exit 1
}

$MAKE install DESTDIR="$tmp/root" >"$tmp/log" 2>&1 || fail "make install fails:" "$tmp/log"
pc=$(find "$tmp/root" -name libcqlnative.pc)
[ -n "$pc" ] || fail "libcqlnative.pc is not installed"

# As if it had been installed where it lies now.
mkdir "$tmp/pc"
sed "s|^\([a-z_]*\)=/|\1=$tmp/root/|" "$pc" >"$tmp/pc/libcqlnative.pc"
PKG_CONFIG_PATH=$tmp/pc${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
libdir=$($PKG_CONFIG --variable=libdir libcqlnative)
[ -d "$libdir" ] || fail "there is no $libdir"

cat >"$tmp/program.c" <<'END'
#include <cqlnative/cql.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    cql_session *s = NULL;

    if (cql_session_open_wait("cql://127.0.0.1:1/?loop_threads=0", &s, NULL) == CQL_OK)
        return 1;
    cql_session_free(s);
    printf("%s\n", cql_status_text(CQL_NO_MEMORY));
    return strcmp(cql_status_name(CQL_TIMEOUT), "CQL_TIMEOUT") != 0;
}
END
cp "$tmp/program.c" "$tmp/program.cpp"

# build NAME COMPILER... : compiles, runs and judges the output.
build() {
    name=$1
    shift
    "$@" >"$tmp/log" 2>&1 || fail "$name program does not build: $*" "$tmp/log"
    LD_LIBRARY_PATH=$libdir "$tmp/$name" >"$tmp/out" 2>&1 || fail "$name program fails:" "$tmp/out"
    [ "$(cat "$tmp/out")" = "out of memory" ] || fail "$name program prints something else:" "$tmp/out"
}

cflags=$($PKG_CONFIG --cflags libcqlnative)
libs=$($PKG_CONFIG --libs libcqlnative)
static=$($PKG_CONFIG --static --libs libcqlnative)
if ls "$libdir"/libcqlnative.so.* >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    build c11 $CC -std=c11 -Wall -Wextra -Werror $SANITIZE $cflags "$tmp/program.c" -o "$tmp/c11" $libs
    # shellcheck disable=SC2086
    build cxx17 $CXX -std=c++17 -Wall -Wextra -Werror $SANITIZE $cflags "$tmp/program.cpp" \
        -o "$tmp/cxx17" $libs
    beyond=$(LD_LIBRARY_PATH=$libdir ldd "$tmp/c11" | awk '{ print $1 }' | sed 's|.*/||' | grep -v -E \
        '^(linux-vdso|linux-gate|ld-linux[a-z0-9_-]*|ld64|libc|libm|libdl|librt|libpthread|libresolv|libcqlnative|libuv|libssl|libcrypto|liblz4|libz)\.so' ||
        true)
    if [ -n "$SANITIZE" ]; then
        beyond=$(echo "$beyond" | grep -v -E '^lib([aut]san|ubsan|gcc_s|stdc\+\+)\.so' || true)
    fi
    [ -z "$beyond" ] || fail "the library needs more than it should: $beyond"
fi
if [ -e "$libdir/libcqlnative.a" ]; then
    static=$(echo " $static " | sed "s| -lcqlnative | $libdir/libcqlnative.a |")
    # shellcheck disable=SC2086
    build static $CC -std=c11 $SANITIZE $cflags "$tmp/program.c" -o "$tmp/static" $static
    # No shared library at all, where there are archives of all it needs; Debian's of libuv is libuv_a.a.
    whole=$(echo "$static" | sed "s/ -luv / -luv_a /g")
    # shellcheck disable=SC2046,SC2086
    if [ -z "$SANITIZE" ] && echo 'int main(void) { return 0; }' |
        $CC -xc - -static -o "$tmp/empty" $(echo "$whole" | sed "s| [^ ]*/libcqlnative.a | |") 2>/dev/null; then
        build whole $CC -std=c11 -static $cflags "$tmp/program.c" -o "$tmp/whole" $whole
    fi
fi

# Each module beside what is installed and what modules share; nothing else of the library is in reach.
here=$(cd "$(dirname "$0")" && pwd)
mkdir "$tmp/shared"
modules=$(awk '$2 == "public" { print $1 }' "$here/layers.txt")
shared=$(awk '$2 == "public" && $4 == "shared" { print $1 }' "$here/layers.txt")
for module in $shared; do
    cp -R "$here/../../lib/$module" "$tmp/shared"
done
count=0
for module in $modules; do
    count=$((count + 1))
    mkdir "$tmp/alone"
    cp -R "$here/../../lib/$module" "$tmp/alone"
    # shellcheck disable=SC2086
    $CC -std=gnu11 -Wall -Wextra -Werror -fsyntax-only $cflags -I"$tmp/alone" -I"$tmp/shared" \
        "$tmp/alone/$module"/*.c >"$tmp/log" 2>&1 ||
        fail "lib/$module does not compile with the installed headers alone:" "$tmp/log"
    rm -r "$tmp/alone"
done
[ "$count" -ge 5 ] || fail "no modules found in layers.txt"
