#!/bin/sh
# The checks find what they are there for: each is run on a copy of the tree and of the layers' archives,
# first as they are, then with a fault planted, which it must name.
set -eu
. ./tests/checks/vars.sh
src=${srcdir:-.}
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT
export LC_ALL=C
faults=0 shown=0

# Copies of what the checks look at: of the sources, and of the archives.
copy_tree() {
    mkdir -p "$tmp/pristine"
    (cd "$src" && find lib include tools examples doc/gen \( -name '*.[ch1]' -o -name '*.h.in' -o -name '*.sym' \
        -o -name 'man3.*' -o -name '*.3.in' \) | xargs tar cf - --) | (cd "$tmp/pristine" && tar xf -)
}
fresh_tree() {
    rm -rf "$tmp/tree"
    cp -r "$tmp/pristine" "$tmp/tree"
}
fresh_lib() {
    mkdir -p "$tmp/lib"
    for la in $LAYERS; do
        cp "lib/.libs/$(basename "$la" .la).a" "$tmp/lib/"
    done
}

# passes WHAT COMMAND...
passes() {
    what=$1
    shift
    shown=$((shown + 1))
    if ! "$@" >"$tmp/out" 2>&1; then
        echo "$what: $(basename "$1") refuses the tree as it is:"
        cat "$tmp/out"
        faults=$((faults + 1))
    fi
}

# finds WHAT WORDS COMMAND... : the command must fail and say WORDS.
finds() {
    what=$1 words=$2
    shift 2
    shown=$((shown + 1))
    if "$@" >"$tmp/out" 2>&1; then
        echo "$what: $(basename "$1") does not find it"
        faults=$((faults + 1))
    elif ! grep -q -e "$words" "$tmp/out"; then
        echo "$what: $(basename "$1") fails without saying \"$words\":"
        cat "$tmp/out"
        faults=$((faults + 1))
    fi
}

# add_object LAYER NAME: compiles standard input and puts it into a fresh copy of the layer's archive.
# The archive of the call before is restored.
touched=''
add_object() {
    [ -z "$touched" ] || cp "lib/.libs/lib$touched.a" "$tmp/lib/"
    touched=$1
    cat >"$tmp/$2.c"
    # shellcheck disable=SC2086
    $CC $LIB_CPPFLAGS $LIB_CFLAGS -c "$tmp/$2.c" -o "$tmp/$2.o"
    $AR q "$tmp/lib/lib$1.a" "$tmp/$2.o" 2>/dev/null
}

# ---- include lines --------------------------------------------------------------------------------
copy_tree
fresh_tree
passes "untouched tree" "$here/layers_include.sh" "$tmp/tree"
plant_include() {
    fresh_tree
    echo "#include $2" >>"$tmp/tree/$1"
    finds "$1 with $2" "$1: $3" "$here/layers_include.sh" "$tmp/tree"
}
plant_include lib/base/status.c '"wire/frame.h"' '.* is of a higher layer than base'
plant_include lib/wire/frame.h '"conn/conn.h"' '.* is of a higher layer than wire'
plant_include lib/base/status.c '"../wire/frame.h"' '.* does not start with the name of a layer'
plant_include lib/base/status.c '"frame.h"' '.* does not start with the name of a layer'
plant_include lib/wire/frame.c '<uv.h>' '<uv.h> belongs in'
plant_include lib/base/error.c '<zlib.h>' '<zlib.h> belongs in'
plant_include lib/wire/frame.c '<lz4.h>' '<lz4.h> belongs in'
plant_include include/cqlnative/base.h '<openssl/ssl.h>' '.* belongs in'
for place in lib/schema tools; do
    fresh_tree
    mkdir -p "$tmp/tree/$place"
    echo '#include "base/alloc.h"' >"$tmp/tree/$place/planted.c"
    finds "$place with an inner header" "$place/planted.c: \"base/alloc.h\" is inside the library" \
        "$here/layers_include.sh" "$tmp/tree"
done

# ---- linking: from every layer a call to a function of the next one --------------------------------
fresh_lib
passes "untouched archives" "$here/layers_link.sh" "$tmp/lib"
lower=''
for la in $LAYERS; do
    layer=$(basename "$la" .la)
    layer=${layer#lib}
    if [ -n "$lower" ]; then
        name=$($NM -g --defined-only "$tmp/lib/lib$layer.a" 2>/dev/null |
            awk '$2 == "T" && $3 ~ /^cql[a-z]*_/ { print $3; exit }')
        add_object "$lower" planted_call <<END
void $name(void);
void cqln_planted(void);
void cqln_planted(void)
{
    $name();
}
END
        finds "a call from $lower to $layer" "undefined reference to .$name" \
            "$here/layers_link.sh" "$tmp/lib" "$lower"
    fi
    lower=$layer
done
for module in schema jobs writer outbox metadata; do
    [ -e "$tmp/lib/lib$module.a" ] || continue
    add_object "$module" planted_call <<'END'
void cqln_wipe(void *block, unsigned long size);
void cqln_planted(void);
void cqln_planted(void)
{
    cqln_wipe(0, 0);
}
END
    finds "a call from $module to the inside" "lib/$module calls cqln_wipe" \
        "$here/layers_link.sh" "$tmp/lib" "$module"
done

# ---- names ----------------------------------------------------------------------------------------
fresh_tree
fresh_lib
passes "untouched names" "$here/namespace.sh" "$tmp/tree" "$tmp/lib"
echo 'int bare_name; int bare_name = 1;' | add_object base planted_name
finds "a global without prefix" "defines bare_name" "$here/namespace.sh" "$tmp/tree" "$tmp/lib"
echo 'void cql_secret(void); void cql_secret(void) {}' | add_object base planted_name
finds "an unlisted cql_ name" "defines cql_secret" "$here/namespace.sh" "$tmp/tree" "$tmp/lib"
fresh_lib
echo 'cqln_alloc' >>"$tmp/tree/lib/libcqlnative.sym"
finds "an internal name in the list" "lists cqln_alloc" "$here/namespace.sh" "$tmp/tree" "$tmp/lib"
if [ -e "$tmp/lib/libschema.a" ]; then
    echo 'void cqln_taken(void); void cqln_taken(void) {}' | add_object schema planted_name
    finds "a module with the library's prefix" "defines cqln_taken; .* with cqlsch_" \
        "$here/namespace.sh" "$tmp/tree" "$tmp/lib"
fi
plant_name() {
    fresh_tree
    echo "$1" >>"$tmp/tree/include/cqlnative/base.h"
    finds "$1 in a header" "$2" "$here/namespace.sh" "$tmp/tree" "$tmp/lib"
}
plant_name '#define BARE_MACRO(x) 1' 'defines the macro BARE_MACRO'
plant_name 'typedef struct other other;' 'defines the type other'
plant_name 'int cql_exec(void);' 'cql_exec is a name of the CG-SQL runtime'
plant_name '#define CQL_DATA_TYPE_NULL 0' 'CQL_DATA_TYPE_NULL is a name of the CG-SQL runtime'

# ---- exports --------------------------------------------------------------------------------------
fresh_tree
passes "untouched exports" "$here/exports.sh" "$tmp/tree"
echo 'CQL_API const char *cql_planted(int a,
                                      int b);' >>"$tmp/tree/include/cqlnative/base.h"
finds "a function that is declared only" "cql_planted is declared in a public header but not listed" \
    "$here/exports.sh" "$tmp/tree"
fresh_tree
sed -i '/^cql_status_text$/d' "$tmp/tree/lib/libcqlnative.sym"
finds "a function missing from the list" "cql_status_text is exported\|cql_status_text is declared" \
    "$here/exports.sh" "$tmp/tree"
fresh_tree
echo 'cql_zzz' >>"$tmp/tree/lib/libcqlnative.sym"
finds "a name that is listed only" "cql_zzz is listed in lib/libcqlnative.sym but" \
    "$here/exports.sh" "$tmp/tree"
echo 'cql_a' >>"$tmp/tree/lib/libcqlnative.sym"
finds "an unsorted list" "is not sorted" "$here/exports.sh" "$tmp/tree"

# ---- manual pages ---------------------------------------------------------------------------------
fresh_tree
passes "untouched manual" "$here/man.sh" "$tmp/tree"
echo 'cql_zzz' >>"$tmp/tree/lib/libcqlnative.sym"
finds "an exported function without a page" "cql_zzz has no page" "$here/man.sh" "$tmp/tree"
fresh_tree
sed -i 's/^CQL_END$/CQL_API void cql_planted(void);\n\nCQL_END/' "$tmp/tree/include/cqlnative/tls.h"
finds "a function of which nothing is said" "without a comment: cql_planted" "$here/man.sh" "$tmp/tree"

# ---- headers --------------------------------------------------------------------------------------
plant_header() {
    fresh_tree
    sed -i "s|^CQL_BEGIN\$|$1\nCQL_BEGIN|" "$tmp/tree/include/cqlnative/error.h"
    finds "$1 in a header" "<cqlnative/error.h> $2" "$here/headers.sh" "$tmp/tree"
}
plant_header '#include <stdio.h>' 'includes more than it may'
plant_header 'void cql_old_style();' 'does not compile alone'
plant_header 'void cql_needs_more(struct hidden *h);' 'does not compile alone'
plant_header 'static inline char *cql_c_only(void *p) { return p; }' 'does not compile alone'

# ---- forbidden calls ------------------------------------------------------------------------------
fresh_tree
fresh_lib
passes "untouched sources" "$here/forbidden.sh" "$tmp/tree" "$tmp/lib"
plant_source() {
    fresh_tree
    echo "$1" >>"$tmp/tree/lib/wire/frame.c"
    finds "$1 in a source" "lib/wire/frame.c: $2 is called" "$here/forbidden.sh" "$tmp/tree" "$tmp/lib"
}
plant_source 'void f(char *a) { strcpy(a, "x"); }' strcpy
plant_source 'int f(const char *a) { return atoi (a); }' atoi
plant_source 'void *f(void) { return malloc(3); }' malloc
plant_source 'void f(void) { exit(1); }' exit
fresh_tree
echo '/* exit(1), printf("x") */ const char *x = "abort()"; void *y = a->free(b);' \
    >>"$tmp/tree/lib/wire/frame.c"
passes "comments, texts and members" "$here/forbidden.sh" "$tmp/tree" "$tmp/lib"
plant_object() {
    fresh_tree
    add_object wire planted_call
    finds "an object with $1" "$1 is used" "$here/forbidden.sh" "$tmp/tree" "$tmp/lib"
}
plant_object abort <<'END'
#include <stdlib.h>
#define stop abort
void cqln_planted(void);
void cqln_planted(void)
{
    stop();
}
END
plant_object stderr <<'END'
#include <stdio.h>
void cqln_planted(void);
void cqln_planted(void)
{
    fwrite("x", 1, 1, stderr);
}
END
plant_object free <<'END'
#include <stdlib.h>
void (*cqln_planted(void))(void *);
void (*cqln_planted(void))(void *)
{
    return free;
}
END

echo "$shown cases, $faults not as they should be"
[ "$faults" -eq 0 ]
