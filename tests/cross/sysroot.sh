#!/bin/sh
# The libraries of another processor, from Debian, in a folder: nothing of this machine changes, and no
# root is needed. apt keeps its lists and packages for it in the folder too.
# Usage: sysroot.sh DEBIAN_ARCHITECTURE FOLDER
set -eu
arch=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
packages='libuv1-dev libuv1 libssl-dev libssl3 liblz4-dev liblz4-1 zlib1g-dev zlib1g libcmocka-dev libcmocka0'

[ ! -e "$folder/complete" ] || exit 0
for part in state/lists/partial cache/archives/partial packages root; do
    mkdir -p "$folder/$part"
done
: >"$folder/state/status"

foreign_apt() {
    apt-get -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Sandbox::User= \
        -o Dir::State="$folder/state" -o Dir::State::status="$folder/state/status" \
        -o Dir::Cache="$folder/cache" "$@"
}

foreign_apt update || echo "sysroot.sh: some lists of packages could not be read"
# shellcheck disable=SC2086 # several names
(cd "$folder/packages" && foreign_apt download $packages) || {
    echo "sysroot.sh: Debian's packages for $arch are not to be had here" >&2
    exit 1
}
for file in "$folder"/packages/*.deb; do
    dpkg-deb -x "$file" "$folder/root"
done
rm -rf "$folder/state" "$folder/cache" "$folder/packages"
: >"$folder/complete"
