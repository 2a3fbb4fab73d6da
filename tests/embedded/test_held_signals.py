"""What is made or taken down is so completely, whenever somebody presses Ctrl-C."""

from __future__ import annotations

import signal
import threading

import pytest

from notion_pg_sync.embedded.held_signals import signals_held_back


def test_a_signal_waits_until_the_block_is_done_and_then_counts() -> None:
    before = signal.getsignal(signal.SIGINT)
    done = []
    with pytest.raises(KeyboardInterrupt), signals_held_back():
        signal.raise_signal(signal.SIGINT)
        done.append("inner")
    assert done == ["inner"]
    assert signal.getsignal(signal.SIGINT) is before


def test_it_waits_for_the_outer_block_too() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), signals_held_back():
        with signals_held_back():
            signal.raise_signal(signal.SIGINT)
            done.append("inner")
        done.append("outer")
    assert done == ["inner", "outer"]


def test_a_second_one_does_not_wait_in_an_inner_block_either() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), signals_held_back(), signals_held_back():
        signal.raise_signal(signal.SIGINT)
        done.append("first")
        signal.raise_signal(signal.SIGINT)
        done.append("second")
    assert done == ["first"]


def test_a_second_one_does_not_wait() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), signals_held_back():
        signal.raise_signal(signal.SIGINT)
        done.append("first")
        signal.raise_signal(signal.SIGINT)
        done.append("second")
    assert done == ["first"]


def test_an_error_of_the_block_is_not_lost_where_no_signal_came() -> None:
    with pytest.raises(RuntimeError, match="of the block"), signals_held_back():
        raise RuntimeError("of the block")


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_held_back():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_it_does_nothing() -> None:
    before = signal.getsignal(signal.SIGINT)
    within = []

    def work() -> None:
        with signals_held_back():
            within.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert within == [before]
