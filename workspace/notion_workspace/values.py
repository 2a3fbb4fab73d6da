"""Values as the API renders them: Notion's JSON, whole or cut at 25 (docs/notion-api.md#truncation)."""

from collections.abc import Callable
from typing import Any

from notion_workspace import rollups
from notion_workspace.clock import HOUR, expiry_text, minute_text
from notion_workspace.model import (
    UNSUPPORTED,
    Equation,
    File,
    Json,
    Mention,
    Page,
    Property,
    RichText,
    Text,
    Token,
    User,
    Value,
)
from notion_workspace.plain import DEEPEST, Reader, bare_url, date_json
from notion_workspace.signatures import signed_query
from notion_workspace.state import State

# Most relations, people and mentioned pages or people in a page answer.
CUT = 25

_STYLES = ("bold", "italic", "strikethrough", "underline", "code")
_PLAIN_ANNOTATIONS: Json = {**dict.fromkeys(_STYLES, False), "color": "default"}


def text_item(content: str, link: str | None = None, annotations: Json = _PLAIN_ANNOTATIONS) -> Json:
    """A rich text item of plain text."""
    return {
        "type": "text",
        "text": {"content": content, "link": None if link is None else {"url": link}},
        "annotations": annotations,
        "plain_text": content,
        "href": link,
    }


def plain_title(name: str) -> list[Json]:
    """A database's or data source's title: `[]` when it has none."""
    return [text_item(name)] if name else []


class Renderer:
    """Renders values as one token sees them.

    `limit` is 25 in page and query answers; None cuts nothing, and computes rollups and formulas over all related
    pages. `signed` gives file URLs a signature and an expiry, new at every read, as every answer of the API does.
    """

    def __init__(
        self,
        state: State,
        token: Token | None,
        *,
        limit: int | None = CUT,
        signed: bool = True,
        depth: int = 0,
    ) -> None:
        self.state, self.token, self.limit, self.signed, self.depth = state, token, limit, signed, depth
        self.reader = Reader(state, token, limit, depth)

    def property_value(self, page: Page, prop: Property) -> Json:
        """`{id, type, TYPE}`, and `has_more` for relations."""
        kind = prop.definition.type
        # Not through `value`: this runs for every cell of every answer.
        render = _RENDERERS.get(kind)
        value = page.values.get(prop.id) if render is None else render(self, page, prop)
        rendered: Json = {"id": prop.encoded_id, "type": kind, kind: value}
        if kind == "relation":
            count = len(self.state.related_ids(page, prop, self.token))
            rendered["has_more"] = self.limit is not None and count > self.limit
        return rendered

    def value(self, page: Page, prop: Property) -> Value:
        """What stands under the property's type."""
        render = _RENDERERS.get(prop.type)
        return page.values.get(prop.id) if render is None else render(self, page, prop)

    def items(self, page: Page, prop: Property) -> list[Any]:
        """All items of a list-like value, never cut: rich text, users or page references."""
        stored = page.values.get(prop.id) or ()
        if prop.type == "people":
            return [self.user(user_id) for user_id in stored]
        if prop.type == "relation":
            return [{"id": other} for other in self.state.related_ids(page, prop, self.token)]
        return [self.rich_text_item(item) for item in stored]

    def user(self, user_id: str) -> Json:
        """A user as they stand in a property value: full, partial without the capability, or a group."""
        return user_json(self.state.users[user_id], self.token)

    def text(self, items: tuple[RichText, ...]) -> list[Json]:
        """Rich text; mentions of people and pages past the 25th different one are rendered as their plain text.

        One target mentioned often counts once: 50 mentions of one user are recorded to come whole.
        """
        rendered: list[Json] = []
        known: set[str] = set()
        for item in items:
            if isinstance(item, Mention) and item.kind in ("user", "page") and self.limit is not None:
                known.add(item.target)
                if len(known) > self.limit:
                    known.discard(item.target)
                    rendered.append(text_item(self.reader.plain_text(item)))
                    continue
            rendered.append(self.rich_text_item(item))
        return rendered

    def rich_text_item(self, item: RichText) -> Json:
        """One item of rich text."""
        match item:
            case Text():
                return text_item(item.content, item.link, _annotations(item))
            case Equation():
                detail: Json = {"type": "equation", "equation": {"expression": item.expression}}
                href = None
            case Mention():
                detail = {"type": "mention", "mention": self._mention(item)}
                href = self._href(item)
        return {**detail, "annotations": _PLAIN_ANNOTATIONS, "plain_text": self.reader.plain_text(item), "href": href}

    def _mention(self, mention: Mention) -> Json:
        match mention.kind:
            case "user":
                inner: Any = self.user(mention.target)
            case "page" | "database":
                inner = {"id": mention.target}
            case "date":
                inner = date_json(mention.target)
            case "link_preview":
                inner = {"url": mention.target}
            case "template_mention":
                kind = "template_mention_user" if mention.target == "me" else "template_mention_date"
                inner = {"type": kind, kind: mention.target}
            case "custom_emoji":
                inner = self.custom_emoji(mention)
        return {"type": mention.kind, mention.kind: inner}

    def _href(self, mention: Mention) -> str | None:
        if mention.kind in ("page", "database"):
            return f"https://www.notion.so/{mention.target.replace('-', '')}"
        return mention.target if mention.kind == "link_preview" else None

    def file(self, file: File) -> Json:
        """A file: with a new signature at every read, or external."""
        return {"name": file.name, **self.file_object(file)}

    def file_object(self, file: File) -> Json:
        """The file object that files, icons and covers share; the signature changes at every read."""
        url = bare_url(file, self.state)
        if file.external:
            return {"type": "external", "external": {"url": url}}
        if not self.signed:
            return {"type": "file", "file": {"url": url}}
        signed = f"{url}?{signed_query(self.state, f'/{self.state.id}/{file.url}')}"
        return {"type": "file", "file": {"url": signed, "expiry_time": expiry_text(self.state.clock.now + HOUR)}}

    def custom_emoji(self, emoji: Mention) -> Json:
        """What mentions of a workspace's own emoji and icons share; its image is hosted like any file."""
        image = self.file_object(File(emoji.text, f"{emoji.target}.png"))["file"]
        return {"id": emoji.target, "name": emoji.text.strip(":"), "url": image["url"]}

    def formula(self, page: Page, prop: Property) -> Json:
        """`{type, TYPE}`; a null keeps its type."""
        result = self.reader.formula(page, prop)
        if result is UNSUPPORTED:
            return {"type": "unsupported", "unsupported": {}}
        kind = _result_type(result) or prop.definition.result
        return {"type": kind, kind: result}

    def rollup(self, page: Page, prop: Property) -> Json:
        """`{type, TYPE, function}`; arrays hold typed values without ids."""
        function = prop.definition.function
        result = self.reader.rollup(page, prop)
        if result is UNSUPPORTED:
            return {"type": "unsupported", "unsupported": {}, "function": function}
        if function in rollups.ARRAYS:
            return {"type": "array", "array": self.rollup_array(page, prop), "function": function}
        kind = "date" if function in rollups.DATES else "number"
        return {"type": kind, kind: result, "function": function}

    def rollup_array(self, page: Page, prop: Property) -> list[Json]:
        """The typed values of `show_original` and `show_unique`."""
        if self.depth > DEEPEST:
            return []
        deeper = Renderer(self.state, self.token, limit=self.limit, signed=self.signed, depth=self.depth + 1)
        seen: list[Any] = []
        array: list[Json] = []
        for related, target, plain in self.reader.rolled_up(page, prop):
            if prop.definition.function == "show_unique" and plain in seen:
                continue
            seen.append(plain)
            array.append({"type": target.type, target.type: deeper.value(related, target)})
        return array


def user_json(user: User, token: Token | None, *, own_bot: Json | None = None) -> Json:
    """A user as a token may see them (docs/notion-api.md#people)."""
    if user.kind == "group":
        return {"object": "group", "id": user.id, "name": user.name}
    if user.kind == "partial" or (token is not None and not token.read_users):
        return {"object": "user", "id": user.id}
    shown: Json = {"object": "user", "id": user.id, "name": user.name, "avatar_url": None, "type": user.kind}
    if user.kind == "bot":
        return {**shown, "bot": own_bot or {}}
    with_email = user.email is not None and (token is None or token.read_emails)
    return {**shown, "person": {"email": user.email} if with_email else {}}


def option_json(prop: Property, option_id: str | None) -> Json | None:
    """A chosen option; None when there is none or it was removed."""
    option = prop.option(option_id) if option_id else None
    return {"id": option.id, "name": option.name, "color": option.color} if option else None


def _annotations(item: Text) -> Json:
    if not item.style and item.color == "default":
        return _PLAIN_ANNOTATIONS
    return {**{style: style in item.style for style in _STYLES}, "color": item.color}


def _result_type(result: Value) -> str | None:
    """A formula result's type; None for null."""
    match result:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case dict():
            return "date"
        case _:
            return None


_Render = Callable[[Renderer, Page, Property], Any]

_RENDERERS: dict[str, _Render] = {
    "title": lambda r, page, prop: r.text(page.values.get(prop.id) or ()),
    "rich_text": lambda r, page, prop: r.text(page.values.get(prop.id) or ()),
    "select": lambda _r, page, prop: option_json(prop, page.values.get(prop.id)),
    "status": lambda _r, page, prop: option_json(prop, page.values.get(prop.id)),
    "multi_select": lambda _r, page, prop: [
        option for one in page.values.get(prop.id) or () if (option := option_json(prop, one))
    ],
    "date": lambda _r, page, prop: date_json(page.values.get(prop.id)),
    "people": lambda r, page, prop: r.items(page, prop)[: r.limit],
    "relation": lambda r, page, prop: r.items(page, prop)[: r.limit],
    "files": lambda r, page, prop: [r.file(file) for file in page.values.get(prop.id) or ()],
    "checkbox": lambda _r, page, prop: bool(page.values.get(prop.id)),
    "formula": lambda r, page, prop: r.formula(page, prop),
    "rollup": lambda r, page, prop: r.rollup(page, prop),
    "created_time": lambda _r, page, _prop: minute_text(page.created),
    "last_edited_time": lambda _r, page, _prop: minute_text(page.edited),
    "created_by": lambda r, page, _prop: r.user(page.created_by),
    "last_edited_by": lambda r, page, _prop: r.user(page.edited_by),
    "unique_id": lambda _r, page, prop: {"prefix": prop.definition.prefix, "number": page.values.get(prop.id)},
    "button": lambda _r, _page, _prop: {},
}
