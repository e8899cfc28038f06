#!/bin/bash
# Installs into a directory of its own, then builds and runs a program that knows nothing but what was
# installed: with the pkg-config file, and with CMake's find_package if there is a CMake. Everything
# that tells a version has to tell the same one.
# Usage: run.sh SOURCE_DIRECTORY BUILD_DIRECTORY VERSION COMPATIBLE_VERSION CMAKE COMPILER...
# CMAKE may be empty.
set -euo pipefail
source=$1
build=$2
version=$3
compatible=$4
cmake=$5
compiler=("${@:6}")
program=$source/test/install/hello.cpp

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

meson install -C "$build" --destdir "$tree/installed" --no-rebuild --quiet

pkg_config_file=$(find "$tree/installed" -name mobula.pc)
[[ -f $pkg_config_file ]] \
  || fail "installed $(find "$tree/installed" -name mobula.pc | wc -l) files named mobula.pc instead of one"
PKG_CONFIG_PATH=$(dirname "$pkg_config_file")
export PKG_CONFIG_PATH
LD_LIBRARY_PATH=$(pkg-config --variable=libdir mobula)
export LD_LIBRARY_PATH
prefix=$(pkg-config --variable=prefix mobula)
prefix=$(realpath "$prefix")

# A CAF of another version, as far as a program sees it before it fails.
mkdir -p "$tree/other/include/caf"
echo '#define CAF_VERSION 1805' >"$tree/other/include/caf/config.hpp"

# Nothing of the working tree may help: neither the current directory nor a path.
cd "$tree"
cp "$program" program.cpp

# -- headers --------------------------------------------------------------------------------------

# What a program reads that includes all public headers is what is installed, no more and no less.
read -ra flags < <(pkg-config --cflags mobula)
public=$prefix/include/mobula
for header in "$public"/*.hpp; do
  echo "#include <mobula/${header##*/}>"
done >all_headers.cpp
"${compiler[@]}" -std=c++20 -M all_headers.cpp "${flags[@]}" \
  | tr ' \\' '\n\n' | grep '^/' | xargs realpath | grep "^$public/" | sort -u >"$tree/read" \
  || fail 'the headers cannot be read'
find "$public" -type f | sort | diff "$tree/read" - || fail 'installed headers that nobody reads'

# -- versions -------------------------------------------------------------------------------------

# Fails unless the words are equal; the first says whose version it is.
check_version() {
  [[ $2 == "$3" ]] || fail "$1: \"$2\" instead of \"$3\""
}

check_version 'pkg-config' "$(pkg-config --modversion mobula)" "$version"
check_version 'mobula/version.hpp' \
  "$(echo MOBULA_VERSION_STRING \
    | "${compiler[@]}" -E -P -x c++ "-I$prefix/include" -include mobula/version.hpp - | tr -d '[:space:]')" \
  "\"$version\""
check_version 'the soname' \
  "$(objdump -p "$LD_LIBRARY_PATH/libmobula.so" | sed -n 's/^ *SONAME *//p')" \
  "libmobula.so.$compatible"
if [[ -x $prefix/bin/mobula ]]; then
  check_version 'mobula --version' "$("$prefix/bin/mobula" --version)" "mobula $version"
fi
documents=$prefix/share/doc/mobula
grep -q 'Redistribution and use' "$documents/LICENSE" || fail 'no licence is installed'
# The newest version that the list of changes names, which is on top.
check_version 'CHANGELOG.md' "$(sed -n 's/^## \([0-9.]*\).*/\1/p' "$documents/CHANGELOG.md" | head -1)" \
  "$version"

# -- pkg-config -----------------------------------------------------------------------------------

read -ra flags < <(pkg-config --cflags --libs mobula)
for library in fmt xxhash zstd; do
  [[ " ${flags[*]} " != *" -l$library "* ]] || fail "programs have to link $library: ${flags[*]}"
done
(
  set -x
  "${compiler[@]}" -std=c++20 program.cpp -o program "${flags[@]}"
  [[ $(./program) == hello ]]
)
said=$("${compiler[@]}" -std=c++20 -fsyntax-only "-I$tree/other/include" program.cpp "${flags[@]}" 2>&1) \
  && fail 'compiles with the headers of another CAF'
[[ $said == *'Mobula needs CAF 0.17.6'*'libcaf-dev'* ]] || fail "$said"
cat >inexact.cpp <<'END'
#include <mobula/message.hpp>
struct reading {
  double value = 0;
};
MOBULA_MESSAGE(reading, value)
END
said=$("${compiler[@]}" -std=c++20 -fsyntax-only inexact.cpp "${flags[@]}" 2>&1) \
  && fail 'a message type with a double compiles'
[[ $said == *'mobula::exact<double>'* ]] || fail "$said"

# -- CMake ----------------------------------------------------------------------------------------

[[ -n $cmake ]] || exit 0

mkdir consumer
cp "$program" "$source/test/install/CMakeLists.txt" consumer

# Configures the consumer, which asks for the named version, with more arguments of CMake's.
configure() {
  rm -rf made
  "$cmake" -S consumer -B made "-DCMAKE_CXX_COMPILER=${compiler[-1]}" \
    "-DCMAKE_PREFIX_PATH=$prefix" "-Dwanted=$1" "${@:2}" 2>&1
}

# Fails unless configuring with these arguments fails with a text like the first.
expect_refusal() {
  local said
  said=$(configure "${@:2}") && fail "CMake takes mobula $version although: ${*:2}"
  # CMake breaks lines where it likes.
  [[ $(tr -s ' \n' ' ' <<<"$said") == *"$1"* ]] || fail "$said"
}

expect_refusal 'compatible with requested version "99.0"' 99.0
expect_refusal 'version: '"$version" "$version.1"
expect_refusal 'Mobula needs CAF 0.17.6 (CAF_VERSION 1706), but' "$version" \
  "-Dmobula_CAF_INCLUDE_DIR=$tree/other/include"
expect_refusal 'package libcereal-dev' "$version" -Dmobula_CEREAL_INCLUDE_DIR=
configure "0.0.1...$version" >/dev/null || fail 'CMake refuses a range that ends with this version'
# Somebody who was built with another installation before has its library in the cache.
configure "$version" "-Dmobula_LIBRARY=$tree/other/lib/libmobula.so" || fail 'CMake refuses mobula'
"$cmake" --build made
[[ $(made/hello) == hello ]] || fail 'the program that CMake built does not say hello'
