"""How to install what is missing beside the tool, which is on no package index."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec


def installing(extra: str) -> str:
    """How to install an optional part of the tool."""
    return f"in a clone of the repository, run {installer()} '.[{extra}]'"


def installer() -> str:
    """The command that installs beside this very tool: a plain `pip install` is another Python's, or refuses.

    What uv installed has no pip.
    """
    python = shlex.quote(sys.executable)
    return f"{python} -m pip install" if find_spec("pip") else f"uv pip install --python {python}"
