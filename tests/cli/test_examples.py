"""What lies in examples/ and the Dockerfile works as it is."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from notion_workspace import SmallWorkspace, WorkspaceServer

from tests.cli.conftest import Command, Site
from tests.fences import ROOT, blocks
from tests.private_host import PrivateHost
from tests.security.certificates import Authority
from tests.security.tls_postgres import TlsPostgres
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

FOLDER_OF_TOOL = Path(sys.executable).parent
# What systemd cannot do where it is not the host's own (another account, mounts over the machine's /proc and /run); and
# what would keep root, as whom it runs here, from the PostgreSQL of the tests, which listens in a folder of /tmp that
# is another user's. `systemd-analyze verify` reads these lines too.
ONLY_OF_THE_HOST = (
    r"(?m)^(DynamicUser|ProtectHome|ProtectKernelLogs|ProtectKernelTunables|PrivateTmp|CapabilityBoundingSet)=.*\n"
)
EVERY_QUARTER, AT_NIGHT = "*/15 * * * *", "30 3 * * *"


def crontab_for(site: Site, *, every_quarter: str, at_night: str) -> str:
    """The example with the values of the test put in, and other times."""
    return crontab_with(site.command.environment, every_quarter=every_quarter, at_night=at_night)


def crontab_with(environment: Mapping[str, str], *, every_quarter: str, at_night: str) -> str:
    """The example with these variables, in place of its own where it sets them, and with other times."""
    text = (ROOT / "examples" / "crontab.txt").read_text(encoding="utf-8")
    for name, value in {**environment, "PATH": f"{FOLDER_OF_TOOL}:/usr/bin:/bin"}.items():
        lines = re.findall(rf"(?m)^{name}=.*$", text)
        text = text.replace(lines[0], f"{name}={value}") if lines else f"{name}={value}\n{text}"
    assert text.count(EVERY_QUARTER) == text.count(AT_NIGHT) == 1
    return text.replace(EVERY_QUARTER, every_quarter).replace(AT_NIGHT, at_night)


def runs(site: Site) -> list[tuple[object, ...]]:
    return site.execute("SELECT status, command FROM notion_sync.job_run_details ORDER BY command")


@pytest.mark.first
def test_cron_starts_the_lines_of_the_example_and_is_silent_when_all_is_well(
    private_host: PrivateHost, site: Site
) -> None:
    site.connect("anna", site.small.tokens["anna"], f'{{"Characters": "{site.small.databases["Characters"]}"}}')
    every_minute = "* * * * *"
    private_host.install_crontab(crontab_for(site, every_quarter=every_minute, at_night=every_minute))
    private_host.start_cron()
    ended = [("succeeded", "notion-pg-sync sync-all"), ("succeeded", "notion-pg-sync sync-all --full")]
    wait_until(lambda: runs(site)[:2] == ended, seconds=100)
    ((rows,),) = site.execute("SELECT count(*) FROM notion_characters_sync WHERE user_id = 'anna'")
    assert isinstance(rows, int)
    assert rows > 0
    assert private_host.mails() == []


def test_what_a_failing_run_says_is_mailed_to_whom_the_example_names(private_host: PrivateHost, site: Site) -> None:
    site.connect("anna", "ntn_not_a_token", f'{{"Characters": "{site.small.databases["Characters"]}"}}')
    private_host.install_crontab(crontab_for(site, every_quarter="@reboot", at_night=AT_NIGHT))
    private_host.start_cron()
    wait_until(lambda: bool(private_host.mails()), seconds=60)
    (mail,) = private_host.mails()
    assert "To: oncall@example.com" in mail
    assert "notion-pg-sync: anna: Notion does not accept the token" in mail
    assert "ntn_not_a_token" not in mail
    assert runs(site) == [("failed", "notion-pg-sync sync-all")]


def test_the_line_for_requests_serves_them_once_its_marks_are_gone(private_host: PrivateHost, site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], f'{{"Characters": "{site.small.databases["Characters"]}"}}')
    crontab = crontab_for(site, every_quarter="@yearly", at_night=AT_NIGHT)
    private_host.install_crontab(re.sub(r'(?m)^# (MAILTO=""|.* --requested)$', r"\1", crontab))
    private_host.start_cron()
    wait_until(lambda: site.execute("SELECT looked_at FROM notion_sync.last_looks"), seconds=100)
    assert runs(site) == []
    site.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    wait_until(lambda: runs(site) == [("succeeded", "notion-pg-sync sync-all --requested")], seconds=100)
    ((rows,),) = site.execute("SELECT count(*) FROM notion_characters_sync WHERE user_id = 'anna'")
    assert rows != 0
    # One that fails mails nobody: sixty an hour would say what the other line says.
    site.execute("UPDATE user_settings SET notion_token = 'ntn_not_a_token'")
    site.execute("SELECT notion_sync.sync_all_notion_databases('anna')")
    wait_until(lambda: len(runs(site)) == 2 and runs(site)[0][0] != "running", seconds=100)
    assert private_host.mails() == []


def unit(name: str) -> str:
    text = (ROOT / "examples" / "systemd" / name).read_text(encoding="utf-8")
    return text.replace("/usr/local/bin/notion-pg-sync", str(FOLDER_OF_TOOL / "notion-pg-sync"))


def test_systemd_finds_nothing_wrong_with_the_units(private_host: PrivateHost) -> None:
    for unit_of in ("notion-pg-sync", "notion-pg-sync-requests"):
        for name in (f"{unit_of}.service", f"{unit_of}.timer"):
            private_host.write(f"/etc/systemd/system/{name}", unit(name))
        ended = private_host.run("systemd-analyze", "verify", f"/etc/systemd/system/{unit_of}.timer")
        assert (ended.returncode, ended.stderr) == (0, "")


def test_both_services_are_confined_alike() -> None:
    usual, requests = (unit(f"notion-pg-sync{of}.service").split("TimeoutStartSec", 1)[1] for of in ("", "-requests"))
    assert usual == requests


def test_systemd_starts_the_service_and_keeps_its_timer(private_host: PrivateHost, site: Site) -> None:
    site.connect("anna", site.small.tokens["anna"], f'{{"Characters": "{site.small.databases["Characters"]}"}}')
    home = "/run/home"
    systemd = private_host.start_systemd(home)
    settings = "".join(f"{name}={value}\n" for name, value in site.command.environment.items())
    private_host.write("/etc/notion-pg-sync.env", settings, mode=0o600)
    for name in ("notion-pg-sync.service", "notion-pg-sync.timer"):
        private_host.write(f"{home}/.config/systemd/user/{name}", re.sub(ONLY_OF_THE_HOST, "", unit(name)))
    for command in (["enable", "--now", "notion-pg-sync.timer"], ["start", "notion-pg-sync.service"]):
        ended = private_host.run("systemctl", "--user", *command, environment=systemd)
        assert ended.returncode == 0, ended.stderr
    assert runs(site) == [("succeeded", "notion-pg-sync sync-all")]
    timers = private_host.run("systemctl", "--user", "list-timers", environment=systemd).stdout
    assert "notion-pg-sync.service" in timers
    environment = {**systemd, **site.command.environment}
    doctor = [sys.executable, "-m", "notion_pg_sync", "doctor", "-v"]
    said = private_host.run(*doctor, environment=environment).stdout
    assert "ok       the timer notion-pg-sync.timer starts sync-all (OnCalendar=*-*-* *:00/15:00)" in said
    assert "ok       the service notion-pg-sync.service has what the tool needs" in said
    assert ", started by systemd as root; it is next due " in said


def copied() -> list[str]:
    """What the Dockerfile copies."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return [source for line in lines if line.startswith("COPY ") for source in line.split()[1:-1]]


def test_what_the_dockerfile_copies_is_enough_to_install_it(tmp_path: Path) -> None:
    """Its own `pip install`, without the network: in the image pip fetches what the tool depends on, too."""
    source, installed = tmp_path / "source", tmp_path / "installed"
    source.mkdir()
    for name in copied():
        subprocess.run(["cp", "-r", str(ROOT / name), str(source)], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(installed), "."], cwd=source, check=True, capture_output=True)
    said = subprocess.run(
        [sys.executable, "-m", "notion_pg_sync", "--version"],
        env={"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.startswith("notion-pg-sync ")
    assert (installed / "notion_pg_sync" / "mirror" / "migrations" / "0001_bookkeeping.sql").is_file()
    assert (installed / "notion_pg_sync" / "mirror" / "repeatable" / "80_policies.sql").is_file()


def test_what_the_dockerfile_copies_is_all_that_docker_is_given() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert sorted(line[1:] for line in lines if line.startswith("!")) == sorted(set(copied()))
    assert "*" in lines
    assert fnmatch.fnmatch("notion_pg_sync/__pycache__", lines[-1])


def test_the_image_starts_the_command_without_rights() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == 'ENTRYPOINT ["notion-pg-sync"]'
    assert any(re.fullmatch(r"USER (?!root)\S+", line) for line in lines)


def test_the_example_reaches_a_postgresql_whose_certificate_a_public_authority_signed(
    private_host: PrivateHost, small: SmallWorkspace, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "public")
    with TlsPostgres(authority.certificate("db.example.com")) as server, WorkspaceServer(small.workspace) as notion:
        server.execute("CREATE ROLE notion_sync LOGIN PASSWORD 'canary'")
        server.execute("CREATE DATABASE app OWNER notion_sync")
        as_owner = Command({"DATABASE_URL": server.url("app", user="notion_sync", host="db.example.com")})
        assert as_owner("init").code == 0
        private_host.write("/etc/hosts", f"{server.address} db.example.com\n")
        private_host.write("/etc/ssl/certs/ca-certificates.crt", Path(authority.file).read_text(encoding="utf-8"))
        private_host.write("/run/home/.pgpass", "db.example.com:5432:app:notion_sync:canary\n", mode=0o600)
        here = Site(as_owner, small, server.socket_url("app"))
        here.connect("anna", small.tokens["anna"], f'{{"Characters": "{small.databases["Characters"]}"}}')
        around = {"HOME": "/run/home", "NOTION_BASE_URL": notion.url}
        private_host.install_crontab(crontab_with(around, every_quarter="@reboot", at_night=AT_NIGHT))
        private_host.start_cron()
        wait_until(lambda: runs(here)[:1] == [("succeeded", "notion-pg-sync sync-all")] or private_host.mails())
        assert private_host.mails() == []


@pytest.mark.parametrize("variable", ["DATABASE_URL", "NOTION_TOKEN_KEY"])
@pytest.mark.parametrize(
    "example", ["Dockerfile", "examples/crontab.txt", "examples/systemd/notion-pg-sync.service", "docs/schedulers.md"]
)
def test_every_example_names_what_a_run_may_need(example: str, variable: str) -> None:
    assert variable in (ROOT / example).read_text(encoding="utf-8")


def test_every_container_and_workflow_that_is_shown_can_open_encrypted_tokens() -> None:
    shown = blocks(ROOT / "docs" / "schedulers.md", "yaml")
    set_somewhere = [environment for block in shown for environment in environments(yaml.safe_load(block))]
    assert len(set_somewhere) == 2
    assert all({"DATABASE_URL", "NOTION_TOKEN_KEY"} <= environment for environment in set_somewhere)
    installing = re.findall(r"pip install .*", "\n".join([*shown, (ROOT / "Dockerfile").read_text(encoding="utf-8")]))
    assert len(installing) == 2
    assert all("'.[encryption]'" in line for line in installing)


def environments(shown: object) -> Iterator[set[str]]:
    """The names of the variables that are set wherever something sets some."""
    for key, value in shown.items() if isinstance(shown, dict) else enumerate(shown) if isinstance(shown, list) else ():
        if key == "env":
            yield {one["name"] for one in value} if isinstance(value, list) else {*value}
        yield from environments(value)
