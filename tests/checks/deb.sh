#!/bin/sh
# The packages that `make deb` built: lintian finds no error; unpacked into a clean folder, a C program is
# compiled against them through pkg-config alone and runs, shared and static and by CMake where that is installed, and so
# do the tools. Needs lintian.
# Usage: deb.sh FOLDER_OF_PACKAGES VERSION
set -eu
packages=$1 version=$2
CC=${CC:-cc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT
export LC_ALL=C

fail() {
    echo "check-deb: $1"
    [ -z "${2-}" ] || cat "$2"
    exit 1
}

for name in libcqlnative0 libcqlnative-dev cqlnative-tools; do
    ls "$packages/${name}_$version"_*.deb >/dev/null 2>&1 || fail "there is no package $name; run: make deb"
done
command -v lintian >/dev/null || fail "lintian is not installed (Debian: lintian)"
if [ "$(id -u)" = 0 ]; then
    set -- --allow-root
else
    set --
fi
lintian "$@" --fail-on error "$packages"/*.changes >"$tmp/log" 2>&1 || fail "lintian finds errors:" "$tmp/log"
cat "$tmp/log"

root=$tmp/root
for name in libcqlnative0 libcqlnative-dev cqlnative-tools; do
    dpkg -x "$packages/${name}_$version"_*.deb "$root"
done
libdir=$(dirname "$(find "$root/usr/lib" -name libcqlnative.so.0)")
[ -d "$libdir" ] || fail "the shared library is in no package"
system=$(pkg-config --variable pc_path pkg-config)
PKG_CONFIG_LIBDIR=$libdir/pkgconfig:$system
PKG_CONFIG_SYSROOT_DIR=$root
PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_ALLOW_SYSTEM_CFLAGS PKG_CONFIG_ALLOW_SYSTEM_LIBS
[ "$(pkg-config --modversion libcqlnative)" = "$version" ] || fail "pkg-config names another version"

cat >"$tmp/program.c" <<'EOF'
#include <cqlnative/cql.h>
#include <stdio.h>

int main(void)
{
    cql_session *s = NULL;
    cql_error *err = NULL;
    int refused = cql_session_open_wait("cql://127.0.0.1:1/?loop_threads=0", &s, &err) != CQL_OK;

    cql_error_unref(err);
    cql_session_free(s);
    printf("%s\n", CQL_VERSION_STRING);
    return !refused;
}
EOF
# shellcheck disable=SC2046,SC2086 # several words
$CC -Wall -Werror "$tmp/program.c" -o "$tmp/program" $(pkg-config --cflags --libs libcqlnative) \
    >"$tmp/log" 2>&1 || fail "a program does not build against the packages:" "$tmp/log"
LD_LIBRARY_PATH=$libdir
export LD_LIBRARY_PATH
ldd "$tmp/program" | grep -q "$libdir/libcqlnative.so.0" || fail "the program does not use the package's library"
[ "$("$tmp/program")" = "$version" ] || fail "the program fails"
static=$(echo " $(pkg-config --static --libs libcqlnative) " | sed "s| -lcqlnative | $libdir/libcqlnative.a |")
# shellcheck disable=SC2046,SC2086 # several words
$CC -Wall -Werror "$tmp/program.c" -o "$tmp/static" $(pkg-config --cflags libcqlnative) $static >"$tmp/log" 2>&1 ||
    fail "a program does not build with the static library of the packages:" "$tmp/log"
! ldd "$tmp/static" | grep -q libcqlnative || fail "the program with the static library uses the shared one"
[ "$("$tmp/static")" = "$version" ] || fail "the program with the static library fails"
if command -v cmake >/dev/null; then
    printf '%s\n' 'cmake_minimum_required(VERSION 3.12)' 'project(use C)' 'find_package(cqlnative REQUIRED)' \
        'add_executable(use program.c)' 'target_link_libraries(use cqlnative::cqlnative)' >"$tmp/CMakeLists.txt"
    { cmake -S "$tmp" -B "$tmp/cmake" -Dcqlnative_DIR="$libdir/cmake/cqlnative" && cmake --build "$tmp/cmake"; } \
        >"$tmp/log" 2>&1 || fail "CMake does not find the packages:" "$tmp/log"
    [ "$("$tmp/cmake/use")" = "$version" ] || fail "the program that CMake built fails"
fi
for tool in cqlping cqlinit cqljobs; do
    [ "$("$root/usr/bin/$tool" --version)" = "$tool $version" ] || fail "$tool --version fails"
    [ -e "$root/usr/share/man/man1/$tool.1.gz" ] || fail "$tool has no man page"
    [ -e "$root/usr/share/bash-completion/completions/$tool" ] || fail "$tool has no completion"
done
while read -r name; do
    [ -e "$root/usr/share/man/man3/$name.3.gz" ] || fail "$name has no man page"
done <"$(dirname "$0")/../../lib/libcqlnative.sym"
[ -e "$root/usr/share/man/man3/libcqlnative.3.gz" ] || fail "the library has no man page"
[ -e "$root/usr/share/man/man1/localcassandra.1.gz" ] || fail "localcassandra has no man page"
"$root/usr/bin/localcassandra" --help >"$tmp/log" 2>&1 || fail "localcassandra --help fails:" "$tmp/log"
for name in libcqlnative0 libcqlnative-dev cqlnative-tools; do
    [ -e "$root/usr/share/doc/$name/copyright" ] || fail "$name has no copyright file"
done
# What a program linked to the library asks for: this version or a later one.
dpkg -I "$packages/cqlnative-tools_$version"_*.deb | grep -q "Depends:.*libcqlnative0 (>= $version)" ||
    fail "the tools do not depend on the library"
echo "check-deb: fine"
