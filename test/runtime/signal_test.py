#!/usr/bin/env python3
"""Signals in real processes: whatever a program is at, SIGINT and SIGTERM end it with 128 and the signal's
number, and nothing of its node is left.

Usage: signal_test.py PROGRAM MOBULA
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROGRAM, MOBULA = sys.argv[1:]
PATIENCE = 60
BOTH = (signal.SIGINT, signal.SIGTERM)


class Run:
    """A process with directories of its own for what its node leaves; killed at the end."""

    def __init__(self, phase, *options, **how):
        self.arena = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm"))
        self.spill = pathlib.Path(tempfile.mkdtemp())
        self.phase = phase
        self.words = [
            PROGRAM,
            f"--mobula.arena-dir={self.arena}",
            f'--mobula.spill-dirs=["{self.spill}"]',
            "--mobula.store-size=16MiB",
            "--mobula.prefault=0",
            *options,
            phase,
        ]
        self.process = subprocess.Popen(
            self.words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how
        )

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.kill()
        self.process.communicate()
        shutil.rmtree(self.arena)
        shutil.rmtree(self.spill)

    def await_line(self, beginning):
        for line in self.process.stdout:
            if line.startswith(beginning):
                return line[len(beginning) :].strip()
        sys.exit(f"{self.phase}: ended before it said {beginning}: {self.process.stderr.read()}")

    def end(self):
        """Waits for the process, and returns its exit code and what it wrote since."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err

    def left(self):
        return sorted(os.listdir(self.arena) + os.listdir(self.spill))

    def expect_end(self, code):
        got, out, err = self.end()
        expect(got == code, f"{self.phase}: exit code {got} instead of {code}: {out}{err}")
        expect(self.left() == [], f"{self.phase}: left {self.left()}")
        return out, err


def expect(condition, text):
    if not condition:
        sys.exit(text)


def ends_in_each_phase():
    at_once = "--mobula.stop-limit=0s"
    for number in BOTH:
        for phase, options in {
            "get": [],
            "pause": [],
            "serve": [],
            "compute": [at_once],
            "actors": [at_once],
            "port": ["--mobula.listen=127.0.0.1:0", "--mobula.drain=5s"],
        }.items():
            with Run(phase, *options) as run:
                run.await_line("ready")
                run.process.send_signal(number)
                run.expect_end(128 + number)


def ends_while_it_starts():
    """At any time from its first instruction on: before the node is there, the signal's default is right."""
    for number in BOTH:
        for delay in range(0, 60, 4):
            with Run("get") as run:
                time.sleep(delay / 1000)
                run.process.send_signal(number)
                code, out, err = run.end()
                expect(
                    code in (128 + number, -number),
                    f"after {delay} ms: exit code {code}: {out}{err}",
                )
                expect(run.left() == [], f"after {delay} ms: left {run.left()}")


def ends_while_it_greets():
    """Who is dialed says nothing: joining takes some seconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        with Run("get", f"--mobula.join=127.0.0.1:{listener.getsockname()[1]}") as run:
            dialed, _ = listener.accept()
            with dialed:
                run.process.send_signal(signal.SIGTERM)
                run.expect_end(128 + signal.SIGTERM)


def ends_while_it_dials_again():
    """Nobody listens any more where somebody did: joining takes some seconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        with Run("get", f"--mobula.join=127.0.0.1:{listener.getsockname()[1]}") as run:
            dialed, _ = listener.accept()
            listener.close()
            dialed.close()
            run.process.send_signal(signal.SIGTERM)
            run.expect_end(128 + signal.SIGTERM)


def a_server_ends_by_itself():
    with Run("serve") as run:
        run.await_line("ready")
        run.process.send_signal(signal.SIGTERM)
        expect(run.await_line("told by ") == str(int(signal.SIGTERM)), "another signal was told")
        run.await_line("still reads a text")
        run.expect_end(128 + signal.SIGTERM)


def two_at_once_are_one():
    with Run("serve") as run:
        run.await_line("ready")
        run.process.send_signal(signal.SIGTERM)
        run.process.send_signal(signal.SIGTERM)
        run.expect_end(128 + signal.SIGTERM)


def a_second_signal_ends_at_once():
    with Run("refuse") as run:
        run.await_line("ready")
        run.process.send_signal(signal.SIGINT)
        run.await_line("told")
        deadline = time.monotonic() + PATIENCE
        while run.process.poll() is None and time.monotonic() < deadline:
            run.process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        code, _, _ = run.end()
        expect(code == -signal.SIGINT, f"a second signal gave exit code {code}")
        expect(run.left() != [], "the node had time to remove its files, so this shows nothing")
        cleaned_by_command(run)


def cleaned_by_command(run):
    """What such a process left is removed by `mobula clean`, which says what it did."""
    command = [MOBULA, "clean", "--arena-dir", run.arena, "--spill-dir", run.spill]
    cleaned = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    expect(cleaned.returncode == 0, f"clean failed: {cleaned.stdout}{cleaned.stderr}")
    expect(run.left() == [], f"clean left {run.left()}: {cleaned.stdout}")
    expect("removed" in cleaned.stdout, f"clean said: {cleaned.stdout}")


def the_next_start_cleans():
    with Run("get") as dead:
        dead.await_line("ready")
        dead.process.kill()
        dead.process.wait()
        expect(dead.left() != [], "a killed process left nothing")
        again = subprocess.Popen(dead.words, stdout=subprocess.PIPE, text=True)
        expect(again.stdout.readline() == "ready\n", "no second start")
        again.terminate()
        again.communicate(timeout=PATIENCE)
        expect(dead.left() == [], f"the next start left {dead.left()}")


def clean_keeps_what_is_alive():
    with Run("get") as alive:
        alive.await_line("ready")
        before = alive.left()
        command = [MOBULA, "clean", "--arena-dir", alive.arena, "--spill-dir", alive.spill]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
        expect(alive.left() == before, "clean removed files of a node that lives")


def clean_names_what_is_not_there():
    command = [MOBULA, "clean", "--arena-dir", "/nowhere/at/all"]
    cleaned = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    expect(cleaned.returncode == 1, f"exit code {cleaned.returncode}")
    expect("/nowhere/at/all" in cleaned.stderr, f"clean said: {cleaned.stderr}")


def an_ignored_signal_stays_ignored():
    with Run("serve", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) as run:
        run.await_line("ready")
        run.process.send_signal(signal.SIGINT)
        run.process.send_signal(signal.SIGTERM)
        expect(run.await_line("told by ") == str(int(signal.SIGTERM)), "SIGINT was not ignored")
        run.expect_end(128 + signal.SIGTERM)


for test in (
    ends_in_each_phase,
    ends_while_it_starts,
    ends_while_it_greets,
    ends_while_it_dials_again,
    a_server_ends_by_itself,
    two_at_once_are_one,
    a_second_signal_ends_at_once,
    the_next_start_cleans,
    clean_keeps_what_is_alive,
    clean_names_what_is_not_there,
    an_ignored_signal_stays_ignored,
):
    test()
    print(f"{test.__name__}: ok", flush=True)
