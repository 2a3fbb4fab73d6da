"""`notion-pg-sync`, and `python -m notion_pg_sync`."""

from __future__ import annotations

import signal


def main() -> None:
    """Runs the command that was typed."""
    # Until a command begins there is nothing to clean up, and Ctrl-C is no reason for a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from notion_pg_sync import cli  # noqa: PLC0415

    cli.main()


if __name__ == "__main__":
    main()
