#!/bin/sh
# Linking: each layer, with those below it and the dependencies they may have, leaves no name open. An
# upward call shows as one. The modules must not call anything internal of the library.
# Usage: layers_link.sh [FOLDER_OF_ARCHIVES [LAYER]]   (LAYER: link this one only)
set -eu
. ./tests/checks/vars.sh
here=$(cd "$(dirname "$0")" && pwd)
archives=${1:-lib/.libs} only=${2-}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT
echo 'int main(void) { return 0; }' >"$tmp/main.c"

status=0
linked='' libs='' below=''
for la in $LAYERS; do
    layer=$(basename "$la" .la)
    layer=${layer#lib}
    linked="$linked $archives/lib$layer.a"
    eval "libs=\"\$libs \${LIBS_OF_$layer-}\""
    # shellcheck disable=SC2086
    if [ "${only:-$layer}" = "$layer" ] && ! LC_ALL=C $CC $LIB_CFLAGS $LIB_LDFLAGS -o "$tmp/out" "$tmp/main.c" \
        -Wl,--whole-archive $linked -Wl,--no-whole-archive $libs -lm $THREAD_LIBS 2>"$tmp/err"; then
        status=1
        echo "layer $layer does not link with what is below it ($below ):"
        grep -o "undefined reference to .*" "$tmp/err" | sort -u || cat "$tmp/err"
    fi
    below="$below $layer"
done
[ -n "$linked" ] || { echo "there is no layer"; exit 1; }

for layer in $(sed -n 's/^\([a-z]*\) public .*/\1/p' "$here/layers.txt"); do
    [ -e "$archives/lib$layer.a" ] || continue
    $NM -u "$archives/lib$layer.a" 2>/dev/null | awk '$1 == "U" && $2 ~ /^cqln_/ { print $2 }' |
        sort -u >"$tmp/wanted"
    $NM -g --defined-only "$archives/lib$layer.a" 2>/dev/null | awk 'NF == 3 { print $3 }' |
        sort -u >"$tmp/own"
    for name in $(comm -23 "$tmp/wanted" "$tmp/own"); do
        status=1
        echo "lib/$layer calls $name, which is inside the library"
    done
done
exit $status
