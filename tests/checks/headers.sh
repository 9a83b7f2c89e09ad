#!/bin/sh
# Public headers: each compiles alone and twice, as C11 and as C++17, without a warning, and includes
# nothing but its siblings, <stddef.h>, <stdint.h> and <stdbool.h>. uv.h also includes <uv.h>, which is no
# strict C11.
# Usage: headers.sh [SOURCE_FOLDER]
set -eu
. ./tests/checks/vars.sh
src=${1:-${srcdir:-.}}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0 count=0

# compile NAME LANGUAGE COMPILER FLAGS...
compile() {
    name=$1 language=$2
    shift 2
    if ! "$@" -Wall -Wextra -Wundef -Werror -fsyntax-only -I"$src/include" -Iinclude \
        -x "$language" "$tmp/alone" 2>"$tmp/err"; then
        echo "<cqlnative/$name> does not compile alone with $*:"
        cat "$tmp/err"
        status=1
    fi
}

for header in "$src"/include/cqlnative/*.h include/cqlnative/version.h; do
    name=$(basename "$header")
    count=$((count + 1))
    printf '#include <cqlnative/%s>\n#include <cqlnative/%s>\nint main(void) { return 0; }\n' \
        "$name" "$name" >"$tmp/alone"
    c=-std=c11 cxx=-std=c++17 pedantic=-pedantic-errors extra=''
    [ "$name" != uv.h ] || { c=-std=gnu11 cxx=-std=gnu++17 pedantic='' extra='<uv\.h>'; }
    # shellcheck disable=SC2086
    compile "$name" c $CC $c $pedantic -Wstrict-prototypes -Wmissing-prototypes $UV_CFLAGS
    # shellcheck disable=SC2086
    compile "$name" c++ $CXX $cxx $pedantic $UV_CFLAGS
    if grep '^[[:space:]]*#[[:space:]]*include' "$header" |
        grep -v -e '<cqlnative/[a-z]*\.h>' -e '<std\(def\|int\|bool\)\.h>' ${extra:+-e "$extra"}; then
        echo "<cqlnative/$name> includes more than it may (the line above)"
        status=1
    fi
done
[ "$count" -gt 5 ] || { echo "no headers found in $src/include"; exit 1; }
exit $status
