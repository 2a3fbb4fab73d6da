"""A host of a test's own, in namespaces of Linux: its /etc, crontabs, mail and processes are nobody else's."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import psutil
import pytest

from tests.waiting import wait_until
from tests.wanting import lacks

# What is written there is kept in memory and gone with the host; what the machine has is seen through it.
_OWN_FOLDERS = ("etc", "usr/sbin", "var/lib", "var/spool")
_SETUP = f"""
set -e
mount -t tmpfs tmpfs /run
for folder in {" ".join(_OWN_FOLDERS)}; do
    layer=/run/layers/$folder
    mkdir -p $layer/upper $layer/work
    mount -t overlay overlay -o lowerdir=/$folder,upperdir=$layer/upper,workdir=$layer/work /$folder
done
rm -rf /etc/cron.d/* /var/spool/cron/crontabs/* /var/lib/notion-pg-sync
: > /etc/crontab
mkdir /run/mail /run/mail-on-its-way
rm -f /usr/sbin/sendmail
printf '#!/bin/sh\\ncat > /run/mail-on-its-way/$$ && mv /run/mail-on-its-way/$$ /run/mail\\n' > /usr/sbin/sendmail
chmod 755 /usr/sbin/sendmail
echo ready
exec sleep infinity
"""
_SYSTEMD = "/lib/systemd/systemd"


def require_cron() -> None:
    """Ends the test where no real cron can be started."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("cron", "crontab", "unshare", "nsenter"))):
        lacks(
            "this test starts a real cron in namespaces of its own: run it as root on Linux, with Debian's packages "
            "cron and util-linux (apt-get install --no-install-recommends cron)."
        )


class PrivateHost:
    """What runs in it sees only its own processes; mail that its cron sends is kept in /run/mail."""

    def __init__(self) -> None:
        require_cron()
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", _SETUP],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = self._holder.stdout.readline() if self._holder.stdout else ""
        if said != "ready\n":
            self._holder.kill()
            pytest.fail(f"no namespace of its own for a test: {said}")
        self._started = [self._holder]
        (inside,) = psutil.Process(self._holder.pid).children()
        self._inside = inside.pid

    def __enter__(self) -> PrivateHost:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # With the holder ends the first process inside, and with that every other.
        self._holder.kill()
        for process in self._started:
            process.communicate()

    def path(self, inside: str) -> Path:
        """A path of the host, as it is reached from outside."""
        return Path(f"/proc/{self._inside}/root") / inside.lstrip("/")

    def write(self, inside: str, text: str, *, mode: int = 0o644, owner: str = "root") -> None:
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        path.chmod(mode)
        shutil.chown(path, owner)

    def run(
        self, *command: str, given: str | None = None, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._entering(*command), input=given or "", env=environment, capture_output=True, text=True, check=False
        )

    def shell(self, command: str) -> None:
        """Types a command that doctor says; the tests are root, without sudo."""
        ended = self.run("sh", "-c", command.replace("sudo ", ""))
        assert ended.returncode == 0, ended.stderr

    def install_crontab(self, text: str, user: str = "root") -> None:
        ended = self.run("crontab", "-u", user, "-", given=text)
        assert ended.returncode == 0, ended.stderr

    def start_cron(self, program: str = "cron") -> None:
        command = self._entering(program, "-f", "-L", "15")
        self._started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True))
        wait_until(lambda: self.path("/run/crond.reboot").exists(), seconds=20)

    def start_systemd(self, home: str) -> dict[str, str]:
        """Starts systemd for root as a user with this home; returns the environment by which systemctl finds it."""
        if not Path(_SYSTEMD).exists():
            lacks("this test starts a real systemd: install Debian's package systemd (apt-get install systemd).")
        environment = {"PATH": "/usr/bin:/bin", "HOME": home, "XDG_RUNTIME_DIR": "/run/user/0"}
        for folder in ("/run/user/0", "/run/systemd/system", home):
            self.path(folder).mkdir(parents=True, exist_ok=True)
        self._started.append(
            subprocess.Popen(
                self._entering(_SYSTEMD, "--user"),
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        wait_until(
            lambda: self.run("systemctl", "--user", "is-system-running", environment=environment).stdout == "running\n",
            seconds=30,
        )
        return environment

    def mails(self) -> list[str]:
        return [mail.read_text() for mail in sorted(self.path("/run/mail").iterdir())]

    def _entering(self, *command: str) -> list[str]:
        # By its whole path: an environment of the command's own need not have it.
        return [
            shutil.which("nsenter") or "nsenter",
            f"--target={self._inside}",
            "--mount",
            "--pid",
            f"--wdns={Path.cwd()}",
            *command,
        ]
