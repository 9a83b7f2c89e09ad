# shellcheck shell=bash
# For live test scripts behind lib.sh: $packages is a folder with the Python driver and cqlsh.
# The driver and cqlsh, fetched once for a build folder.
packages=$BUILD/tests/live/python
if [ ! -d "$packages" ]; then
    python3 -m pip --version >/dev/null 2>&1 ||
        skip_all "python3 has no pip (Debian: python3-pip)"
    fetch_packages() {
        rm -rf "$packages.part"
        python3 -m pip install --quiet --no-input --disable-pip-version-check \
            --root-user-action=ignore --target "$packages.part" \
            cassandra-driver==3.30.1 cqlsh==6.2.0 >"$CQL_TEST_DIR/pip.log" 2>&1
    }
    if ! fetch_packages && ! fetch_packages; then
        cat "$CQL_TEST_DIR/pip.log"
        skip_all "the Python driver cannot be fetched from the package registry"
    fi
    mv "$packages.part" "$packages"
fi
