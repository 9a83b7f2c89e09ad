#!/bin/sh
# How large the shared library is, in builds of its own: as configure makes it (all), with --enable-small,
# and with all left out that can be (off). Of each what `size` calls text (code, constants, tables for the
# linker and for unwinding), and of that the code.
#
#   sizes.sh SOURCE BUILD [SWITCH...]   the switches: --host, and where its libraries are
#
# LIMITS="small_code=300000 ...": fails when a figure is above its limit.
set -eu
src=$1 build=$2
shift 2
MAKE=${MAKE:-make}
export LC_ALL=C
off='--without-openssl --without-lz4 --without-zlib --disable-threads --disable-schema --disable-jobs
     --disable-metadata --disable-outbox --disable-writer --disable-insight --disable-text
     --disable-routing --disable-speculation --disable-helpers --disable-discovery --disable-collections
     --disable-batches --disable-options-text'

# one NAME SWITCH...: a library as configure makes it, whatever the flags of the caller.
one() {
    name=$1
    shift
    mkdir -p "$build/$name"
    (cd "$build/$name" && { [ -e config.status ] || env -u CFLAGS -u LDFLAGS "$src/configure" -q --enable-lib-only "$@"; } &&
        $MAKE -s V=0 lib/libcqlnative.la) >"$build/$name.log" 2>&1 || {
        echo "sizes.sh: $build/$name does not build:" >&2
        tail -n 20 "$build/$name.log" >&2
        exit 1
    }
    library=$build/$name/lib/.libs/libcqlnative.so
    size "$library" | awk -v name="$name" 'NR == 2 { print name "_text", $1 }'
    size -A "$library" | awk -v name="$name" '$1 == ".text" { print name "_code", $2 }'
}

figures=$(
    one all --disable-static "$@"
    one small --disable-static --enable-small "$@"
    # shellcheck disable=SC2086 # several words
    one off --enable-small $off "$@"
)
echo "$figures"
echo "$figures" | awk -v limits="${LIMITS-}" '
BEGIN { for (n = split(limits, l, " "); n > 0; n--) { split(l[n], pair, "="); limit[pair[1]] = pair[2] } }
$1 in limit && $2 > limit[$1] { print "sizes.sh: " $1 " is above " limit[$1]; failed = 1 }
END { exit failed }' >&2
