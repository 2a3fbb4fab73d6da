"""Environments of their own for what the tool is held against: made on demand, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


class NotMadeError(Exception):
    """An environment cannot be had here; the message is the reason."""


def cache() -> Path:
    """The folder of all environments; it may be removed at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "notion-pg-sync-bench")


def environment(name: str, requirements: tuple[str, ...]) -> Path:
    """The Python of an environment that holds these requirements. Raises NotMadeError."""
    told = hashlib.sha256(repr((sys.version, requirements)).encode()).hexdigest()[:12]
    folder = cache() / f"{name}-{told}"
    return _made(folder, requirements)


def at_commit(commit: str) -> Path:
    """The Python of an environment with the tool as it was at a commit, and today's versions of what it needs.

    Raises NotMadeError.
    """
    try:
        found = _run("git", "-C", str(REPOSITORY), "rev-parse", "--short=12", f"{commit}^{{commit}}").decode().strip()
    except NotMadeError as error:
        raise NotMadeError(f"there is no commit {commit} here: {error}") from error
    constraints = _versions_here()
    folder = cache() / f"commit-{found}-{constraints.stem}"
    source = folder.with_suffix(".source")
    if not folder.exists():
        source.mkdir(parents=True, exist_ok=True)
        archive = _run("git", "-C", str(REPOSITORY), "archive", found)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(source, filter="data")
    return _made(folder, ("--constraint", str(constraints), str(source)))


def of_this_tree() -> Path:
    """The Python of an environment with the tool as it is in this tree, as a user installs it: nothing is beside it.

    What the tests need would count for the tool: httpx imports more where click is there. Raises NotMadeError.
    """
    constraints = _versions_here()
    told = hashlib.sha256(str(REPOSITORY).encode() + (REPOSITORY / "pyproject.toml").read_bytes()).hexdigest()[:12]
    folder = cache() / f"tree-{told}-{constraints.stem}"
    return _made(folder, ("--constraint", str(constraints), "--editable", f"{REPOSITORY}[files]"))


def _versions_here() -> Path:
    """A file that tells pip today's versions of what is installed here; its name tells them from others."""
    versions = sorted(f"{one.name}=={one.version}" for one in metadata.distributions() if one.name != "notion-pg-sync")
    told = hashlib.sha256(repr((sys.version, versions)).encode()).hexdigest()[:12]
    constraints = cache() / f"{told}.txt"
    constraints.parent.mkdir(parents=True, exist_ok=True)
    constraints.write_text("\n".join(versions) + "\n", encoding="utf-8")
    return constraints


def _made(folder: Path, arguments: tuple[str, ...]) -> Path:
    """Whole or not at all: one that was interrupted is made again."""
    python = folder / "bin" / "python"
    done = folder / "done"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)
        done.touch()
    return python


def _run(*command: str) -> bytes:
    try:
        return subprocess.run(command, check=True, capture_output=True).stdout
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode(errors="replace").strip().splitlines()
        raise NotMadeError(told[-1] if told else f"{command[0]} ended with exit code {error.returncode}") from error
