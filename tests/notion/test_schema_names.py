"""A property's name becomes a name that one can type in SQL."""

from __future__ import annotations

import pytest

from notion_pg_sync.notion.column_names import column_name, free_name


@pytest.mark.parametrize(
    ("property_name", "expected"),
    [
        ("Name", "name"),
        ("Due date", "due_date"),
        ("  Due -- date (UTC)?  ", "due_date_utc"),
        ("__init__", "init"),
        ("Größe", "grosse"),
        ("GRÖẞE", "grosse"),
        ("Ærø, Bøf", "aero_bof"),
        ("Œuvre", "oeuvre"),
        ("Þór Đoković ð", "thor_dokovic_d"),
        ("Ħal-Għaxaq", "hal_ghaxaq"),
        ("Işık", "isik"),
        ("Şəki ŋ", "seki_n"),
        ("Col·lecció Coŀlecció ŉ", "col_leccio_colleccio_n"),
        ("ǅ ǿ ﬀ ĳ", "dz_o_ff_ij"),
        ("ἀρχή Ωμέγας", "ἀρχή_ωμέγας"),
        ("Ꭰꮳ", "ꭰꮳ"),
        ("Café Résumé", "cafe_resume"),
        ("Cafe\u0301", "cafe"),
        ("x\u0301\u0302", "x"),
        ("İstanbul", "istanbul"),
        ("Łódź", "lodz"),
        ("ＦＵＬＬ width", "full_width"),
        ("ﬁle", "file"),
        ("名前", "名前"),
        ("が", "が"),
        ("Привет Мир", "привет_мир"),
        ("Ёлка й", "ёлка_й"),
        ("हिन्दी", "हिन्दी"),
        ("한국어", "한국어"),
        ("✅ Done 🎉", "done"),
        ("👩‍👩‍👧", "column_"),
        ("", "column_"),
        ("___", "column_"),
        ("\x00\ud800", "column_"),
        ("2024 budget", "_2024_budget"),
        ("%", "column_"),
        ('a"b;--', "a_b"),
        ("a\nb\tc\u00a0d\u200be", "a_b_c_d_e"),
        ("½", "column_"),
        ("№ 5", "no_5"),
        ("Select", "select_"),
        ("ORDER", "order_"),
        ("User", "user_"),
        ("left", "left_"),
        ("Url", "url_"),
        ("Page ID", "page_id_"),
        ("ctid", "ctid_"),
        # Key words that PostgreSQL takes as a column's name.
        ("Value", "value"),
        ("Time", "time"),
        ("Year", "year"),
        ("a" * 300, "a" * 63),
        ("名" * 40, "名" * 21),
        ("a" + "名" * 40, "a" + "名" * 20),
    ],
)
def test_column_names(property_name: str, expected: str) -> None:
    assert column_name(property_name) == expected
    assert len(expected.encode()) <= 63


def test_a_free_name_is_numbered_and_never_too_long() -> None:
    assert free_name("due", "_at", []) == "due_at"
    assert free_name("due", "_at", ["due_at", "due_at_2"]) == "due_at_3"
    assert free_name("a" * 63, "", ["a" * 63]) == "a" * 61 + "_2"
    assert free_name("名" * 21, "_end_at", []) == "名" * 18 + "_end_at"


def test_a_free_name_is_no_reserved_one() -> None:
    assert free_name("notion_created", "_at", []) == "notion_created_at_2"
