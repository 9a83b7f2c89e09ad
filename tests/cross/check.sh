#!/bin/bash
# Builds for another processor, with the device example, and runs the unit tests there by qemu.
# Usage: check.sh DEBIAN_ARCHITECTURE SOURCE_FOLDER BUILD_FOLDER
# CROSS_SKIP=yes: where compiler, qemu or packages are missing, say so and pass.
set -eu -o pipefail
arch=$1 src=$2
mkdir -p "$3"
build=$(cd "$3" && pwd)
MAKE=${MAKE:-make}

case $arch in
arm64) triple=aarch64-linux-gnu qemu=qemu-aarch64-static ;;
*)
    echo "check.sh: no such architecture: $arch" >&2
    exit 2
    ;;
esac

missing() {
    if [ "${CROSS_SKIP-}" = yes ]; then
        echo "SKIP: $arch: $*"
        exit 0
    fi
    echo "check-$arch: $* (CROSS_SKIP=yes passes without)" >&2
    exit 1
}

command -v $triple-gcc >/dev/null && command -v $qemu >/dev/null ||
    missing "needs gcc-$triple, libc6-dev-$arch-cross and qemu-user-static:" \
        "apt-get install --no-install-recommends gcc-$triple libc6-dev-$arch-cross qemu-user-static"
sh "$src/tests/cross/sysroot.sh" "$arch" "$build/sysroot" >"$build/sysroot.log" 2>&1 ||
    missing "$(tail -n 1 "$build/sysroot.log")"

root=$build/sysroot/root
libs=$root/usr/lib/$triple
export PKG_CONFIG_LIBDIR=$libs/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
RUN="$qemu -L /usr/$triple -E LD_LIBRARY_PATH=$libs:$root/lib/$triple"

cd "$build"
[ -e config.status ] || "$src/configure" -q --host=$triple --enable-werror --disable-tools \
    CPPFLAGS="-I$root/usr/include -I$root/usr/include/$triple" \
    LDFLAGS="-L$libs -L$root/lib/$triple -Wl,-rpath-link,$libs:$root/lib/$triple"
$MAKE -s V=0 lib/libcqlnative.la examples/device
$MAKE -s check-units LOG_COMPILER="$RUN"
echo "PASS: unit tests on $arch"
