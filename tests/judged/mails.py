"""The mails that are judged: every kind of issue that tends to break a layout, as they would be sent."""

import email
import email.policy
from dataclasses import dataclass, replace
from pathlib import Path

from digest.domain.issue import Block, IssueDocument
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
    """The whole issue as a reader who chose nothing gets it."""
    fragments = documents.renderer().render(document)
    letter = message(Head.of(document), fragments, whole(fragments), documents.addressee())
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


RIGHT_TO_LEFT = ("masthead", "sponsor", "epigraph", "lead", "markets", "section", "events", "footer")

ISSUES: dict[str, IssueDocument] = {
    "every block": documents.document(),
    "one story": documents.framed(documents.lead([documents.lead_story(1)])),
    "sixty stories": sixty_stories(),
    "no pictures": documents.document(*map(without_pictures, documents.blocks())),
    "hostile": HOSTILE,
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
