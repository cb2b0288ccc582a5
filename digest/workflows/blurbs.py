"""Blurbs by a language model, where a newsletter wants them and the article bears them out; else they stay as they are."""

import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

import structlog

from digest.curation.claims import unsupported
from digest.curation.furniture import paragraphs
from digest.curation.summarise import LONGEST
from digest.curation.text import clean
from digest.domain.content import Candidate, Story
from digest.domain.issue import PlacedItem, Section
from digest.errors import DigestError, PermanentError
from digest.summariser.base import Summariser

AT_ONCE = 4
"""Articles that the model is asked about at once."""
PATIENCE = 90.0
"""Seconds for all blurbs of an issue; what isn't there by then keeps its extractive one."""
FAILURES = 3
"""So many failures in a row, or one that will not pass, and the model isn't asked again for this issue."""
ENOUGH = 400
"""Characters of text from which there is something to summarise."""

log = structlog.get_logger()


@dataclass
class _Asking:
    """What is known of the model while an issue is made; shared by threads."""

    summariser: Summariser
    language: str
    failures: int = 0
    given_up: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def blurb(self, story: Story) -> str:
        """A blurb that the story's article bears out; "" if there is none."""
        lead = story.lead
        texts = [text for each in (lead, *_copies(story)) for text in (each.summary, each.text) if text]
        if self.given_up.is_set():
            return ""
        try:
            said = self.summariser.summarise(
                clean(lead.title), "\n".join(paragraphs(lead.text)), language=self.language, longest=LONGEST
            )
        except DigestError as error:
            self._failed(error)
            return ""
        with self._lock:
            self.failures = 0
        blurb = clean(said).strip('"“” ')
        if why := unsupported(blurb, lead.title, texts):
            log.info("blurb not borne out", article=lead.url, why=why)
            return ""
        return blurb

    def _failed(self, error: DigestError) -> None:
        with self._lock:
            self.failures += 1
            if self.failures < FAILURES and not isinstance(error, PermanentError):
                return
            if not self.given_up.is_set():
                log.warning("no blurbs by the language model", server=self.summariser.name, why=str(error))
            self.given_up.set()


def with_blurbs(
    summariser: Summariser, sections: Iterable[Section], stories: Iterable[Story], language: str
) -> tuple[Section, ...]:
    """The sections with the model's blurbs in place of the extractive ones, wherever the article bears them out.

    Never raises for the model's sake: one that is away, slow, refuses us or makes things up changes nothing.

    Args:
        stories: those that stand in the sections, with their articles.
        language: of the newsletter (BCP 47).
    """
    sections = tuple(sections)
    wanted = {placed.item.story_id for section in sections for placed in section.items if placed.form != "line"}
    asking = _Asking(summariser, language)
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="blurbs")
    futures: dict[Future[str], int] = {
        pool.submit(asking.blurb, story): story.story_id
        for story in stories
        if story.story_id in wanted and len(story.lead.text) >= ENOUGH
    }
    done, late = wait(futures, timeout=PATIENCE)
    if late:
        log.warning("some blurbs came too late", server=summariser.name, late=len(late))
    pool.shutdown(wait=False, cancel_futures=True)
    blurbs = {futures[each]: blurb for each in done if (blurb := each.result())}
    return tuple(
        replace(section, items=tuple(_told(placed, blurbs) for placed in section.items)) for section in sections
    )


def _copies(story: Story) -> list[Candidate]:
    return [article for article in story.others if article.id in story.copies]


def _told(placed: PlacedItem, blurbs: dict[int, str]) -> PlacedItem:
    blurb = blurbs.get(placed.item.story_id)
    return placed if blurb is None else replace(placed, item=replace(placed.item, dek=blurb))
