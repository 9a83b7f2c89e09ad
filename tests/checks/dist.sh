#!/bin/sh
# The archive of `make dist` holds every file of the repository but those that only git and the
# developers' editors need. `make check-dist` runs it; needs a checkout.
# Usage: dist.sh SOURCE_FOLDER ARCHIVE
set -eu
src=$1 archive=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT
export LC_ALL=C

git -C "$src" rev-parse --git-dir >/dev/null 2>&1 || { echo "check-dist: this is no checkout"; exit 1; }
git -C "$src" ls-files | grep -v -x -e '\(.*/\)\{0,1\}\.gitignore' -e 'build-aux/git-keep' | sort >"$tmp/git"
[ "$(wc -l <"$tmp/git")" -gt 100 ] || { echo "check-dist: git names hardly a file"; exit 1; }
tar -tf "$archive" | sed 's|^[^/]*/||' | sort >"$tmp/archive"
comm -23 "$tmp/git" "$tmp/archive" >"$tmp/missing"
if [ -s "$tmp/missing" ]; then
    echo "check-dist: $archive lacks (see EXTRA_DIST):"
    cat "$tmp/missing"
    exit 1
fi
echo "check-dist: $(wc -l <"$tmp/git") files, all in $archive"
