"""Why a command does not even try."""

from __future__ import annotations


class NothingAttemptedError(Exception):
    """Nothing could be tried at all; the message says why and what to do."""


class UsageError(Exception):
    """What was asked for cannot be; the message says why and what to do."""
