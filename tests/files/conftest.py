"""Where bytes are kept (a folder, a bucket of a real S3 server), and a user whose pages have files everywhere."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import obstore
import pytest
from notion_workspace import File, Mention, SampleWorkspace, SmallWorkspace, WorkspaceServer
from notion_workspace.bodies import walk
from notion_workspace.literals import files, title
from notion_workspace.model import Page

from notion_pg_sync.sync.files.place import MARK
from tests.cli.conftest import Command, Ended, Site
from tests.s3_server import Bucket, S3Server

# Notion's own limit is not what is tried here.
UNPACED = ("--requests-per-minute", "100000")
WELL = Ended(0, "", "")
EMOJI = Mention("custom_emoji", "7e57ab1e-0000-4000-8000-000000000001", ":fox:")


class Store(Protocol):
    """Where bytes are kept, as a test looks at it: keys are those below `where`."""

    @property
    def where(self) -> str:
        """What `--files` is given."""
        ...

    @property
    def environment(self) -> dict[str, str]:
        """The variables that let the command in."""
        ...

    def sizes(self) -> dict[str, int]:
        """All that it holds beside its mark, whatever it is, and how many bytes each has."""
        ...

    def content(self, key: str) -> bytes:
        """The bytes under a key."""
        ...

    def write(self, key: str, content: bytes) -> None:
        """Puts other bytes there."""
        ...

    def delete(self, key: str) -> None:
        """Takes them away."""
        ...

    def unfinished(self) -> list[str]:
        """What was begun and neither ended nor given up, and is not among `sizes`."""
        ...


def unmarked(sizes: dict[str, int]) -> dict[str, int]:
    """The same without the mark that says whose the place is."""
    return {key: size for key, size in sizes.items() if key != MARK}


@dataclass(frozen=True)
class Folder:
    """A folder."""

    path: Path

    @property
    def where(self) -> str:
        return str(self.path)

    @property
    def environment(self) -> dict[str, str]:
        return {}

    def sizes(self) -> dict[str, int]:
        every = (Path(root, name) for root, _, names in os.walk(self.path) for name in names)
        return unmarked({str(one.relative_to(self.path)): one.lstat().st_size for one in every})

    def content(self, key: str) -> bytes:
        return (self.path / key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        (self.path / key).write_bytes(content)

    def delete(self, key: str) -> None:
        (self.path / key).unlink()

    def unfinished(self) -> list[str]:
        return []


@dataclass(frozen=True)
class BucketPart:
    """The part of a bucket below a prefix."""

    bucket: Bucket
    prefix: str = "copies/of Notion"

    @property
    def where(self) -> str:
        return f"s3://{self.bucket.name}/{self.prefix}"

    @property
    def environment(self) -> dict[str, str]:
        return self.bucket.environment

    def sizes(self) -> dict[str, int]:
        """What lies outside the prefix has a key that begins with a slash."""
        return unmarked(
            {
                key.removeprefix(f"{self.prefix}/") if key.startswith(f"{self.prefix}/") else f"/{key}": size
                for key, size in self.bucket.sizes().items()
            }
        )

    def content(self, key: str) -> bytes:
        return self.bucket.content(f"{self.prefix}/{key}")

    def write(self, key: str, content: bytes) -> None:
        obstore.put(self.bucket.store, f"{self.prefix}/{key}", content)

    def delete(self, key: str) -> None:
        obstore.delete(self.bucket.store, f"{self.prefix}/{key}")

    def unfinished(self) -> list[str]:
        return self.bucket.unfinished()


@dataclass(frozen=True)
class FileSite(Site):
    """An initialised PostgreSQL, a workspace that serves files, and a place for their bytes."""

    store: Store = field(kw_only=True)

    @property
    def workspace(self) -> SampleWorkspace:
        return self.small.workspace

    def sync(self, *arguments: str, **environment: str) -> Ended:
        """Runs `sync-all` with `--files`."""
        return self.command("sync-all", *UNPACED, "--files", self.store.where, *arguments, **environment)

    def add_albums(
        self, rows: Iterable[object], *, name: str = "Albums", user_id: str = "anna", **entry: object
    ) -> str:
        """A database whose rows have these files, for a user who has none yet; `entry` is said in notion_databases.

        The user has the workspace's token of the same name.
        """
        listed = [{"Name": f"Album {number}", "Files": given} for number, given in enumerate(rows)]
        handle = self.workspace.add_database(name, {"Name": title(), "Files": files()}, listed)
        self.workspace.share(user_id, name)
        self.connect(user_id, self.small.tokens[user_id], json.dumps({name: {"id": handle.id, **entry}}))
        return handle.data_source_id

    def say(self, **entries: dict[str, object]) -> None:
        """Adds to what notion_databases says of databases of the one user there is."""
        ((told,),) = self.execute("SELECT notion_databases::jsonb FROM user_settings")
        assert isinstance(told, dict)
        together = {**told, **{name: {**told.get(name, {}), **entry} for name, entry in entries.items()}}
        self.execute("UPDATE user_settings SET notion_databases = %s", json.dumps(together))

    def page(self, source: str, name: str) -> str:
        """The id of the page of this title."""
        found = [key for key, row in self.workspace.truth(source).items() if row["properties"]["Name"] == name]
        return found[0]

    # --- what there is to be -----------------------------------------------------------------------------------

    def path(self, file: File | Mention) -> str:
        """The path of a file on Notion's storage, as it is in its address."""
        url = file.url if isinstance(file, File) else f"{file.target}.png"
        return f"/{self.workspace.state.id}/{quote(url)}"

    def named(self, source: str, *, bodies: bool = True) -> set[tuple[object, ...]]:
        """Page, place, column, position, name and path of every hosted file of a data source, as given."""
        state = self.workspace.state
        pages = list(state.live_pages(state.data_sources[source]))
        return {one for page in pages for one in self._named_by(page, bodies)}

    def _named_by(self, page: Page, bodies: bool) -> Iterator[tuple[object, ...]]:
        properties = self.workspace.state.source_of(page).properties.values()
        for prop in properties:
            for position, file in enumerate(page.values.get(prop.id) or () if prop.type == "files" else (), 1):
                if not file.external:
                    yield page.id, "property", prop.name.casefold(), position, file.name, self.path(file)
        for place, picture in (("cover", page.cover), ("icon", page.icon)):
            if isinstance(picture, File | Mention):
                shown = picture.text.strip(":") if isinstance(picture, Mention) else picture.url.rpartition("/")[2]
                yield page.id, place, "", 1, shown, self.path(picture)
        stored = [block.content["stored_file"] for block in walk(page.body) if "stored_file" in block.content]
        for position, file in enumerate(stored if bodies else (), 1):
            yield page.id, "body", "", position, file.url.rpartition("/")[2], self.path(file)

    # --- what there is -----------------------------------------------------------------------------------------

    def kept(self, user_id: str = "anna") -> dict[str, tuple[str, str, int, str]]:
        """Key, SHA-256, size and media type of the files of a user that are kept, by path."""
        rows = self.execute(
            "SELECT path, stored_as, sha256, bytes, media_type FROM notion_sync.files"
            " WHERE user_id = %s AND fetched_at IS NOT NULL",
            user_id,
        )
        return {str(path): (str(key), str(digest), int(str(size)), str(kind)) for path, key, digest, size, kind in rows}

    def failures(self) -> dict[str, str]:
        """Why files are not kept, by path."""
        rows = self.execute("SELECT path, failure FROM notion_sync.files WHERE failure IS NOT NULL")
        return {str(path): str(failure) for path, failure in rows}

    def unused(self) -> set[str]:
        """The paths of files that no page names any more, and that stay for a while."""
        return {
            str(path) for (path,) in self.execute("SELECT path FROM notion_sync.files WHERE unused_since IS NOT NULL")
        }

    def let_it_be_tried_again(self) -> None:
        """Whatever time was to go by until then."""
        self.execute(
            "UPDATE notion_sync.files SET next_try_at = clock_timestamp()"
            " WHERE fetched_at IS NULL AND failure IS NOT NULL"
        )

    def problems(
        self, *sources: str, user_id: str = "anna", bodies: bool = True, known: Collection[str] = ()
    ) -> list[str]:
        """All that is not as it is to be once every file of the one user there is was kept.

        Those that no page names any more may be there. The bytes of `known` paths are not looked at.
        """
        rows = self.execute(
            "SELECT page_id, place, property, position, name, path FROM notion_sync.page_files WHERE user_id = %s",
            user_id,
        )
        named = set().union(*(self.named(source, bodies=bodies) for source in sources))
        lines = [f"named: {one}" for one in named.symmetric_difference(rows)]
        kept, sizes = self.kept(user_id), self.store.sizes()
        paths = {str(one[-1]) for one in named}
        lines += [f"kept: {path}" for path in paths.symmetric_difference(kept.keys() - (self.unused() - paths))]
        lines += [f"{path}: nothing under {key}" for path, (key, *_) in kept.items() if key not in sizes]
        looked_at = [path for path, (key, *_) in kept.items() if key in sizes and path not in known]
        lines += [line for path in looked_at for line in self._wrong(path, *kept[path])]
        return [*lines, *(f"left over: {key}" for key in sizes.keys() - {key for key, *_ in kept.values()})]

    def _wrong(self, path: str, key: str, digest: str, size: int, kind: str) -> Iterator[str]:
        served = self.workspace.files
        told = (digest, size, kind)
        true = (served.sha256(path), served.size(path), served.media_type(path))
        if told != true:
            yield f"{path}: {told}, not {true}"
        elif self._sha256(key) != digest:
            yield f"{path}: other bytes under {key}"

    def half(self, known: Collection[str] = ()) -> list[str]:
        """What lies under the key of a file, and is not all of it; `known` paths are not looked at."""
        rows = self.execute("SELECT path, coalesce(stored_as, begun_as) FROM notion_sync.files")
        sizes = self.store.sizes()
        there = {str(path): str(key) for path, key in rows if key in sizes and path not in known}
        return [path for path, key in there.items() if self._sha256(key) != self.workspace.files.sha256(path)]

    def _sha256(self, key: str) -> str:
        return hashlib.sha256(self.store.content(key)).hexdigest()


def make_site(initialised_url: str, small: SmallWorkspace, url: str, store: Store) -> FileSite:
    """A site whose workspace has this machine's time, and serves files."""
    small.workspace.clock.set(datetime.now(UTC))
    small.workspace.clock.run()
    small.workspace.configure(serve_files=True)
    command = Command({"DATABASE_URL": initialised_url, "NOTION_BASE_URL": url, **store.environment})
    return FileSite(command, small, initialised_url, store=store)


# Each worker starts a server of its own, which takes as long as several tests.
@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each of both in turn."""
    if request.param == "folder":
        return Folder(tmp_path / "kept")
    server: S3Server = request.getfixturevalue("s3_server")
    return BucketPart(server.bucket())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "kept")


@pytest.fixture
def site_with(initialised_url: str, small: SmallWorkspace) -> Iterator[Callable[[Store], FileSite]]:
    with WorkspaceServer(small.workspace) as server:
        yield lambda store: make_site(initialised_url, small, server.url, store)


@pytest.fixture
def site(site_with: Callable[[Store], FileSite], folder: Folder) -> FileSite:
    """One with a folder."""
    return site_with(folder)


@pytest.fixture
def either(site_with: Callable[[Store], FileSite], store: Store) -> FileSite:
    """One with a folder, then one with a bucket."""
    return site_with(store)
