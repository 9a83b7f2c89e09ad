#!/bin/sh
# The Debian packages, built in a folder of their own from the archive that `make dist` makes.
# Usage: build_deb.sh ARCHIVE VERSION FOLDER [OPTION OF dpkg-buildpackage]...
set -eu
archive=$1 version=$2 folder=$3
shift 3

fail() {
    echo "make deb: $1" >&2
    exit 1
}

command -v dpkg-buildpackage >/dev/null || fail "dpkg-buildpackage is missing (Debian: dpkg-dev)"
command -v dh >/dev/null || fail "debhelper is missing (Debian: debhelper)"
rm -rf "$folder"
mkdir -p "$folder"
tar -C "$folder" -xf "$archive"
cd "$folder/libcqlnative-$version"
stands=$(dpkg-parsechangelog -S Version)
[ "$stands" = "$version" ] || fail "debian/changelog is at $stands, the library at $version"
# The tests are those of `make check`, which need not run twice.
DEB_BUILD_OPTIONS="nocheck${DEB_BUILD_OPTIONS:+ $DEB_BUILD_OPTIONS}"
DEB_BUILD_PROFILES="nocheck${DEB_BUILD_PROFILES:+ $DEB_BUILD_PROFILES}"
export DEB_BUILD_OPTIONS DEB_BUILD_PROFILES
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR
dpkg-buildpackage -us -uc -b "$@"
cd ..
ls -- *.deb
