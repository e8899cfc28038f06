#!/usr/bin/env python3
"""Proves that an include which points upwards does not compile.

Each layer's own compile command, as the build states it, is applied to tiny probes: a header of a
layer that it may see must compile, one of a layer above it must not be found, and below `actors/`
CAF must be refused. A layer without sources or headers has nothing to prove yet.

Usage: layering.py SOURCE_ROOT BUILD_ROOT
"""

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

# Lowest first: a layer sees itself and what comes before it.
LAYERS = ["serialization", "store", "actors", "runtime"]
LAYERS_WITH_CAF = ["actors", "runtime"]

NOT_FOUND = "No such file or directory"
POISONED = 'attempt to use poisoned "caf"'

source_root = Path(sys.argv[1]).resolve()
build_root = Path(sys.argv[2]).resolve()


def compile_flags(layer):
    """Returns the build's command for a source of the layer's library, without source and output."""
    library = f"{layer}/libmobula_{layer}.a.p/"
    for entry in json.loads((build_root / "compile_commands.json").read_text()):
        if entry["output"].startswith(library):
            words = shlex.split(entry["command"])
            for option in ("-o", "-MF", "-MQ"):
                at = words.index(option)
                del words[at : at + 2]
            return [word for word in words if word not in (entry["file"], "-c", "-MD")]
    return None


def first_header(layer):
    include = source_root / layer / "include"
    headers = sorted(include.rglob("*.hpp"))
    return str(headers[0].relative_to(include)) if headers else None


def compiler_says(flags, header):
    """Returns what the compiler prints for a probe that includes the header, nothing if it compiles."""
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as probe:
        probe.write(f"#include <{header}>\n")
        probe.flush()
        run = subprocess.run(
            [*flags, "-fsyntax-only", probe.name],
            cwd=build_root,
            stderr=subprocess.PIPE,
            text=True,
        )
    if run.returncode == 0:
        return ""
    return run.stderr or f"exit code {run.returncode}"


def probes(layer):
    """Yields each header to try with the error that it must give, nothing if it must compile."""
    for other in LAYERS:
        header = first_header(other)
        if header:
            yield header, NOT_FOUND if LAYERS.index(other) > LAYERS.index(layer) else ""
    yield "caf/all.hpp", "" if layer in LAYERS_WITH_CAF else POISONED


failures = 0
for layer in LAYERS:
    flags = compile_flags(layer)
    if flags is None:
        print(f"{layer}: no sources yet")
        continue
    for header, expected in probes(layer):
        said = compiler_says(flags, header)
        holds = expected in said if expected else not said
        outcome = "compiles" if not said else "is refused"
        print(f"{layer}: <{header}> {outcome}{'' if holds else ', which is WRONG'}", flush=True)
        if not holds:
            failures += 1
            print(said or "no error")
sys.exit(1 if failures else 0)
