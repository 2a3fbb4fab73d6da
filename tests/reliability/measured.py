"""The command as a process that says at its end, on stdout, how many kB of memory it took at the most.

What the parent would be told (`ru_maxrss`) counts the parent's own memory too, from before the program was started.
"""

from __future__ import annotations

import re
from pathlib import Path

from notion_pg_sync.cli import main


def peak_kilobytes() -> int:
    """The high-water mark of this process's resident memory (proc(5), VmHWM)."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


if __name__ == "__main__":
    try:
        main()
    finally:
        print(peak_kilobytes())
