"""The command `notion-pg-sync` on a machine to which the PostgreSQL of a test has an address that is not loopback.

No address of the real network is used: the machine is a network namespace of Linux with nothing in it but the address.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

import pytest

from tests.cli.conftest import BARE, Ended
from tests.wanting import lacks

# Of those that are nobody's (RFC 5737).
ADDRESS = "203.0.113.7"
PORT = 5432
_CHUNK = 1 << 16


async def command_elsewhere(
    arguments: list[str], environment: Mapping[str, str], passed_on_to: tuple[str, int]
) -> Ended:
    """Runs the command where `ADDRESS` leads to `passed_on_to`, an address and port of this machine."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "ip"))):
        lacks("this test makes a network of its own: run it as root on Linux, with Debian's package iproute2.")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = await asyncio.create_subprocess_exec(
            *("unshare", "--net", sys.executable, "-m", "tests.security.elsewhere", str(theirs.fileno()), *arguments),
            env={**BARE, "PATH": os.environ["PATH"], **environment},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        theirs.close()
        _, listening, _, _ = await asyncio.to_thread(socket.recv_fds, ours, 1, 1)
        if not listening:
            pytest.fail(f"no namespace of its own for a test: {(await process.communicate())[1].decode()}")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        further_reader, further_writer = await asyncio.open_connection(*passed_on_to)
        await asyncio.gather(_copy(reader, further_writer), _copy(further_reader, writer))

    async with await asyncio.start_server(pass_on, sock=socket.socket(fileno=listening[0])):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


def main() -> None:
    """In the namespace: takes the address, hands what listens there to the test, and becomes the command."""
    for words in ("link set lo up", f"address add {ADDRESS}/32 dev lo"):
        subprocess.run(["ip", *words.split()], check=True)
    with socket.socket(fileno=int(sys.argv[1])) as test, socket.create_server((ADDRESS, PORT)) as listener:
        socket.send_fds(test, [b"."], [listener.fileno()])
    os.execv(sys.executable, [sys.executable, "-m", "notion_pg_sync", *sys.argv[2:]])


if __name__ == "__main__":
    main()
