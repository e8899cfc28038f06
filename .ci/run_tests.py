#!/usr/bin/env python3
"""Runs Meson's tests, counts what they say, and shows the logs of those that fail.

The last line is `N passed, N failed`, with `, N skipped` if any: doctest's test cases over all
executables, and one for each test of another kind. An executable that crashes or runs out of time
is a failure even if each case that it came to passed.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

DOCTEST_HEADER = "doctest version is"
DOCTEST_SUMMARY = re.compile(
    r"^\[doctest\] test cases: *(\d+) *\| *(\d+) passed *\| *(\d+) failed *\| *(\d+) skipped",
    re.MULTILINE,
)
# Meson's own line for a test that has ended: number, name, result and duration.
PROGRESS = re.compile(r"^ *\d+/\d+ .*\d+\.\d+s")
GOOD = ("OK", "EXPECTEDFAIL")


def all_tests(build):
    return json.loads((build / "meson-info" / "intro-tests.json").read_text())


# -- choosing tests -------------------------------------------------------------------------------


def matches(pattern, name):
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return pattern in name


def is_doctest(test):
    program = Path(test["cmd"][0])
    return program.is_file() and DOCTEST_HEADER.encode() in program.read_bytes()


def has_case(test, case_filter):
    """Returns whether the executable has a test case that the filter lets through. One that
    cannot even list them is to be run, so that its failure shows."""
    run = subprocess.run(
        [*test["cmd"], case_filter, "--count"],
        env={**os.environ, **test["env"]},
        cwd=test["workdir"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    count = re.search(r"unskipped test cases passing the current filters: (\d+)", run.stdout)
    return count is None or int(count[1]) > 0


def choose(tests, pattern):
    """Returns the tests to run and the filter that they are to get, if any: names of tests go
    before names of doctest's cases."""
    if pattern is None:
        return tests, None
    by_name = [test for test in tests if matches(pattern, test["name"])]
    if by_name:
        return by_name, None
    case_filter = "--test-case=*" + pattern.replace(",", "\\,") + "*"
    return [test for test in tests if is_doctest(test) and has_case(test, case_filter)], case_filter


# -- running and counting -------------------------------------------------------------------------


def run_meson(options, tests, case_filter):
    """Runs the tests, prints a line as each of them ends, and returns Meson's record of each."""
    log = options.build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    command = ["meson", "test", "-C", str(options.build), "--no-rebuild"]
    command += ["--num-processes", str(len(os.sched_getaffinity(0)))]
    command += ["--timeout-multiplier", str(options.timeout_multiplier)]
    if case_filter:
        command += ["--test-args", shlex.quote(case_filter)]
    command += [test["name"] for test in tests]
    ended = 0
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as meson:
        said = []
        for line in meson.stdout:
            said.append(line)
            # Failures come a second time, in Meson's own summary.
            if ended < len(tests) and PROGRESS.match(line):
                ended += 1
                print(line, end="", flush=True)
    if not log.exists():
        print("".join(said), end="")
        return []
    return [json.loads(line) for line in log.read_text().splitlines()]


def count(record, case_filter):
    """Returns how many cases of a test passed, failed and were skipped."""
    result = record["result"]
    output = record["stdout"] or ""
    if result == "SKIP":
        return Counter(skipped=1)
    summaries = DOCTEST_SUMMARY.findall(output)
    if summaries:
        _, passed, failed, skipped = map(int, summaries[-1])
        if result not in GOOD:
            failed = max(failed, 1)
        # doctest also calls skipped what a filter leaves out and what comes after a crash.
        whole = result in GOOD and not case_filter
        return Counter(passed=passed, failed=failed, skipped=skipped if whole else 0)
    # doctest's header without its summary: something ended the process on the way.
    if result in GOOD and DOCTEST_HEADER not in output:
        return Counter(passed=1)
    return Counter(failed=1)


def show_failure(record):
    command = shlex.join(record["command"])
    print(f"\n---- {record['name']}: {record['result']} (exit code {record['returncode']})")
    print(f"---- {command}")
    for stream in ("stdout", "stderr"):
        print(record.get(stream) or "", end="")
    print(f"\n---- end of {record['name']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("--match", metavar="NAME", help="only the tests or test cases named so")
    parser.add_argument("--timeout-multiplier", type=float, default=1)
    parser.add_argument(
        "--programs",
        action="store_true",
        help="print the build targets that the matching tests run, and end",
    )
    options = parser.parse_args()

    if options.programs:
        for test in all_tests(options.build):
            program = Path(test["cmd"][0])
            if matches(options.match, test["name"]) and program.is_relative_to(options.build):
                print(program.relative_to(options.build))
        return

    tests, case_filter = choose(all_tests(options.build), options.match)
    if not tests:
        print(f"no test matches {options.match!r}")
    records = run_meson(options, tests, case_filter) if tests else []

    total = Counter()
    bad = {}
    for record in records:
        counted = count(record, case_filter)
        total += counted
        if counted["failed"]:
            show_failure(record)
            ended_early = record["result"] in GOOD
            bad[record["name"]] = "ended early" if ended_early else record["result"].lower()
    # Meson names a test `suite / name` when it has a suite.
    recorded = Counter(record["name"].split(" / ")[-1] for record in records)
    for name in (Counter(test["name"] for test in tests) - recorded).elements():
        total["failed"] += 1
        bad[name] = "did not run"
    if bad:
        print("\nfailed: " + ", ".join(f"{name} ({why})" for name, why in bad.items()))
    line = f"{total['passed']} passed, {total['failed']} failed"
    if total["skipped"]:
        line += f", {total['skipped']} skipped"
    print(line)
    sys.exit(0 if total["passed"] and not total["failed"] else 1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
