#!/bin/sh
# What gets installed is found by CMake: projects in C and C++ link the shared and the static library by
# find_package(cqlnative) and run; a wrong version and an unknown component are refused. Needs cmake.
# `make check-cmake` runs it in the build folder.
set -eu
MAKE=${MAKE:-make}
version=${VERSION:?}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT
export LC_ALL=C
unset DESTDIR MAKEFLAGS MFLAGS MAKELEVEL

fail() {
    echo "check-cmake: $1"
    [ -z "${2-}" ] || cat "$2"
    exit 1
}

command -v cmake >/dev/null || fail "cmake is not installed (Debian: cmake)"
$MAKE install DESTDIR="$tmp/root" >"$tmp/log" 2>&1 || fail "make install fails:" "$tmp/log"
config=$(find "$tmp/root" -name cqlnativeConfig.cmake)
[ -n "$config" ] || fail "cqlnativeConfig.cmake is not installed"
folder=$(dirname "$config")

# project NAME VERSION COMPONENTS TARGET: a project that uses the library, configured; what CMake says
# goes to $tmp/log.
project() {
    mkdir -p "$tmp/$1"
    cat >"$tmp/$1/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.12)
project(use C CXX)
find_package(cqlnative $2 REQUIRED $3)
find_package(cqlnative $2 REQUIRED $3) # a second time does no harm
add_executable(use_c use.c)
target_link_libraries(use_c $4)
add_executable(use_cxx use.cpp)
set_target_properties(use_cxx PROPERTIES CXX_STANDARD 17)
target_link_libraries(use_cxx $4)
EOF
    cat >"$tmp/$1/use.c" <<'EOF'
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
    cp "$tmp/$1/use.c" "$tmp/$1/use.cpp"
    cmake -S "$tmp/$1" -B "$tmp/$1/build" -Dcqlnative_DIR="$folder" >"$tmp/log" 2>&1
}

# works NAME VERSION COMPONENTS TARGET
works() {
    project "$@" || fail "$1: CMake refuses the project:" "$tmp/log"
    cmake --build "$tmp/$1/build" >"$tmp/log" 2>&1 || fail "$1: the project does not build:" "$tmp/log"
    for program in use_c use_cxx; do
        "$tmp/$1/build/$program" >"$tmp/out" 2>&1 || fail "$1: $program fails:" "$tmp/out"
        [ "$(cat "$tmp/out")" = "$version" ] || fail "$1: $program prints something else:" "$tmp/out"
    done
    echo "check-cmake: $1 works"
}

# refused NAME WORDS VERSION COMPONENTS
refused() {
    if project "$1" "$3" "$4" cqlnative::cqlnative; then
        fail "$1: CMake takes it:" "$tmp/log"
    fi
    tr -s ' \n' ' ' <"$tmp/log" | grep -q -e "$2" || fail "$1: CMake does not say '$2':" "$tmp/log"
    echo "check-cmake: $1 is refused"
}

libdir=$folder/../..
if [ -e "$libdir/libcqlnative.so" ]; then
    works shared "$version" '' cqlnative::cqlnative
    ldd "$tmp/shared/build/use_c" | grep -q libcqlnative || fail "the shared library is not used"
fi
if [ -e "$libdir/libcqlnative.a" ]; then
    works static '' 'COMPONENTS static' cqlnative::static
    ! ldd "$tmp/static/build/use_c" | grep -q libcqlnative || fail "the static library is not used"
fi
refused "another version" "$version" 99.0 ''
refused "an unknown component" "there is no component other" '' 'COMPONENTS other'
