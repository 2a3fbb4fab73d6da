"""What is recorded of the commands is what they show, and its pictures are no taller than a window."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.made import doctor_session
from docs.made.screens import FOLDER, MOST_PIXELS, pictures, stored_text, without_what_varies

STORED = sorted(FOLDER.glob("*.svg"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_picture_is_no_taller_than_a_window(path: Path) -> None:
    size = re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', path.read_text(encoding="utf-8"))
    assert size is not None
    assert float(size[1]) <= MOST_PIXELS


def test_progress_is_shown_in_its_midst() -> None:
    bars = stored_text(FOLDER / "progress.svg").splitlines()
    assert bars
    assert all(re.search(r" [1-9][\d,]* rows .* about \d\d%, .* left", bar) for bar in bars)


def test_times_numbers_and_the_order_of_what_is_under_way_vary() -> None:
    one = "⠋ eve / B 1,200 rows 30/s 0:00:09 about 4%, 3 minutes left\n⠋ eve / A 9 rows\nas of 9 seconds\nago"
    two = "⠙ eve / A 12 rows\n⠙ eve / B 300 rows 9/s 0:00:01 about 99%, a second left\nas of a minute ago"
    assert without_what_varies(one) == without_what_varies(two)
    assert without_what_varies("2 rows, 9 s") != without_what_varies("3 rows, 9 s")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_pictures_show_what_the_commands_show() -> None:
    made = {picture.path: picture.shown.plain for picture in pictures()}
    assert sorted(made) == STORED, "run: python -m docs.made.screens"
    for path, shown in made.items():
        assert without_what_varies(stored_text(path)) == without_what_varies(shown), "run: python -m docs.made.screens"


@pytest.mark.slow
def test_the_recorded_session_of_doctor_is_what_it_says_now() -> None:
    stored = doctor_session.PAGE.read_text(encoding="utf-8")
    made = doctor_session.recorded()
    assert without_what_varies(stored) == without_what_varies(made), "run: python -m docs.made.doctor_session"
