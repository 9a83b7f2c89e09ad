#!/bin/sh
# Builds in a folder of its own with the thread sanitizer and runs the unit, simulation and loop tests.
# Usage: tsan.sh SOURCE_FOLDER BUILD_FOLDER
set -eu
src=$1 build=$2
if [ -e "$src/config.status" ]; then
    echo "check-tsan: the source folder itself is configured; use a build folder of its own" >&2
    exit 1
fi
mkdir -p "$build"
cd "$build"
if [ ! -e config.status ]; then
    echo "configuring $build with the thread sanitizer"
    "$src/configure" -q --enable-sanitizers=thread --disable-shared --disable-tools --disable-examples \
        >configure.out 2>&1 || { cat configure.out >&2; exit 1; }
fi
exec ${MAKE:-make} check-programs
