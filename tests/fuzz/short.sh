#!/bin/sh
# Builds the fuzz targets with libFuzzer in a folder of their own and runs each for a bounded time, as many
# at once as there are processors.
# Usage: short.sh SOURCE_FOLDER BUILD_FOLDER SECONDS "NAME ..."
# First it shows that the fuzzer finds the fault of fuzz_planted. Prints one line a target: executions and
# covered edges. Ends with 1 when a target found something, or the planted fault was not found.
set -eu
src=$1 build=$2 seconds=$3 wanted=$4
clang=${FUZZ_CC:-clang}
began=$(date +%s)
jobs=$(nproc 2>/dev/null || echo 1)
unset MAKEFLAGS MAKELEVEL MFLAGS

stop() {
    echo "fuzz-short: $*" >&2
    exit 1
}

command -v "$clang" >/dev/null 2>&1 ||
    stop "needs clang with libFuzzer (Debian: clang); FUZZ_CC names another one"
mkdir -p "$build"
cd "$build"

# Sources that are configured themselves cannot be built from another folder: a copy of them is.
if [ -e "$src/config.status" ]; then
    mkdir -p tree
    (cd "$src" && tar -cf - --exclude=./fuzz-build --exclude=./build --exclude=./build-tests \
        --exclude=.git --exclude=.libs --exclude=.deps --exclude='*.o' --exclude='*.lo' \
        --exclude='*.la' --exclude='*.log' --exclude='*.trs' --exclude=./Makefile \
        --exclude=./config.status --exclude=./config.h --exclude=./stamp-h1 --exclude=./libtool \
        --exclude=./include/cqlnative/version.h .) | tar -xf - -C tree
    src=$PWD/tree
fi

if [ ! -e config.status ]; then
    echo "configuring $build with $clang"
    "$src/configure" -q CC="$clang" CXX="$clang++" CFLAGS="-g -O1" --enable-fuzzers \
        --enable-sanitizers=address,undefined --disable-shared --disable-tools --disable-examples \
        >configure.out 2>&1 || { cat configure.out >&2; exit 1; }
fi
grep -q '"WITH_TESTS_TRUE"\]=""' config.status || stop "needs cmocka (Debian: libcmocka-dev)"

picked=
for target in $(sed -n 's/^FUZZ_TARGETS += //p' "$src/tests/fuzz/fuzz.am"); do
    name=${target##*/fuzz_}
    case " ${wanted:-$name} " in
    *" $name "*) picked="$picked $target" ;;
    esac
done
[ -n "$picked" ] || stop "no target is named $wanted"
planted=tests/fuzz/fuzz_planted
# shellcheck disable=SC2086
make -j"$jobs" $planted $picked >make.out 2>&1 || { tail -40 make.out >&2; exit 1; }
echo "built in $(($(date +%s) - began)) s"

# Finds the planted fault, or the rest means nothing.
mkdir -p found/planted crashes/planted
if "./$planted" -max_total_time=60 -runs=20000000 -artifact_prefix=crashes/planted/ found/planted \
    >planted.fuzz.log 2>&1; then
    stop "the fuzzer does not find the planted fault; see planted.fuzz.log in $build"
fi
if ! grep -q 'heap-buffer-overflow' planted.fuzz.log; then
    tail -30 planted.fuzz.log >&2
    stop "the planted target ended without the planted fault"
fi
rm -rf found/planted crashes/planted
echo "the planted out-of-bounds read was found"

# One target; its line goes to NAME.line.
run() {
    name=${1##*/fuzz_}
    mkdir -p "found/$name" "crashes/$name"
    log="$name.fuzz.log"
    status=0
    "./$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="crashes/$name/" "found/$name" "$src/tests/corpus/$name" \
        >"$log" 2>&1 || status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
    if [ "$status" -eq 0 ] && [ "${runs:-0}" -gt 0 ]; then
        printf '%-24s %10s executions %6s edges %4s s\n' "$name" "$runs" "${edges:-0}" "$seconds"
    else
        printf '%-24s FAILED: see %s and crashes/%s in %s\n' "$name" "$log" "$name" "$build"
    fi >"$name.line"
}

# What has ended is told; the log of a failure with it.
failed=0
tell() {
    for target; do
        name=${target##*/fuzz_}
        cat "$name.line"
        if grep -q FAILED "$name.line"; then
            tail -30 "$name.fuzz.log" >&2
            failed=1
        fi
    done
}

batch=
count=0
for target in $picked; do
    run "$target" &
    batch="$batch $target"
    count=$((count + 1))
    if [ "$count" -eq "$jobs" ]; then
        wait
        # shellcheck disable=SC2086
        tell $batch
        batch=
        count=0
    fi
done
wait
# shellcheck disable=SC2086
tell $batch
echo "fuzz-short: $(($(date +%s) - began)) s in all"
exit $failed
