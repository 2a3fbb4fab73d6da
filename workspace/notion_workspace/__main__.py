"""Serves a sample workspace as a process of its own, until SIGTERM or SIGINT.

Prints its URL, then a line for each token that there is: whose it is, and the secret.
"""

import argparse
import signal
import sys
import threading
from contextlib import ExitStack

from notion_workspace.sample import SCENARIOS
from notion_workspace.server import WorkspaceServer


def main(arguments: list[str] | None = None) -> int:
    """Runs until a signal; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m notion_workspace", description=__doc__)
    parser.add_argument("--port", type=port, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="small", help="what the workspace holds")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same ids and values")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the scenario `generated`")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer takes")
    parser.add_argument("--rate-limit", type=int, default=None, help="requests per minute and token")
    options = parser.parse_args(arguments)
    workspace = SCENARIOS[options.scenario](options.seed, options.rows)
    workspace.configure(latency=options.latency, rate_limit=options.rate_limit)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as stack:
        try:
            server = stack.enter_context(WorkspaceServer(workspace, options.port))
        except OSError as error:
            parser.error(f"{error.strerror}: give another --port, or 0 for a free one.")
        tokens = [f"{token.label} {token.secret}" for token in workspace.state.tokens.values()]
        print(server.url, *tokens, sep="\n", flush=True)
        ended.wait()
    return 0


def port(given: str) -> int:
    """A port's number. Raises as argparse wants it."""
    number = int(given)
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"{number} is not a port: give one from 0 to 65535.")
    return number


if __name__ == "__main__":
    sys.exit(main())
