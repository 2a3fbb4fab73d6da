"""The command in processes of its own that need not import anything, which is most of what a short command does.

They are forks of a server that has imported the tool, and differ from `python -m notion_pg_sync` in nothing else.
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


def run_command(arguments: tuple[str, ...], environment: dict[str, str]) -> tuple[int, str, str]:
    """Runs the command without a terminal; returns its exit code, and what it wrote to stdout and to stderr."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _CONTEXT.Process(target=_become_the_command, args=(arguments, environment, out, err))
        process.start()
        process.join()
        assert process.exitcode is not None
        code = process.exitcode
        process.close()
        return code, out.read_text(), err.read_text()


def _become_the_command(arguments: tuple[str, ...], environment: dict[str, str], out: Path, err: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    for number, path in enumerate((Path(os.devnull), out, err)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    sys.argv[1:] = arguments
    try:
        runpy.run_module("notion_pg_sync", run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()
