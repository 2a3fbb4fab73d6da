"""examples/grafana/dashboard.json asks for what is there, as the role of docs/monitoring.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from psycopg.conninfo import make_conninfo

from tests.cli.conftest import Site
from tests.fences import ROOT, blocks

pytestmark = pytest.mark.slow

DASHBOARD: dict[str, Any] = json.loads((ROOT / "examples" / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
TARGETS: list[dict[str, Any]] = [target for panel in DASHBOARD["panels"] for target in panel["targets"]]
# What a query of metrics has beside the names of metrics and labels.
FUNCTIONS = {"by", "max", "sum", "time", "topk"}


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [target for target in TARGETS if target["datasource"]["type"] == kind]


def as_grafana_expands(query: str) -> str:
    """The macros of Grafana's data source for PostgreSQL, of the last six hours and five minutes a point."""
    now = datetime.now(UTC)
    begins, ends = ((now - ago).strftime("%Y-%m-%dT%H:%M:%SZ") for ago in (timedelta(hours=6), -timedelta(minutes=1)))
    query = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN '{begins}' AND '{ends}'", query)
    group = r'floor(extract(epoch from \1)/300)*300 AS "time"'
    query = re.sub(r"\$__timeGroupAlias\((\w+), \$__interval\)", group, query)
    assert "$__" not in query
    return query


@pytest.fixture
def watched(site: Site) -> Site:
    """A database that is synced, one that fails, one of which something is left out, and a request that waits."""
    databases = {name: site.small.databases[name] for name in ("Characters", "Worlds", "Three")}
    hidden = site.small.workspace.add_generated_database("Hidden", rows=1)
    site.connect("anna", site.small.tokens["anna"], json.dumps({**databases, "Hidden": hidden.id}))
    assert site.command("sync-all").code == 1
    site.execute("SELECT notion_sync.sync_notion_database('anna', NULL, 'Worlds')")
    site.execute(
        "INSERT INTO notion_sync.left_out (user_id, data_source_id, page_id, reason, message)"
        " SELECT user_id, data_source_id, gen_random_uuid(), 'not_given', 'why' FROM notion_sync.data_sources LIMIT 1"
    )
    return site


@pytest.fixture
def monitor(watched: Site) -> Iterator[str]:
    """The address of the database for the role that the page makes."""
    role = f"monitor_{uuid4().hex[:8]}"
    (statements,) = blocks(ROOT / "docs" / "monitoring.md", "sql monitor")
    with psycopg.connect(watched.database_url, autocommit=True) as owner:
        owner.execute(statements.replace("notion_monitor", role).encode())
        yield make_conninfo(watched.database_url, user=role)
        owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_each_query_has_an_answer_and_the_role_reads_nothing_else(monitor: str) -> None:
    with psycopg.connect(monitor, autocommit=True) as connection:
        for target in of_kind("grafana-postgresql-datasource"):
            cursor = connection.execute(as_grafana_expands(target["rawSql"]).encode())
            columns = [column.name for column in cursor.description or []]
            rows = cursor.fetchall()
            assert rows, target["rawSql"]
            if target["format"] == "time_series":
                assert columns[0] == "time", columns
                assert all(isinstance(row[-1], int | float) for row in rows), rows
        for table in ("notion_sync.page_changes", "notion_sync.accounts", "notion_pages_sync", "user_settings"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT FROM {table}".encode())


def samples_of(site: Site) -> list[Sample]:
    families = text_string_to_metric_families(site.command("status", "--prometheus").out)
    return [sample for family in families for sample in family.samples]


def test_each_metric_and_label_is_one_that_status_prints(watched: Site) -> None:
    samples = samples_of(watched)
    # Ages of the whole are known where every database was synced.
    watched.execute("UPDATE user_settings SET notion_databases = notion_databases - 'Hidden'")
    samples += samples_of(watched)
    labels = {
        name: {label for one in samples if one.name == name for label in one.labels}
        for name in {sample.name for sample in samples}
    }
    queries = of_kind("prometheus")
    assert queries
    for target in queries:
        names = re.findall(r"notion_pg_sync_\w+", target["expr"])
        assert names
        assert set(names) <= labels.keys(), names
        of_labels = re.findall(r"{{(\w+)}}", target["legendFormat"])
        of_labels += re.findall(r"[{,]\s*(\w+)=", target["expr"])
        of_labels += re.findall(r"by \((\w+)\)", target["expr"])
        assert all(set(of_labels) <= labels[name] for name in names), target
        words = set(re.findall(r"[a-z_]+", re.sub(r'"[^"]*"', "", target["expr"])))
        assert words - FUNCTIONS - set(names) - set(of_labels) == set(), target
        conditions = {one.labels["condition"] for one in samples if "condition" in one.labels}
        for alternatives in re.findall(r'condition=~?"([^"]*)"', target["expr"]):
            assert set(alternatives.split("|")) <= conditions


def test_every_panel_has_a_place_of_its_own_and_a_data_source_that_is_asked_for() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + right, place["y"] + down) for right in range(place["w"]) for down in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    asked_for = {f"${{{one['name']}}}": one["query"] for one in DASHBOARD["templating"]["list"]}
    assert {one["datasource"]["uid"]: one["datasource"]["type"] for one in TARGETS} == asked_for
