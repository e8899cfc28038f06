#!/usr/bin/env python3
"""Asks two real nodes with the mobula command what they hold, and for whom.

Usage: command_test.py MOBULA CLUSTER_NODE
"""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

command, node_program = sys.argv[1:]


class Node:
    """A process that does what it is told, line by line; see cluster_node.cpp."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [
                node_program,
                f"--mobula.cluster=command_{os.getpid()}",
                "--mobula.store-size=16MiB",
                # One that is stopped stays a member, however slow the machine.
                "--mobula.heartbeat-timeout=300s",
                "--mobula.grace-period=600s",
                *options,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.incarnation = self.hear("node ")
        self.say("listen 127.0.0.1:0")
        self.port = self.hear("listening ")
        self.address = f"127.0.0.1:{self.port}"

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self, begin):
        """Waits for a line that begins so, and returns its rest."""
        for line in self.process.stdout:
            assert not line.startswith("failed"), line
            if line.startswith(begin):
                return line[len(begin) :].rstrip("\n")
        raise AssertionError(f"the node ended before it said {begin}")

    def do(self, line, answer):
        self.say(line)
        return self.hear(answer)


def run(*arguments):
    return subprocess.run([command, *arguments], capture_output=True, text=True, timeout=100)


def ask(*arguments, code=0):
    done = run(*arguments)
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout if code == 0 else done.stderr


def ask_json(*arguments):
    return json.loads(ask(*arguments, "--json"))


def check_status(first, second):
    text = ask("status", "--node", first.address)
    assert "2 nodes" in text and f"127.0.0.1:{second.port}" in text, text
    nodes = {each["incarnation"]: each for each in ask_json("status", "--node", second.address)["nodes"]}
    assert set(nodes) == {first.incarnation, second.incarnation}, nodes
    figures = nodes[first.incarnation]["figures"]
    assert figures["owned_objects"] == 3, figures
    assert figures["stored_objects"] == 2, figures
    assert figures["exported_objects"] == 2, figures
    assert nodes[second.incarnation]["figures"]["borrowed_objects"] == 2
    assert nodes[first.incarnation]["name"] == "first" and "first " in text, text
    assert figures["process_resident_bytes"] > figures["process_shared_bytes"] >= 0, figures


def check_memory(first, second):
    objects = ask_json("memory", "--node", first.address)["objects"]
    assert [each["state"] for each in objects] == ["memory", "memory", "inline"], objects
    for large in objects[:2]:
        assert large["owner"] == first.incarnation, large
        assert large["size_bytes"] >= 300_000, large
        assert large["borrowers"] == [{"node": second.incarnation, "count": 1}], large
        assert large["transits"] == 0 and large["local"] == 1, large
        assert large["type"] == "array<byte>", large
    small = objects[2]
    assert small["borrowers"] == [] and small["local"] == 1, small
    assert small["type"] == "array<byte>" and not small["pinned"], small
    groups = ask_json("memory", "--node", first.address, "--group-by", "state")["groups"]
    assert [each["group"] for each in groups] == ["memory", "inline"], groups
    assert groups[0]["objects"] == 2, groups
    text = ask("memory", "--node", first.address, "--limit", "1", "--sort-by", "references")
    assert "2 more" in text, text
    return objects[0]["id"], small["id"]


def check_call_sites(first):
    objects = ask_json("memory", "--node", first.address)["objects"]
    sites = [each["call_site"] for each in objects]
    assert sites[0] == sites[1] == sites[2], sites
    assert sites[0]["function"] == "put", sites
    place = f"{sites[0]['file']}:{sites[0]['line']}"
    assert "cluster_node.cpp:" in place, place
    by_site = ["memory", "--node", first.address, "--group-by", "call-site"]
    groups = ask_json(*by_site)["groups"]
    assert [(each["group"], each["objects"]) for each in groups] == [(place, 3)], groups
    assert place in ask(*by_site), place
    text = ask("memory", "--node", first.address)
    assert "CALL SITE" in text and place in text, text
    id = objects[0]["id"]
    assert f"{place}, in put" in ask("objects", "--node", first.address, id)


def check_nesting(first, second, large, small):
    """Wherever the containers are, and whichever node is asked."""
    near = first.do("nest small", "nested ")
    far = second.do("nest large", "nested ")
    for node in (first, second):
        object = ask_json("objects", "--node", node.address, small)
        assert object["nested_in"] == [near] and object["nested"] == 1, object
        assert object["local"] == 1, object
        object = ask_json("objects", "--node", node.address, large)
        assert object["nested_in"] == [far] and object["nested"] == 0, object
        assert f"nested in    {far}" in ask("objects", "--node", node.address, large)
        assert f"nested in    {near}" in ask("objects", "--node", node.address, small)


def check_pins(first, second, large, small):
    first.do("view small", "viewing")
    second.do("view large", "viewing")
    object = ask_json("objects", "--node", first.address, small)
    assert object["pinned"] and object["views"] == 1 and object["readers"] == 0, object
    object = ask_json("objects", "--node", first.address, large)
    assert object["pinned"] and object["views"] == 0 and object["readers"] == 1, object
    assert object["reader_processes"] == [second.process.pid], object
    assert f"other processes: 1 ({second.process.pid})" in ask("objects", "--node", first.address, large)


def check_without_call_sites(node):
    node.do("put small 1 10", "done")
    object = ask_json("memory", "--node", node.address)["objects"][0]
    assert object["call_site"] is None, object
    text = ask("memory", "--node", node.address, "--group-by", "call-site")
    assert "(not recorded)" in text and "--mobula.record-call-sites" in text, text
    assert "--mobula.record-call-sites" in ask("objects", "--node", node.address, object["id"])


def check_sums(node):
    """Many small objects: a node lists 20,000 of them and sums over all."""
    node.do("put many 25000 10", "done")
    report = ask_json("memory", "--node", node.address)
    assert len(report["objects"]) + report["objects_left_out"] == 25_001, report["objects_left_out"]
    assert report["objects_left_out"] == 5_001, report["objects_left_out"]
    assert "5001 smaller objects are not listed" in ask("memory", "--node", node.address)
    for group in ("type", "state", "call-site", "owner"):
        groups = ask_json("memory", "--node", node.address, "--group-by", group)["groups"]
        assert [each["objects"] for each in groups] == [25_001], groups
        assert groups[0]["references"] == 25_001, groups
    assert "AGE" in ask("memory", "--node", node.address, "--sort-by", "age", "--limit", "1")


def check_object(first, second, id):
    text = ask("objects", "--node", second.address, id)
    assert id in text and "memory" in text and "(1)" in text, text
    gone = id.rsplit("-", 1)[0] + "-999999999"
    assert "does not exist" in ask("objects", "--node", first.address, gone, code=1)


def check_object_of_any_size(first, second, id):
    text = ask("objects", "--node", second.address, id)
    assert id in text and "inline" in text and "nobody" in text, text


def check_refusals(first):
    assert "nobody answers" in ask("status", "--node", "127.0.0.1:1", code=1)
    refused = ask("status", "--node", "nonsense", code=2)
    assert 'option --node is "nonsense", but must be ADDRESS:PORT' in refused, refused
    assert "no object id" in ask("objects", "--node", first.address, "nonsense", code=2)


def check_words(first):
    """What is wrong with a command line, and what was meant, in a sentence."""
    assert ask("--version").startswith("mobula 0."), ask("--version")
    assert "Exit codes:" in ask("--help") and "owner|node|type" in ask("memory", "--help")
    memory = ["memory", "--node", first.address]
    for words, text in (
        (["status"], "--node is required"),
        ([], "there is no command; give status, memory, objects, launch or clean"),
        (["memroy"], '"memroy" is no command; there are status, memory, objects, launch or clean; did you mean "memory"?'),
        (["memroy", "--node", first.address], 'did you mean "memory"?'),
        (["--node", first.address, "status"], "--node belongs behind a command, as in `mobula status --node`"),
        (["--versoin"], 'mobula has no option --versoin; did you mean "--version"?'),
        (["status", "--nodes=" + first.address], 'mobula status has no option --nodes; did you mean "--node"?'),
        (["objects", "--nod", first.address, "1-2"], 'mobula objects has no option --nod; did you mean "--node"?'),
        ([*memory, "--jsno"], 'mobula memory has no option --jsno; did you mean "--json"?'),
        ([*memory, "--frobnicate"], "mobula memory has no option --frobnicate\n"),
        ([*memory, "more"], 'mobula memory has no use for "more"'),
        ([*memory, "--group-by", "sate"], '--group-by takes owner, node, type, state or call-site, not "sate"; did you mean "state"?'),
        ([*memory, "--sort-by=xyz"], '--sort-by takes size, references or age, not "xyz"\n'),
        ([*memory, "--limit", "-1"], '--limit takes a number of rows, not "-1"'),
        (["launch"], "PROGRAM is required"),
        (["launch", "--nodes", "0", "x"], '--nodes takes a number of processes from 1 to 256, not "0"'),
        (["launch", "x", "--loud"], "no option --loud; options of the program stand behind --"),
        (["launch", "x", "--node=2"], 'mobula launch has no option --node; did you mean "--nodes"?'),
        ([*memory, "--limit=all"], '--limit takes a number of rows, not "all"'),
    ):
        said = ask(*words, code=2)
        assert said.startswith("mobula: ") and text in said, (words, said)


def check_silent_member(first, second):
    """Still a member: it is told as silent, the others answer, and the exit code says that some did not."""
    theirs = second.do("nest large", "nested ")
    objects = ask_json("memory", "--node", first.address)["objects"]
    ours = next(each["id"] for each in objects if each["owner"] == first.incarnation)
    second.process.send_signal(signal.SIGSTOP)
    to_first = ["--node", first.address, "--json"]
    questions = [["status"], ["memory"], ["objects", ours], ["objects", theirs]]
    with ThreadPoolExecutor() as threads:
        *answers, lost = threads.map(lambda words: run(*words, *to_first), questions)
    for done in (*answers, lost):
        assert done.returncode == 3, done
    status, memory, object = (json.loads(done.stdout) for done in answers)
    for report in (status, memory, object):
        assert [each["address"] for each in report["silent"]] == [second.address], report
    assert [each["incarnation"] for each in status["nodes"]] == [first.incarnation], status
    assert object["id"] == ours, object
    assert f"no answer from {second.address}" in lost.stderr, lost
    assert "no node of this cluster that answered has the incarnation" in lost.stderr, lost


nodes = []
try:
    nodes = [
        Node("--mobula.record-call-sites", "--mobula.name=first"),
        Node("--mobula.record-call-sites"),
        Node(),
    ]
    first, second, alone = nodes
    second.do(f"join {first.address}", "joined")
    first.hear(f"+{second.incarnation}")
    first.do("put large 2 300000", "done")
    first.do("put small 1 10", "done")
    first.do(f"send large {second.incarnation}", "done")
    second.hear("got large")
    second.do("get large", "read large 2")
    check_status(first, second)
    large, small = check_memory(first, second)
    check_object(first, second, large)
    check_object_of_any_size(first, second, small)
    check_call_sites(first)
    check_nesting(first, second, large, small)
    check_pins(first, second, large, small)
    check_without_call_sites(alone)
    check_sums(alone)
    check_refusals(first)
    check_words(first)
    check_silent_member(first, second)
finally:
    for node in nodes:
        node.process.kill()
        node.process.wait()
