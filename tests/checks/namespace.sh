#!/bin/sh
# Names: what the library defines for others to link with is cql_* (public, and then listed) or cqln_*
# (internal; a module has a prefix of its own, see layers.txt); the headers define cql_* and CQL_* only; and some names are left to another project that
# uses the prefix cql_ too (the CG-SQL runtime), since both may end up in one program.
# Usage: namespace.sh [SOURCE_FOLDER [FOLDER_OF_ARCHIVES]]
set -eu
. ./tests/checks/vars.sh
src=${1:-${srcdir:-.}}
here=$(cd "$(dirname "$0")" && pwd)
archives=${2:-lib/.libs}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT
export LC_ALL=C
list=$src/lib/libcqlnative.sym

for la in $LAYERS; do
    # Lines "archive:object:address type name"; names that the compiler adds start with "__".
    $NM -A -g --defined-only "$archives/$(basename "$la" .la).a" 2>/dev/null
done | sed 's/^\([^ ]*\):[0-9a-fA-F]* . \(.*\)$/\1 \2/' | awk '$2 !~ /^__/' >"$tmp/defined"
[ -s "$tmp/defined" ] || { echo "no symbols in $archives"; exit 1; }

awk -f "$here/strip.awk" "$src"/include/cqlnative/*.h "$src"/include/cqlnative/*.h.in |
    sed 's|^[^:]*/||; s|:| |' >"$tmp/headers"

{
    awk -v list="$list" -v layers="$here/layers.txt" '
        BEGIN {
            while ((getline name < list) > 0)
                public[name] = 1
            while ((getline line < layers) > 0) {
                if (split(line, part, " ") >= 3 && part[2] == "public")
                    own[part[1]] = part[3]
            }
        }
        {
            layer = $1
            sub(/\.a:.*/, "", layer)
            sub(/.*\/lib/, "", layer)
            prefix = layer in own ? own[layer] : "cqln_"
            if ($2 ~ /^cql_/) {
                if (!public[$2])
                    print $1 " defines " $2 ", which is not in lib/libcqlnative.sym"
            } else if (index($2, prefix) != 1) {
                print $1 " defines " $2 "; public names start with cql_, internal ones with " prefix
            }
        }
    ' "$tmp/defined"
    awk '$0 !~ /^cql_[a-z0-9_]+$/ { print "lib/libcqlnative.sym lists " $0 ", which is no cql_ name" }' "$list"
    awk '$2 == "#define" {
            sub(/\(.*/, "", $3)
            if ($3 !~ /^CQL(NATIVE)?_/)
                print $1 " defines the macro " $3
        }
        $2 == "typedef" && match($0, /[A-Za-z_0-9]+;[[:space:]]*$/) {
            name = substr($0, RSTART, RLENGTH)
            sub(/;.*/, "", name)
            if (name !~ /^cql_/)
                print $1 " defines the type " name
        }' "$tmp/headers"
    cat "$tmp/headers" "$list" | grep -o -w -E \
        'cql_prepare|cql_exec|cql_result_set_[a-z_]*|cql_row_hash[a-z_]*|cql_bytebuf_[a-z_]*|cql_bool|cql_int32|CQL_EXPORT|CQL_DATA_TYPE_[A-Z_]*' |
        sed 's/$/ is a name of the CG-SQL runtime/' || true
} | sort -u >"$tmp/faults"
cat "$tmp/faults"
[ ! -s "$tmp/faults" ]
