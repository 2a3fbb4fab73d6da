"""What makes cron leave a crontab out is told, with the command that fixes it."""

from __future__ import annotations

import pytest

from notion_pg_sync.commands.doctor.scheduling.crontab import read_crontab
from notion_pg_sync.commands.doctor.scheduling.faults import FileFacts, faults_of

TEXT = "*/15 * * * * root notion-pg-sync sync-all\n"


@pytest.mark.parametrize(
    ("facts", "text", "says", "fix"),
    [
        (
            FileFacts("/etc/cron.d/sync.cron", "root"),
            TEXT,
            "letters, digits",
            "mv /etc/cron.d/sync.cron /etc/cron.d/sync-cron",
        ),
        (FileFacts("/etc/cron.d/sync", "anna"), TEXT, "belongs to anna", "chown root: /etc/cron.d/sync"),
        (FileFacts("/etc/cron.d/sync", "root", 0o664), TEXT, "mode 664", "chmod 644 /etc/cron.d/sync"),
        (FileFacts("/etc/cron.d/sync", "root"), TEXT.rstrip(), "newline", "echo >> /etc/cron.d/sync"),
        (FileFacts("/etc/cron.d/sync", "root", unknown_users=("anna",)), TEXT, "'anna' is not a user", "sudoedit"),
        (FileFacts("/etc/crontab", "root"), TEXT + "nonsense\n", "line 2", "sudoedit /etc/crontab"),
        (FileFacts("", "anna", 0o600, kept_by="anna"), "nonsense\n", "line 1", "crontab -u anna -e"),
    ],
)
def test_a_fault_is_told_with_its_mend(facts: FileFacts, text: str, says: str, fix: str) -> None:
    (fault,) = faults_of(facts, read_crontab(text, with_user=bool(facts.path)), "cron")
    assert says in fault.sentence
    assert fix in fault.fix + fault.needs


@pytest.mark.parametrize("facts", [FileFacts("/etc/cron.d/sync", "root"), FileFacts("/etc/crontab", "root", 0o600)])
def test_a_sound_file_has_none(facts: FileFacts) -> None:
    assert faults_of(facts, read_crontab(TEXT, with_user=True), "cron") == []


def test_cronie_reads_names_with_dots() -> None:
    facts = FileFacts("/etc/cron.d/sync.cron", "root")
    crontab = read_crontab(TEXT, with_user=True)
    assert faults_of(facts, crontab, "crond") == []
