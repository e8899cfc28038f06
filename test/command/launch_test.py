#!/usr/bin/env python3
"""Launches real processes with the mobula command: scripts that end as they are told, and nodes.

Usage: launch_test.py MOBULA NODE
"""

import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile

command, node_program = sys.argv[1:]

# Does what its arguments say, and notes it in the directory PLACE:
#   fail TIMES   ends with code 3 so many times, then with 0
#   stay         notes that it was asked to end, and ends
#   deaf         cannot be asked, and has a child that cannot either
#   tell         writes its arguments and what it knows of the launch
#   see          notes its descriptors
#   babble       writes for ever
#   hold         writes whether others can take its port, and whether it can listen there
#   vanish       node 0 stays; node 1 removes this script when node 0 runs, and fails
#   meet ...     is the node program that follows; node 0 first finds its port taken
# All end by themselves after a while, whatever becomes of this test.
SCRIPT = """#!/usr/bin/env python3
import json, os, pathlib, signal, socket, subprocess, sys
signal.alarm(100)
place = pathlib.Path(os.environ["PLACE"])
node = os.environ["MOBULA_LAUNCH_NODE"]
given = sys.argv[1:sys.argv.index("do")]
kind, *values = sys.argv[sys.argv.index("do") + 1:]

def say(text):
    print(text, flush=True)

def note(text):
    with open(place / "notes", "a") as notes:
        notes.write(text + "\\n")

def asked(number, frame):
    note(f"asked {os.getpid()}")
    sys.exit(0)

def port():
    host, number = given[0].removeprefix("--mobula.listen=").split(":")
    return host, int(number)

if kind == "vanish":
    if node == "1":
        (place / "ready").read_text()
        os.unlink(sys.argv[0])
        sys.exit(3)
    (place / "ready").write_text("")
    kind = "stay"
if kind == "tell":
    say(json.dumps(sys.argv[1:]))
    say(f"node {node} of {os.environ['MOBULA_LAUNCH_NODES']}")
    print("aside", file=sys.stderr)
    print("no end of line", end="")
if kind == "see":
    note(json.dumps([os.readlink(f"/proc/self/fd/{each}") for each in range(3)]))
    note(str(len(os.listdir("/proc/self/fd"))))
if kind == "babble":
    while True:
        say("x" * 1000)
if kind == "hold":
    try:
        socket.socket().bind(port())
        say("free for all")
    except OSError:
        say("held")
    socket.create_server(port())  # which allows the port to be reused, as nodes do
    say("listens")
if kind == "meet":
    if node == "0" and not (place / "notes").exists():
        note("taken")
        os.set_inheritable(socket.create_server(port()).detach(), True)
    os.execv(values[0], [values[0], *given, *values[1:]])
if kind == "fail":
    note("run")
    runs = (place / "notes").read_text().splitlines().count("run")
    sys.exit(3 if runs <= int(values[0]) else 0)
if kind == "stay":
    signal.signal(signal.SIGTERM, asked)
    say(f"staying {os.getpid()}")
    while True:
        signal.pause()
if kind == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "100"], close_fds=False)
    say(f"deaf {os.getpid()} {child.pid}")
    while True:
        signal.pause()
"""


class Launch:
    """A launch, of which all lines are kept that were read."""

    def __init__(self, place, *words, **how):
        # All that is started inherits the one end, so that the other tells when all is gone.
        self.alive, inherited = os.pipe()
        self.process = subprocess.Popen(
            [command, "launch", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PLACE": str(place)},
            pass_fds=[inherited],
            **how,
        )
        os.close(inherited)
        self.lines = []

    def __enter__(self):
        return self

    def __exit__(self, failure, *ignored):
        self.process.kill()
        self.process.wait()
        if failure is None:
            self.wait_for_all()
        os.close(self.alive)

    def wait_for_all(self):
        """Waits until nothing is left of all that it started."""
        assert os.read(self.alive, 1) == b""

    def hear(self, *parts):
        """Waits for a line with all these parts, and returns it."""
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if all(part in line for part in parts):
                return self.lines[-1]
        raise AssertionError(f"it ended without {parts}: {self.lines}")

    def end(self):
        """Reads until it ends; returns its exit code."""
        self.lines += self.process.stdout.read().splitlines()
        return self.process.wait()

    def with_prefix(self, prefix):
        return [line.removeprefix(prefix) for line in self.lines if line.startswith(prefix)]


def hear_stay(launched, count):
    """Waits until so many scripts stay; returns their processes in the order of their nodes."""
    while True:
        found = {}
        for line in launched.lines:
            if "] staying " in line:
                found[line[1 : line.index("]")]] = int(line.split()[-1])
        if len(found) == count:
            return [found[each] for each in sorted(found)]
        launched.hear("staying")


def check_what_processes_get(place, script):
    options = place / "options"
    options.write_text("")
    words = ["--nodes", "2", "--options-file", str(options), "--", script, "do", "tell", "--own=1"]
    with Launch(place, *words) as launched:
        assert launched.end() == 0, launched.lines
    said = [launched.with_prefix(f"[{node}] ") for node in range(2)]
    first, second = (json.loads(next(line for line in lines if line[0] == "[")) for lines in said)
    for lines in said:
        assert "aside" in lines and "no end of line" in lines, lines
    assert "node 0 of 2" in said[0] and "node 1 of 2" in said[1], said
    address = first[0].removeprefix("--mobula.listen=")
    assert address.startswith("127.0.0.1:") and second[0] != first[0], (first, second)
    assert second[1] == f"--mobula.join={address}", second
    assert not any("--mobula.join" in word for word in first), first
    for words in (first, second):
        assert any(word.startswith("--scheduler.max-threads=") for word in words), words
        assert words[-4:] == [f"--config-file={options}", "do", "tell", "--own=1"], words


def check_threads_of_the_file(place, script):
    """What the file says of the scheduler counts more than the share of the cores."""
    options = place / "options"
    options.write_text("[scheduler]\n  max-threads=7\n")
    with Launch(place, "--options-file", str(options), "--", script, "do", "tell") as launched:
        assert launched.end() == 0, launched.lines
    assert not any("--scheduler.max-threads=" in line for line in launched.lines), launched.lines


def check_no_options_file(place, script):
    with Launch(place, "--options-file", str(place / "none"), "--", script, "do", "tell") as launched:
        assert launched.end() == 2, launched.lines
    assert launched.lines == [f"mobula: cannot read {place}/none: No such file or directory"], launched.lines


def check_words_of_the_program(place, script):
    """They reach the program as they are, whatever they look like to the command."""
    own = ["[a,b]", "", "--", "{}", "status", "--nodes=7", "%%", "a b"]
    with Launch(place, "--", script, "do", "tell", *own) as launched:
        assert launched.end() == 0, launched.lines
    words = json.loads(next(line for line in launched.with_prefix("[0] ") if line[0] == "["))
    assert words[words.index("tell") + 1 :] == own, words


def check_descriptors(place, script):
    """A program has an input that ends and outputs, and nothing of the launcher's; also if the launcher lacks them."""
    for closed in ((), (0, 1, 2)):
        with Launch(place, "--", script, "do", "see", preexec_fn=lambda: list(map(os.close, closed))) as launched:
            assert launched.end() == 0, launched.lines
        notes = (place / "notes").read_text().splitlines()
        (place / "notes").unlink()
        files = json.loads(notes[0])
        assert files[0] == "/dev/null" and all(each.startswith("pipe:") for each in files[1:]), files
        # The three, what this test gave on, and the directory that it reads.
        assert notes[1] == "5", notes


def check_ignored_signals(place, script):
    """Whoever starts the launcher may ignore signals that it lives on."""

    def ignore():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    with Launch(place, "--", script, "do", "fail", "0", preexec_fn=ignore) as launched:
        assert launched.end() == 0, launched.lines


def check_held_port(place, script):
    with Launch(place, "--nodes", "2", "--", script, "do", "hold") as launched:
        assert launched.end() == 0, launched.lines
    for node in range(2):
        assert launched.with_prefix(f"[{node}] ") == ["held", "listens"], launched.lines


def check_restart(place, script):
    words = ["--restart-delay-ms", "1", "--", script, "do", "fail", "2"]
    with Launch(place, *words) as launched:
        assert launched.end() == 0, launched.lines
    text = "\n".join(launched.lines)
    assert "node 0 ended with exit code 3; it starts again in 1 ms, restart 1 of 5" in text, text
    assert "it starts again in 2 ms, restart 2 of 5" in text, text
    assert text.count("node 0 is process ") == 3 and "node 0 ended with exit code 0" in text, text


def check_process_that_was_asked(place, script):
    """One that others ask to end stays away, and that is no failure."""
    with Launch(place, "--nodes", "2", "--restarts", "0", "--", node_program, *own_options()) as launched:
        hear_members(launched, {"0", "1"}, 1)
        for node, number in ((1, signal.SIGTERM), (0, signal.SIGINT)):
            first = next(line for line in launched.lines if line.startswith(f"mobula: node {node} is process"))
            os.kill(int(first.split()[5].rstrip(",")), number)
            launched.hear(f"node {node} ended with exit code {128 + number}: it was asked to")
        assert launched.end() == 0, launched.lines


def check_too_many_restarts(place, script):
    words = ["--restarts", "1", "--restart-delay-ms", "1"]
    with Launch(place, *words, "--", script, "do", "fail", "2") as launched:
        assert launched.end() == 3, launched.lines
    assert "after 1 restart in a row" in "\n".join(launched.lines), launched.lines


def check_order_of_ending(place, script):
    with Launch(place, "--nodes", "3", "--", script, "do", "stay") as launched:
        processes = hear_stay(launched, 3)
        launched.process.send_signal(signal.SIGINT)
        assert launched.end() == 130, launched.lines
    notes = (place / "notes").read_text().splitlines()
    asked = [int(each.split()[1]) for each in notes if each.startswith("asked")]
    assert asked == processes[::-1], (asked, processes)


def check_deaf(place, script):
    """Whoever does not end is killed, with what it started and what holds its output."""
    with Launch(place, "--stop-limit-ms", "1", "--", script, "do", "deaf") as launched:
        launched.hear("] deaf ")
        launched.process.send_signal(signal.SIGTERM)
        assert launched.end() == 143, launched.lines
    assert any("it is killed" in line for line in launched.lines), launched.lines


def check_stopped_process(place, script):
    """A process that is stopped is asked, too."""
    with Launch(place, "--stop-limit-ms", "100000", "--", script, "do", "stay") as launched:
        (process,) = hear_stay(launched, 1)
        os.kill(process, signal.SIGSTOP)
        launched.process.send_signal(signal.SIGTERM)
        assert launched.end() == 143, launched.lines
    assert f"asked {process}" in (place / "notes").read_text()


def check_endless_output(place, script):
    """A process that never stops writing leaves time for signals."""
    with Launch(place, "--", script, "do", "babble") as launched:
        launched.hear("xxx")
        launched.process.send_signal(signal.SIGTERM)
        assert launched.end() == 143, launched.lines[-1]


def check_output_that_nobody_reads(place, script):
    with Launch(place, "--stop-limit-ms", "1", "--", script, "do", "babble") as launched:
        pipe = os.open(f"/proc/self/fd/{launched.process.stdout.fileno()}", os.O_WRONLY | os.O_NONBLOCK)
        # Until it is full.
        while select.select([], [pipe], [], 0)[1]:
            os.sched_yield()
        os.close(pipe)
        launched.process.send_signal(signal.SIGTERM)
        assert launched.process.wait() == 143


def check_end_of_terminal(place, script):
    """A launch ends with its terminal, and goes on if it was started with nohup."""
    for action, code in ((signal.SIG_DFL, 129), (signal.SIG_IGN, 143)):

        def prepare():
            signal.signal(signal.SIGHUP, action)

        with Launch(place, "--", script, "do", "stay", preexec_fn=prepare) as launched:
            (process,) = hear_stay(launched, 1)
            launched.process.send_signal(signal.SIGHUP)
            if action == signal.SIG_IGN:
                # Were it not ignored, it would come first, having the smaller number, and count.
                launched.process.send_signal(signal.SIGTERM)
            assert launched.end() == code, launched.lines
        assert f"asked {process}" in (place / "notes").read_text(), launched.lines


def check_second_signal(place, script):
    with Launch(place, "--nodes", "2", "--", script, "do", "deaf") as launched:
        launched.hear("] deaf ")
        launched.hear("] deaf ")
        # Of signals that wait, the one with the smaller number comes first.
        launched.process.send_signal(signal.SIGINT)
        launched.process.send_signal(signal.SIGTERM)
        assert launched.end() == 130, launched.lines


def check_death_of_launcher(place, script):
    with Launch(place, "--nodes", "2", "--", script, "do", "stay") as launched:
        processes = hear_stay(launched, 2)
        launched.process.kill()
        launched.wait_for_all()
    notes = (place / "notes").read_text()
    assert all(f"asked {each}" in notes for each in processes), notes


def check_no_program(place, script):
    with Launch(place, "--", "./nothing_of_the_kind") as launched:
        assert launched.end() == 2, launched.lines
    assert launched.lines == ["mobula: cannot start ./nothing_of_the_kind: No such file or directory"]


def check_program_that_vanishes(place, script):
    """A program that cannot be started again ends all in order."""
    os.mkfifo(place / "ready")
    words = ["--nodes", "2", "--restarts", "1", "--restart-delay-ms", "1"]
    with Launch(place, *words, "--", script, "do", "vanish") as launched:
        assert launched.end() == 127, launched.lines
    assert "asked" in (place / "notes").read_text(), launched.lines
    said = f"node 1 did not start: cannot start {script}: No such file or directory, after 1 restart in a row"
    assert any(said in line for line in launched.lines), launched.lines


def hear_members(launched, wanted, count):
    """Waits until each of these nodes has told so many members."""
    met = set()
    while met != wanted:
        met.add(launched.hear(f"] members {count}")[1])


def own_options():
    return [f"--mobula.cluster=launch_{os.getpid()}", "--mobula.store-size=16MiB"]


def check_port_that_is_taken(place, script):
    """The node takes another, and the one that looked for it at the first finds it."""
    words = ["--nodes", "2", "--restart-delay-ms", "1", "--stop-limit-ms", "100000"]
    with Launch(place, *words, "--", script, "do", "meet", node_program, *own_options()) as launched:
        launched.hear("node 0 ended with exit code 1; it starts again")
        hear_members(launched, {"0", "1"}, 1)
        launched.process.send_signal(signal.SIGTERM)
        assert launched.end() == 143, launched.lines
    ports = {line.split()[-1] for line in launched.lines if line.startswith("mobula: node 0 is process")}
    assert len(ports) > 1, launched.lines


def check_cluster(place, script):
    """Nodes meet; one that is killed comes back to the others; all leave."""
    words = ["--nodes", "3", "--restart-delay-ms", "1", "--stop-limit-ms", "100000"]
    with Launch(place, *words, "--", node_program, *own_options()) as launched:
        hear_members(launched, {"0", "1", "2"}, 2)
        first = next(line for line in launched.lines if line.startswith("mobula: node 0 is process"))
        os.kill(int(first.split()[5].rstrip(",")), signal.SIGKILL)
        launched.hear("node 0 ended with signal 9; it starts again")
        launched.hear("[0] members 2")
        launched.process.send_signal(signal.SIGTERM)
        assert launched.end() == 143, launched.lines
    left = [line for line in launched.lines if line.endswith("] left")]
    assert left == ["[2] left", "[1] left", "[0] left"], launched.lines


for check in (
    check_what_processes_get,
    check_threads_of_the_file,
    check_no_options_file,
    check_words_of_the_program,
    check_descriptors,
    check_ignored_signals,
    check_held_port,
    check_restart,
    check_process_that_was_asked,
    check_too_many_restarts,
    check_order_of_ending,
    check_deaf,
    check_stopped_process,
    check_endless_output,
    check_output_that_nobody_reads,
    check_end_of_terminal,
    check_second_signal,
    check_death_of_launcher,
    check_no_program,
    check_program_that_vanishes,
    check_port_that_is_taken,
    check_cluster,
):
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        script = place / "script"
        script.write_text(SCRIPT)
        script.chmod(0o755)
        print(check.__name__, flush=True)
        check(place, str(script))
