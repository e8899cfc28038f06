#!/bin/bash
# The manual page and bash's completion, which are made from the command's description.
# Usage: pages_test.sh MANUAL COMPLETION MOBULA
set -euo pipefail
manual=$1
completion=$2
mobula=$3

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# -- manual page -----------------------------------------------------------------------------------

# All that the help texts name stands in the page. Its minus signs are escaped, as roff wants them.
plain=$(sed -e 's/\\f.//g' -e 's/\\-/-/g' "$manual")
for command in status memory objects launch clean; do
  [[ $plain == *".SS $command"* ]] || fail "no section about $command: $plain"
  "$mobula" "$command" --help | grep -o -e '--[a-z-]*' | while read -r option; do
    [[ $plain == *"$option"* ]] || fail "nothing about $option: $plain"
  done
done
for part in 'owner|node|type|state|call-site' 'MOBULA_NODE' '40 if not given' 'EXIT STATUS' '--version' \
  'clean removes what dead nodes left. The other commands ask any node'; do
  [[ $plain == *"$part"* ]] || fail "nothing about $part: $plain"
done
if command -v groff >/dev/null; then
  said=$(groff -man -Tutf8 -ww "$manual" 2>&1 >/dev/null)
  [[ -z $said ]] || fail "groff complains: $said"
fi

# -- completion ------------------------------------------------------------------------------------

# shellcheck disable=SC1090 # generated
source "$completion"

# Fails unless, with the first words of a command line typed and split as bash does, exactly these
# words are proposed for the last of them.
expect() {
  local expected=$1
  shift
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  COMPREPLY=()
  _mobula
  [[ ${COMPREPLY[*]} == "$expected" ]] || fail "$*: proposes \"${COMPREPLY[*]}\" instead of \"$expected\""
}

expect 'status memory objects launch clean --help --version' mobula ''
expect 'memory' mobula m
expect '--version' mobula --v
expect '--help --node --json' mobula status ''
expect '--group-by' mobula memory --g
expect 'owner node type state call-site' mobula memory --group-by ''
expect 'owner node type state call-site' mobula memory --group-by =
expect 'call-site' mobula memory --group-by = c
expect 'size references age' mobula memory --node a:1 --sort-by ''
expect '' mobula objects --node ''
# Bash then proposes files.
expect '' mobula clean --spill-dir ''
expect '' mobula launch --nodes 3 -- ./st
[[ $(complete -p mobula) == 'complete -o default -F _mobula mobula' ]] || fail 'bash does not use the completion'
