#!/bin/bash
# Checks that every tracked source is formatted as .clang-format says.
set -euo pipefail
cd "$(dirname "$0")/.."

# Other versions of clang-format disagree in details: Debian 12's decides.
formatter=$(command -v clang-format-14 || command -v clang-format) || {
  echo 'clang-format is not installed' >&2
  exit 1
}

list_sources() {
  git ls-files -z -- '*.hpp' '*.cpp' 2>/dev/null || find . -path './build*' -prune -o \
    \( -name '*.hpp' -o -name '*.cpp' \) -print0
}

# A tracked file may be deleted in the working tree.
mapfile -d '' -t sources < <(list_sources | while IFS= read -r -d '' file; do
  if [[ -f $file ]]; then printf '%s\0' "$file"; fi
done)

if ((${#sources[@]} == 0)); then
  echo 'found no source to check' >&2
  exit 1
fi
"$formatter" --dry-run -Werror "${sources[@]}"
echo "${#sources[@]} files are formatted"
