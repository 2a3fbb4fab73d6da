"""Logs on stderr, as loud as was asked for: lines for people, or JSON for programs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def switch_on_logs(verbose: int, *, as_json: bool = False) -> None:
    """0: what went wrong is told in the report, so nothing; 1 (`-v`): what happens; 2 (`-vv`): every request too.

    `as_json`: a JSON object a line, and at least what `-v` says.
    """
    if verbose == 0 and not as_json:
        # Of libraries too: without any handler Python shows their warnings.
        logging.getLogger().addHandler(logging.NullHandler())
        return
    handler = logging.StreamHandler()
    handler.setFormatter(
        _Json()
        if as_json
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z")
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.INFO if verbose > 1 else logging.WARNING)
    logging.getLogger("notion_pg_sync").setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
