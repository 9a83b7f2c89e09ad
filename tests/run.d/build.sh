# shellcheck shell=bash
# The build folder: one per checkout, kept between runs, never the user's own. -g1: the lines of a sanitizer's
# report, for a third less time of the compiler than all that a debugger wants.

JOBS=$(nproc 2>/dev/null || echo 2)
CONFIGURE_OPTIONS=('--enable-sanitizers=address,undefined' --enable-werror --enable-debug)

# Sets WORK, where everything of this run goes, and BUILD inside it.
prepare_build_folder() {
    WORK=${CQL_TESTS_BUILD:-$SRC/build-tests}
    mkdir -p "$WORK" || exit 1
    WORK=$(cd "$WORK" && pwd -P) || exit 1
    BUILD=$WORK/build
    exec {RUN_LOCK}>"$WORK/lock" || exit 1
    flock -n "$RUN_LOCK" || {
        echo "tests/run: another run is at work in $WORK" >&2
        exit 1
    }
}

# A source tree that somebody configured in place cannot be built from another
# folder as well. Its files are copied then, and the copy is built.
tree_to_build() {
    if [ ! -e "$SRC/config.status" ]; then
        echo "$SRC"
        return
    fi
    mkdir -p "$WORK/tree" || return 1
    git -C "$SRC" ls-files -c -o --exclude-standard -z |
        tar -C "$SRC" --null --ignore-failed-read -cf - -T - |
        tar -C "$WORK/tree" -xf - || return 1
    echo "$WORK/tree"
}

logged() {
    attended "$@" >>"$WORK/build.log" 2>&1
}

in_build_folder() {
    cd "$BUILD" && exec "$@"
}

configure_if_needed() {
    local tree=$1 wanted
    wanted="$tree ${CONFIGURE_OPTIONS[*]}"
    if [ ! -x "$tree/configure" ] || [ "$tree/configure.ac" -nt "$tree/configure" ]; then
        progress "autoreconf"
        logged autoreconf -fi "$tree" || return 1
    fi
    if [ ! -e "$BUILD/config.status" ] ||
        [ "$(cat "$WORK/configured" 2>/dev/null)" != "$wanted" ]; then
        progress "configure"
        mkdir -p "$BUILD" &&
            logged in_build_folder "$tree/configure" "${CONFIGURE_OPTIONS[@]}" \
                CFLAGS='-O1 -g1' CXXFLAGS='-O1 -g1' || return 1
        echo "$wanted" >"$WORK/configured"
    fi
}

build() {
    local tree
    progress "building in $BUILD"
    : >"$WORK/build.log"
    tree=$(tree_to_build 2>>"$WORK/build.log") && configure_if_needed "$tree" || return 1
    progress "make"
    # With no TESTS, check builds the test programs and runs none.
    logged make -C "$BUILD" -j"$JOBS" all &&
        logged make -C "$BUILD" -j"$JOBS" check TESTS=
}

# What the compilers complained of, out of the output of several jobs at once.
show_build_errors() {
    if grep -q -E 'error:|\*\*\*' "$WORK/build.log"; then
        grep -A 4 -E 'error:|\*\*\*' "$WORK/build.log" | head -n 40
    else
        tail -n 40 "$WORK/build.log"
    fi | indent
}
