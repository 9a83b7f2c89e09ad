#!/bin/sh
# Public headers: each compiles alone and twice, as C11 and as C++17, without a warning, and includes
# nothing but its siblings, <stddef.h>, <stdint.h> and <stdbool.h>. uv.h also includes <uv.h>, which is no
# strict C11. Their macros are no warnings in C++ either.
# Usage: headers.sh [SOURCE_FOLDER]
set -eu
. ./tests/checks/vars.sh
src=${1:-${srcdir:-.}}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT
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

# The macros, in a C++ program that wants no casts of C.
cat >"$tmp/alone" <<'END'
#include <cqlnative/cql.h>
struct row {
    int id;
    char name[16];
    bool has_name;
};
static const cql_field fields[] = {CQL_FIELD(row, id, "id"), CQL_FIELD_OPT(struct row, name, has_name, "name")};
template <typename... T> size_t count_of(T... values) /* of none, too */
{
    cql_values v = CQL_VALUES(values...);
    return v.count;
}
int main()
{
    int code = CQL_SERVER_CODE(CQL_STATUS_OF_SERVER(0x2000));
    cql_values values = CQL_VALUES(cql_value_int32(code), cql_value_null());
    return fields[0].present == CQL_FIELD_ALWAYS && CQL_COUNT(fields) == values.count + count_of() + count_of(cql_value_null());
}
END
for cxx in 11 17 20; do
    # shellcheck disable=SC2086
    compile cql.h c++ $CXX -std=c++$cxx -pedantic-errors -Wconversion -Wold-style-cast \
        -Wzero-as-null-pointer-constant
done
[ "$count" -gt 5 ] || { echo "no headers found in $src/include"; exit 1; }
exit $status
