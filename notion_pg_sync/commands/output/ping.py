"""Tells a monitoring service of each run, by the conventions of healthchecks.io: `/start`, success, `/fail`.

The body of a ping is kept with it, and `rid` tells which end belongs to which start
(https://healthchecks.io/docs/http_api/).
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from notion_pg_sync.core.printable import printable

SECONDS = 5.0
_LONGEST_BODY = 10_000

log = logging.getLogger(__name__)


@dataclass
class Pings:
    """The pings of one run, to `url`; None: to nobody. A ping that fails never fails the run.

    A command that ends well without a run, since it is paused or nobody asks for anything, tells nobody that all is
    well: nothing was looked at.
    """

    url: str | None = field(repr=False)
    run: uuid.UUID = field(default_factory=uuid.uuid4)
    has_begun: bool = False

    def begin(self) -> None:
        """Says that a run begins."""
        self.has_begun = True
        self._ping("/start", "")

    def end(self, exit_code: int, report: Sequence[str]) -> None:
        """Says how the run ended, with `report`, a line each, as body; also that it could not begin."""
        if not self.has_begun:
            if not exit_code:
                return
            self.begin()
        self._ping("/fail" if exit_code else "", "\n".join(map(printable, report))[:_LONGEST_BODY])

    def _ping(self, path: str, body: str) -> None:
        if self.url is None:
            return
        try:
            request = Request(address(self.url, path, self.run), data=body.encode(), method="POST")
            with urlopen(request, timeout=SECONDS):
                pass
        except (OSError, HTTPException) as error:
            # The address is a secret of its own: who knows it can say that all is well.
            log.warning("the ping could not be sent (%s)", type(error).__name__)


def address(url: str, path: str, run: uuid.UUID) -> str:
    """Where a ping goes: `path` behind the check's own, its query kept, with the run's id."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode({"rid": str(run)}))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, query, ""))
