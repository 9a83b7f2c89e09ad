#!/bin/sh
# Builds the fuzz targets with libFuzzer in a folder of their own and runs each for a bounded time.
# Usage: short.sh SOURCE_FOLDER BUILD_FOLDER SECONDS "NAME ..." TARGET...
# First it shows that the fuzzer finds the fault of fuzz_planted. Prints one line a target: executions and
# covered edges. Ends with 1 when a target found something, or the planted fault was not found.
set -eu
src=$1 build=$2 seconds=$3 wanted=$4
shift 4
clang=${FUZZ_CC:-clang}

if ! command -v "$clang" >/dev/null 2>&1; then
    echo "fuzz-short: needs clang (Debian: clang); FUZZ_CC names another one" >&2
    exit 1
fi
if [ -e "$src/config.status" ]; then
    echo "fuzz-short: the source folder itself is configured; use a build folder of its own" >&2
    exit 1
fi
mkdir -p "$build"
cd "$build"
if [ ! -e config.status ]; then
    echo "configuring $build with $clang"
    "$src/configure" -q CC="$clang" CFLAGS="-g -O1" --enable-fuzzers \
        --enable-sanitizers=address,undefined --disable-shared --disable-tools --disable-examples \
        >configure.out 2>&1 || { cat configure.out >&2; exit 1; }
fi

picked=
for target; do
    name=${target##*/fuzz_}
    case " ${wanted:-$name} " in
    *" $name "*) picked="$picked $target" ;;
    esac
done
if [ -z "$picked" ]; then
    echo "fuzz-short: no target is named $wanted" >&2
    exit 1
fi
planted=tests/fuzz/fuzz_planted
# shellcheck disable=SC2086
${MAKE:-make} $planted $picked >make.out 2>&1 || { tail -40 make.out >&2; exit 1; }

# Finds the planted fault, or the rest means nothing.
mkdir -p found/planted crashes/planted
if "./$planted" -max_total_time=60 -runs=20000000 -artifact_prefix=crashes/planted/ found/planted \
    >planted.fuzz.log 2>&1; then
    echo "fuzz-short: the fuzzer does not find the planted fault; see planted.fuzz.log in $build" >&2
    exit 1
fi
if ! grep -q 'heap-buffer-overflow' planted.fuzz.log; then
    tail -30 planted.fuzz.log >&2
    echo "fuzz-short: the planted target ended without the planted fault" >&2
    exit 1
fi
rm -rf found/planted crashes/planted
echo "the planted out-of-bounds read was found"

failed=0
for target in $picked; do
    name=${target##*/fuzz_}
    mkdir -p "found/$name" "crashes/$name"
    log="$name.fuzz.log"
    status=0
    "./$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="crashes/$name/" "found/$name" "$src/tests/corpus/$name" \
        >"$log" 2>&1 || status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
    if [ "$status" -eq 0 ] && [ "${runs:-0}" -gt 0 ]; then
        printf '%-24s %10s executions %6s edges %4s s\n' "$name" "$runs" "${edges:-0}" "$seconds"
    else
        printf '%-24s FAILED: see %s and crashes/%s in %s\n' "$name" "$log" "$name" "$build"
        tail -30 "$log" >&2
        failed=1
    fi
done
exit $failed
