"""Serves a sample workspace as a process of its own: prints its URL as the first line, ends on SIGTERM or SIGINT."""

import argparse
import signal
import sys
import threading

from notion_workspace.sample import SCENARIOS
from notion_workspace.server import WorkspaceServer


def main(arguments: list[str] | None = None) -> int:
    """Runs until a signal; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m notion_workspace", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="small", help="what the workspace holds")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same ids and values")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the scenario `generated`")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer takes")
    parser.add_argument("--rate-limit", type=int, default=None, help="requests a minute and token")
    options = parser.parse_args(arguments)
    workspace = SCENARIOS[options.scenario](options.seed, options.rows)
    workspace.configure(latency=options.latency, rate_limit=options.rate_limit)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with WorkspaceServer(workspace, options.port) as server:
        print(server.url, flush=True)
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
