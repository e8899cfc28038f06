#!/usr/bin/env python3
"""Checks that each C++ block of a page stands in one of the given sources, which the tests build and run.

Usage: check_docs.py PAGE SOURCE...
"""
import pathlib
import re
import sys


def without_blanks(text):
    """A page may show a part of a function, and break its lines elsewhere."""
    return "".join(text.split())


def main(page, *sources):
    contents = [without_blanks(pathlib.Path(source).read_text()) for source in sources]
    blocks = re.findall(r"```cpp\n(.*?)```", pathlib.Path(page).read_text(), re.DOTALL)
    if not blocks:
        sys.exit(f"{page} has no C++ block")
    missing = [
        block for block in blocks if not any(without_blanks(block) in each for each in contents)
    ]
    for block in missing:
        print(f"{page} shows what no source contains:\n{block}")
    sys.exit(1 if missing else 0)


main(*sys.argv[1:])
