#!/usr/bin/env python3
"""Checks that each C++ block of a page stands in one of the given sources, which the tests build and run.

Usage: check_docs.py PAGE [SOURCE...] [--whole SOURCE...]

The page also has to show each source after --whole to its last line, includes and all: what a reader
copies from it compiles.
"""
import argparse
import pathlib
import re
import sys


def without_blanks(text):
    """A page may show a part of a function, and break its lines elsewhere."""
    return "".join(text.split())


def hidden_parts(source, blocks):
    """Returns the lines of a source that no block shows, as far as there are any."""
    rest = without_blanks(source)
    for block in sorted(map(without_blanks, blocks), key=len, reverse=True):
        rest = rest.replace(block, "\n")
    return rest.split()


def read_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("page")
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--whole", nargs="+", default=[])
    return parser.parse_args()


def main():
    given = read_arguments()
    texts = {name: pathlib.Path(name).read_text() for name in given.sources + given.whole}
    contents = list(map(without_blanks, texts.values()))
    blocks = re.findall(r"```cpp\n(.*?)```", pathlib.Path(given.page).read_text(), re.DOTALL)
    if not blocks:
        sys.exit(f"{given.page} has no C++ block")
    missing = [
        block for block in blocks if not any(without_blanks(block) in each for each in contents)
    ]
    for block in missing:
        print(f"{given.page} shows what no source contains:\n{block}")
    hidden = {name: hidden_parts(texts[name], blocks) for name in given.whole}
    for name, parts in hidden.items():
        for part in parts:
            print(f"{given.page} does not show a part of {name}: {part}")
    sys.exit(1 if missing or any(hidden.values()) else 0)


main()
