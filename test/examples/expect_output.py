#!/usr/bin/env python3
"""Runs a program and compares what it prints with a file.

Usage: expect_output.py EXPECTED PROGRAM [ARGUMENT...]
"""
import pathlib
import subprocess
import sys

expected = pathlib.Path(sys.argv[1]).read_text()
done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, text=True, check=False)
if done.returncode != 0 or done.stdout != expected:
    sys.exit(f"exit code {done.returncode}, expected 0; printed\n{done.stdout}instead of\n{expected}")
