"""Encrypted tokens: opened as any AES-256-GCM would, refused in one sentence, and used as they are otherwise."""

from __future__ import annotations

import base64
import re
import secrets
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import assume, given
from hypothesis import strategies as st
from notion_workspace import SmallWorkspace

from notion_pg_sync.sync.run.token_encryption import TokenError, looks_encrypted, open_token, seal_token
from tests.installation import Installation

KEY = b"k" * 32

keys = st.binary(min_size=32, max_size=32)
ivs = st.binary(min_size=12, max_size=12)
tokens = st.text(min_size=1)


def sealed_elsewhere(token: str, key: bytes, iv: bytes) -> bytes:
    """As an application does it: the parts made one by one, with the cipher itself."""
    encryptor = Cipher(algorithms.AES256(key), modes.GCM(iv)).encryptor()
    return iv + encryptor.update(token.encode()) + encryptor.finalize() + encryptor.tag


def opened_elsewhere(stored: str, key: bytes) -> str:
    whole = base64.b64decode(stored, validate=True)
    decryptor = Cipher(algorithms.AES256(key), modes.GCM(whole[:12], whole[-16:])).decryptor()
    return (decryptor.update(whole[12:-16]) + decryptor.finalize()).decode()


@given(tokens, keys, ivs)
def test_what_an_application_encrypted_is_opened_in_either_alphabet(token: str, key: bytes, iv: bytes) -> None:
    whole = sealed_elsewhere(token, key, iv)
    for stored in (base64.b64encode(whole).decode(), base64.urlsafe_b64encode(whole).decode()):
        assert open_token(stored, key) == token
        assert open_token(stored.rstrip("="), key) == token
        assert open_token(f"{stored}\n", key) == token


@given(tokens, keys)
def test_what_is_sealed_here_an_application_opens(token: str, key: bytes) -> None:
    assert opened_elsewhere(seal_token(token, key), key) == token


def test_no_two_seals_are_alike() -> None:
    assert len({seal_token("ntn_same", KEY) for _ in range(100)}) == 100


@given(tokens, keys, keys)
def test_another_key_is_told_in_a_sentence_without_the_token(token: str, key: bytes, other: bytes) -> None:
    assume(key != other)
    stored = seal_token(token, key)
    # By chance one in 16 million begins as a token does.
    assume(not stored.startswith(("ntn_", "secret_")))
    with pytest.raises(TokenError, match="NOTION_TOKEN_KEY") as told:
        open_token(stored, other)
    assert stored not in str(told.value)
    assert told.value.__suppress_context__


@given(tokens, keys, st.data())
def test_a_changed_bit_is_noticed(token: str, key: bytes, data: st.DataObject) -> None:
    whole = bytearray(base64.b64decode(seal_token(token, key)))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(TokenError):
        open_token(base64.b64encode(whole).decode(), key)


@given(st.binary(max_size=28), keys)
def test_what_is_too_short_to_be_encrypted_is_used_as_it_is(short: bytes, key: bytes) -> None:
    stored = base64.b64encode(short).decode()
    assert open_token(stored, key) == stored


@pytest.mark.parametrize(
    "token",
    [
        "ntn_" + "A1b2" * 11 + "Zz",
        "ntn_" + "A" * 60,
        "secret_" + "a" * 43,
        "secret_" + "a" * 45,
        "a token with spaces in it, and more than twenty-nine bytes long",
        "ü" * 60,
        "",
    ],
)
def test_a_plain_token_is_used_as_it_is_with_a_key_set(token: str) -> None:
    assert open_token(token, KEY) == token


@given(st.text(), tokens)
def test_without_a_key_what_is_encrypted_is_never_used_and_all_else_as_it_is(stored: str, token: str) -> None:
    assert looks_encrypted(stored) or open_token(stored, None) == stored
    with pytest.raises(TokenError, match="NOTION_TOKEN_KEY is not set"):
        open_token(seal_token(token, KEY), None)


def test_what_is_no_text_is_told() -> None:
    encryptor = Cipher(algorithms.AES256(KEY), modes.GCM(iv := secrets.token_bytes(12))).encryptor()
    whole = iv + encryptor.update(b"\xff\xfe") + encryptor.finalize() + encryptor.tag
    with pytest.raises(TokenError, match="is not text"):
        open_token(base64.b64encode(whole).decode(), KEY)


async def test_a_user_whose_token_is_of_another_key_fails_and_the_others_are_synced(
    installation: Installation, small: SmallWorkspace
) -> None:
    databases = {"Characters": small.databases["Characters"]}
    await installation.connect("anna", seal_token(small.tokens["anna"], KEY), databases)
    await installation.connect("ben", seal_token(small.tokens["ben"], b"o" * 32), databases)
    await installation.connect("plain", small.tokens["anna"], databases)
    outcome = await installation.sync_all(token_key=KEY)
    assert {account.user_id: [run.status for run in account.databases.values()] for account in outcome.accounts} == {
        "anna": ["succeeded"],
        "ben": [],
        "plain": ["succeeded"],
    }
    (failure,) = outcome.failures
    assert failure.startswith("ben: the notion_token cannot be opened with NOTION_TOKEN_KEY: ")
    assert outcome.status == "failed"
    ((told,),) = [
        tuple(row.values())
        for row in await installation.execute("SELECT return_message FROM notion_sync.job_run_details")
    ]
    assert told.startswith("ben: the notion_token cannot be opened")


async def test_one_database_of_a_user_is_synced_with_an_opened_token(
    installation: Installation, small: SmallWorkspace
) -> None:
    databases = {"Characters": small.databases["Characters"]}
    await installation.connect("anna", seal_token(small.tokens["anna"], KEY), databases)
    assert (await installation.sync_one("anna", "Characters", token_key=KEY)).failures == []
    (failure,) = (await installation.sync_one("anna", "Characters", token_key=b"o" * 32)).failures
    assert "NOTION_TOKEN_KEY" in failure
    small.workspace.requests.clear()
    (failure,) = (await installation.sync_one("anna", "Characters")).failures
    assert failure.startswith("anna: the notion_token is encrypted, and NOTION_TOKEN_KEY is not set")
    (failure,) = (await installation.sync_all()).failures
    assert failure.startswith("anna: the notion_token is encrypted")
    assert small.workspace.requests.all() == []


async def test_a_token_of_oauth_is_never_opened(installation: Installation, small: SmallWorkspace) -> None:
    sealed = seal_token(small.tokens["anna"], b"o" * 32)
    databases = {"Characters": small.databases["Characters"]}
    await installation.connect("anna", sealed, databases, notion_access_token=small.tokens["anna"])
    await installation.connect("ben", small.tokens["anna"], databases, notion_access_token=seal_token("ntn_x", KEY))
    outcome = await installation.sync_all(token_key=KEY)
    (failure,) = outcome.failures
    assert failure.startswith("ben: Notion does not accept the token")


def test_the_recipe_of_the_documentation_is_opened() -> None:
    page = (Path(__file__).parents[2] / "docs" / "connecting-users.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    passphrase = "ein Schlüssel, der länger ist als er sein muss"
    names: dict[str, str] = {"passphrase": passphrase, "token": "ntn_x"}
    exec(recipe, names)
    assert open_token(names["stored"], passphrase.encode()[:32]) == "ntn_x"
