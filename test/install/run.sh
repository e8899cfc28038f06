#!/bin/bash
# Installs into a directory of its own, then builds and runs a program that knows nothing but the
# installed pkg-config file.
# Usage: run.sh BUILD_DIRECTORY PROGRAM COMPILER...
set -euo pipefail
build=$1
program=$2
compiler=("${@:3}")

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

meson install -C "$build" --destdir "$tree" --no-rebuild --quiet

pkg_config_file=$(find "$tree" -name mobula.pc)
if [[ ! -f $pkg_config_file ]]; then
  echo "installed $(find "$tree" -name mobula.pc | wc -l) files named mobula.pc instead of one" >&2
  exit 1
fi
PKG_CONFIG_PATH=$(dirname "$pkg_config_file")
export PKG_CONFIG_PATH
read -ra flags < <(pkg-config --cflags --libs mobula)
LD_LIBRARY_PATH=$(pkg-config --variable=libdir mobula)
export LD_LIBRARY_PATH

# Nothing of the working tree may help: neither the current directory nor a path.
cd "$tree"
cp "$program" program.cpp
(
  set -x
  "${compiler[@]}" -std=c++20 program.cpp -o program "${flags[@]}"
  ./program
)
