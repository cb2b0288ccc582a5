"""The outlets and their articles, as their TOML files say them: one file per outlet in ``articles/``.

Dates are ages in hours before the *anchor* (the moment at which the sample was first served), so that the
news is always fresh: a negative age is an article that appears later.
"""

import re
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast, get_args

from digest.errors import ConfigError

Format = Literal["rss", "atom", "json"]
Content = Literal["summary", "full"]
Scene = Literal[
    "bars", "bridge", "chart-down", "chart-up", "coins", "columns", "mountain", "network",
    "pylons", "racks", "ridge", "ship", "skyline", "terminal", "wafer", "waves",
]  # fmt: skip

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Picture:
    """An illustration that the server draws: ``scene`` says which, the article's slug how."""

    scene: Scene
    alt: str
    credit: str


@dataclass(frozen=True, slots=True)
class SampleArticle:
    """An article of the sample.

    Attributes:
        outlet: the outlet's name.
        url: where it would stand on the web; the host is a reserved name (RFC 2606).
        age: hours before the anchor; negative for one that is still to come.
        body: paragraphs of the full text, may be empty.
    """

    outlet: str
    slug: str
    url: str
    title: str
    summary: str
    age: float
    author: str
    tags: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    picture: Picture | None = None

    def published_at(self, anchor: datetime) -> datetime:
        """When it comes out, given the anchor."""
        return anchor - timedelta(hours=self.age)


@dataclass(frozen=True, slots=True)
class Outlet:
    """A fictional publication and its feed.

    Attributes:
        key: name of its file, without ``.toml``.
        path: path of its feed on the server.
        content: ``full`` feeds carry the body of articles that have one, ``summary`` feeds never do.
        delay: seconds after which its server answers.
    """

    key: str
    name: str
    site: str
    description: str
    path: str
    format: Format
    content: Content
    delay: float
    articles: tuple[SampleArticle, ...]


def load_articles(folder: Path) -> tuple[SampleArticle, ...]:
    """All articles of the sample newsroom in ``folder``, outlet by outlet.

    Raises:
        ConfigError: a file that can't be read, with the key that is wrong.
    """
    return tuple(article for outlet in load_outlets(folder) for article in outlet.articles)


def load_outlets(folder: Path) -> tuple[Outlet, ...]:
    """The outlets in ``folder/articles``, by file name.

    Raises:
        ConfigError: a file that can't be read, with the key that is wrong.
    """
    files = sorted((folder / "articles").glob("*.toml"))
    if not files:
        raise ConfigError("holds no articles/*.toml", file=str(folder))
    tables = {path.stem: read_toml(path) for path in files}
    outlets = tuple(_outlet(path, tables) for path in files)
    _refuse_twins(folder, outlets)
    return outlets


class Table:
    """A TOML table whose values are taken out by key and type; what is left over at the end is a mistake."""

    def __init__(self, values: dict[str, Any], file: Path, where: str = "") -> None:
        self._values, self._file, self._where = dict(values), file, where

    def fail(self, key: str, problem: str) -> ConfigError:
        """The error that names this table's file and the key."""
        return ConfigError(problem, file=str(self._file), key=".".join(part for part in (self._where, key) if part))

    def text(self, key: str, default: str | None = None) -> str:
        """A string; empty ones are refused unless that is the default."""
        value = self._values.pop(key, default)
        if not isinstance(value, str) or (not value.strip() and value != default):
            raise self.fail(key, "is missing: write a text" if value is None else "must be a text that is not empty")
        return value.strip()

    def number(self, key: str, default: float | None = None) -> float:
        """An integer or a float."""
        value = self._values.pop(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(key, "is missing: write a number" if value is None else "must be a number")
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, empty if absent."""
        value = self._values.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, "must be a list of texts")
        return tuple(value)

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        """One of the allowed words."""
        value = self.text(key)
        if value not in allowed:
            raise self.fail(key, f"is {value!r}: write one of {', '.join(allowed)}")
        return value

    def tables(self, key: str) -> list["Table"]:
        """An array of tables, empty if absent."""
        value = self._values.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(key, f"must be tables: write [[{key}]]")
        return [Table(item, self._file, f"{key}[{number}]") for number, item in enumerate(value)]

    def table(self, key: str) -> "Table | None":
        """An inline table, None if absent."""
        value = self._values.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.fail(key, "must be a table: write { … }")
        return Table(value, self._file, ".".join(part for part in (self._where, key) if part))

    def done(self) -> None:
        """Refuse whatever nobody asked for."""
        for key in self._values:
            raise self.fail(key, "is no key that is known here")


def read_toml(path: Path) -> Table:
    """The file as a table.

    Raises:
        ConfigError: missing, or not TOML.
    """
    try:
        return Table(tomllib.loads(path.read_text(encoding="utf-8")), path)
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror}", file=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"is not TOML: {error}", file=str(path)) from None


def _outlet(path: Path, tables: dict[str, Table]) -> Outlet:
    table = tables[path.stem]
    outlet = Outlet(
        key=path.stem,
        name=table.text("outlet"),
        site=table.text("site").rstrip("/"),
        description=table.text("description"),
        path=table.text("path").strip("/"),
        format=cast(Format, table.choice("format", get_args(Format))),
        content=cast(Content, table.choice("content", get_args(Content))),
        delay=table.number("delay", 0.0),
        articles=(),
    )
    if not outlet.site.startswith("https://"):
        raise table.fail("site", "must begin with https://")
    articles = tuple(_article(entry, outlet, path.parent) for entry in table.tables("articles"))
    table.done()
    return replace(outlet, articles=articles)


def _article(table: Table, outlet: Outlet, folder: Path) -> SampleArticle:
    slug = table.text("slug")
    if not SLUG.fullmatch(slug):
        raise table.fail("slug", "may hold a-z, 0-9 and single hyphens")
    original = _original(table, folder)
    article = SampleArticle(
        outlet=outlet.name,
        slug=slug,
        url=f"{outlet.site}/{slug}",
        title=table.text("title", original.title if original else None),
        summary=table.text("summary", original.summary if original else None),
        age=table.number("age"),
        author=table.text("author"),
        tags=table.texts("tags") or (original.tags if original else ()),
        body=_paragraphs(table.text("body", "")) or (original.body if original else ()),
        picture=_picture(table.table("image")) or (original.picture if original else None),
    )
    table.done()
    return article


def _original(table: Table, folder: Path) -> SampleArticle | None:
    """The article that a syndicated copy repeats: ``copy_of = "outlet-key/slug"``."""
    name = table.text("copy_of", "")
    if not name:
        return None
    key, _, slug = name.partition("/")
    source = folder / f"{key}.toml"
    if source.is_file():
        for entry in read_toml(source).tables("articles"):
            if entry.text("slug") == slug:
                return SampleArticle(
                    outlet=key,
                    slug=slug,
                    url="",
                    title=entry.text("title"),
                    summary=entry.text("summary"),
                    age=entry.number("age"),
                    author=entry.text("author"),
                    tags=entry.texts("tags"),
                    body=_paragraphs(entry.text("body", "")),
                    picture=_picture(entry.table("image")),
                )
    raise table.fail("copy_of", f"names no article: {name!r}")


def _picture(table: Table | None) -> Picture | None:
    if table is None:
        return None
    picture = Picture(
        cast(Scene, table.choice("scene", get_args(Scene))), alt=table.text("alt"), credit=table.text("credit")
    )
    table.done()
    return picture


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"\n\s*\n", text) if part.strip())


def _refuse_twins(folder: Path, outlets: tuple[Outlet, ...]) -> None:
    seen: set[str] = set()
    for outlet in outlets:
        for value in (outlet.path, *(article.url for article in outlet.articles)):
            if value in seen:
                raise ConfigError(f"{value} appears twice", file=str(folder / "articles" / f"{outlet.key}.toml"))
            seen.add(value)
