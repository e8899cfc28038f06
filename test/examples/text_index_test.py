#!/usr/bin/env python3
"""Runs text_index over corpora made for it. It verifies itself, and fails if anything is left.

Usage: text_index_test.py PROGRAM
"""
import os
import pathlib
import random
import subprocess
import sys
import tempfile

WORDS = ["actor", "borrower", "shard", "seal", "pin", "lineage", "owner", "spill", "mobula", "ray"]


def text(source, size):
    return " ".join(source.choice(WORDS) + str(source.randrange(300)) for _ in range(size // 9))


def make_corpus(directory, files, size):
    source = random.Random(1)
    for number in range(files):
        (directory / f"file{number}.txt").write_text(text(source, source.randrange(size)))


def make_odd_corpus(directory):
    (directory / "empty.txt").write_bytes(b"")
    (directory / "binary.bin").write_bytes(b"\0\1\2" * 1000)
    (directory / "invalid.txt").write_bytes(b"caf\xe9 \xff\xfe owner owner")
    (directory / "line.txt").write_text("seal " * 100_000)
    (directory / "good.txt").write_text("owner borrower")
    (directory / "dangling").symlink_to(directory / "nowhere")
    (directory / "loop").symlink_to(directory)
    (directory / "self").symlink_to(directory / "self")
    closed = directory / "closed"
    closed.mkdir()
    closed.chmod(0)
    os.mkfifo(directory / "fifo")


def run(program, *arguments):
    command = [program, "--verify", *map(str, arguments)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300
    )
    if done.returncode != 0 or "\nVerified" not in done.stdout:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def written_objects(output):
    lines = [each for each in output.splitlines() if "written to disk" in each]
    return max((int(each.split()[3]) for each in lines), default=0)


def main(program):
    with tempfile.TemporaryDirectory() as scratch:
        plain = pathlib.Path(scratch) / "plain"
        plain.mkdir()
        make_corpus(plain, 60, 300_000)
        run(program, "--indexers=3", plain)
        run(program, "--indexers=1", "--partitions=1", plain)

        spill = pathlib.Path(scratch) / "spill"
        output = run(
            program,
            "--indexers=2",
            "--mobula.store-size=2MB",
            "--mobula.shards=1",
            "--mobula.inline-limit=1KiB",
            f'--mobula.spill-dirs=["{spill}"]',
            plain,
        )
        if written_objects(output) == 0:
            sys.exit(f"a store a quarter of the corpus's size spilled nothing:\n{output}")
        if any(spill.iterdir()):
            sys.exit(f"left in the spill directory: {list(spill.iterdir())}")

        # Shards so small that a view of one part of the index leaves little space for a text.
        run(
            program,
            "--indexers=1",
            "--store-size=1MB",
            "--limit-files=20",
            f'--mobula.spill-dirs=["{spill}"]',
            plain,
        )

        odd = pathlib.Path(scratch) / "odd"
        odd.mkdir()
        make_odd_corpus(odd)
        run(program, odd)
        run(program, odd / "empty.txt")


main(sys.argv[1])
