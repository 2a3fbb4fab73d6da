"""The demo's content: what two writers keep in Notion, and a few edits that they make."""

from notion_workspace.showcase.content import Showcase, build_showcase

__all__ = ["Showcase", "build_showcase"]
