#!/usr/bin/env python3
"""Checks that mobula-bench lists its cases, reports one, compares itself with other programs and
refuses bad arguments. Asserts no time.

Usage: smoke.py MOBULA_BENCH
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

KEYS = ["name", "unit", "value", "baseline", "baseline_value", "ratio", "budget", "holds"]

COMPARED_KEYS = ["name", "unit", "value", "other_value", "ratio", "lowest_ratio", "highest_ratio"]

QUICK = ["--rounds", "2", "--seconds", "0.001"]

# Stands for another build, whose answers the test chooses. Writes down how it was asked.
FAKE = """#!/usr/bin/env python3
import json, sys
words = sys.argv[1:]
with open(__file__ + ".log", "a") as log:
    log.write(" ".join(words) + "\\n")
if "--list" in words:
    print("get_ready")
    print("put_get_drop/1KiB")
    sys.exit(0)
answer = {answer!r}
if answer is None:
    print("no luck today")
    sys.exit(1)
with open(words[words.index("--report") + 1], "w") as report:
    json.dump(answer, report)
if not answer:
    print("get_ready skipped: no space")
"""

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
    table = run("--filter", "^(get_ready|put_get_drop/1KiB)$", "--report", str(path), *QUICK)
    without, with_budget = json.loads(path.read_text())
    for row in (with_budget, without):
        assert list(row) == KEYS, row
        assert row["name"] in table, table
        assert row["value"] > 0 and row["baseline_value"] > 0 and row["ratio"] > 0, row
    assert with_budget["budget"] == "value <= 50", with_budget
    assert with_budget["holds"] == (with_budget["value"] <= 50), with_budget
    assert without["budget"] is None and without["holds"] is None, without


def make_fake(folder, name, answer):
    path = Path(folder) / name
    path.write_text(FAKE.format(answer=answer))
    path.chmod(0o755)
    return path


def compare(other, *arguments, code, only="^get_ready$"):
    return run("--compare", str(other), "--filter", only, *QUICK, *arguments, code=code)


def check_comparison(folder):
    path = Path(folder) / "compared.json"
    slow = make_fake(folder, "slow", [{"unit": "ns", "value": 1e12}])
    table = compare(slow, "--report", str(path), code=0)
    assert "no, faster" in table, table
    (row,) = json.loads(path.read_text())
    assert list(row) == [*COMPARED_KEYS, "within"], row
    assert row["name"] == "get_ready" and row["other_value"] == 1e12, row
    assert 0 < row["lowest_ratio"] <= row["ratio"] <= row["highest_ratio"] < 1, row
    asked = Path(f"{slow}.log").read_text().splitlines()
    assert asked[0] == "--list" and len(asked) == 3, "not asked once in each round"
    assert all("--filter ^get_ready$ --rounds 1 " in line for line in asked[1:]), asked

    fast = make_fake(folder, "fast", [{"unit": "ns", "value": 1e-9}])
    assert "NO, SLOWER" in compare(fast, code=3)
    itself = run("--compare", program, "--filter", "^messages_a_borrow/2$", *QUICK)
    assert " 1 to 1 " in itself and "yes" in itself, itself


def check_unequal_programs(folder):
    other_unit = make_fake(folder, "other_unit", [{"unit": "us", "value": 1}])
    assert "get_ready skipped: this build measures ns" in compare(other_unit, code=0)
    no_space = make_fake(folder, "no_space", [])
    assert f"get_ready skipped: '{no_space}' says: no space" in compare(no_space, code=0)
    slow = make_fake(folder, "slow", [{"unit": "ns", "value": 1e12}])
    both = compare(slow, code=0, only="^get_ready(/in_actor)?$")
    assert f"get_ready/in_actor skipped: '{slow}' does not have it" in both, both
    assert "none of the chosen cases" in compare(slow, code=2, only="^get_ready/in_actor$")
    broken = make_fake(folder, "broken", None)
    assert "ends with code 1 in case get_ready: no luck today" in compare(broken, code=1)
    unreadable = make_fake(folder, "unreadable", {"value": "much"})
    assert "cannot be read" in compare(unreadable, code=1)


def check_no_programs(folder):
    missing = compare(f"{folder}/missing", code=2)
    assert "missing': No such file or directory; name the file of a mobula-bench" in missing
    assert "is no mobula-bench" in compare("/bin/true", code=2)
    assert "is no mobula-bench" in compare("/bin/false", code=2)
    assert "Permission denied" in compare(folder, code=2)
    assert "no case matches" in compare("/bin/true", code=2, only="no such case")


def check_refusals(folder):
    assert "--nonsense" in run("--nonsense", code=2)
    assert "regular expression" in run("--filter", "(", code=2)
    assert "no case matches" in run("--filter", "no such case", code=2)
    assert "cannot write" in run("--filter", "^get_ready$", "--report", folder, code=2)
    assert "--report" in run("--help")


with tempfile.TemporaryDirectory() as folder:
    check_list()
    check_report(folder)
    check_comparison(folder)
    check_unequal_programs(folder)
    check_no_programs(folder)
    check_refusals(folder)
