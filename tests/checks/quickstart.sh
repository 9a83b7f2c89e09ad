#!/bin/bash
# The quick start's words before it builds anything: help, wrong options, packages that are missing with
# and without root, and a system that is no Debian. Programs of the machine are played by stubs.
# shellcheck disable=SC2154,SC2016 # srcdir comes from the makefile; the stubs expand
set -u
script=$(cd "$srcdir" && pwd)/examples/quickstart
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failures=0

fail() {
    echo "quickstart: $*" >&2
    failures=$((failures + 1))
}

# stub NAME COMMANDS: a program that comes before the machine's own.
stub() {
    printf '#!/bin/sh\n%s\n' "$2" >"$tmp/bin/$1"
    chmod +x "$tmp/bin/$1"
}

# expect CODE TEXT ARGUMENTS...
expect() {
    local code=$1 text=$2 got=0
    shift 2
    CQL_QUICKSTART_BUILD=$tmp/build CQL_CONTACT_POINTS=127.0.0.1:1 PATH=$tmp/bin:$PATH \
        "$script" "$@" >"$tmp/out" 2>&1 </dev/null || got=$?
    [ "$got" = "$code" ] || fail "'$*' ended with $got, not $code: $(tail -n 3 "$tmp/out")"
    grep -qF -- "$text" "$tmp/out" || fail "'$text' is not said: $(cat "$tmp/out")"
}

mkdir "$tmp/bin"
expect 0 "Usage: examples/quickstart" --help
expect 2 "'--fast' is not understood" --fast

# All but two are installed.
stub dpkg-query 'case " $* " in *" maven "* | *" libuv1-dev "*) exit 1 ;; esac; echo installed'
stub apt-get "echo \"\$*\" >>$tmp/apt; exit 0"
stub id 'echo 1000'
expect 1 "sudo apt-get install --no-install-recommends libuv1-dev maven"
[ ! -e "$tmp/apt" ] || fail "it tried to install without root"

# As root it installs them, and stops when that fails.
stub id 'echo 0'
stub apt-get "echo \"\$*\" >>$tmp/apt; echo 'no such package'; exit 100"
expect 1 "no such package"
grep -q '^-q update' "$tmp/apt" || fail "the lists are not brought up to date"
stub apt-get "echo \"\$*\" >>$tmp/apt"
stub make 'echo "no rule for that" >&2; exit 2'
stub autoreconf 'exit 0'
mkdir -p "$tmp/build" && touch "$tmp/build/config.status"
expect 1 "no rule for that"
grep -q 'install -y --no-install-recommends libuv1-dev maven$' "$tmp/apt" || fail "they are not installed"
grep -q 'installed libuv1-dev maven' "$tmp/out" || fail "it does not say what it installed"

# No Debian: what is missing is named.
stub pkg-config 'case $2 in libuv) exit 1 ;; esac'
sed -e "s/command -v dpkg-query/false/" "$script" >"$tmp/elsewhere"
mkdir -p "$tmp/tree/examples" && cp "$tmp/elsewhere" "$tmp/tree/examples/quickstart"
chmod +x "$tmp/tree/examples/quickstart"
script=$tmp/tree/examples/quickstart
expect 1 "this is no Debian, so please install by your system's means: libuv (headers)"

[ "$failures" = 0 ]
