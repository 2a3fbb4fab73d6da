"""Pure, without I/O: when a token's next request may begin, and how it is learned where Notion's minutes do.

Notion counts in fixed minutes (docs/notion-api.md#rate-limit) and says when one ends only to whom it refuses. What
keeps to the limit in any 60 seconds keeps to it in Notion's, wherever they begin, but waits longer than it has to.
Where more than a minute's budget is wanted, requests are therefore tried past the limit, one at a time, until one is
refused: its `Retry-After` says when the minute ends. From then on a whole budget may begin at the end of each.

What makes that exact, whatever time requests take on their way:

- `Retry-After` is in whole seconds, rounded up, or whoever obeys it would be refused again. So the minute has ended
  when so many seconds have passed since the refusal came in, and ends not earlier than a second less after the refused
  request was sent. Between the two nobody knows in which minute a request is counted.
- So a request counts in the minute in which it begins, and in the next too, unless its answer came before that could
  have begun. In any 60 seconds it counts until its answer is 60 seconds old.
- Where the minute ends just when the oldest of a budget is 60 seconds old, windows may as well be sliding, or begin
  with a first request. Then nothing is learned.
- A refusal at any other time, or for another reason, shows that this is not how Notion counts, that the limit is
  lower, or that somebody else uses the token: nothing is tried any more.
"""

from __future__ import annotations

from math import inf

from msgspec import Struct

MINUTE = 60.0
# Of `Retry-After`.
PRECISION_SECONDS = 1.0
# The lowest limit of Notion's (docs/notion-api.md#rate-limit): who set less leaves room for others on purpose.
LOWEST_LIMIT = 180


class Request(Struct, eq=False):
    """When it began and when its answer came (seconds of one clock); `past`: of one that is tried past the limit,
    between when Notion counted the first of the budget before it.
    """

    began: float
    past: Request | None = None
    ended: float = inf


def _ended(request: Request) -> float:
    return request.ended


class _Minutes(Struct, frozen=True):
    """`known_begun`: when one of Notion's minutes, of `length` seconds, has surely begun, and so on one after another;
    `uncertain`: how many seconds before that it may have begun.
    """

    known_begun: float
    uncertain: float
    length: float

    def next_after(self, now: float) -> float:
        """When the next one has surely begun."""
        return self.known_begun + ((now - self.known_begun) // self.length + 1) * self.length


class Pace:
    """One token's requests: every method is told the time, in seconds of a clock that is never set back.

    `limit`: requests a minute; nothing is tried past one under `lowest_limit`. `minute`: how many seconds it has.
    """

    def __init__(self, limit: int, *, lowest_limit: int = LOWEST_LIMIT, minute: float = MINUTE) -> None:
        self._limit = limit
        self._minute = minute
        self._latest: list[Request] = []
        self._under_way = 0
        self._paused_until = -inf
        self._minutes: _Minutes | None = None
        self._trials_left = limit if limit >= lowest_limit else 0

    def wait(self, now: float) -> float:
        """Seconds until the next request may begin, 0 when it may begin now; less where an answer comes before."""
        if now < self._paused_until:
            return self._paused_until - now
        if self._is_slid(now) or self._has_room(now) or self._may_try():
            return 0.0
        return min(self._slides_at(now), self._minutes.next_after(now) if self._minutes else inf) - now

    def begin(self, now: float) -> Request:
        """A request begins, which may (see `wait`)."""
        request = Request(now)
        if not self._is_slid(now) and not self._has_room(now):
            # The first that Notion counted need be neither the first that began nor the first that was answered.
            request.past = Request(min(one.began for one in self._latest), ended=min(map(_ended, self._latest)))
            self._trials_left -= 1
        if len(self._latest) == self._limit:
            # Not the one that began first: that may be on its way still.
            self._latest.remove(min(self._latest, key=_ended))
        self._latest.append(request)
        self._under_way += 1
        return request

    def end(self, request: Request, now: float) -> None:
        """The answer to a request has come, or nothing has and nothing will."""
        request.ended = now
        self._under_way -= 1

    def refuse(self, request: Request, now: float, seconds: float, *, ends_minute: bool) -> None:
        """A request that is under way was refused: nothing may begin for so many seconds.

        `ends_minute`: whether Notion's minute, of this token, is over then.
        """
        self._paused_until = max(self._paused_until, now + seconds)
        self._minutes, self._trials_left = None, 0
        if request.past is None or not ends_minute or seconds > self._minute:
            return
        learned = _Minutes(now + seconds, now - request.began + PRECISION_SECONDS, self._minute)
        slides_from, slides_to = request.past.began + self._minute, request.past.ended + self._minute
        if not slides_from <= learned.known_begun <= slides_to + learned.uncertain:
            self._minutes = learned

    def _slides_at(self, now: float) -> float:
        """When fewer than the limit can count in the 60 seconds before, if no answer comes before one that is here."""
        if len(self._latest) < self._limit:
            return now
        return min(min(request.ended, now) for request in self._latest) + self._minute

    def _is_slid(self, now: float) -> bool:
        return self._slides_at(now) <= now

    def _has_room(self, now: float) -> bool:
        """Whether fewer than the limit can count in Notion's minute."""
        if self._minutes is None:
            return False
        begun_from = self._minutes.next_after(now) - self._minute - self._minutes.uncertain
        return any(request.ended < begun_from for request in self._latest)

    def _may_try(self) -> bool:
        return self._trials_left > 0 and self._minutes is None and self._under_way == 0
