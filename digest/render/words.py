"""Words of the mail itself, one file a language: ``templates/email/words/de.toml``.

A language without a file gets English words, all of them; a file that lacks some is refused, so that no mail speaks
two languages. A newsletter's own folder may hold such a file too: its words go before the shipped ones.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.numbers import format_decimal

from digest.errors import RenderError

ENGLISH = "en"

Words = Mapping[str, Any]
"""A sentence per key; for what is counted a table of plural forms (CLDR: zero, one, two, few, many, other)."""


def words_for(locale: str, folders: Sequence[Path]) -> Words:
    """The words for a BCP 47 tag; ``language`` among them is the one they are in.

    Args:
        folders: each may hold ``words/LANGUAGE.toml``; the first one that says a word counts.

    Raises:
        RenderError: a file that can't be read, or a language of which some words are missing; names them.
    """
    stamps = tuple(_stamp(folder, language) for language in (_language(locale), ENGLISH) for folder in folders)
    return _words_for(_language(locale), tuple(folders), stamps)


def says(words: Words, kind: Callable[[str], str]) -> dict[str, Callable[..., str]]:
    """``say(sentence, name=…)`` fills a sentence in, ``plural(forms, number, name=…)`` the form that the number takes.

    Args:
        kind: ``Markup`` where what is filled in must be escaped, ``str`` for plain text.
    """
    place = Locale.parse(str(words["language"]))

    def say(sentence: str, **values: object) -> str:
        return kind(sentence).format(**values)

    def plural(forms: Mapping[str, str], number: int, **values: object) -> str:
        sentence = forms.get(place.plural_form(number), forms["other"])
        return say(sentence, n=format_decimal(number, locale=place), **values)

    return {"say": say, "plural": plural}


def _language(locale: str) -> str:
    return locale.replace("_", "-").split("-")[0].lower()


def _file(folder: Path, language: str) -> Path:
    return folder / "words" / f"{language}.toml"


def _stamp(folder: Path, language: str) -> int:
    """Changes when the file does, so that a running server sees an editor's new words."""
    try:
        return _file(folder, language).stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=64)
def _words_for(language: str, folders: tuple[Path, ...], _stamps: tuple[int, ...]) -> Words:
    english = _merged(ENGLISH, folders)
    if not language.isalpha() or not any(_file(folder, language).is_file() for folder in folders):
        return {**english, "language": ENGLISH}
    words = _merged(language, folders)
    missing = english.keys() - words.keys()
    if missing:
        where = next(_file(folder, language) for folder in folders if _file(folder, language).is_file())
        raise RenderError(f"{where}: these words are missing: {', '.join(sorted(missing))}; see en.toml beside it")
    unknown = words.keys() - english.keys()
    if unknown:
        raise RenderError(f"words/{language}.toml: no template uses {', '.join(sorted(unknown))}; check the spelling")
    return {**words, "language": language}


def _merged(language: str, folders: Sequence[Path]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for folder in folders:
        path = _file(folder, language)
        if not path.is_file():
            continue
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RenderError(f"{path}: can't be read: {error}") from error
        for key, value in found.items():
            if isinstance(value, dict) and "other" not in value:
                raise RenderError(f"{path}: {key} needs the plural form `other`")
            merged.setdefault(key, value)
    return merged
