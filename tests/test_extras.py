"""What only an extra brings: nothing that works without it imports it."""

from __future__ import annotations

import json
import subprocess
import sys

OF_FILES = {"download", "fetching", "keeping", "marks", "place", "sweeping"}

WITHOUT = """
import importlib, json, pkgutil, sys
import notion_pg_sync
sys.modules["obstore"] = None
lacking = []
for module in pkgutil.walk_packages(notion_pg_sync.__path__, "notion_pg_sync."):
    if not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ImportError:
            lacking.append(module.name)
print(json.dumps(lacking))
"""


def test_without_the_extra_of_files_only_the_keeping_of_files_is_lacking() -> None:
    """`sync-all --verify` above all: whoever keeps no files has the extra seldom."""
    told = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert set(json.loads(told.stdout)) == {
        "notion_pg_sync.sync.verify.verify_files",
        *(f"notion_pg_sync.sync.files.{name}" for name in OF_FILES),
    }
