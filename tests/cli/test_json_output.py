"""docs/json-output.md is the contract: what the commands print has the keys and types of its tables, all of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from notion_pg_sync.core.errors import ErrorCode
from tests.cli.conftest import Site
from tests.cli.test_status import a_sync_that_hangs

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "json-output.md"
SPOILED_TITLES = """
    CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.name := NEW.name || '!'; RETURN NEW; END $$;
    CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON notion_worlds_sync FOR EACH ROW EXECUTE FUNCTION spoil()
"""


def section(heading: str) -> str:
    (found,) = re.findall(
        rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return str(found)


def documented(heading: str) -> dict[str, str]:
    """The types by key, as the section's table has them."""
    return dict(re.findall(r"^\| `(\.[^`]+)` \| ([^|]+) \|", section(heading), re.MULTILINE))


def observed(value: object, types: dict[str, str], path: str = "") -> Iterator[tuple[str, object]]:
    """Every key that an output has, with its value; what is in a map is data."""
    if isinstance(value, dict) and types.get(path) != "map of text":
        for name, one in value.items():
            yield f"{path}.{name}", one
            yield from observed(one, types, f"{path}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from observed(one, types, f"{path}[]")


def is_of(value: object, kind: str) -> bool:
    if kind.endswith(" or null"):
        return value is None or is_of(value, kind.removesuffix(" or null"))
    if kind.startswith("list of "):
        return isinstance(value, list) and all(is_of(one, kind.removeprefix("list of ")) for one in value)
    if kind == "map of text":
        return isinstance(value, dict) and all(is_of(one, "text") for one in value.values())
    if kind == "time":
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
    return isinstance(value, {"text": str, "boolean": bool, "object": dict}[kind])


def assert_as_documented(heading: str, *outputs: object) -> None:
    types = documented(heading)
    found = [each for output in outputs for each in observed(output, types)]
    assert sorted(types) == sorted({key for key, _ in found})
    assert [(key, value) for key, value in found if not is_of(value, types[key])] == []


def connect(site: Site, user_id: str, token: str, *databases: str) -> None:
    site.connect(user_id, token, json.dumps({name: site.small.databases[name] for name in databases}))


def printed(site: Site, *arguments: str) -> object:
    return json.loads(site.command(*arguments).out)


def test_sync_and_sync_all(site: Site, tmp_path: Path) -> None:
    connect(site, "anna", site.small.tokens["anna"], "Worlds")
    connect(site, "ben", "ntn_revoked", "Worlds")
    site.execute(SPOILED_TITLES)
    outcome = printed(site, "sync-all", "--json", "--files", str(tmp_path / "kept"))
    verified = printed(site, "sync-all", "--user", "anna", "--verify", "--json")
    with a_sync_that_hangs(site, "sync-all"):
        beside_another = printed(site, "sync-all", "--json")
    assert_as_documented("sync and sync-all", outcome, verified, beside_another)


def test_status(site: Site) -> None:
    connect(site, "anna", site.small.tokens["anna"], "Worlds")
    connect(site, "ben", "ntn_revoked", "Worlds")
    assert site.command("sync-all").code == 1
    connect(site, "carl", site.small.tokens["anna"], "Characters")
    site.execute("UPDATE notion_sync.accounts SET views = true WHERE user_id = 'anna'")
    retyped = "SET type = 'boolean', new_type = 'text', unfit_values = 2 WHERE property_type = 'title'"
    site.execute(f"UPDATE notion_sync.columns {retyped}")
    with a_sync_that_hangs(site, "sync", "anna", "Worlds"):
        assert_as_documented(
            "status", printed(site, "status", "--json"), printed(site, "status", "--json", "--user", "anna")
        )


def test_history(site: Site) -> None:
    connect(site, "anna", site.small.tokens["anna"], "Worlds")
    assert site.command("sync-all").code == 0
    site.small.workspace.clock.advance(3600)
    site.small.workspace.edit_page(site.small.workspace.page_ids("Worlds")[0], {"Name": "Renamed"})
    assert site.command("sync-all").code == 0
    assert_as_documented("history", printed(site, "history", "anna", "Worlds", "--json"))


def test_doctor(site: Site) -> None:
    assert_as_documented("doctor", printed(site, "doctor", "--json", "--no-cron-check"))


def test_log_lines(site: Site) -> None:
    connect(site, "anna", site.small.tokens["anna"], "Worlds")
    logged = site.command("sync-all", "--log-json").err.splitlines()
    script = (
        "import logging; from notion_pg_sync.commands.output.logs import switch_on_logs\n"
        "switch_on_logs(0, as_json=True)\n"
        "try: 1 / 0\nexcept ZeroDivisionError: logging.exception('it failed')"
    )
    failed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=True)
    assert_as_documented("Log lines", *(json.loads(line) for line in [*logged, *failed.stderr.splitlines()]))


def test_with_an_exit_code_of_2_or_3_stdout_is_empty(site: Site) -> None:
    connect(site, "anna", site.small.tokens["anna"], "Worlds")
    for arguments, code in ((("sync", "anna", "Nothing"), 2), (("sync", "nobody", "Worlds"), 2), (("sync-all",), 3)):
        if code == 3:
            site.execute("UPDATE user_settings SET auto_sync_enabled = false")
        ended = site.command(*arguments, "--json")
        assert (ended.code, ended.out) == (code, "")
        assert ended.err


def test_every_error_code_of_ours_is_there() -> None:
    documented_codes = re.findall(r"^\| `(\w+)` \|", section("Error codes"), re.MULTILINE)
    assert sorted(documented_codes) == sorted(ErrorCode)
