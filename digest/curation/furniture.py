"""Page furniture: sign-up boxes, share bars, related stories, picture names. It is no part of an article.

Extraction removes most of it when a page is fetched. What is left, or stands in a feed's own content, must still
never decide a topic or reach a summary.
"""

import re

from digest.curation.text import clean

_END_OF_ARTICLE = re.compile(
    r"(tags|topics|filed under|upcoming events|recent research|related( (articles|stories|posts|news|reading|coverage|topics))?"
    r"|recommended( (for you|stories|reading|articles))?|more (from|on|in) .{1,40}|more stories|you (may|might) also like"
    r"|most (read|popular)|trending( now| stories)?|latest (news|stories)|read next|up next|also read|comments|leave a (comment|reply)"
    r"|about the author|editor[’']?s picks)\s*:?",
    re.IGNORECASE,
)
"""Headings behind which nothing more belongs to the article."""

_LINE_OF_FURNITURE = re.compile(
    r"share( this.*)?|tweet|facebook|linkedin|whatsapp|copy link|print|email|listen|advertisement|sponsored( content)?|loading.*"
    r"|article[- ]image|image|[\w ().&'’-]+\.(jpe?g|png|gif|webp|svg)|by .{1,60}/|(?-i:[Bb]y( (and|[A-Z][\w.’'-]*,?)){1,5})|.{0,80}modified by .{1,40}"
    r"|(image|photo|picture|source|credit)( credit)?s?: .{1,80}|©.*|all rights reserved.*"
    r"|(sign up|subscribe)\b.{0,160}|get (the|our|your) .{0,60}\b(inbox|newsletters?)\b.{0,120}|.{0,60}explore .{0,40}newsletters:?"
    r"|join our .{0,60}|follow us .{0,60}|download our app.*|(read|see|learn) (more|also|next)\b.{0,120}|click here.*|continue reading.*"
    r"|this (post|article) (was )?(first|originally) (appeared|published).*|the post .* (first )?appeared (first )?on .*"
    r"|(enter|your) e-?mail.*|(cookie|privacy) (policy|settings|notice).*|skip to .*|\d+ min(ute)?s?( read)?",
    re.IGNORECASE,
)
"""Lines that are left out wherever they stand."""

_TRAILER = re.compile(
    r"(the post .{1,300}? (first )?appeared (first )?on .{1,80}|\[?(read more|continue reading)\b[^.!?]{0,80}\]?"
    r"|\[(…|\.\.\.|&#?\w+;)\])$",
    re.IGNORECASE,
)

_A_PARAGRAPH = 60
"""Characters from which a line is taken for running text: before the first one no heading ends the article."""

LONGEST = 200_000
"""Characters of a text that are read; what is behind them is no news article."""


def paragraphs(text: str) -> list[str]:
    """The paragraphs of an article's own text, cleaned, without furniture."""
    kept: list[str] = []
    begun = False
    for raw in text[:LONGEST].splitlines():
        line = clean(raw)
        if not line or is_furniture(line):
            continue
        if _END_OF_ARTICLE.fullmatch(line):
            if begun:
                break
            continue
        begun = begun or len(line) >= _A_PARAGRAPH
        kept.append(line)
    return kept


def is_furniture(line: str) -> bool:
    """Whether a line or sentence is furniture by its wording."""
    return len(line) <= 400 and _LINE_OF_FURNITURE.fullmatch(line) is not None


def without_trailer(summary: str) -> str:
    """The start of a feed's summary, without "The post … appeared first on …", "Read more" and "[…]" at its end."""
    return _TRAILER.sub("", summary[:LONGEST].rstrip()).rstrip()
