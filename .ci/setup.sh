# shellcheck shell=bash
# What `quickstart` and `check` share: installs what is missing and configures a build directory.
# To be sourced by bash with `set -euo pipefail`. Everything it says goes to the standard error.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command_name=$(basename "$0")

# -- packages of Debian 12 (bookworm) -------------------------------------------------------------

build_packages=(meson ninja-build g++ pkg-config libcaf-dev libcereal-dev libfmt-dev libxxhash-dev
  libmsgpack-cxx-dev libboost-dev libzstd-dev libcli11-dev nlohmann-json3-dev)
# shellcheck disable=SC2034 # only `check` needs these
check_packages=("${build_packages[@]}" doctest-dev libbenchmark-dev clang-format iproute2
  cmake binutils)

# -- messages -------------------------------------------------------------------------------------

say() {
  printf '%s\n' "$*" >&2
}

die() {
  say "$command_name: $*"
  exit 1
}

# -- installing -----------------------------------------------------------------------------------

missing_packages() {
  local installed package
  # dpkg-query fails when it knows nothing of one of the names: its answer for the others stands.
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    # Another package (pkgconf) may bring the same command.
    if [[ $package == pkg-config ]] && command -v pkg-config >/dev/null; then
      continue
    fi
    grep -qxF "installed $package" <<<"$installed" || printf '%s\n' "$package"
  done
}

# Installs those of the named packages that are missing; says so first.
install_missing() {
  local missing log apt=()
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die 'needs Debian 12 or a relative: found no dpkg-query and apt-get to install packages with'
  fi
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then
    return
  fi

  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      die "not root and no sudo; as root: apt-get install --no-install-recommends ${missing[*]}"
    fi
    # Without a terminal nobody can type a password.
    if [[ ! -t 2 ]] && ! sudo -n true 2>/dev/null; then
      die "sudo asks for a password; first: sudo apt-get install --no-install-recommends ${missing[*]}"
    fi
    apt+=(sudo)
  fi
  apt+=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300)
  local install=(install --no-install-recommends "${missing[@]}")

  say "Installing with apt: ${missing[*]}"
  log=$(mktemp)
  # Bare machines come without package lists, old ones with lists of files that are gone.
  if ! apt-get --simulate "${install[@]}" >/dev/null 2>&1 \
    || ! "${apt[@]}" "${install[@]}" </dev/null >"$log" 2>&1; then
    { "${apt[@]}" update && "${apt[@]}" "${install[@]}"; } </dev/null >"$log" 2>&1 \
      || die "apt could not install ${missing[*]}: $(error_in "$log" '^E:') (log: $log)"
  fi
  rm -f "$log"
}

# Prints the first line of the log that matches, else its last one.
error_in() {
  grep -m 1 -e "$2" "$1" || tail -n 1 "$1"
}

# -- configuring ----------------------------------------------------------------------------------

require_compiler() {
  local compiler
  read -ra compiler <<<"${CXX:-c++}"
  command -v "${compiler[0]}" >/dev/null || die "found no C++ compiler ${compiler[0]}"
  "${compiler[@]}" -x c++ -fsyntax-only - >/dev/null 2>&1 <<'SOURCE' \
    || die "${compiler[*]} is too old: needs GCC 12 or Clang 14 at least"
#if defined(__clang__)
#  if __clang_major__ < 14
#    error "too old"
#  endif
#elif !defined(__GNUC__) || __GNUC__ < 12
#  error "too old"
#endif
SOURCE
}

# Returns whether the directory is configured, for this checkout, with these options (-Dname=value).
is_configured() {
  local directory=$1
  shift
  [[ -f $directory/build.ninja ]] || return 1
  python3 - "$directory" "$@" <<'SOURCE'
import json, sys

directory, *arguments = sys.argv[1:]
try:
    about = json.load(open(f"{directory}/meson-info/meson-info.json"))
    options = json.load(open(f"{directory}/meson-info/intro-buildoptions.json"))
except (OSError, ValueError):
    sys.exit(1)
values = {option["name"]: str(option["value"]).lower() for option in options}
wanted = dict(argument.removeprefix("-D").split("=", 1) for argument in arguments)
here = about["directories"]["build"] == directory
sys.exit(not here or any(values.get(name) != value for name, value in wanted.items()))
SOURCE
}

# Runs a command that configures; when it fails, ends with the line in which Meson says why.
run_meson() {
  local log
  log=$(mktemp)
  "$@" </dev/null >"$log" 2>&1 \
    || die "cannot configure: $(error_in "$log" 'ERROR:') (log: $log)"
  rm -f "$log"
}

# Configures the directory with these options unless it is; keeps what was built before.
configure() {
  local directory=$1
  shift
  if is_configured "$directory" "$@"; then
    return
  fi
  require_compiler
  say "Configuring ${directory#"$root"/}"
  if is_configured "$directory" \
    && meson setup --reconfigure "$directory" "$root" "$@" </dev/null >/dev/null 2>&1; then
    return
  fi
  # A directory copied from elsewhere is of no use, and Meson remembers what it did not find: both
  # have to start afresh.
  if [[ -d $directory/meson-private ]]; then
    run_meson meson setup --wipe "$directory" "$root" "$@"
  else
    run_meson meson setup "$directory" "$root" "$@"
  fi
}

# -- building -------------------------------------------------------------------------------------

# Configures again if a build file has changed.
refresh() {
  run_meson ninja -C "$1" build.ninja
}

# Builds the named targets. On a terminal ninja shows its progress in one line; elsewhere it prints
# nothing but errors. Prints nothing at all when there is nothing to do.
build() {
  local directory=$1 quiet=(--quiet)
  shift
  if [[ $(ninja -C "$directory" -n "$@" 2>/dev/null) == *'no work to do'* ]]; then
    return
  fi
  say "Building in ${directory#"$root"/} (some minutes the first time)"
  if [[ -t 2 ]]; then
    quiet=()
  fi
  ninja -C "$directory" -j "$(nproc)" "${quiet[@]}" "$@" </dev/null >&2
}
