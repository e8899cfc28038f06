#!/usr/bin/env python3
"""Runs clang-tidy over every source that the build compiles, with the checks of .clang-tidy.

Usage: run_tidy.py BUILD [PATTERN]: only sources whose path matches. Ends like run_tests.py: each
source counts as one.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def tidy(build, source):
    run = subprocess.run(
        ["clang-tidy-14", "-p", str(build), "--quiet", "--warnings-as-errors=*", str(source)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        # Holds but the number of warnings suppressed in system headers, unless clang-tidy fails.
        stderr=subprocess.PIPE,
        text=True,
    )
    said = run.stdout if run.stdout.strip() or run.returncode == 0 else run.stderr
    return source, run.returncode, said


def main():
    build = Path(sys.argv[1]).resolve()
    pattern = sys.argv[2] if len(sys.argv) > 2 else ""
    root = Path(__file__).resolve().parent.parent
    entries = json.loads((build / "compile_commands.json").read_text())
    sources = {(Path(entry["directory"]) / entry["file"]).resolve() for entry in entries}
    chosen = [source for source in sorted(sources) if re.search(pattern, str(source))]
    passed = failed = 0
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for source, code, said in pool.map(lambda source: tidy(build, source), chosen):
            print(f"{source.relative_to(root)}: {'clean' if code == 0 else 'FAIL'}", flush=True)
            if code == 0:
                passed += 1
            else:
                failed += 1
                print(said)
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if passed and not failed else 1)


if __name__ == "__main__":
    main()
