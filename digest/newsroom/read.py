"""From a folder of TOML files to a checked ``Newsroom``. Every problem names its file, line and key."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from digest.domain.content import TopicProfile
from digest.domain.newsroom import (
    ChartSpec,
    EpigraphSpec,
    EventSpec,
    FeedSpec,
    LetterSpec,
    LinkSpec,
    NewsletterSpec,
    Newsroom,
    ResearchSpec,
    Site,
    SponsorSpec,
    Theme,
)
from digest.errors import ConfigError
from digest.newsroom.lines import line_of
from digest.newsroom.rules import Source, cross_check, theme_problems
from digest.newsroom.themes import theme_files

LISTS: dict[str, Any] = {
    "feeds": FeedSpec,
    "topics": TopicProfile,
    "sponsors": SponsorSpec,
    "events": EventSpec,
    "research": ResearchSpec,
    "epigraphs": EpigraphSpec,
    "links": LinkSpec,
    "charts": ChartSpec,
    "letters": LetterSpec,
}
"""File ``NAME.toml`` holds an array of tables ``[[NAME]]`` of this kind."""


def load(folder: Path, variables: Mapping[str, str] | None = None) -> Newsroom:
    """The newsroom in ``folder``.

    Args:
        variables: values for ``{name}`` in feed addresses.

    Raises:
        ConfigError: every problem found, by file, line and key.
    """
    newsroom, problems = check(folder, variables)
    if problems:
        first, *others = problems
        raise ConfigError(first.problem, file=first.file, line=first.line, key=first.key, others=others)
    return newsroom


def check(folder: Path, variables: Mapping[str, str] | None = None) -> tuple[Newsroom, list[ConfigError]]:
    """The newsroom in ``folder`` as far as it can be read, and all problems found."""
    if not folder.is_dir():
        problem = "there is no such folder: make it, or point DIGEST_NEWSROOM at the right one"
        return Newsroom(), [ConfigError(problem, file=str(folder))]
    problems: list[ConfigError] = []
    sources: dict[str, Source] = {}
    values: dict[str, Any] = {}
    for path in sorted(folder.glob("*.toml")):
        name = path.stem
        source = _read(path, problems)
        if source is None:
            continue
        sources[name] = source
        if name == "site":
            values["site"] = _site(source, problems)
        elif name in LISTS:
            values[name] = _list(source, name, problems)
        else:
            known = ", ".join(f"{known}.toml" for known in sorted([*LISTS, "site"]))
            problems.append(ConfigError(f"nothing reads this file; known are {known}", file=str(path)))
    values["newsletters"], letter_sources = _newsletters(folder / "newsletters", problems)
    newsroom = Newsroom(**{name: value for name, value in values.items() if value is not None})
    newsroom = _fill(newsroom, variables or {})
    if not problems:
        problems.extend(cross_check(newsroom, sources, letter_sources))
    return newsroom, problems


def _read(path: Path, problems: list[ConfigError]) -> Source | None:
    try:
        text = path.read_text(encoding="utf-8")
        return Source(str(path), text, tomllib.loads(text))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problems.append(ConfigError("the file isn't UTF-8: save it as UTF-8", file=str(path), line=line))
    except tomllib.TOMLDecodeError as error:
        line_or_end, message = _line_in(str(error))
        problems.append(ConfigError(f"not TOML: {message}", file=str(path), line=line_or_end or text.count("\n") + 1))
    return None


def _line_in(message: str) -> tuple[int | None, str]:
    """tomllib says "… (at line 3, column 7)" or "… (at end of document)"."""
    words, _, place = message.rpartition(" (at line ")
    if not words:
        return None, message
    return int(place.split(",")[0]), words


def _site(source: Source, problems: list[ConfigError]) -> Site | None:
    site: Site | None = _validate(TypeAdapter(Site), source.data.get("site", {}), source, ("site",), problems)
    _only(source, {"site"}, problems)
    return site


def _list(source: Source, name: str, problems: list[ConfigError]) -> tuple[Any, ...]:
    _only(source, {name}, problems)
    rows = source.data.get(name, [])
    adapter: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[LISTS[name], ...])  # type: ignore[valid-type]
    return _validate(adapter, rows, source, (name,), problems) or ()


def _newsletters(folder: Path, problems: list[ConfigError]) -> tuple[tuple[NewsletterSpec, ...], dict[str, Source]]:
    themes = theme_files(folder.parent)
    specs: list[NewsletterSpec] = []
    sources: dict[str, Source] = {}
    for path in sorted(folder.glob("*.toml")):
        source = _read(path, problems)
        if source is None:
            continue
        data = {"slug": path.stem, **source.data}
        theme = _theme(source, themes, problems)
        if theme is not None:
            data["theme"] = theme
        spec: NewsletterSpec | None = _validate(TypeAdapter(NewsletterSpec), data, source, (), problems)
        if spec is not None:
            specs.append(spec)
            sources[spec.slug] = source
    return tuple(sorted(specs, key=lambda spec: (spec.order, spec.slug))), sources


def _theme(source: Source, themes: Mapping[str, Path], problems: list[ConfigError]) -> dict[str, Any] | None:
    """The tokens of the theme that a newsletter names, with its own ones in their place; None if it names none."""
    own = source.data.get("theme")
    name = own.get("name") if isinstance(own, dict) else None
    if not isinstance(own, dict) or not isinstance(name, str) or not name:
        return None
    if name not in themes:
        problems.append(source.problem(f"{name!r} is no theme; there are {', '.join(sorted(themes))}", "theme", "name"))
        return {key: value for key, value in own.items() if key != "name"}
    file = _read(themes[name], problems)
    if file is None or _validate(TypeAdapter(Theme), file.data, file, (), problems) is None:
        return own
    problems.extend(theme_problems(TypeAdapter(Theme).validate_python(file.data), file))
    return {**file.data, **own}


def _only(source: Source, allowed: set[str], problems: list[ConfigError]) -> None:
    for key in source.data.keys() - allowed:
        words = f"unknown; this file holds {', '.join(sorted(allowed))}"
        problems.append(ConfigError(words, file=source.file, line=line_of(source.text, (key,)), key=key))


def _validate(
    adapter: TypeAdapter[Any], data: Any, source: Source, prefix: Sequence[str], problems: list[ConfigError]
) -> Any:
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        for problem in error.errors():
            path = (*prefix, *problem["loc"])
            problems.append(
                ConfigError(_words(problem), file=source.file, line=line_of(source.text, path) or 1, key=dotted(path))
            )
        return None


def dotted(path: Sequence[str | int]) -> str:
    """``("blocks", 2, "type")`` as people write it: ``blocks[2].type``."""
    words = ""
    for part in path:
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else str(part)
    return words


def _words(problem: Any) -> str:
    match problem["type"]:
        case "unexpected_keyword_argument":
            return "unknown key: check its spelling, or remove it"
        case "missing" | "missing_argument":
            return "is missing"
        case "literal_error":
            return f"is {problem['input']!r}, but must be one of {problem['ctx']['expected']}"
        case _:
            message = str(problem["msg"])
            return message[0].lower() + message[1:]


def _fill(newsroom: Newsroom, variables: Mapping[str, str]) -> Newsroom:
    def filled(url: str) -> str:
        for name, value in variables.items():
            url = url.replace("{" + name + "}", value)
        return url

    return replace(newsroom, feeds=tuple(replace(feed, url=filled(feed.url)) for feed in newsroom.feeds))
