"""Logs on stderr, as loud as was asked for."""

from __future__ import annotations

import logging


def switch_on_logs(verbose: int) -> None:
    """0: warnings of ours are told in the report, so nothing; 1 (`-v`): what happens; 2 (`-vv`): every request too."""
    if verbose == 0:
        logging.getLogger("notion_pg_sync").addHandler(logging.NullHandler())
        logging.getLogger("notion_pg_sync").propagate = False
        return
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z"
    )
    logging.getLogger("httpx").setLevel(logging.INFO if verbose > 1 else logging.WARNING)
    logging.getLogger("notion_pg_sync").setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
