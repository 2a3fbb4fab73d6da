"""Pure: encrypted tokens, by AES-256-GCM: base64 of a 12-byte IV, the ciphertext and its 16-byte tag."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import replace

from notion_pg_sync.core.errors import ToolError
from notion_pg_sync.core.ids import TOKEN_PREFIXES
from notion_pg_sync.mirror.accounts import Account, ConnectedAccount
from notion_pg_sync.settings import Settings

IV_BYTES, TAG_BYTES = 12, 16

_OF_THE_URL_SAFE_ALPHABET = str.maketrans("-_", "+/")


class TokenError(ToolError):
    """A stored token cannot be opened; the message says why and what to do, and holds nothing of the token."""


def open_token(stored: str, key: bytes | None) -> str:
    """The token that `stored` holds; `stored` itself where it is not encrypted. `key`: 32 bytes, where there is one.

    Either alphabet of base64 will do, with or without its padding. Raises `TokenError` where it is encrypted and there
    is no key, or another than it is encrypted with, or where it is damaged.
    """
    sealed = _decoded(stored)
    if sealed is None:
        return stored
    if key is None:
        if not looks_encrypted(stored):
            return stored
        raise TokenError(
            "the notion_token is encrypted, and NOTION_TOKEN_KEY is not set: set it to the key with which the "
            "application encrypts, in the crontab too."
        )
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an optional dependency
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    try:
        opened = AESGCM(key).decrypt(sealed[:IV_BYTES], sealed[IV_BYTES:], None)
    except InvalidTag:
        if stored.startswith(TOKEN_PREFIXES):
            return stored
        raise TokenError(
            "the notion_token cannot be opened with NOTION_TOKEN_KEY: set the key with which the application "
            "encrypts, or let the user connect Notion again."
        ) from None
    try:
        return opened.decode("utf-8")
    except UnicodeDecodeError:
        raise TokenError("the notion_token, once opened, is not text: let the user connect Notion again.") from None


def connected_account(settings: Settings, account: Account) -> ConnectedAccount | None:
    """The account with its token opened, None where it has no token. Raises `TokenError`."""
    if account.integration_token and not account.access_token:
        account = replace(account, integration_token=open_token(account.integration_token, settings.token_key))
    return account.connected()


def seal_token(token: str, key: bytes) -> str:
    """Encrypts `token` with `key` (32 bytes), as `open_token` opens it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - an optional dependency

    iv = secrets.token_bytes(IV_BYTES)
    return base64.b64encode(iv + AESGCM(key).encrypt(iv, token.encode("utf-8"), None)).decode("ascii")


def looks_encrypted(stored: str) -> bool:
    """Whether a stored token is encrypted, by its looks."""
    return _decoded(stored) is not None and not stored.startswith(TOKEN_PREFIXES)


def _decoded(stored: str) -> bytes | None:
    """The bytes of what may be an encrypted token, None for what cannot be one."""
    written = stored.strip().rstrip("=").translate(_OF_THE_URL_SAFE_ALPHABET)
    try:
        decoded = base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if len(decoded) > IV_BYTES + TAG_BYTES else None
