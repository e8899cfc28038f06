#!/usr/bin/env python3
"""Sends SIGINT and SIGTERM to text_index in every phase of its work, alone and in a cluster. Each process must
end with 128 and the signal's number, and leave nothing.

Usage: text_index_signal_test.py TEXT_INDEX
"""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM = sys.argv[1]
PATIENCE = 60
BOTH = (signal.SIGINT, signal.SIGTERM)
CLUSTER = f"--mobula.cluster=text_index_signals_{os.getpid()}"


def make_corpus(directory):
    source = random.Random(1)
    for number in range(40):
        words = (f"word{source.randrange(3000)}" for _ in range(20_000))
        (directory / f"file{number}.txt").write_text(" ".join(words))


class Run:
    """A process with directories of its own for what its node leaves; killed at the end."""

    def __init__(self, *arguments):
        self.arena = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm"))
        self.spill = pathlib.Path(tempfile.mkdtemp())
        self.process = subprocess.Popen(
            [
                PROGRAM,
                CLUSTER,
                "--indexers=2",
                "--mobula.store-size=4MB",
                "--mobula.prefault=0",
                "--mobula.stop-limit=2s",
                f"--mobula.arena-dir={self.arena}",
                f'--mobula.spill-dirs=["{self.spill}"]',
                *map(str, arguments),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.kill()
        self.process.communicate()
        shutil.rmtree(self.arena)
        shutil.rmtree(self.spill)

    def await_line(self, part):
        lines = []
        for line in self.process.stdout:
            if part in line:
                return line.strip()
            lines.append(line)
        sys.exit(f"ended before it said {part}:\n{''.join(lines)}")

    def await_arena(self):
        deadline = time.monotonic() + PATIENCE
        while not os.listdir(self.arena) and time.monotonic() < deadline:
            time.sleep(0.002)

    def stop(self, number, *codes):
        """Returns whether the signal came before the program's own end."""
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=PATIENCE)
        code = self.process.returncode
        left = os.listdir(self.arena) + os.listdir(self.spill)
        if code not in (128 + number, *codes) or left:
            sys.exit(f"{signal.Signals(number).name}: exit code {code}, left {left}:\n{output}")
        return code == 128 + number


def alone(corpus):
    """From the moment that there is something to remove, until the program is faster than the signal."""
    for number in BOTH:
        stopped = 0
        for delay_ms in (0, 5, 20, 50, 100, 200, 400, 800, 1600):
            with Run("--verify", corpus) as run:
                run.await_arena()
                time.sleep(delay_ms / 1000)
                # A run that has ended by then, or is about to, ends with its own code.
                stopped += run.stop(number, 0)
        if stopped < 3:
            sys.exit(f"only {stopped} runs were at work when the signal came")


def cluster(corpus):
    for number in BOTH:
        with Run("--listen=127.0.0.1:0", "--nodes=2", "--stay", corpus) as boss:
            port = boss.await_line("Listening at port").split()[-1]
            with Run(f"--join=127.0.0.1:{port}") as early:
                early.await_line("Listening at port")
                early.stop(number, 0)
            with Run(f"--join=127.0.0.1:{port}") as worker:
                worker.await_line("Listening at port")
                time.sleep(0.2)
                worker.stop(number, 0, 1)
            boss.stop(number)


def staying(corpus):
    """Waits for its input, when all is done."""
    for number in BOTH:
        with Run("--listen=127.0.0.1:0", "--stay", corpus) as run:
            run.await_line("Staying")
            run.stop(number)


def main():
    with tempfile.TemporaryDirectory() as directory:
        corpus = pathlib.Path(directory)
        make_corpus(corpus)
        alone(corpus)
        cluster(corpus)
        staying(corpus)


main()
