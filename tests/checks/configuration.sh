#!/bin/bash
# configuration.sh: doc/configuration.md and setters.h say what the table of options says. Runs in the
# build folder.
# shellcheck disable=SC2154 # srcdir comes from the makefile
set -u
failures=0

compare() {
    if ! doc/gen/option_pages "$1" | diff -u "$srcdir/$2" - >&2; then
        echo "$2 is not what the table of options gives: make update-configuration" >&2
        failures=$((failures + 1))
    fi
}
compare page doc/configuration.md
compare setters include/cqlnative/setters.h
exit $((failures > 0))
