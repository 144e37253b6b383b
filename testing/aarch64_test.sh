#!/bin/sh
# Cross-compiles a room's kernels with their checks for aarch64 and runs them under an emulator, so that
# the NEON kernel is tested on other machines too. Arguments: the .c files.
set -eu

compiler=aarch64-linux-gnu-gcc
emulator=qemu-aarch64

for need in "$compiler:gcc-aarch64-linux-gnu" "$emulator:qemu-user"; do
    program=${need%%:*}
    package=${need#*:}
    if ! command -v "$program" >/dev/null; then
        echo "SKIPPED: no $program (package $package)"
        exit 0
    fi
done
if ! echo 'int main(void) { return 0; }' |
    "$compiler" -static -x c - -o "$TEST_TMPDIR/empty" 2>/dev/null; then
    echo "SKIPPED: $compiler has no C library (package libc6-dev-arm64-cross)"
    exit 0
fi

"$compiler" -std=gnu11 -O2 -Wall -Wextra -Werror -Wconversion -Wshadow -static -I. \
    "$@" -o "$TEST_TMPDIR/kernel_checks"
"$emulator" "$TEST_TMPDIR/kernel_checks" neon
