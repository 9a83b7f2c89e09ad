# shellcheck shell=bash
# Commands that may take long. bash heeds a signal only once the command in front has ended; one that is
# waited for, in a process group of its own, is ended at once, with all that it started.

ATTENDED=

# in_group COMMAND...: begins it; $! is its group too. Unlike other commands in the background it can be
# interrupted.
in_group() {
    set -m
    "$@" &
    set +m
}

attended() {
    local code
    ATTENDED=begun
    in_group "$@"
    ATTENDED=$!
    wait "$ATTENDED"
    code=$?
    ATTENDED=
    return "$code"
}

# end_group PID
end_group() {
    kill -TERM -- "-$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

end_attended() {
    # The signal may have come before its number was noted.
    [ "$ATTENDED" != begun ] || ATTENDED=${!:-}
    [ -z "$ATTENDED" ] || end_group "$ATTENDED"
    ATTENDED=
}
