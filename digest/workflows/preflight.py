"""Preflight with its eyes open: what the issue says, and what only the readers, the disk and the web can say of it."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from digest.curation.select import Offer
from digest.domain.audience import Arrival
from digest.domain.issue import IssueDocument, Selection, stories_of_the_week
from digest.domain.mail import Fragment
from digest.errors import DigestError, FetchError, GoneError, ParseError
from digest.render import clean
from digest.render.budget import Step, size, within
from digest.render.checks.layout import sizes_of
from digest.render.cut import Cutter
from digest.render.findings import Subject, World
from digest.render.preflight import Finding, preflight
from digest.store import choices, issues
from digest.workflows.budget import told
from digest.workflows.context import Context

MOST_LINKS = 200
"""Links that are looked up at most."""
AT_ONCE = 8
PATIENCE = 10.0
"""Seconds for each link."""
PEEK = 2_000_000
"""Bytes of a page that are read at most: it is there, whatever else is in it."""

_CLOSED_DOORS = (401, 402, 403, 405, 406, 429, 451, 999)
"""Answers to a machine that say nothing of what a reader with a browser would see."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What preflight found.

    Attributes:
        cuts: how many distinct mails the readers would get.
        smallest, largest: bytes of HTML among those; 0 if there are none.
        links: how many were looked up.
    """

    findings: tuple[Finding, ...]
    cuts: int = 0
    smallest: int = 0
    largest: int = 0
    links: int = 0

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those that block approval."""
        return tuple(finding for finding in self.findings if finding.level == "error")


def inspected(
    ctx: Context,
    issue_id: int,
    document: IssueDocument,
    fragments: tuple[Fragment, ...],
    *,
    steps: Sequence[Step] = (),
    look_up: bool = False,
) -> Inspection:
    """What there is to say of an issue before it leaves.

    Args:
        steps: the stories that were made smaller to fit in.
        look_up: fetch every link, through the same guarded door as feeds, and say which do not answer.
    """
    subject = Subject(document, fragments)
    addresses = sorted({clean.href(url) for _, url in subject.links} - {""})[:MOST_LINKS] if look_up else []
    with ctx.db.read() as session:
        issue = issues.get(session, issue_id)
        spec = issues.spec_of(issue)
        carried = issues.carried(session, issue.newsletter_id, issue.window_end)
        pinned = issues.pinned(session, issue_id)
        chosen = choices.choices_of_all(session, issue.newsletter_id)
    sections = tuple(block.section for block in document.blocks if block.section is not None)
    offer, cutter = Offer(sections), Cutter(fragments)
    cuts: dict[int, int] = {}
    of_the_week, weights = stories_of_the_week(sections), {each.position: size(each) for each in fragments}
    for (choice, frequency), readers in chosen.items():
        # Weighed as on the day that brings most: weekly topics too, and nothing left out that somebody has seen.
        due = choice.due(frequency, Arrival())
        selection = offer.select(due, frozenset(), spec.min_stories) if due else Selection()
        if due is not None and due.week is not None and selection.stories:
            selection = within(fragments, sections, selection, weights)
        if selection.stories:
            bits = cutter.cut_for(selection).bits
            cuts[bits] = cuts.get(bits, 0) + readers
    world = World(
        now=ctx.clock(),
        files=_files(ctx, document, {image.url for _, image in subject.images}),
        unreachable=_unreachable(ctx, addresses),
        sent_before={
            story: f"the number of {moment:%d %B}"
            for story, moment in carried.items()
            if story not in pinned and story not in of_the_week
        },
        cuts=cuts,
    )
    sizes = sizes_of(fragments, cuts).values()
    findings = preflight(document, fragments, world) + told(steps)
    return Inspection(findings, len(cuts), min(sizes, default=0), max(sizes, default=0), len(addresses))


def _files(ctx: Context, document: IssueDocument, addresses: Iterable[str]) -> dict[str, int]:
    """Bytes of the pictures that lie in our own folder."""
    ours = f"{document.public_url}/media/"
    found = {}
    for address in addresses:
        name = address.removeprefix(ours)
        path = ctx.media / name
        if address.startswith(ours) and "/" not in name and path.is_file():
            found[address] = path.stat().st_size
    return found


def _unreachable(ctx: Context, addresses: list[str]) -> dict[str, str]:
    """Why links do not answer, of those that don't."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda address: _why_not(ctx, address), addresses)
        return {address: why for address, why in zip(addresses, answers, strict=True) if why}


def _why_not(ctx: Context, address: str) -> str:
    if not address.startswith(("https://", "http://")):
        return ""
    try:
        ctx.fetcher.get(address, max_bytes=PEEK, deadline=PATIENCE)
    except ParseError:
        return ""  # something came, more or other than a page
    except GoneError:
        return "the page is gone for good (410)"
    except FetchError as problem:
        return "" if problem.status in _CLOSED_DOORS else str(problem)
    except DigestError as problem:
        return str(problem)
    return ""
