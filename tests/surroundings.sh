# shellcheck shell=bash
# What a machine or its user has set and the tests are not about: they find the same everywhere.

# A locale that is not installed: each shell says so on standard error.
if [ -n "$(bash -c : 2>&1)" ]; then
    unset LANG LANGUAGE "${!LC_@}"
fi
# libtool installs into no folder with blanks in its name; one that is gone helps nobody.
case ${TMPDIR-} in
*[[:space:]]*) unset TMPDIR ;;
esac
[ -w "${TMPDIR:-/tmp}" ] || unset TMPDIR
unset CDPATH
umask 022
