"""A real Node: projects with the packages from npm that a test's programs import."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from tests.wanting import lacks

# Seconds; a package's download may have to be tried again.
_INSTALL_TIMEOUT = 240
_RUN_TIMEOUT = 240


@dataclass(frozen=True)
class NpmProject:
    """A project in `folder`: what lies there finds the packages, as ECMAScript modules do."""

    folder: Path

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs `node` or a program of a package (`tsc`) in the folder, to its end; fails nothing by itself.

        The process sees PATH, HOME and `environment`, and nothing else.
        """
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(environment),
            capture_output=True,
            text=True,
            timeout=_RUN_TIMEOUT,
            check=False,
        )

    def start(self, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Starts the same, which the test then reads from (stdout and stderr are pipes) and ends."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        path = f"{self.folder / 'node_modules' / '.bin'}:{os.environ.get('PATH', '')}"
        return {"HOME": os.environ.get("HOME", ""), **(more or {}), "PATH": path}


def npm_project(folder: Path, *packages: str) -> NpmProject:
    """Makes `folder` a project with `packages`, each as npm takes them (`pg@8.16.3`).

    They are installed once for a user of the machine, without their install scripts, and kept in the user's cache.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"private": True, "type": "module"}), encoding="utf-8")
    (folder / "node_modules").symlink_to(_installed(packages) / "node_modules", target_is_directory=True)
    return NpmProject(folder)


def _installed(packages: tuple[str, ...]) -> Path:
    """The folder in which exactly these are installed."""
    if not (shutil.which("node") and shutil.which("npm")):
        lacks("this test runs programs with a real Node: install node and npm (apt-get install nodejs npm).")
    kept = user_cache_path("notion-pg-sync-tests") / "npm"
    kept.mkdir(parents=True, exist_ok=True)
    folder = kept / hashlib.sha256("\n".join(sorted(packages)).encode()).hexdigest()[:16]
    with _turn(kept / "lock"):
        if not folder.exists():
            # Whole or not at all, whatever is killed.
            with tempfile.TemporaryDirectory(dir=kept, ignore_cleanup_errors=True) as begun:
                _install(Path(begun), packages)
                Path(begun).rename(folder)
    return folder


def _install(folder: Path, packages: tuple[str, ...]) -> None:
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    ended = subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *packages],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_INSTALL_TIMEOUT,
        check=False,
    )
    if ended.returncode != 0:
        lacks(f"this test needs packages from npm, which could not be had: {ended.stderr.strip()}")


@contextmanager
def _turn(lock: Path) -> Iterator[None]:
    """One at a time, in whatever process."""
    with lock.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
