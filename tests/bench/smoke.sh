#!/bin/sh
# Every workload of the benchmark once, small: the floor and the client against the responder, on both
# protocols and in all modes. Both fail when a cell is not what it should be.
set -eu
bench=${BENCH_BUILD:-tests/bench}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT

mkfifo "$work/stay"
"$bench/responder" --nodes 3 --seconds 600 <"$work/stay" >"$work/target" &
responder=$!
exec 9>"$work/stay"
tries=0
while [ ! -s "$work/target" ]; do
    tries=$((tries + 1))
    [ $tries -lt 1200 ] || { echo "the responder did not start"; exit 1; }
    sleep 0.05
done
target=$(cat "$work/target")

run() {
    program=$1
    shift
    printf '%s\n' "$requests" "$requests" >"$work/rounds"
    if ! "$bench/$program" --target "$target" "$@" <"$work/rounds" >"$work/out"; then
        echo "FAILED: $program $*"
        exit 1
    fi
    [ "$(grep -c "\"requests\":$requests," "$work/out")" = 2 ] || { echo "no report: $*"; exit 1; }
}

for protocol in 4 5; do
    "$bench/decode" --target "$target" --protocol $protocol --workload page | grep -q decode_ratio ||
        { echo "FAILED: decode, v$protocol"; exit 1; }
    for workload in insert select page; do
        for inflight in 1 32; do
            requests=500
            [ $workload = page ] && requests=40
            common="--protocol $protocol --workload $workload --inflight $inflight"
            # shellcheck disable=SC2086
            run floor $common
            # shellcheck disable=SC2086
            [ $workload = page ] || run bare $common --nodes 3
            for mode in loop thread thread-callback; do
                # shellcheck disable=SC2086
                run client $common --mode $mode --nodes 3
            done
            [ $inflight = 1 ] || for mode in thread thread-callback; do
                # shellcheck disable=SC2086
                run client $common --inflight 64 --mode $mode --nodes 3 --loops 2
            done
        done
    done
done
"$bench/tokenmap" 1 | grep -q look_up_ns || { echo "FAILED: tokenmap"; exit 1; }
exec 9>&-
wait $responder
echo "floor and client agree with the responder"
