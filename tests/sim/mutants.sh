#!/bin/bash
# Plants the bugs of tests/sim/mutants one at a time and runs the simulation: each must be found.
#
#   mutants.sh SRCDIR SEEDS [NAME]…    in the build folder; COMPILE and LINK are the commands to use
#
# The file that a patch changes is patched in a copy, compiled, and linked in front of the library, so that
# nothing else is built anew; for a header the line `in: FILE` names what is compiled with it. Bugs of the job store are looked for by the simulation of its crashes.
set -u
src=$1
seeds=$2
shift 2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# found NAME: builds the mutant and runs it.
found() {
    local patch=$src/tests/sim/mutants/$1.patch file in object rc
    local program=tests/sim/sim_cluster-sim_cluster.o
    file=$(sed -n 's,^+++ b/,,p' "$patch")
    case $file in
    lib/jobs/*) program='tests/sim/sim_jobs_crash-sim_jobs_crash.o tests/support/sim_sim_jobs_crash-jobstore.o' ;;
    esac
    mkdir -p "$work/$1/$(dirname "$file")"
    cp "$src/$file" "$work/$1/$file"
    in=$(sed -n 's/^in: //p' "$patch")
    object=$work/$1/mutant.o
    patch -s -p1 -d "$work/$1" <"$patch" >"$work/log" 2>&1 &&
        $COMPILE -iquote "$work/$1/lib" -I"$src/$(dirname "$file")" -c "${in:+$src/}${in:-$work/$1/$file}" \
            -o "$object" >>"$work/log" 2>&1 &&
        $LINK -o "$work/$1/sim" $program "$object" \
            tests/support/libsupport.la lib/libinside.la $LIBRARIES >>"$work/log" 2>&1
    rc=$?
    if [ $rc -ne 0 ]; then
        cat "$work/log"
        echo "error $1: it cannot be built"
        return 1
    fi
    timeout 600 "$work/$1/sim" "$seeds" 1 >"$work/log" 2>&1
    rc=$?
    if [ $rc -eq 0 ]; then
        echo "FAIL  $1: not found within $seeds seeds"
        return 1
    fi
    echo "ok    $1: $(sed -n '/^\(sim_jobs_crash: \)*seed/{p;q}' "$work/log" | cut -c 1-120) (status $rc)"
}

bad=0
count=0
if [ $# -eq 0 ]; then
    for patch in "$src"/tests/sim/mutants/*.patch; do
        set -- "$@" "$(basename "$patch" .patch)"
    done
fi
for name in "$@"; do
    count=$((count + 1))
    found "$name" || bad=$((bad + 1))
done
echo "$((count - bad)) of $count planted bugs found"
[ "$count" -gt 0 ] && [ $bad -eq 0 ]
