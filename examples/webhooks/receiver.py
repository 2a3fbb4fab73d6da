"""Receives Notion's webhooks and passes them on to PostgreSQL: `uvicorn receiver:app`, behind https."""

import hashlib
import hmac
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
MOST_BYTES = 1_000_000


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """An ASGI application: 200 for every event that is Notion's, 503 until the token is known."""
    if scope["type"] != "http":
        raise ValueError(f"only HTTP is served here, not {scope['type']}")
    status = await answer(scope, receive)
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


async def answer(scope: Message, receive: Receive) -> int:
    """The status of the answer; what PostgreSQL fails of is raised, so that Notion sends the event again."""
    if scope["method"] != "POST":
        return 405
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BYTES:
            return 413
    token = os.environ.get("NOTION_VERIFICATION_TOKEN")
    if not token:
        return show_token(body)
    wanted = "sha256=" + hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(dict(scope["headers"]).get(b"x-notion-signature", b""), wanted.encode()):
        return 401
    try:
        async with await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            await connection.execute("SELECT notion_sync.receive_webhook(%s::jsonb)", (body.decode(),))
    except (UnicodeDecodeError, psycopg.DataError):  # no JSON, or no object
        return 400
    return 200


def show_token(body: bytes) -> int:
    """Until the token is known, nothing can be checked: Notion's first request, which has it, goes to the log."""
    try:
        print(f"NOTION_VERIFICATION_TOKEN is {json.loads(body)['verification_token']!a}", flush=True)
    except (ValueError, TypeError, KeyError, RecursionError):
        return 503
    return 200
