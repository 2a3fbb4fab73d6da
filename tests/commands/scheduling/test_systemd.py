"""What is known of timers is what a real systemd says of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.private_host import PrivateHost
from tests.waiting import wait_until

HOME = "/usr/sbin/home"
UNITS = f"{HOME}/.config/systemd/user"
TIMER = """
[Timer]
OnCalendar=*:0/15
OnStartupSec=1s
AccuracySec=100ms
[Install]
WantedBy=timers.target
"""
SERVICE = """
[Service]
Type=oneshot
Environment=A=1 "B=two words"
EnvironmentFile=-/etc/default/nothing
EnvironmentFile=/etc/sync.env
ExecStart=/usr/bin/env notion-pg-sync \\
    sync-all --timeout 14m
"""
ASKED = """
import json
from msgspec import structs
from notion_pg_sync.commands.doctor.scheduling.systemd import timers
print(json.dumps([{**structs.asdict(one), "invocation": one.invocation.arguments} for one in timers()], default=str))
"""


@pytest.fixture
def systemd(private_host: PrivateHost) -> Iterator[tuple[PrivateHost, dict[str, str]]]:
    environment = private_host.start_systemd(HOME)
    for name, text in (("sync.timer", TIMER), ("sync.service", SERVICE), ("other.timer", TIMER)):
        private_host.write(f"{UNITS}/{name}", text)
    private_host.write(f"{UNITS}/other.service", "[Service]\nExecStart=/bin/true\n")
    private_host.write(f"{UNITS}/sync.service.d/more.conf", "[Service]\nEnvironment=A=drop-in\n")
    private_host.run("systemctl", "--user", "daemon-reload", environment=environment)
    yield private_host, environment


def asked(host: PrivateHost, environment: dict[str, str]) -> list[dict[str, object]]:
    ended = host.run(sys.executable, "-c", ASKED, environment={**environment, "TZ": "Asia/Tokyo"})
    found: list[dict[str, object]] = json.loads(ended.stdout)
    return found


@pytest.mark.slow
def test_a_timer_tells_what_it_starts_and_when_it_did(systemd: tuple[PrivateHost, dict[str, str]]) -> None:
    host, environment = systemd
    (timer,) = asked(host, environment)
    assert (timer["name"], timer["service"], timer["of_user"], timer["is_active"], timer["last"]) == (
        "sync.timer",
        "sync.service",
        True,
        False,
        None,
    )
    assert "OnCalendar=*-*-* *:00/15:00" in str(timer["when"])
    assert timer["invocation"] == ["sync-all", "--timeout", "14m"]
    assert timer["variables"] == {"A": "drop-in", "B": "two words"}
    assert timer["files"] == ["/etc/sync.env"]
    host.run("systemctl", "--user", "enable", "--now", "sync.timer", environment=environment)
    wait_until(lambda: asked(host, environment)[0]["last"] is not None, seconds=20)
    (timer,) = asked(host, environment)
    assert timer["is_active"] is True
    now = datetime.now(UTC)
    assert abs(datetime.fromisoformat(str(timer["last"])) - now) < timedelta(minutes=1)
    assert now < datetime.fromisoformat(str(timer["due"])) <= now + timedelta(minutes=16)


def test_without_systemd_there_are_none() -> None:
    from notion_pg_sync.commands.doctor.scheduling.systemd import timers  # noqa: PLC0415 - nothing else needs it here

    assert [timer.name for timer in timers()] == [] or Path("/run/systemd/system").is_dir()
