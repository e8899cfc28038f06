#!/bin/bash
# `meson dist` makes an archive of all that is committed, and what it holds can be configured. Without
# a git checkout there is nothing to make one of.
# Usage: dist.sh SOURCE_DIRECTORY BUILD_DIRECTORY VERSION
set -euo pipefail
source=$1
build=$2
version=$3

git -C "$source" rev-parse --verify --quiet HEAD >/dev/null || exit 77

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

# What is not committed is left out, and no reason to refuse.
meson dist -C "$build" --allow-dirty --no-tests --formats gztar
tar -C "$tree" -xzf "$build/meson-dist/mobula-$version.tar.gz"

cd "$tree/mobula-$version"
diff <(git -C "$source" ls-tree -r --name-only HEAD | sort) <(find . -type f -printf '%P\n' | sort)
meson setup "$tree/build" -Dtests=disabled -Dbenchmarks=disabled >"$tree/log" \
  || { cat "$tree/log" && exit 1; }
