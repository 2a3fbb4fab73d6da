"""What is excluded stays out, whatever goes wrong and whatever is written in the meantime."""

from __future__ import annotations

import pytest
from notion_workspace import SmallWorkspace

from tests.installation import Installation
from tests.sync.test_excluding import EXCLUDED, SECRETS, Staff


@pytest.fixture
def staff(installation: Installation, small: SmallWorkspace) -> Staff:
    return Staff(installation, small)


async def test_verify_reads_a_page_alone_without_what_is_excluded(staff: Staff) -> None:
    await staff.connect(EXCLUDED)
    await staff.sync()
    await staff.installation.execute(
        "CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.url := ''x''; RETURN NEW; END';"
        "CREATE TRIGGER marker BEFORE INSERT OR UPDATE ON notion_pages_sync FOR EACH ROW EXECUTE FUNCTION mark()"
    )
    await staff.installation.execute("UPDATE notion_pages_sync SET title = 'x'")
    staff.workspace.clock.advance(3600)
    staff.workspace.requests.clear()
    outcome = await staff.installation.sync_all(verify=True, full=True)
    said = str(outcome.accounts[0].verified["Staff"].differences)
    assert "url" in said
    assert [one for one in SECRETS if one in said] == []
    assert len(staff.asked("page")) == 2
    assert all("title" in one for one in staff.asked("page"))
