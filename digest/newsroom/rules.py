"""What must hold between the parts of a newsroom, beyond the shape of each file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel import Locale
from email_validator import EmailNotValidError, validate_email
from jinja2 import Environment, TemplateSyntaxError

from digest.domain.newsroom import NewsletterSpec, Newsroom, SponsorSpec, Theme
from digest.domain.ranking import MOST, RankingWeights
from digest.errors import ConfigError
from digest.newsroom.charts import problems_of as problems_of_chart
from digest.newsroom.lines import line_of
from digest.newsroom.source_rules import problems_of

MIN_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: contrast of text to its ground."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: its name for messages, its text for line numbers, its data."""

    file: str
    text: str
    data: dict[str, Any]

    def problem(self, words: str, *path: str | int) -> ConfigError:
        """A ``ConfigError`` at the key that ``path`` leads to."""
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        return ConfigError(words, file=self.file, line=line_of(self.text, path) or 1, key=key)


def cross_check(
    newsroom: Newsroom, lists: Mapping[str, Source], letters: Mapping[str, Source]
) -> Iterator[ConfigError]:
    """All problems between the parts, each at its file, line and key."""
    for name in ("topics", "sponsors", "events", "research", "epigraphs", "links", "charts", "letters"):
        if name in lists:
            yield from _slugs(lists[name], name, [row.slug for row in getattr(newsroom, name)])
    if "feeds" in lists:
        yield from _feeds(newsroom, lists["feeds"])
    for spec in newsroom.newsletters:
        yield from _newsletter(spec, newsroom, letters[spec.slug])
    if "sponsors" in lists:
        yield from _sponsors(newsroom, lists["sponsors"])
    if "charts" in lists:
        for index, chart in enumerate(newsroom.charts):
            for words, key in problems_of_chart(chart):
                yield lists["charts"].problem(words, "charts", index, key)
    if "letters" in lists:
        yield from _letters(newsroom, lists["letters"])
    if "events" in lists:
        for index, event in enumerate(newsroom.events):
            if event.ends < event.starts:
                yield lists["events"].problem("lies before `starts`", "events", index, "ends")


def _sponsors(newsroom: Newsroom, source: Source) -> Iterator[ConfigError]:
    """Sold slots that no layout has, and slots that are sold twice."""
    slots = {
        (spec.slug, block.placement)
        for spec in newsroom.newsletters
        for block in spec.blocks
        if block.type == "sponsor"
    }
    seen: list[tuple[int, SponsorSpec, set[str]]] = []
    for index, sponsor in enumerate(newsroom.sponsors):
        letters = {slug for slug, place in slots if place == sponsor.placement}
        letters &= set(sponsor.newsletters) or letters
        if sponsor.ends < sponsor.starts:
            yield source.problem("lies before `starts`", "sponsors", index, "ends")
        if not sponsor.advertiser.strip():
            yield source.problem("must say who pays: the label needs it", "sponsors", index, "advertiser")
        if not letters:
            known = ", ".join(sorted({place for _, place in slots})) or "none"
            words = f"no newsletter has a sponsor block {sponsor.placement!r} for it; there are: {known}"
            yield source.problem(words, "sponsors", index, "placement")
        for other_index, other, theirs in seen:
            if sponsor.placement == other.placement and letters & theirs and _overlap(sponsor, other):
                words = f"{sponsor.slug!r} and {other.slug!r} (number {other_index + 1}) are sold the same slot on the same days"
                yield source.problem(words, "sponsors", index, "starts")
        if sponsor.approved:
            seen.append((index, sponsor, letters))


def _overlap(one: SponsorSpec, other: SponsorSpec) -> bool:
    return one.approved and one.starts <= other.ends and other.starts <= one.ends


def _letters(newsroom: Newsroom, source: Source) -> Iterator[ConfigError]:
    specs = {spec.slug: spec for spec in newsroom.newsletters}
    for index, letter in enumerate(newsroom.letters):
        spec = specs.get(letter.newsletter)
        if spec is None:
            words = f"{letter.newsletter!r} is no newsletter; there are {', '.join(sorted(specs)) or 'none'}"
            yield source.problem(words, "letters", index, "newsletter")
            continue
        day = WEEKDAYS[letter.on.weekday()]
        if not any(
            block.type == letter.type and (not block.weekdays or day in block.weekdays) for block in spec.blocks
        ):
            words = f"{letter.newsletter} has no block {letter.type!r} on a {letter.on:%A}: it would never be shown"
            yield source.problem(words, "letters", index, "on")


def _slugs(source: Source, name: str, slugs: Sequence[str]) -> Iterator[ConfigError]:
    seen: set[str] = set()
    for index, slug in enumerate(slugs):
        if not _SLUG.fullmatch(slug):
            yield source.problem(f"{slug!r} must be lower-case letters, digits and hyphens", name, index, "slug")
        if slug.startswith("ical-"):
            yield source.problem("must not begin with ical-: that is for events from calendars", name, index, "slug")
        if slug in seen:
            yield source.problem(f"{slug!r} stands here twice", name, index, "slug")
        seen.add(slug)


def _feeds(newsroom: Newsroom, source: Source) -> Iterator[ConfigError]:
    seen: set[str] = set()
    for index, feed in enumerate(newsroom.feeds):
        parts = urlsplit(feed.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            yield source.problem(f"{feed.url!r} is no http or https address", "feeds", index, "url")
        if feed.url in seen:
            yield source.problem(f"{feed.url!r} stands here twice", "feeds", index, "url")
        if feed.interval < 1:
            yield source.problem("must be at least 1 minute", "feeds", index, "interval")
        if not 0 < feed.weight <= 10:
            yield source.problem("must be above 0 and at most 10", "feeds", index, "weight")
        seen.add(feed.url)
        for words, *path in problems_of(feed):
            yield source.problem(words, "feeds", index, *path)


def _newsletter(spec: NewsletterSpec, newsroom: Newsroom, source: Source) -> Iterator[ConfigError]:
    topics = {topic.slug for topic in newsroom.topics}
    outlets = {feed.name for feed in newsroom.feeds}
    known = f"the topics are {', '.join(sorted(topics)) or 'none'}"
    if not _SLUG.fullmatch(spec.slug):
        yield source.problem(f"{spec.slug!r} must be lower-case letters, digits and hyphens", "slug")
    for name in ("from_address", "unsubscribe_by_mail"):
        if name == "unsubscribe_by_mail" and not spec.unsubscribe_by_mail:
            continue
        try:
            validate_email(getattr(spec, name), check_deliverability=False, allow_smtputf8=False, test_environment=True)
        except EmailNotValidError as error:
            yield source.problem(str(error), name)
    if not spec.postal_address.strip():
        yield source.problem("must not be empty: the law asks for it in every mail", "postal_address")
    if not _HOUR.fullmatch(spec.hour):
        yield source.problem(f"{spec.hour!r} is no time such as 06:00", "hour")
    if not 0 <= spec.weekday <= 6 or (spec.cadence == "weekdays" and spec.weekday > 4):
        yield source.problem("must be a day on which it comes out: 0 is Monday, 6 is Sunday", "weekday")
    try:
        ZoneInfo(spec.zone)
    except (ValueError, OSError, LookupError):
        yield source.problem(f"{spec.zone!r} is no zone such as Europe/Berlin", "zone")
    try:
        Locale.parse(spec.locale, sep="-")
    except (ValueError, LookupError):
        yield source.problem(f"{spec.locale!r} is no locale such as en-US", "locale")
    for name in ("subject", "preheader", "title"):
        try:
            Environment(autoescape=True).parse(getattr(spec, name))
        except TemplateSyntaxError as error:
            yield source.problem(f"not a template: {error.message}", name)
    for index, topic in enumerate(spec.topics):
        if topic not in topics:
            yield source.problem(f"{topic!r} is no topic; {known}", "topics", index)
    for index, block in enumerate(spec.blocks):
        if block.type == "section" and not (block.sources and not block.topic) and block.topic not in topics:
            yield source.problem(f"{block.topic!r} is no topic; {known}", "blocks", index, "topic")
        for position, outlet in enumerate(block.sources):
            if outlet not in outlets:
                yield source.problem(f"{outlet!r} is no feed's name", "blocks", index, "sources", position)
        if block.max < block.min:
            yield source.problem("is below `min`", "blocks", index, "max")
        for day in block.weekdays:
            if day not in WEEKDAYS:
                yield source.problem(f"{day!r} must be one of {', '.join(WEEKDAYS)}", "blocks", index, "weekdays")
    if not any(block.type == "footer" for block in spec.blocks):
        yield source.problem("needs a block of type footer: it holds unsubscribe and address", "blocks")
    yield from weights_problems(spec.ranking, source)
    yield from theme_problems(spec.theme, source, "theme")
    logo = spec.theme.logo
    if logo and not logo.startswith("https://") and not (Path(source.file).with_suffix("") / logo).is_file():
        words = f"there is no file {Path(source.file).with_suffix('') / logo}: put it there, or write an https address"
        yield source.problem(words, "theme", "logo")


def weights_problems(weights: RankingWeights, source: Source) -> Iterator[ConfigError]:
    """Weights that make no sense, each at its line."""
    for name, value in asdict(weights).items():
        if not 0 <= value <= MOST:
            yield source.problem(f"is {value:g}, but must be from 0 to {MOST:g}; 1 is usual", "ranking", name)


def theme_problems(theme: Theme, source: Source, *path: str) -> Iterator[ConfigError]:
    """Colours that are none, fonts without a fallback, and pairs that people can't read; ``path`` leads to the theme."""
    for field in fields(theme):
        value = getattr(theme, field.name)
        if field.name in ("name", "logo"):
            continue
        if field.name == "logo_width":
            if not 40 <= value <= 592:
                yield source.problem("must be 40 to 592 pixels", *path, field.name)
        elif field.name in ("serif", "sans"):
            if value.split(",")[-1].strip() not in ("serif", "sans-serif", "monospace"):
                yield source.problem("must end in serif, sans-serif or monospace", *path, field.name)
        elif not _COLOUR.fullmatch(value):
            yield source.problem(f"{value!r} is no colour such as #8a1f3d", *path, field.name)
            return
    for prefix in ("", "dark_"):
        for front, ground in (("ink", "paper"), ("muted", "paper"), ("accent", "paper"), ("accent_ink", "accent"),
                              ("positive", "paper"), ("negative", "paper")):  # fmt: skip
            ratio = contrast(getattr(theme, prefix + front), getattr(theme, prefix + ground))
            if ratio < MIN_CONTRAST:
                words = f"has contrast {ratio:.1f} on {prefix}{ground}; it needs at least {MIN_CONTRAST}"
                yield source.problem(words, *path, prefix + front)


def contrast(front: str, ground: str) -> float:
    """The contrast ratio of two ``#rrggbb`` colours, 1 to 21 (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(front), luminance(ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)
