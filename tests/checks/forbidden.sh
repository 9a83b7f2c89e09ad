#!/bin/sh
# Calls that have no place in a library: unbounded copies, what ends the program or prints, what touches
# signals, names that strangers give (reverse DNS), and memory that does not come from the session's allocator.
# Looked for in the sources and, so that no macro hides one, in the objects.
# Usage: forbidden.sh [SOURCE_FOLDER [FOLDER_OF_ARCHIVES]]
set -eu
. ./tests/checks/vars.sh
src=${1:-${srcdir:-.}}
here=$(cd "$(dirname "$0")" && pwd)
archives=${2:-lib/.libs}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT
export LC_ALL=C

calls='strcpy|stpcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atoll|atof|gets|alloca|setjmp|_setjmp|sigsetjmp|longjmp|siglongjmp|signal|sigaction|raise|exit|_exit|_Exit|quick_exit|abort|atexit|system|printf|vprintf|fprintf|vfprintf|puts|fputs|putchar|putc|fputc|perror|getnameinfo|gethostbyaddr'
memory='malloc|calloc|realloc|free|strdup|strndup|aligned_alloc|posix_memalign|reallocarray'

# The files that may take memory from the C library: the default allocator, and that of each module.
allocators='base/alloc|schema/mem|jobs/memory|writer/memory|metadata/arena'

(cd "$src" && find lib -name '*.[ch]' | sort | xargs awk -f "$here/strip.awk") >"$tmp/sources"
[ "$(wc -l <"$tmp/sources")" -gt 1000 ] || { echo "no sources found in $src/lib"; exit 1; }

# calls_of NAMES: "->free(" and ".free(" are members, not the function.
calls_of() {
    grep -E "(^|[^A-Za-z0-9_.>])($1)[[:space:]]*\(" | awk -v names="$1" '{
        file = $0
        sub(/:.*/, "", file)
        sub(/^[^:]*:/, "")
        while (match($0, "(^|[^A-Za-z0-9_.>])(" names ")[ \t]*\\(")) {
            name = substr($0, RSTART, RLENGTH)
            gsub(/[^A-Za-z0-9_]/, "", name)
            print file ": " name " is called"
            $0 = substr($0, RSTART + RLENGTH)
        }
    }'
}
calls_of "$calls" <"$tmp/sources" >"$tmp/faults"
grep -v -E "^lib/($allocators)\.c:" "$tmp/sources" | calls_of "$memory" >>"$tmp/faults"

# In the objects, fortified forms (__printf_chk) too.
for la in $LAYERS; do
    $NM -A -u "$archives/$(basename "$la" .la).a" 2>/dev/null
done | sed 's/^.*\/\(lib[a-z]*\)\.a:\([^:]*\):.* U \(.*\)$/\1 \2 \3/' | sed 's/@.*//' |
    awk -v calls="$calls" -v memory="$memory" -v allocators="$allocators" '
        {
            name = $3
            sub(/^__/, "", name)
            sub(/_chk$/, "", name)
            file = $2
            sub(/.*-/, "", file)
            allocator = (substr($1, 4) "/" file) ~ ("^(" allocators ")\\.o$")
            if (name ~ ("^(" calls "|stdout|stderr)$") || (!allocator && name ~ ("^(" memory ")$")))
                print $1 "/" $2 ": " $3 " is used"
        }' >>"$tmp/faults"
sort -u "$tmp/faults"
[ ! -s "$tmp/faults" ]
