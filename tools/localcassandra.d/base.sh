# shellcheck shell=bash
# Messages, locks and small helpers.

QUIET=no

# Exit codes, the same as in the project's other tools.
EXIT_FAILED=1
EXIT_USAGE=2
EXIT_NOT_READY=3

say() {
    [ "$QUIET" = yes ] || printf '%s\n' "$*" >&2
}

warn() {
    printf 'localcassandra: %s\n' "$*" >&2
}

die() {
    warn "$*"
    exit "$EXIT_FAILED"
}

usage_error() {
    warn "$*"
    warn "'localcassandra --help' shows what can be asked"
    exit "$EXIT_USAGE"
}

is_number() {
    [[ $1 =~ ^[0-9]{1,6}$ ]]
}

# need COMMAND PACKAGE: stops with the package's name where the command is missing.
need() {
    command -v "$1" >/dev/null 2>&1 ||
        die "the command '$1' is missing; on Debian: apt-get install $2"
}

need_machine() {
    [ -r /proc/self/stat ] || die "it needs Linux: it reads /proc"
    need perl perl-base
    need flock util-linux
    need setsid util-linux
}

# The folder everything lives in. No ':' may be in it: Java's class path is split there.
set_home() {
    if [ -n "${LOCALCASSANDRA_HOME:-}" ]; then
        LC_HOME=$LOCALCASSANDRA_HOME
    elif [ -n "${XDG_STATE_HOME:-}" ]; then
        LC_HOME=$XDG_STATE_HOME/localcassandra
    elif [ -n "${HOME:-}" ]; then
        LC_HOME=$HOME/.local/state/localcassandra
    else
        die "HOME is not set; name a folder in LOCALCASSANDRA_HOME"
    fi
    case $LC_HOME in
    /*) ;;
    *) LC_HOME=$PWD/$LC_HOME ;;
    esac
    case $LC_HOME in
    *[:\"\\\*]*) die "the folder's name may not hold : \" \\ or *: $LC_HOME" ;;
    esac
}

# take_lock NAME: waits for the lock and holds it until release_lock or the
# script's end. No node inherits it (see close_descriptors).
take_lock() {
    local fd file=$LC_HOME/locks/$1
    mkdir -p "$LC_HOME/locks" || die "cannot make the folder $LC_HOME/locks"
    exec {fd}>>"$file" || die "cannot write $file"
    if ! flock -n "$fd"; then
        say "waiting for another localcassandra that works on $1 ..."
        flock "$fd" || die "cannot lock $file"
    fi
    LOCK_FD=$fd
}

release_lock() {
    exec {LOCK_FD}>&-
}

# Every descriptor above the three standard ones is closed, so that a node that
# outlives the caller keeps none of the caller's locks, pipes or job tokens.
close_descriptors() {
    local fd
    for fd in "/proc/$BASHPID/fd/"*; do
        fd=${fd##*/}
        [ "$fd" -gt 2 ] 2>/dev/null && eval "exec $fd>&-"
    done
    return 0
}

# A sleep that starts no process more than needed.
nap() {
    sleep "$1"
}
