#!/bin/sh
# Builds in a folder of its own so that what runs is counted, runs the unit, simulation, loop and fuzz tests, and tells
# how much of each folder of lib/ they ran. Line by line it is in BUILD_FOLDER/coverage/index.html.
# Usage: coverage.sh SOURCE_FOLDER BUILD_FOLDER
set -eu
src=$1 build=$2
if ! command -v gcovr >/dev/null 2>&1; then
    echo "coverage: needs gcovr (Debian: gcovr)" >&2
    exit 1
fi
if [ -e "$src/config.status" ]; then
    echo "coverage: the source folder itself is configured; use a build folder of its own" >&2
    exit 1
fi
mkdir -p "$build/coverage"
cd "$build"
if [ ! -e config.status ]; then
    echo "configuring $build to count what runs"
    "$src/configure" -q --disable-shared --disable-tools --disable-examples \
        CFLAGS="-O0 -g --coverage -fprofile-update=atomic" \
        >configure.out 2>&1 || { cat configure.out >&2; exit 1; }
fi
find . -name '*.gcda' -exec rm -f {} +
bad=0
CQL_TESTS_SLOWER=20 ${MAKE:-make} check-programs || bad=1
gcovr --root "$src" --object-directory . --filter "$src/lib/" --exclude-unreachable-branches \
    --csv coverage/files.csv --html-details coverage/index.html lib
awk -F, '
function line(name, l, of, b, bof) {
    printf "%-10s %6d of %6d lines %5.1f%%   %6d of %6d branches %5.1f%%\n", name, l, of, of ? 100 * l / of : 100,
        b, bof, bof ? 100 * b / bof : 100
}
NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
{
    split($at["filename"], part, "/")
    if (!(part[2] in of)) names[++n] = part[2]
    l[part[2]] += $at["line_covered"]; of[part[2]] += $at["line_total"]
    b[part[2]] += $at["branch_covered"]; bof[part[2]] += $at["branch_total"]
}
END {
    for (i = 1; i <= n; i++) {
        line(names[i], l[names[i]], of[names[i]], b[names[i]], bof[names[i]])
        tl += l[names[i]]; tof += of[names[i]]; tb += b[names[i]]; tbof += bof[names[i]]
    }
    line("lib", tl, tof, tb, tbof)
}' coverage/files.csv
echo "line by line: $build/coverage/index.html"
exit $bad
