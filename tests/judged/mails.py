"""The mails that are judged: every kind of issue that tends to break a layout, as they would be sent."""

import email
import email.policy
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from digest.domain.issue import WEEK, Block, Form, IssueDocument, PlacedItem, Section
from digest.domain.mail import Cut
from digest.render.cut import whole
from digest.render.message import Head
from digest.render.stitch import message
from tests.render import documents
from tests.render.test_hostile import DOCUMENT as HOSTILE

POSTAL = documents.POSTAL


@dataclass(frozen=True)
class Mail:
    """One mail: its bytes, its HTML, and the MJML that it was made of ("" where it is not known)."""

    name: str
    data: bytes
    postal_address: str = POSTAL

    @property
    def html(self) -> str:
        body = email.message_from_bytes(self.data, policy=email.policy.default).get_body(("html",))
        assert body is not None
        return str(body.get_content())


def mail_of(name: str, document: IssueDocument) -> Mail:
    """The whole issue as a reader who chose nothing gets it, with the best of the week where there is one."""
    fragments = documents.renderer().render(document)
    cut = Cut(whole(fragments).bits | Cut.of(f.position for f in fragments if f.group == WEEK).bits)
    letter = message(Head.of(document), fragments, cut, documents.addressee())
    return Mail(name, letter.data, document.postal_address)


def without_pictures(block: Block) -> Block:
    section = block.section
    if section is not None:
        bare = tuple(replace(placed, item=replace(placed.item, image=None)) for placed in section.items)
        section = replace(section, items=bare)
    research = tuple(replace(card, image=None) for card in block.research)
    return replace(block, section=section, charts={}, research=research)


def sixty_stories() -> IssueDocument:
    topics = ("policy", "markets", "infra", "mining", "law", "people")
    sections = [
        documents.section(topic, topic.title(), [documents.story(n) for n in range(at * 10 + 1, at * 10 + 11)])
        for at, topic in enumerate(topics)
    ]
    return documents.framed(documents.lead([documents.lead_story(1)]), *sections)


def a_week(**changes: Any) -> IssueDocument:
    """An issue on the day that brings the best of the week, in every form that a story of it may have."""
    forms: tuple[Form, ...] = ("card", "card", "brief", "line")
    placed = tuple(
        PlacedItem(documents.story(n, week=n, carried_on=date(2026, 3, n % 7 + 2)), form)
        for n, form in enumerate(forms, start=101)
    )
    blocks = list(documents.blocks())
    lead = next(n for n, block in enumerate(blocks) if block.type == "lead")
    blocks.insert(lead + 1, Block(WEEK, WEEK, section=Section(WEEK, "", items=placed, most=8)))
    return documents.document(*blocks, **changes)


RIGHT_TO_LEFT = ("masthead", "sponsor", "epigraph", "lead", "markets", "section", "events", "footer")

ISSUES: dict[str, IssueDocument] = {
    "every block": documents.document(),
    "one story": documents.framed(documents.lead([documents.lead_story(1)])),
    "sixty stories": sixty_stories(),
    "no pictures": documents.document(*map(without_pictures, documents.blocks())),
    "hostile": HOSTILE,
    "a week": a_week(),
    "a week in Arabic": a_week(locale="ar"),
    "right to left": documents.document(
        *(block for block in documents.blocks() if block.type in RIGHT_TO_LEFT), locale="ar"
    ),
}


def written(mails: dict[str, Mail], folder: Path, kind: str) -> dict[str, Path]:
    """The mails as files (``eml`` or ``html``), by name."""
    files = {}
    for name, mail in mails.items():
        files[name] = folder / f"{name.replace(' ', '-')}.{kind}"
        files[name].write_bytes(mail.data if kind == "eml" else mail.html.encode())
    return files
