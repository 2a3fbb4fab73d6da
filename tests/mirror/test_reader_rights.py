"""What readers are given: for every relation and whatever they have of it, nothing without its limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notion_pg_sync.mirror.reader_rights import KeptPolicy, Kind, Reader, Relation, all_rows_as_kept

ANNA, EVERYBODY = Reader("analyst", "anna"), Reader("analyst")
READERS_OID = 16555
LIMITED = "(user_id = ( SELECT notion_sync.user_of_reader() AS user_of_reader))"

kept_policies = st.dictionaries(
    st.sampled_from([*ANNA.policy_names, "limit of reader by another name"]),
    st.builds(KeptPolicy, st.booleans(), st.booleans(), st.sampled_from(["true", LIMITED, "(user_id = 'x'::text)"])),
)
tables = st.builds(
    Relation,
    owner=st.just("owner"),
    owned=st.booleans(),
    schema=st.just("public"),
    name=st.sampled_from(["notion_pages_sync", "users", "accounts", "data_sources"]),
    kind=st.sampled_from([Kind.SYNC_TABLE, Kind.BOOKKEEPING]),
    has_user=st.just(True),
    row_security=st.booleans(),
    can_read=st.booleans(),
    is_granted=st.booleans(),
    policies=kept_policies,
    readers_oid=st.just(READERS_OID),
)


def texts(table: Relation, reader: Reader) -> list[str]:
    return [statement.as_string() for statement in table.lacking(reader)]


@given(tables)
def test_a_reader_of_one_user_is_granted_no_table_without_its_limit(table: Relation) -> None:
    statements = texts(table, ANNA)
    grants = [number for number, text in enumerate(statements) if text.startswith("GRANT")]
    limits = [number for number, text in enumerate(statements) if " AS RESTRICTIVE " in text]
    _, limit = ANNA.policy_names
    if limit not in table.policies:
        assert limits
    for grant in grants:
        assert table.row_security
        assert all(number < grant for number in limits)
    assert "anna" not in " ".join(statements)


@given(tables)
def test_what_is_as_it_is_to_be_needs_nothing(table: Relation) -> None:
    for reader, using in ((ANNA, LIMITED), (EVERYBODY, all_rows_as_kept(READERS_OID))):
        reads, limit = reader.policy_names
        policies = {limit: KeptPolicy(False, True, using)}
        if table.is_shown or table.name in ("users", "data_sources"):
            policies[reads] = KeptPolicy(True, True, using)
        is_for = table.is_for(reader)
        settled = Relation(**{**vars(table), "policies": policies, "can_read": is_for, "is_granted": is_for})
        assert settled.lacking(reader) == []


@given(tables)
def test_a_reader_of_everybodys_rows_keeps_no_limit_to_a_user(table: Relation) -> None:
    statements = texts(table, EVERYBODY)
    for name in table.policies:
        assert any(text.startswith(f'DROP POLICY "{name}"') for text in statements)
    assert "user_of_reader" not in " ".join(statements)


@given(tables)
def test_the_way_back_revokes_before_it_takes_the_limit(table: Relation) -> None:
    statements = [statement.as_string() for statement in table.withdrawal(ANNA)]
    kinds = [text.split()[0] for text in statements]
    assert kinds == sorted(kinds, reverse=True)
    assert kinds.count("DROP") == len(table.policies)


@given(tables)
def test_what_is_the_tools_no_more_is_left_alone_until_it_is_taken_back(table: Relation) -> None:
    left = Relation(**{**vars(table), "kind": Kind.LEFT})
    assert texts(left, ANNA) == texts(left, EVERYBODY) == []
    assert left.withdrawal(ANNA) == table.withdrawal(ANNA)


@given(tables)
def test_a_partition_is_never_granted_and_taken_where_nothing_limits_it(table: Relation) -> None:
    partition = Relation(**{**vars(table), "kind": Kind.PARTITION})
    kinds = [text.split()[0] for text in texts(partition, ANNA)]
    assert "GRANT" not in kinds
    assert ("REVOKE" in kinds) == (table.is_granted and not table.row_security)
    assert partition.is_open_to(ANNA) == (table.can_read and not table.row_security)
    assert not partition.is_open_to(EVERYBODY)
