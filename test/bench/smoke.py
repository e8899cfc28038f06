#!/usr/bin/env python3
"""Checks that mobula-bench lists its cases, reports one and refuses bad arguments. Asserts no time.

Usage: smoke.py MOBULA_BENCH
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

KEYS = ["name", "unit", "value", "baseline", "baseline_value", "ratio", "budget", "holds"]

program = sys.argv[1]


def run(*arguments, code=0):
    """Runs the program, which must end with this exit code. Returns what it printed."""
    done = subprocess.run(
        [program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == code, f"{arguments}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


def check_list():
    names = run("--list").split()
    assert len(names) == len(set(names)), "two cases have one name"
    assert "get_ready" in names, names
    large = run("--list", "--large").split()
    assert set(large) > set(names), "--large adds nothing"
    assert run("--list", "--filter", "^wait/").split() == ["wait/10k"]


def check_report(folder):
    path = Path(folder) / "report.json"
    quick = ["--rounds", "2", "--seconds", "0.001"]
    table = run("--filter", "^(get_ready|put_get_drop/1KiB)$", "--report", str(path), *quick)
    without, with_budget = json.loads(path.read_text())
    for row in (with_budget, without):
        assert list(row) == KEYS, row
        assert row["name"] in table, table
        assert row["value"] > 0 and row["baseline_value"] > 0 and row["ratio"] > 0, row
    assert with_budget["budget"] == "value <= 50", with_budget
    assert with_budget["holds"] == (with_budget["value"] <= 50), with_budget
    assert without["budget"] is None and without["holds"] is None, without


def check_refusals(folder):
    assert "--nonsense" in run("--nonsense", code=2)
    assert "regular expression" in run("--filter", "(", code=2)
    assert "no case matches" in run("--filter", "no such case", code=2)
    assert "cannot write" in run("--filter", "^get_ready$", "--report", folder, code=2)
    assert "--report" in run("--help")


with tempfile.TemporaryDirectory() as folder:
    check_list()
    check_report(folder)
    check_refusals(folder)
