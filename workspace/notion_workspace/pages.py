"""Steers what pages there are and what they hold."""

from typing import Any

from notion_workspace.bodies import make_blocks, walk
from notion_workspace.building import Values
from notion_workspace.clock import milliseconds
from notion_workspace.model import Page, Value
from notion_workspace.odd_pages import ODDITIES
from notion_workspace.steered import Steered, steered


class Pages(Steered):
    """Pages by id. Those of generated data sources are held from their first change on."""

    @steered
    def add_page(self, data_source: str, values: Values | None = None, *, author: str | None = None) -> str:
        """Adds a page with plain values by property name. Returns its id."""
        return self._build.add_page(self._build.source(data_source), values or {}, self._author(author)).id

    @steered
    def edit_page(self, page_id: str, values: Values | None = None, *, author: str | None = None) -> None:
        """Changes values, and moves the last-edited time to now; without values that alone."""
        page = self._build.page(page_id)
        self._build.set_values(page, values or {})
        page.edited_by = self._author(author)
        self.state.touch(page)

    @steered
    def set_quietly(self, page_id: str, values: Values) -> None:
        """Changes values without moving the last-edited time, as computed values do."""
        self._build.set_values(self._build.page(page_id), values)

    @steered
    def set_pictures(self, page_id: str, icon: Value = None, cover: Value = None) -> None:
        """Sets icon and cover (a `File`, or Notion's JSON such as an emoji), as an edit.

        The icon may be a `Mention` of the kind `custom_emoji`, too.
        """
        page = self._build.page(page_id)
        page.icon, page.cover = icon, cover
        self.state.touch(page)

    @steered
    def lock_page(self, page_id: str, *, locked: bool = True, bump: bool = False) -> None:
        """Locks a page, or unlocks it."""
        self._change(page_id, bump).is_locked = locked

    @steered
    def publish_page(self, page_id: str, url: str | None, *, bump: bool = False) -> None:
        """Publishes a page on the web at `url`; None ends that."""
        self._change(page_id, bump).public_url = url

    @steered
    def set_times(self, page_id: str, created: str | None = None, edited: str | None = None) -> None:
        """Sets a page's times (ISO) at will."""
        page = self._build.page(page_id)
        page.created = milliseconds(created) if created else page.created
        page.edited = milliseconds(edited) if edited else page.edited
        page.edited_before = None

    @steered
    def trash_page(self, page_id: str, *, bump: bool = False) -> None:
        """Puts a page in the trash. `bump` moves the last-edited time, which Notion does not promise."""
        self._change(page_id, bump).in_trash = True

    @steered
    def restore_page(self, page_id: str, *, bump: bool = False) -> None:
        """Takes a page out of the trash."""
        self._change(page_id, bump).in_trash = False

    @steered
    def archive_page(self, page_id: str, *, bump: bool = False) -> None:
        """Archives a page (Notion's archive, not the trash)."""
        self._change(page_id, bump).is_archived = True

    @steered
    def unarchive_page(self, page_id: str, *, bump: bool = False) -> None:
        """Takes a page out of the archive."""
        self._change(page_id, bump).is_archived = False

    @steered
    def delete_page(self, page_id: str) -> None:
        """Deletes a page for good: 404 from now on."""
        self._build.delete_page(self._build.page(page_id))

    @steered
    def move_page(self, page_id: str, data_source: str, *, bump: bool = False) -> None:
        """Moves a page to another data source; values go along where name and type are the same."""
        page = self._change(page_id, bump)
        self._build.move_page(page, self._build.source(data_source))

    @steered
    def nest_page(self, page_id: str, parent_page_id: str | None, *, bump: bool = False) -> None:
        """Puts a page of a wiki into another page, where it is still one of the wiki's; None takes it out again."""
        self._change(page_id, bump).parent_page_id = parent_page_id

    @steered
    def spoil_page(self, page_id: str, oddity: str, *, alone: bool = False) -> None:
        """Lets queries answer a page oddly, one of `odd_pages.ODDITIES`; `alone`: asked for by itself, too.

        Raises ValueError.
        """
        if oddity not in ODDITIES:
            raise ValueError(f"no oddity {oddity!r}; there are {', '.join(ODDITIES)}")
        page_id = self._build.page(page_id).id
        self.state.odd_pages[page_id] = oddity
        (self.state.odd_pages_alone.add if alone else self.state.odd_pages_alone.discard)(page_id)

    @steered
    def heal_page(self, page_id: str) -> None:
        """Ends that."""
        self.state.odd_pages.pop(page_id, None)
        self.state.odd_pages_alone.discard(page_id)

    def _change(self, page_id: str, bump: bool) -> Page:
        page = self._build.page(page_id)
        if bump:
            self.state.touch(page)
        return page

    @steered
    def set_body(self, page_id: str, blocks: list[Any], *, bump: bool = True) -> None:
        """Gives a page another body; see `bodies.make_blocks` for the literals."""
        page = self._change(page_id, bump)
        for block in walk(page.body):
            del self.state.blocks[block.id]
        page.body = make_blocks(self.state, blocks, page.edited_by, self._build)
        for block in walk(page.body):
            self.state.blocks[block.id] = (page.id, block)
