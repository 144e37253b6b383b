#!/bin/sh
# Unpacks the distribution's 64-bit Arm libraries, those that programs of this project link, into the
# directory that is named: nothing is installed, and no architecture is added to this system.
set -eu
target=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/lists/partial" "$work/archives/partial"
: >"$work/status"
# An apt of its own, for a machine on which nothing is installed.
arm_apt() {
    apt-get -q -y -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root \
        -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/status" \
        -o Dir::Cache::Archives="$work/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
        -o Debug::NoLocking=1 "$@"
}
arm_apt update
arm_apt install --download-only --no-install-recommends libjansson-dev libsqlite3-dev libmariadb-dev \
    libmd-dev libbenchmark-dev libnghttp2-dev zlib1g-dev libssl-dev libgoogle-perftools4 libmicrohttpd-dev

for package in "$work"/archives/*.deb; do
    case ${package##*/} in
    # The C and C++ libraries come with the cross compiler.
    libc6* | libgcc* | libstdc++* | gcc* | linux-libc-dev*) ;;
    *) dpkg-deb -x "$package" "$work/root" ;;
    esac
done
mkdir -p "$target"
# Headers that differ from one processor to the other.
cp -a "$work/root/usr/include/aarch64-linux-gnu" "$target/include"
# Debian has moved /lib into /usr/lib; some packages still say /lib.
for directory in lib/aarch64-linux-gnu usr/lib/aarch64-linux-gnu; do
    [ ! -d "$work/root/$directory" ] || cp -a "$work/root/$directory/." "$target"
done
# Links that lead through the root of the system lead to the file beside them instead.
for link in "$target"/*.so; do
    case $(readlink "$link") in
    /*) ln -sf "$(basename "$(readlink "$link")")" "$link" ;;
    esac
done
