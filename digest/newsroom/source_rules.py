"""Whether the rules of a source can be used: seen before the first fetch, by the key that is wrong."""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from cssselect import SelectorError
from lxml import etree
from lxml.cssselect import CSSSelector

from digest.domain.newsroom import FeedSpec
from digest.domain.source_rules import (
    JSON_PATHS,
    PAGE_SELECTORS,
    JsonRules,
    PageRules,
    css_and_attribute,
    dot_path,
    is_xpath,
    template_paths,
)

PROVIDERS = re.compile(r"coingecko|csv|[A-Za-z_][\w.]*:[A-Za-z_]\w*")
Problem = tuple[str, ...]
"""What is wrong, and the keys within the feed that lead there."""


def problems_of(feed: FeedSpec) -> Iterator[Problem]:
    """All problems of a source's rules."""
    for name in ("page", "json"):
        rules = getattr(feed, name)
        if feed.kind == name and rules is None:
            yield f"a source of this kind needs its rules: write them under [feeds.{name}]", "kind"
        if feed.kind != name and rules is not None:
            yield f"rules for kind {name!r}, but the kind of this source is {feed.kind!r}", name
    if feed.page is not None:
        yield from _page(feed.page)
    if feed.json is not None:
        yield from _json(feed.json)
    if not PROVIDERS.fullmatch(feed.provider):
        yield f"{feed.provider!r} is no provider of quotes: use coingecko, csv or package.module:Class", "provider"
    if feed.kind != "quotes" and (feed.provider != "coingecko" or feed.fresh_hours):
        yield (
            "only a source of kind 'quotes' has a provider",
            "provider" if feed.provider != "coingecko" else "fresh_hours",
        )
    if feed.fresh_hours < 0:
        yield "must not be below 0", "fresh_hours"


def _page(rules: PageRules) -> Iterator[Problem]:
    for name in PAGE_SELECTORS:
        rule = getattr(rules, name)
        if not rule.strip():
            if name in ("item", "title", "link"):
                yield "must not be empty", "page", name
            continue
        words = _wrong_selector(rule)
        if words:
            yield f"{rule!r} is {words}", "page", name
        elif name == "item" and (css_and_attribute(rule)[1] if not is_xpath(rule) else rule.strip().startswith("@")):
            yield f"{rule!r} finds an attribute; it must find the elements that hold the items", "page", name
    yield from _dates(rules, "page")


def _wrong_selector(rule: str) -> str:
    try:
        if is_xpath(rule):
            etree.XPath(rule.strip())
        else:
            CSSSelector(css_and_attribute(rule)[0], translator="html")
    except etree.XPathSyntaxError as error:
        return f"no XPath: {error}"
    except (SelectorError, SyntaxError) as error:
        return f"no CSS selector: {error}"
    return ""


def _json(rules: JsonRules) -> Iterator[Problem]:
    for name in JSON_PATHS:
        rule = getattr(rules, name)
        if not rule.strip() and name in ("title", "link"):
            yield "must not be empty", "json", name
        try:
            for path in (template_paths(rule) if name == "link" else ()) or (rule,):
                if not dot_path(path) and path is not rule:
                    raise ValueError("a template must not have empty braces")
        except ValueError as error:
            yield str(error), "json", name
    yield from _dates(rules, "json")


def _dates(rules: PageRules | JsonRules, key: str) -> Iterator[Problem]:
    if rules.date_format and "%" not in rules.date_format:
        yield f"{rules.date_format!r} is no date format such as %d %B %Y", key, "date_format"
    try:
        ZoneInfo(rules.zone)
    except (ValueError, OSError, LookupError):
        yield f"{rules.zone!r} is no zone such as Europe/Berlin", key, "zone"
