"""Pure: which parts of a rollup belong to which related page (docs/notion-api.md#rollups-over-long-relations).

The property endpoint gives the texts of all related pages as one sequence of parts, without a word on where one page
ends and the next begins. A page without text probably gives no part at all, so as many parts as pages prove nothing.
What decides is what is known of the pages themselves.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def share_out(parts: Sequence[Hashable], pages: Sequence[Sequence[Hashable] | None]) -> list[int] | None:
    """Where the parts of each of `pages` begin in `parts`, and, last, where they all end; None where it is not certain.

    `pages` has the parts of each page in order, None of a page of which they are not known. An answer is the only one
    that fits what is known: every fit lies between the leftmost and the rightmost, and these two are the same. So it
    is right whenever what is known of the pages was so when `parts` was read. It may be wrong where a page is known
    as it was before: ["x", "y"] for a page that is now ["x"], before one that is not known. Hence nobody may hand in
    what was read at another time, a mirrored title least of all, even if it fits in one place only.
    """
    leftmost = _leftmost(parts, pages)
    mirrored = _leftmost(parts[::-1], [page[::-1] if page is not None else None for page in reversed(pages)])
    if leftmost is None or mirrored is None:
        return None
    rightmost = [len(parts) - place for place in reversed(mirrored)]
    return leftmost if leftmost == rightmost else None


def _leftmost(parts: Sequence[Hashable], pages: Sequence[Sequence[Hashable] | None]) -> list[int] | None:
    """The fit in which every page begins as early as it can; None where nothing fits.

    Known pages that follow one another are one text, `run`. The first stands at the start, the last at the end, every
    other at the first place at which it can: what comes before it then takes no room from what follows.
    """
    begins: list[int] = []
    end = place = 0
    while place < len(pages):
        unknown = _count(pages[place:], known=False)
        known = _count(pages[place + unknown :], known=True)
        run = [part for page in pages[place + unknown : place + unknown + known] for part in page or ()]
        is_last = place + unknown + known == len(pages)
        found = _find(parts, run, end, is_fixed=unknown == 0, is_last=is_last)
        if found is None:
            return None
        begins += [end] * unknown
        end = found
        for page in pages[place + unknown : place + unknown + known]:
            begins.append(end)
            end += len(page or ())
        place += unknown + known
    return [*begins, end] if end == len(parts) else None


def _count(pages: Sequence[Sequence[Hashable] | None], *, known: bool) -> int:
    """How many pages at the start of `pages` are known, or are not."""
    return next((place for place, page in enumerate(pages) if (page is not None) != known), len(pages))


def _find(
    parts: Sequence[Hashable], run: Sequence[Hashable], start: int, *, is_fixed: bool, is_last: bool
) -> int | None:
    """The first place from `start` on at which `run` stands: `start` alone where it is fixed, the end for the last."""
    last = len(parts) - len(run)
    first = last if is_last and not is_fixed else start
    places = range(max(first, start), start + 1 if is_fixed else last + 1)
    return next((place for place in places if list(parts[place : place + len(run)]) == list(run)), None)
