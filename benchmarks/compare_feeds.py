"""Every file of a folder of feeds: what this project reads beside what feedparser alone says.

    python benchmarks/compare_feeds.py FOLDER > docs/feeds-compared.md

Titles, links, ids and dates of every item are compared; every difference becomes a row with its reason, and one that
has no known reason is called UNEXPLAINED (a test holds that there is none).
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import feedparser

from digest.errors import ParseError
from digest.feeds import dates, decode, strict, usual
from digest.feeds.clean import one_line, plain_text
from digest.feeds.entries import ParsedFeed
from digest.feeds.parse import parse

URL = "https://news.example/feeds/all.xml"
HERE = "https://news.example/"
UNEXPLAINED = "UNEXPLAINED"


@dataclass(frozen=True)
class Difference:
    """A field in which an item, or a whole file, is read in two ways."""

    file: str
    field: str
    theirs: str
    ours: str
    why: str


def files(folder: Path) -> list[Path]:
    """All feeds below a folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix in (".xml", ".json") and path.is_file())


def compare(path: Path, name: str) -> Iterator[Difference]:
    """The differences in one file; a JSON Feed has none, as feedparser reads no JSON."""
    body = path.read_bytes()
    theirs = feedparser.parse(body, response_headers={"content-location": URL})
    try:
        ours = parse(body, "", URL).entries
    except ParseError as error:
        if theirs.entries:
            yield Difference(
                name, "file", f"{len(theirs.entries)} items", f"refused: {error}", _why_refused(str(error))
            )
        return
    if path.suffix == ".json":
        return
    if len(ours) != len(theirs.entries):
        yield Difference(name, "items", str(len(theirs.entries)), str(len(ours)), UNEXPLAINED)
    for left, right in zip(theirs.entries, ours, strict=False):
        for field, said, read in (
            ("title", _title(left), right.title),
            ("link", str(left.get("link") or ""), right.url),
            ("id", one_line(str(left.get("id") or "")), right.guid),
            ("published", _date(left, "published_parsed", "created_parsed"), _iso(right.published_at)),
            ("updated", _date(left, "updated_parsed"), _iso(right.updated_at)),
        ):
            if said != read:
                yield Difference(name, field, said, read, _why(field, said, read, left))


def is_fast(path: Path, *ways: ModuleType) -> bool:
    """Whether a fast way, or one of those named, reads the file by itself."""
    body = path.read_bytes()
    try:
        _, document = decode.xml_document(decode.decode(body).lstrip("\ufeff \t\r\n\0"))
    except ParseError:
        return False
    plain = decode.plain_document(body)
    documents = [document.encode(), *([plain] if plain else ())] if document else []
    return any(way.read(each, URL) is not None for way in ways or (usual, strict) for each in documents)


WHY_FAST_DIFFERS = {
    "suites/feed-rs/rss_2.0_ch9.xml": "the channel has two summaries, and feedparser forgets to end that state before the"
    " first item: its `itunes:summary` replaces the description instead of becoming the content"
}


def fast_and_slow_differ(path: Path) -> list[str]:
    """The fields in which a fast way and feedparser within this project differ; none if feedparser reads it anyway."""
    body = path.read_bytes()
    if not is_fast(path):
        return []
    fast = parse(body, "", URL)
    with mock.patch.object(usual, "read", return_value=None):
        longer = parse(body, "", URL)
        with mock.patch.object(strict, "read", return_value=None):
            slow = parse(body, "", URL)
    return sorted({name for one in (fast, longer) for name in _differing(one, slow)})


def _differing(one: ParsedFeed, other: ParsedFeed) -> set[str]:
    fields = {
        name
        for left, right in zip(one.entries, other.entries, strict=True)
        for name in left.__slots__
        if getattr(left, name) != getattr(right, name)
    }
    return fields | {name for name in ("title", "ttl_minutes") if getattr(one, name) != getattr(other, name)}


def _title(item: Any) -> str:
    kind = (item.get("title_detail") or {}).get("type")
    value = str(item.get("title") or "")
    return one_line(value if kind == "text/plain" else plain_text(value))


def _date(item: Any, *names: str) -> str:
    value = next((found for name in names if (found := dict.get(item, name))), None)
    return _iso(datetime(*value[:6], tzinfo=dates.UTC)) if value and value[0] > 0 else ""


def _iso(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def _why_refused(reason: str) -> str:
    return "entities of its own are an attack or a mistake: refused whole" if "entities" in reason else UNEXPLAINED


def _why(field: str, theirs: str, ours: str, item: Any) -> str:
    match field:
        case "link":
            links = [str(link.get("href")) for link in item.get("links", ())]
            if ours and ours == item.get("feedburner_origlink"):
                return "the page behind the proxy's link is taken"
            if not theirs and ours in links:
                return "an item without a page of its own links to its file"
            if not theirs and ours == item.get("id"):
                return "an id that is a web address serves as the link"
            if ours and not ours.startswith(HERE) and theirs.startswith(HERE) and theirs.endswith(urlsplit(ours).path):
                return "a feed that lies at another host than its site links to its site"
            if not ours and not theirs.startswith(("http://", "https://")):
                return "no web address: nobody could open it"
            if not ours and (theirs == item.get("id") or "/" not in str(item.get("id"))):
                return "an id that is no address isn't made into one"
        case "id":
            if theirs.endswith(ours):
                return "an id stays as the source says it, and isn't resolved against the address of the day"
        case "title":
            if theirs[:400] == ours[:400] or ours.endswith("…"):
                return "cut at 500 characters"
        case "published" | "updated":
            if not ours and not "1990" <= theirs[:4] < "2100":
                return "no news can be from then"
    return UNEXPLAINED


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1])
    found = files(folder)
    differences = [each for path in found for each in compare(path, str(path.relative_to(folder)))]
    fast, shortest = sum(is_fast(path) for path in found), sum(is_fast(path, usual) for path in found)
    refused = Counter[str]()
    for path in found:
        try:
            parse(path.read_bytes(), "", URL)
        except ParseError as error:
            refused[str(error)] += 1
    xml = sum(path.suffix == ".xml" for path in found)
    print("# Feeds compared\n")
    print(
        "What this project reads in other people's feeds, beside what feedparser alone says of titles, links, ids and"
    )
    print(
        "dates. Made by `python benchmarks/compare_feeds.py FOLDER`; a test holds that no difference is unexplained.\n"
    )
    print(f"{len(found)} files ({xml} XML, {len(found) - xml} JSON). The fast ways read {fast} of the XML files by")
    print(
        f"themselves ({shortest} of them on the shortest), feedparser the rest. {sum(refused.values())} files are refused:\n"
    )
    print("| refused because | files |\n|---|---|")
    for reason, count in sorted(refused.items()):
        print(f"| {_cell(reason)} | {count} |")
    print("\nRows stand for all items of a file that differ in the same way; the values are those of the first.\n")
    print("| file | field | items | feedparser alone | here | why |\n|---|---|---|---|---|---|")
    alike: dict[tuple[str, str, str], list[Difference]] = {}
    for each in differences:
        alike.setdefault((each.file, each.field, each.why), []).append(each)
    for (file, field, why), rows in alike.items():
        first = rows[0]
        print(f"| {file} | {field} | {len(rows)} | {_cell(first.theirs)} | {_cell(first.ours)} | {why} |")
    print("\n## The fast ways beside feedparser, all fields\n")
    print(
        "Every file that a fast way reads gives the same entries, in every field, as the same file read by feedparser"
    )
    print("within this project, but for these:\n")
    print("| file | fields | why |\n|---|---|---|")
    for path in found:
        if path.suffix == ".xml" and (fields := fast_and_slow_differ(path)):
            name = str(path.relative_to(folder))
            print(f"| {name} | {', '.join(fields)} | {WHY_FAST_DIFFERS.get(name, UNEXPLAINED)} |")


def _cell(text: str) -> str:
    return "`" + text.replace("|", "\\|").replace("`", "'")[:90] + "`" if text else ""


if __name__ == "__main__":
    main()
