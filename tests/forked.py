"""The command in processes of its own that need not import anything, which is most of what a short command does.

They are forks of a server that has imported the tool. Else they differ from `python -m notion_pg_sync` only at their
end: what is registered with `atexit` runs, but the interpreter is not taken down.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.imported"])


def run_command(arguments: tuple[str, ...], environment: dict[str, str], given: str) -> tuple[int, str, str]:
    """Runs the command without a terminal; returns its exit code, and what it wrote to stdout and to stderr.

    `given` is what it finds on stdin.
    """
    with TemporaryDirectory() as folder:
        streams = Path(folder, "in"), Path(folder, "out"), Path(folder, "err")
        streams[0].write_text(given)
        process = _CONTEXT.Process(target=_become_the_command, args=(arguments, environment, streams))
        process.start()
        process.join()
        assert process.exitcode is not None
        code = process.exitcode
        process.close()
        return code, streams[1].read_bytes().decode(), streams[2].read_bytes().decode()


def _become_the_command(arguments: tuple[str, ...], environment: dict[str, str], streams: tuple[Path, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    for number, path in enumerate(streams):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    # It was closed for the fork.
    sys.stdin = os.fdopen(0)
    sys.argv[1:] = arguments
    try:
        runpy.run_module("notion_pg_sync", run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()
