#!/usr/bin/env python3
"""Runs text_index over three processes on loopback, started by hand and by `mobula launch`, and kills
one in the middle of the work. The index must be the one that a single process makes, and the `mobula`
command must find nothing on the survivors.

Usage: text_index_cluster_test.py TEXT_INDEX MOBULA
"""
import json
import os
import pathlib
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading

CLUSTER = f"--mobula.cluster=text_index_test_{os.getpid()}"
# What is under way when a process is killed has to arrive within the grace period.
TIMES = [
    "--mobula.transit-lease=200ms",
    "--mobula.grace-period=3s",
    "--mobula.heartbeat-interval=200ms",
    "--mobula.heartbeat-timeout=2500ms",
]
LIMIT = 120
# A kill that comes when all is done shows nothing, and is done over.
ATTEMPTS = 5


class Process:
    """A process that runs, and its lines so far. It may be a launch of several."""

    def __init__(self, program, *arguments, launch=()):
        command = [*launch, program, CLUSTER, *TIMES, "--indexers=1", *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines = []
        self.fresh = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.fresh.put(line)
        self.fresh.put(None)

    def next_line(self):
        try:
            line = self.fresh.get(timeout=LIMIT)
        except queue.Empty:
            self.fail(f"says nothing for {LIMIT} s")
        if line is not None:
            self.lines.append(line)
        return line

    def wait_for(self, *wanted):
        """Returns the first line from now on that holds one of the texts."""
        while (line := self.next_line()) is not None:
            if any(text in line for text in wanted):
                return line
        self.fail(f"ended without {wanted}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)

    def end(self, status, *texts):
        """Closes its input, and requires how it ends and what it has said."""
        self.process.stdin.close()
        while self.next_line() is not None:
            pass
        code = self.process.wait(timeout=LIMIT)
        if code != status or not all(text in self.output() for text in texts):
            self.fail(f"ended with {code}, wanted {status} and {texts}")

    def output(self):
        return "".join(self.lines)

    def fail(self, what):
        sys.exit(f"{self.process.args} {what}:\n{self.output()}")


class Cluster:
    """The process that has the files, and two that help."""

    def __init__(self, program, corpus):
        first = Process(program, "--listen=127.0.0.1:0", "--nodes=3", "--stay", corpus)
        self.all = [first]
        self.addresses = [self.address_of(first)]
        for _ in range(2):
            self.all.append(
                Process(
                    program, "--mobula.listen=127.0.0.1:0", f"--join={self.addresses[0]}", "--stay"
                )
            )
            self.addresses.append(self.address_of(self.all[-1]))

    @staticmethod
    def address_of(process):
        return "127.0.0.1:" + process.wait_for("Listening at port").split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.all:
            each.process.kill()
            each.process.wait()

    def wait_until_midway(self):
        """Waits for two tenths of the work."""
        for _ in range(2):
            self.all[0].wait_for(" files, ")

    def require_end(self, mobula, fingerprint, survivors):
        """Requires that these are done and have nothing left, and ends them."""
        for each in survivors:
            self.all[each].wait_for("Staying")
        for each in survivors:
            require_nothing_left(mobula, self.addresses[each], len(survivors))
        self.all[0].end(0, fingerprint, "nothing is left there", "nothing is left here")
        for each in survivors[1:]:
            self.all[each].end(0, "nothing is left here")


def ask(mobula, what, address):
    done = subprocess.run(
        [mobula, what, "--json", "--node", address], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"mobula {what} failed: {done.stderr}")
    return json.loads(done.stdout)


def require_nothing_left(mobula, address, nodes):
    memory = ask(mobula, "memory", address)
    if memory["objects"] or memory["objects_left_out"]:
        sys.exit(f"not all objects are gone: {memory}")
    status = ask(mobula, "status", address)
    if len(status["nodes"]) != nodes or status["silent"]:
        sys.exit(f"not the nodes that are expected: {status}")
    for node in status["nodes"]:
        for name in ["references", "entries", "open_transits", "borrowed_objects", "exported_objects"]:
            if node["figures"][name] != 0:
                sys.exit(f"there are {name}: {node}")


def make_corpus(directory, files, words):
    source = random.Random(1)
    vocabulary = [f"word{number}" for number in range(3000)]
    for number in range(files):
        text = " ".join(source.choices(vocabulary, k=words))
        (directory / f"file{number}.txt").write_text(text)


def test_alone(program, corpus):
    """Returns the line that all others must print, too."""
    single = Process(program, corpus)
    line = single.wait_for("Fingerprint")
    single.end(0)
    return line


def test_all_stay(program, mobula, corpus, fingerprint):
    with Cluster(program, corpus) as cluster:
        cluster.require_end(mobula, fingerprint, [0, 1, 2])


def test_one_is_killed(program, mobula, corpus, fingerprint):
    for _ in range(ATTEMPTS):
        with Cluster(program, corpus) as cluster:
            cluster.wait_until_midway()
            cluster.all[1].kill()
            cluster.all[1].end(-signal.SIGKILL)
            cluster.require_end(mobula, fingerprint, [0, 2])
            if "LOST:" in cluster.all[0].output():
                return
    sys.exit("the work was always done before a process was killed")


def test_first_is_killed(program, corpus):
    for _ in range(ATTEMPTS):
        with Cluster(program, corpus) as cluster:
            cluster.wait_until_midway()
            cluster.all[0].kill()
            cluster.all[0].end(-signal.SIGKILL)
            if "Who did what" in cluster.all[0].output():
                continue
            for each in cluster.all[1:]:
                each.end(1, "node_died")
            return
    sys.exit("the work was always done before the first process was killed")


def test_launched(program, mobula, corpus, fingerprint):
    """One is killed, and the launch starts it again. Most often it comes in time to help."""
    launch = [mobula, "launch", "--nodes", "3", "--restart-delay-ms", "1", "--"]
    launched = Process(program, "--stay", corpus, launch=launch)
    try:
        nodes = {}
        while len(nodes) < 3:
            words = launched.wait_for("mobula: node ").split()
            nodes[words[2]] = (int(words[5].rstrip(",")), words[-1])
        for _ in range(2):
            launched.wait_for(" files, ")
        os.kill(nodes["1"][0], signal.SIGKILL)
        launched.wait_for("node 1 ended with signal 9; it starts again")
        launched.wait_for("mobula: node 1 is process")
        while not all(f"[{node}] Staying until" in launched.output() for node in (0, 2)):
            if launched.next_line() is None:
                launched.fail("ended too early")
        launched.process.send_signal(signal.SIGTERM)
        ends = [f"mobula: node {node} ended with exit code 143" for node in (0, 2)]
        launched.end(128 + signal.SIGTERM, "[0] " + fingerprint, "nothing is left there", *ends)
    finally:
        # What it started ends with it.
        launched.process.kill()
        launched.process.wait()


def main(program, mobula):
    with tempfile.TemporaryDirectory() as scratch:
        corpus = pathlib.Path(scratch)
        make_corpus(corpus, 1200, 1600)
        fingerprint = test_alone(program, corpus)
        test_all_stay(program, mobula, corpus, fingerprint)
        test_one_is_killed(program, mobula, corpus, fingerprint)
        test_first_is_killed(program, corpus)
        test_launched(program, mobula, corpus, fingerprint)


main(*sys.argv[1:])
