#!/usr/bin/env python3
"""Installs the headers that programs read: the public ones, and whatever these include.

Public are those right in runtime/include/mobula/. What they reach of the layers comes with them; all
other headers are the library's own, and stay at home.

Usage: public_headers.py SOURCE_ROOT [INCLUDE_DIRECTORY]

Meson calls it at installation and tells by its environment where that goes. Called by hand without a
directory, it lists the headers, by layer, as `LAYER/include/mobula/...`.
"""

import os
import re
import shutil
import sys
from pathlib import Path

LAYERS = ["serialization", "store", "actors", "runtime"]
INCLUDE = re.compile(r'\s*#\s*include\s+["<](mobula/[^">]+)[">]')
GENERATED = {"mobula/version.hpp"}


def place_of(root, name):
    """Returns the file that an include stands for."""
    for layer in LAYERS:
        path = root / layer / "include" / name
        if path.exists():
            return path
    raise SystemExit(f"{name} is in no layer")


def included_by(path):
    found = (INCLUDE.match(line) for line in path.read_text().splitlines())
    return [match[1] for match in found if match and match[1] not in GENERATED]


def public_headers(root):
    """Returns the names that are reached, with the file of each."""
    start = sorted((root / "runtime" / "include" / "mobula").glob("*.hpp"))
    waiting = [f"mobula/{path.name}" for path in start]
    reached = {}
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = place_of(root, name)
            waiting += included_by(reached[name])
    return dict(sorted(reached.items()))


def place_of_installation(directory):
    """Returns where Meson puts what is for `directory`: below DESTDIR, also outside of the prefix."""
    if not Path(directory).is_absolute():
        return Path(os.environ["MESON_INSTALL_DESTDIR_PREFIX"]) / directory
    return Path(os.environ.get("DESTDIR") or "/") / Path(directory).relative_to("/")


def install(headers, target):
    for name, path in headers.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / name)


def main():
    root = Path(sys.argv[1]).resolve()
    headers = public_headers(root)
    if len(sys.argv) == 2:
        print("\n".join(str(path.relative_to(root)) for path in headers.values()))
    elif not os.environ.get("MESON_INSTALL_DRY_RUN"):
        install(headers, place_of_installation(sys.argv[2]))


if __name__ == "__main__":
    main()
