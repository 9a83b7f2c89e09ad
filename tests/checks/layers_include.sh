#!/bin/sh
# Include lines: a layer includes its own headers and those of lower layers; modules, tools and examples
# the public headers only; and each dependency shows in its one file.
# Usage: layers_include.sh [SOURCE_FOLDER]
set -eu
src=${1:-${srcdir:-.}}
here=$(cd "$(dirname "$0")" && pwd)

# Lines "file:target" of all includes; target as written, with its <> or "".
includes() {
    (cd "$src" && for part; do
        [ ! -d "$part" ] || find "$part" -name '*.[ch]' -o -name '*.cpp'
    done | sort | xargs -r grep -H '^[[:space:]]*#[[:space:]]*include' /dev/null) |
        sed -n 's/^\([^:]*\):[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"][^>"]*[>"]\).*/\1 \2/p'
}

{
    includes lib | awk -v list="$here/layers.txt" '
        BEGIN {
            while ((getline line < list) > 0) {
                if (line ~ /^#/ || split(line, part, " ") < 1)
                    continue
                rank[part[1]] = ++n
                public[part[1]] = part[2] == "public"
                shared[part[1]] = part[4] == "shared"
            }
            if (n < 2) {
                print list ": cannot be read"
                exit
            }
        }
        {
            split($1, path, "/")
            own = path[2]
            target = $2
            if (!(own in rank)) {
                print $1 ": lib/" own " is no layer of layers.txt"
                next
            }
            if (target !~ /^"/ || target == "\"config.h\"")
                next
            gsub(/"/, "", target)
            split(target, to, "/")
            if (target ~ /\.\.\// || !(to[1] in rank))
                print $1 ": \"" target "\" does not start with the name of a layer"
            else if (rank[to[1]] > rank[own])
                print $1 ": \"" target "\" is of a higher layer than " own
            else if (public[own] && to[1] != own && !shared[to[1]])
                print $1 ": \"" target "\" is inside the library; " own " stands on the public headers"
        }'
    # Outside lib: nothing of the inside.
    includes tools examples | awk '
        $2 ~ /^"(base|wire|types|msg|conn|meta|policy|net|cluster|api|seat|schema|jobs|writer|outbox|metadata)\// {
            print $1 ": " $2 " is inside the library; use the public headers"
        }'
    # One file for each dependency.
    includes lib include tools examples | awk '
        function only(pattern, place) {
            if ($2 ~ pattern && $1 !~ place)
                print $1 ": " $2 " belongs in " place
        }
        {
            if ($1 ~ /^(lib|include)\//) {
                only("<uv\\.h>", "^(lib/net/[a-z_]*_uv\\.c|lib/net/uv_parts\\.h|include/cqlnative/uv\\.h)$")
                only("\"net/uv_parts\\.h\"", "^lib/net/[a-z_]*_uv\\.c$")
                only("<cqlnative/uv\\.h>", "^lib/(net|api)/[a-z_]*_uv\\.c$")
                only("<openssl/", "^lib/net/tls_openssl(_[a-z]+)?\\.[ch]$")
            }
            only("<lz4", "^lib/wire/compress_lz4\\.c$")
            only("<avro\\.h>", "^examples/eventsink/avro\\.h$")
            only("<zlib\\.h>", "^(lib/base/(crc32|inflate)_zlib|examples/eventsink/lines)\\.c$")
        }'
} | sort -u | {
    status=0
    while read -r line; do
        echo "$line"
        status=1
    done
    exit $status
}
[ -n "$(includes lib)" ] || { echo "no include line found in $src/lib"; exit 1; }
