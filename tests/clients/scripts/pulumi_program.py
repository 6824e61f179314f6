"""Starts a Pulumi program in Python, as the host that Pulumi's command brings does."""

import argparse
import asyncio
import runpy

import pulumi.runtime

words = argparse.ArgumentParser()
for name in ["monitor", "engine", "project", "stack"]:
    words.add_argument(f"--{name}", required=True)
words.add_argument("--dry-run", action="store_true")
words.add_argument("program")
given = vars(words.parse_args())
program = given.pop("program")

pulumi.runtime.configure(pulumi.runtime.Settings(**given))
asyncio.run(
    pulumi.runtime.run_in_stack(lambda: runpy.run_path(program, run_name="__main__"))
)
