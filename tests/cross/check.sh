#!/bin/bash
# Builds for another processor, runs the unit tests there by qemu, and the device example, which is linked
# with the static library, against a real Cassandra node of this machine.
# Usage: check.sh DEBIAN_ARCHITECTURE SOURCE_FOLDER BUILD_FOLDER
# CROSS_NODE=none: without the node. CROSS_SKIP=yes: where compiler, qemu or packages are missing, say so and pass.
set -eu -o pipefail
arch=$1 src=$2
mkdir -p "$3"
build=$(cd "$3" && pwd)
MAKE=${MAKE:-make}
NAME=cross-$arch

case $arch in
arm64) triple=aarch64-linux-gnu qemu=qemu-aarch64-static ;;
armhf) triple=arm-linux-gnueabihf qemu=qemu-arm-static ;;
s390x) triple=s390x-linux-gnu qemu=qemu-s390x-static ;; # its bytes are the other way round
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

set -- --host=$triple CPPFLAGS="-I$root/usr/include -I$root/usr/include/$triple" \
    LDFLAGS="-L$libs -L$root/lib/$triple -Wl,-rpath-link,$libs:$root/lib/$triple"
cd "$build"
[ -e config.status ] || "$src/configure" -q --enable-werror --disable-tools --disable-shared "$@"
$MAKE -s V=0 lib/libcqlnative.la examples/device
CQL_TESTS_SLOWER=40 $MAKE -s check-units LOG_FLAGS="$RUN"
echo "PASS: unit tests on $arch"
# What small devices have the room for; instructions of 64 bits take more.
[ "$arch" != armhf ] || export LIMITS='small_code=300000 off_code=120000'
"$src/tests/checks/sizes.sh" "$src" "$build/sizes" "$@"
echo "PASS: sizes on $arch"

[ "${CROSS_NODE-}" != none ] || exit 0
export SRC=$src BUILD=$build LOCALCASSANDRA=$src/tools/localcassandra CQL_TEST_CLUSTER=$NAME
export CQL_TEST_VERSION=5.0 CQL_TEST_DIR=$build/device CQL_TEST_DEVICE="$RUN $build/examples/device"
export CQL_TEST_DEVICE_THREADS=2 # the emulator has one of its own
export CQL_TEST_ONLY='device.rows device.full device.restart'
rm -rf "$CQL_TEST_DIR" && mkdir -p "$CQL_TEST_DIR"
stop() { "$LOCALCASSANDRA" stop --quiet --name "$NAME" >/dev/null 2>&1 || true; }
trap stop EXIT
CQL_TEST_HOST=$("$LOCALCASSANDRA" start --quiet --name "$NAME" | tail -n 1)
export CQL_TEST_HOST
cd "$CQL_TEST_DIR"
"$src/tests/live/device.test" | tee results
! grep -q '^not ok' results || exit 1
echo "PASS: device on $arch"
