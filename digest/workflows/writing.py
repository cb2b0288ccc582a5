"""What editors write into an issue at the desk: its letter, mailbag, promotion and corrections.

The words are kept with the issue, beside the draft, and stand in for what a file (``letters.toml``) or the layout said
when the draft was made. Empty words leave the block out; taking them back gives the drafted block again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

from digest.domain.issue import Block
from digest.domain.newsroom import BlockSpec, BlockType, NewsletterSpec
from digest.errors import NotFound, StateConflict, UsageError
from digest.newsroom.mailbag import markdown, questions
from digest.render.clean import clean_line
from digest.store import issues
from digest.store.tables import Issue
from digest.workflows.blocks import day_of, key_of, of_the_weekday
from digest.workflows.context import Context
from digest.workflows.edit import Words, editing

WRITABLE: tuple[BlockType, ...] = ("letter", "mailbag", "promo", "corrections")
MAX_TITLE, MAX_BODY = 200, 20_000
"""Characters; a mail that is too long for its readers' programs is preflight's to find."""


@dataclass(frozen=True)
class Page:
    """A block that editors may write.

    Attributes:
        title: empty where the layout's title stands.
        body: Markdown.
        by: ``desk``; ``draft`` (a file or the layout); "" while nothing is written.
        has_draft: there are drafted words to go back to.
    """

    key: str
    type: BlockType
    title: str
    body: str
    by: Literal["desk", "draft", ""]
    has_draft: bool

    @property
    def fingerprint(self) -> str:
        """Changes with the words."""
        return sha256(f"{self.title}\0{self.body}".encode()).hexdigest()[:16]


def pages_of(issue: Issue, spec: NewsletterSpec) -> dict[str, Page]:
    """The blocks of an issue that editors may write, by key, in layout order."""
    drafted = {block.key: block for block in issues.blocks_of(issue)}
    return {key: _page(key, block, drafted.get(key), issue) for key, block in _layout(issue, spec).items()}


def blocks_of(issue: Issue, spec: NewsletterSpec, *, empty: bool = False) -> tuple[Block, ...]:
    """The blocks of an issue with what was written at the desk, in layout order.

    Args:
        empty: also those that are still to be written.
    """
    blocks = list(issues.blocks_of(issue))
    places = {key: place for place, key in enumerate(_keys(issue, spec))}
    for key, block in _layout(issue, spec).items():
        words = _written(issue).get(key)
        drafted = next((each for each in blocks if each.key == key), None)
        made = drafted if words is None else _made(key, block, words)
        if made is None and empty:
            made = Block(key, block.type, block.title)
        if made is drafted:
            continue
        if drafted is not None:
            at = blocks.index(drafted)
            blocks[at : at + 1] = [made] if made else []
        elif made is not None:
            before = [n for n, each in enumerate(blocks) if places.get(each.key, -1) < places[key]]
            blocks.insert(before[-1] + 1 if before else 0, made)
    return tuple(blocks)


def write(ctx: Context, issue_id: int, key: str, title: str, body: str, actor: str, *, seen: str = "") -> int:
    """Write a block of an issue. An edit as all others: it voids an approval, is written down, and can be undone.

    Args:
        key: of the block.
        body: Markdown; empty leaves the block out of this issue.
        seen: fingerprint of the words that the editor began with; "" writes over whatever stands there.

    Returns:
        The issue's revision after the edit.

    Raises:
        NotFound: no such issue, or its layout has no such block on that day.
        StateConflict: the issue is past editing, or somebody else wrote meanwhile.
        UsageError: too long, or a mailbag with too few questions.
    """
    words: Words = {"title": clean_line(title), "body": body.replace("\r\n", "\n").replace("\r", "\n").strip()}
    for name, limit in (("title", MAX_TITLE), ("body", MAX_BODY)):
        if len(words[name]) > limit:
            raise UsageError(f"the {name} has {len(words[name]):,} characters: keep it within {limit:,}")
    with editing(ctx, issue_id, actor, "write") as table:
        spec = issues.spec_of(table.issue)
        page, block = _found(table.issue, spec, key)
        if seen and seen != page.fingerprint:
            raise StateConflict("somebody else wrote here meanwhile: their words stand in the mail, yours below")
        if words["body"] and _made(key, block, words) is None:
            raise UsageError(f"a mailbag needs {block.min} questions or more: a heading asks, what follows it answers")
        if (words["title"], words["body"]) != (page.title, page.body):
            table.words = {**table.words, key: words}
        table.note = {"block": page.type, "headline": words["title"]}
    return table.revision


def take_back(ctx: Context, issue_id: int, key: str, actor: str) -> int:
    """Give a block its drafted words again. Raises as :func:`write` does."""
    with editing(ctx, issue_id, actor, "write") as table:
        page, _block = _found(table.issue, issues.spec_of(table.issue), key)
        table.words = {other: words for other, words in table.words.items() if other != key}
        table.note = {"block": page.type, "headline": ""}
    return table.revision


def _found(issue: Issue, spec: NewsletterSpec, key: str) -> tuple[Page, BlockSpec]:
    pages = pages_of(issue, spec)
    if key not in pages:
        raise NotFound(f"issue {issue.id} has no block {key!r} that can be written")
    return pages[key], _layout(issue, spec)[key]


def _page(key: str, block: BlockSpec, drafted: Block | None, issue: Issue) -> Page:
    words = _written(issue).get(key)
    if words is not None:
        return Page(key, block.type, words["title"], words["body"], "desk", drafted is not None)
    if drafted is None:
        return Page(key, block.type, "", "", "", has_draft=False)
    title = "" if drafted.title == block.title else drafted.title
    return Page(key, block.type, title, drafted.body or markdown(drafted.questions), "draft", has_draft=True)


def _made(key: str, spec: BlockSpec, words: Words) -> Block | None:
    """The block with these words; None where they leave it out."""
    block = Block(key, spec.type, words["title"] or spec.title, words["body"])
    if spec.type == "mailbag":
        asked = questions(block.body)
        block = replace(block, body="", questions=asked)
        return block if len(asked) >= max(spec.min, 1) else None
    return block if block.body else None


def _written(issue: Issue) -> Mapping[str, Words]:
    return issue.extras.get("words", {})  # type: ignore[no-any-return]


def _keys(issue: Issue, spec: NewsletterSpec) -> list[str]:
    day = day_of(spec, issue.due_at)
    return [key_of(block, index) for index, block in enumerate(of_the_weekday(spec.blocks, day))]


def _layout(issue: Issue, spec: NewsletterSpec) -> dict[str, BlockSpec]:
    """The layout's blocks that can be written, by key."""
    blocks = of_the_weekday(spec.blocks, day_of(spec, issue.due_at))
    return {key: block for key, block in zip(_keys(issue, spec), blocks, strict=True) if block.type in WRITABLE}
