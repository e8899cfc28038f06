#!/usr/bin/env python3
"""Asks with the mobula command about two members on networks that do not lead to each other, while a
third one is on both. Needs root and `ip`; skipped with a printed reason where these are missing.

Usage: gap_test.py MOBULA CLUSTER_NODE
"""

import json
import os
import subprocess
import sys
import time

command, node_program = sys.argv[1:]

# What takes longer never comes.
LIMIT = 60
hosts = [f"mobula_{name}_{os.getpid()}" for name in ("cm", "cl", "cr")]


def ip(arguments):
    """Returns whether the command succeeded."""
    return subprocess.run(["ip", *arguments.split()], stderr=subprocess.DEVNULL).returncode == 0


def lay_cable(middle, other, network):
    return (
        ip(f"-n {middle} link add to_{network} type veth peer name cable netns {other}")
        and ip(f"-n {middle} addr add 10.77.{network}.1/24 dev to_{network}")
        and ip(f"-n {middle} link set to_{network} up")
        and ip(f"-n {other} addr add 10.77.{network}.2/24 dev cable")
        and ip(f"-n {other} link set cable up")
        and ip(f"-n {other} link set lo up")
    )


class Node:
    """A process that does what it is told, line by line; see cluster_node.cpp."""

    def __init__(self, host):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", host, node_program, f"--mobula.cluster=gap_{os.getpid()}"]
            + ["--mobula.store-size=16MiB", "--mobula.insecure=true"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.incarnation = self.hear("node ")
        self.port = self.do("listen [::]:0", "listening ")

    def do(self, line, answer):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.hear(answer)

    def hear(self, begin):
        """Waits for a line that begins so, and returns its rest."""
        for line in self.process.stdout:
            assert not line.startswith("failed"), line
            if line.startswith(begin):
                return line[len(begin) :].rstrip("\n")
        raise AssertionError(f"the node ended before it said {begin}")


def ask(node, *arguments):
    """Asks in the middle, from where all answer."""
    done = subprocess.run(
        ["ip", "netns", "exec", hosts[0], command, "status", "--node", f"127.0.0.1:{node.port}"]
        + [*arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def gaps(node):
    report = json.loads(ask(node, "--json"))
    assert report["silent"] == [], report
    return {
        (each["incarnation"], gap["node"])
        for each in report["nodes"]
        for gap in each["unreachable_members"]
    }


def check():
    nodes.extend(Node(host) for host in hosts)
    middle, left, right = nodes
    left.do(f"join 10.77.1.1:{middle.port}", "joined")
    right.do(f"join 10.77.2.1:{middle.port}", "joined")
    wanted = {(left.incarnation, right.incarnation), (right.incarnation, left.incarnation)}
    end = time.monotonic() + LIMIT
    while (found := gaps(middle)) != wanted:
        assert time.monotonic() < end, found
    text = ask(middle)
    assert "3 nodes" in text, text
    assert text.count(" cannot connect to ") == 2, text
    assert "though other members are connected to it: " in text, text


nodes = []
try:
    usable = all(ip(f"netns add {host}") for host in hosts) and ip(f"-n {hosts[0]} link set lo up")
    if not (usable and lay_cable(hosts[0], hosts[1], 1) and lay_cable(hosts[0], hosts[2], 2)):
        print("skipped: no network namespaces here; they need root and the package iproute2")
    else:
        check()
finally:
    for node in nodes:
        node.process.kill()
        node.process.wait()
    for host in hosts:
        ip(f"netns del {host}")
