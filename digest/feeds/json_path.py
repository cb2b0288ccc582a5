"""A JSON document that is no JSON Feed, read by an editor's dot paths."""

import json
from typing import Any
from urllib.parse import quote

from digest.domain.content import Entry
from digest.domain.source_rules import JsonRules, dot_path, fill_template, template_paths
from digest.errors import ParseError
from digest.feeds.clean import absolute_url, plain_text
from digest.feeds.decode import decode
from digest.feeds.entries import MAX_ENTRIES, ParsedFeed, distinct, guid_of, summary_of, title_of
from digest.feeds.images import image
from digest.feeds.ruled import moment


def parse_json_by(body: bytes, content_type: str, url: str, rules: JsonRules) -> ParsedFeed:
    """The items that the paths find, in the document's order.

    Raises:
        ParseError: it isn't JSON, or the paths lead to no item with a headline and a link; says how far they lead.
    """
    text = decode(body, content_type).lstrip("\ufeff \t\r\n")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ParseError(f"this isn't valid JSON at line {error.lineno}: {error.msg}") from None
    except (RecursionError, ValueError):
        raise ParseError("this JSON can't be read: it is nested too deeply or holds a giant number") from None
    found = at(document, rules.items)
    items = found[0] if len(found) == 1 and isinstance(found[0], list) else found
    if isinstance(document, dict) and not rules.items:
        raise ParseError(f"this JSON is no list: say in `items` where the list stands; {_keys(document)}")
    if not found:
        raise ParseError(f"items = {rules.items!r} leads nowhere: {_where_it_ends(document, rules.items)}")
    if not items:
        return ParsedFeed("", ())
    entries = [_entry(item, url, rules) for item in items[:MAX_ENTRIES] if isinstance(item, dict | list)]
    usable = tuple(entry for entry in entries if entry.title and entry.url)
    if not usable:
        lacks = "link" if any(entry.title for entry in entries) else "title"
        first = next((item for item in items if isinstance(item, dict)), {})
        rule = getattr(rules, lacks)
        raise ParseError(f"{lacks} = {rule!r} finds nothing in the {len(items)} items; {_keys(first)}"[:400])
    return ParsedFeed("", usable)


def at(value: Any, path: str) -> list[Any]:
    """Everything that a dot path leads to; null is nothing."""
    found = [value]
    for step in dot_path(path):
        found = [inner for each in found for inner in _step(each, step)]
    return [each for each in found if each is not None]


def _step(value: Any, step: str) -> list[Any]:
    if isinstance(value, dict):
        if step == "*":
            return list(value.values())
        return [value[step]] if step in value else []
    if isinstance(value, list):
        if step == "*":
            return value
        if step.lstrip("-").isdecimal():
            index = int(step[:9])
            return [value[index]] if -len(value) <= index < len(value) else []
    return []


def _entry(item: Any, base: str, rules: JsonRules) -> Entry:
    link = absolute_url(_link(item, rules.link), base)
    picture = _word(item, rules.image)
    return Entry(
        guid=guid_of(_word(item, rules.id)),
        url=link,
        title=title_of(plain_text(_word(item, rules.title))),
        summary=summary_of(plain_text(_word(item, rules.summary))),
        content=plain_text(_word(item, rules.content)),
        author=", ".join(distinct(_all(item, rules.author)))[:300],
        published_at=moment(next(iter(_all(item, rules.date)), ""), rules.date_format, rules.zone),
        tags=distinct(_all(item, rules.tags)),
        image=image(picture, link or base) if picture else None,
    )


def _link(item: Any, rule: str) -> str:
    if paths := template_paths(rule):
        values = {path: quote(_word(item, path), safe="/:") for path in paths}
        return fill_template(rule, values) if all(values.values()) else ""
    return _word(item, rule)


def _word(item: Any, path: str) -> str:
    return next(iter(_all(item, path)), "")


def _all(item: Any, path: str) -> list[str]:
    """The plain values at a path, as text; lists at its end count as their members."""
    if not path:
        return []
    flat = (member for each in at(item, path) for member in (each if isinstance(each, list) else [each]))
    return [str(each) for each in flat if isinstance(each, str | int | float) and not isinstance(each, bool)]


def _where_it_ends(document: Any, path: str) -> str:
    found, walked = [document], "the document"
    for step in dot_path(path):
        further = [inner for each in found for inner in _step(each, step) if inner is not None]
        if not further:
            break
        found, walked = further, step
    return f"at {walked}, {_keys(found[0])}"


def _keys(value: Any) -> str:
    if isinstance(value, dict):
        return f"there are the names {', '.join(map(str, list(value)[:12])) or '(none)'}"[:250]
    return f"there is a list of {len(value)}" if isinstance(value, list) else "there is nothing to look into"
