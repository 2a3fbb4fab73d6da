"""Pure: how many rows the next query of a data source asks for, by what came of those before.

An answer is held whole until its rows are written, so rows that are very large are asked for a few at a time; each
answer is a request of Notion's limit, so no fewer than memory needs.
"""

from __future__ import annotations

# An answer of several rows that is larger is given up on its way, and half as many are asked for.
LARGEST_LIST_BYTES = 16 * 1024 * 1024
# So large an answer should be at the most: 100 rows of 80 kB. A page of 200 properties has about 20 kB.
WANTED_ANSWER_BYTES = LARGEST_LIST_BYTES // 2


class PageSize:
    """`rows` is how many to ask for: never fewer than 1, never more than `most`.

    It shrinks as soon as an answer is larger than wanted, and doubles where an answer says that twice as many rows of
    its kind would not be. So rows of one size settle on one page size, and what is given up on its way costs at most
    a request for each time that it doubled, beside those that it took to halve `most` to 1.
    """

    def __init__(self, most: int) -> None:
        self.rows = most
        self._most = most

    def take_in(self, wanted: int, asked: int, in_time: int, rows: int, size: int) -> None:
        """Takes in an answer of `rows` rows and `size` bytes.

        `wanted` rows were asked for at first, and `asked` when it came, since more were too large or too slow;
        `in_time`: more than these were too slow, where that is fewer than `wanted`. What was too slow once is so
        again, and each trial costs waiting: no more are ever asked for.
        """
        if in_time < wanted:
            self._most = min(self._most, in_time)
        if asked < wanted:
            self.rows = min(self.rows, asked)
        if size > WANTED_ANSWER_BYTES:
            self.rows = min(self.rows, max(1, rows * WANTED_ANSWER_BYTES // size))
        elif asked == self.rows == wanted and 0 < 2 * asked * size <= rows * WANTED_ANSWER_BYTES:
            self.rows = min(self._most, 2 * self.rows)
