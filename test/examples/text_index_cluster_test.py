#!/usr/bin/env python3
"""Runs text_index over three processes on loopback, and kills one in the middle of the work. The
process that has the files compares its index with one made in the simplest way, and every
survivor fails if anything is left on its node.

Usage: text_index_cluster_test.py PROGRAM
"""
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
TIMES = ["--mobula.transit-lease=200ms", "--mobula.grace-period=3s"]
LIMIT = 120


class Process:
    """A process that runs, and its lines so far."""

    def __init__(self, program, *arguments):
        command = [program, CLUSTER, *TIMES, *map(str, arguments)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines = []
        self.fresh = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.fresh.put(line)
        self.fresh.put(None)

    def next_line(self):
        line = self.fresh.get(timeout=LIMIT)
        if line is not None:
            self.lines.append(line)
        return line

    def wait_for(self, wanted):
        """Returns the first line from now on that holds the text."""
        while True:
            line = self.next_line()
            if line is None:
                sys.exit(f"{self.process.args} ended without {wanted!r}:\n{self.output()}")
            if wanted in line:
                return line

    def end(self):
        while self.next_line() is not None:
            pass
        return self.process.wait(timeout=LIMIT)

    def output(self):
        return "".join(self.lines)


def make_corpus(directory, files, words):
    source = random.Random(1)
    for number in range(files):
        text = " ".join(f"word{source.randrange(3000)}" for _ in range(words))
        (directory / f"file{number}.txt").write_text(text)


def start_three(program, corpus):
    first = Process(
        program, "--verify", "--listen=127.0.0.1:0", "--nodes=3", "--indexers=1", corpus
    )
    port = first.wait_for("Listening at port").split()[-1]
    others = [
        Process(program, f"--join=127.0.0.1:{port}", "--indexers=1", "--partitions=3")
        for _ in range(2)
    ]
    return first, others


def wait_until_midway(first):
    """Waits for two tenths of the work."""
    for _ in range(2):
        first.wait_for(" files, ")


def require(process, status, *texts):
    code = process.end()
    output = process.output()
    if code != status or not all(text in output for text in texts):
        sys.exit(f"{process.process.args} ended with {code}, wanted {texts}:\n{output}")


def test_all_stay(program, corpus):
    first, others = start_three(program, corpus)
    require(first, 0, "Verified")
    if first.output().count("nothing left") + first.output().count("nothing is left there") < 3:
        sys.exit(f"not all nodes said that they are empty:\n{first.output()}")
    for each in others:
        require(each, 0, "nothing is left here")


def test_one_is_killed(program, corpus):
    first, others = start_three(program, corpus)
    wait_until_midway(first)
    others[0].process.send_signal(signal.SIGKILL)
    require(first, 0, "Verified", "LOST:", "nothing is left there")
    require(others[0], -signal.SIGKILL)
    require(others[1], 0, "nothing is left here")


def test_first_is_killed(program, corpus):
    first, others = start_three(program, corpus)
    wait_until_midway(first)
    first.process.send_signal(signal.SIGKILL)
    for each in others:
        require(each, 1, "node_died")


def main(program):
    with tempfile.TemporaryDirectory() as scratch:
        corpus = pathlib.Path(scratch)
        make_corpus(corpus, 2000, 2000)
        test_all_stay(program, corpus)
        test_one_is_killed(program, corpus)
        test_first_is_killed(program, corpus)


main(sys.argv[1])
