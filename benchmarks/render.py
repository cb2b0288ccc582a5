"""What a mail costs: printing an issue once, stitching it for each reader, its size, and memory over many readers.

    python benchmarks/render.py [--readers N] [--quick]

Peers run in turn with ours, five times; printed are medians and the median of the ratios.

* Printing: from the document (8 sections, 25 stories) to fragments, beside mjml-python and premailer on the same MJML
  and sheet. Limit: 3 times.
* Stitching: finished messages with their own cut, links and headers, unsigned, beside the same mail built with Jinja2
  (one compiled template of the whole mail, filled with the words of the reader's stories) and ``EmailMessage``. Goal: 150 times as many.
"""

import argparse
import email.policy
import html
import logging
import random
import resource
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from quopri import decodestring
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import mjml
from jinja2 import Environment
from premailer import Premailer

from digest.domain.audience import Signer
from digest.domain.issue import Block, IssueDocument
from digest.domain.mail import Cut
from digest.render import inline, pipeline, quoted
from digest.render.cut import cut_for, html_of, selection_all
from digest.render.message import Head
from digest.workflows.context import Context
from digest.workflows.messages import PrintedIssue, addressed
from tests.render import documents

ROUNDS = 5
TOKENS = {
    "PREHEADER": "x" * 60,
    "UNSUBSCRIBE": "https://mail.float.example/u",
    "PREFERENCES": "x",
    "ADDRESS": "a@b.example",
}
SENT = datetime(2026, 3, 12, 11, tzinfo=UTC)


def issue() -> IssueDocument:
    """8 sections with 25 stories, a lead, and the blocks that a morning's number has."""
    sizes = (4, 4, 3, 3, 3, 3, 3, 2)
    sections, number = [], 0
    for at, size in enumerate(sizes):
        stories = [documents.story(number + n) for n in range(1, size + 1)]
        number += size
        sections.append(documents.section(f"topic{at}", f"Topic {at}", stories))
    around = [
        block for block in documents.blocks() if block.type in ("sponsor", "epigraph", "markets", "events", "links")
    ]
    return documents.framed(
        *around[:2], documents.lead([documents.lead_story(1)]), *around[2:3], *sections, *around[3:]
    )


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process for one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def printing(document: IssueDocument) -> None:
    """Document to fragments, and the two libraries alone on what it hands them."""
    seen: dict[str, Any] = {}
    real, real_inline = mjml.mjml2html, inline.inline

    def keep(source: str, **options: Any) -> Any:
        seen["mjml"] = source
        return real(source, **options)

    def keep_css(page: str, css: str) -> str:
        seen["css"] = css
        return real_inline(page, css)

    pipeline.mjml.mjml2html, inline.inline = keep, keep_css
    documents.renderer().render(document)
    pipeline.mjml.mjml2html, inline.inline = real, real_inline

    def libraries() -> None:
        page = mjml.mjml2html(seen["mjml"], disable_comments=False)
        Premailer(
            page, css_text=seen["css"], strip_important=False, keep_style_tags=True, disable_validation=True,
            allow_network=False, cssutils_logging_level=logging.CRITICAL,
        ).transform()  # fmt: skip

    renderer = documents.renderer()
    renderer.render(document), libraries()  # templates compiled, modules loaded
    pairs = [(seconds(libraries), seconds(lambda: renderer.render(document))) for _ in range(ROUNDS)]
    ratio = statistics.median(ours / theirs for theirs, ours in pairs)
    print(
        f"printing   mjml-python + premailer {statistics.median(a for a, _ in pairs) * 1000:7.1f} ms   "
        f"ours, to fragments {statistics.median(b for _, b in pairs) * 1000:7.1f} ms   ratio {ratio:.2f} (limit 3)"
    )


class Readers:
    """The readers of an issue, each with a cut: from a number of choices that people share, or each their own."""

    def __init__(self, printed: PrintedIssue, distinct: int) -> None:
        chance = random.Random(5)
        items = [f for f in printed.fragments if f.role == "item" and f.group != "lead"]
        whole = selection_all(printed.document)
        self.cuts: list[Cut] = []
        while len(self.cuts) < distinct:
            chosen: dict[str, list[int]] = {}
            for fragment in items:
                if chance.random() < 0.7:
                    chosen.setdefault(fragment.group, []).append(fragment.story_id or 0)
            selection = type(whole)(lead=whole.lead, items={key: tuple(ids) for key, ids in chosen.items()})
            self.cuts.append(cut_for(printed.fragments, selection))

    def cut(self, number: int) -> Cut:
        return self.cuts[number % len(self.cuts)]


def context() -> Context:
    nothing: Any = None
    return Context(
        db=nothing, sender=nothing, fetcher=nothing, signer=Signer(b"k" * 32), clock=lambda: SENT,
        public_url="https://mail.float.example", var=Path(), templates=documents.TEMPLATES,
    )  # fmt: skip


def printed_issue(document: IssueDocument) -> PrintedIssue:
    return PrintedIssue(document, Head.of(document), documents.renderer().render(document))


def one(ctx: Context, printed: PrintedIssue, readers: Readers, number: int) -> bytes:
    return addressed(
        ctx, printed, readers.cut(number), delivery_id=number, subscriber_id=number, subscription_id=number,
        address=f"reader{number}@inbox{number % 97}.example", name="Ada Lovelace" if number % 3 else "", dated_at=SENT,
    ).data  # fmt: skip


class Peer:
    """The same mail with a template engine and the standard library."""

    def __init__(self, printed: PrintedIssue) -> None:
        self._printed = printed
        self._html = Environment(autoescape=True).from_string(self._source("html"))
        self._text = Environment(autoescape=False).from_string(self._source("text"))
        self._policy = email.policy.SMTP.clone(max_line_length=998)

    def _source(self, part: str) -> str:
        """The whole mail as a template: each fragment behind an ``if``, the words of each story as variables."""
        words = {
            placed.item.story_id: placed.item
            for block in self._printed.document.blocks if block.section for placed in block.section.items
        }  # fmt: skip
        escape = html.escape if part == "html" else str
        pieces = []
        for fragment in self._printed.fragments:
            for index, piece in enumerate(quoted.TOKEN.split(getattr(fragment, part))):
                if index % 2:
                    text = "{{ " + piece.decode().lower() + " }}"
                else:
                    text = decodestring(piece).decode().replace("\r\n", "\n")
                    for name in ("url", "headline", "dek", "source") if fragment.story_id in words else ():
                        value = escape(getattr(words[fragment.story_id], name))
                        text = text.replace(value, f"{{{{ stories[{fragment.story_id}].{name} }}}}")
                pieces.append("{% if show[" + str(fragment.position) + "] %}" + text + "{% endif %}")
        self.stories = words
        return "".join(pieces)

    def message(self, ctx: Context, readers: Readers, number: int) -> bytes:
        cut = readers.cut(number)
        lines = self._printed.head.lines_for(self._printed.fragments, cut)
        address = f"reader{number}@inbox{number % 97}.example"
        unsubscribe = f"https://mail.float.example/unsubscribe/{ctx.signer.sign('unsubscribe', number)}"
        values = {
            "show": {f.position: f.position in cut for f in self._printed.fragments}, "preheader": lines.preheader,
            "unsubscribe": unsubscribe, "address": address, "stories": self.stories,
            "preferences": f"https://mail.float.example/preferences/{ctx.signer.sign('preferences', number)}",
        }  # fmt: skip
        mail = EmailMessage(policy=self._policy)
        mail["From"] = "The Float <mara@float.example>"
        mail["To"] = f"Ada Lovelace <{address}>" if number % 3 else address
        mail["Subject"] = lines.subject
        mail["Date"] = format_datetime(SENT)
        mail["Message-ID"] = ctx.signer.message_id(42, number, "float.example")
        mail["List-Id"] = "The Float <the-float.float.example>"
        mail["List-Unsubscribe"] = f"<{unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail["Precedence"] = "bulk"
        mail["Feedback-ID"] = "42:the-float:issue:floatexample"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(self._text.render(values), cte="quoted-printable")
        mail.add_alternative(self._html.render(values), subtype="html", cte="quoted-printable")
        return mail.as_bytes()


def stitching(printed: PrintedIssue, readers: int) -> None:
    """Messages per second of one core, for readers who share cuts and for readers who share none."""
    ctx, peer, theirs_n = context(), Peer(printed), 20
    for words, distinct in (("200 cuts among all", 200), ("everyone their own cut", readers)):
        crowd = Readers(printed, distinct)
        sample = email.message_from_bytes(one(ctx, printed, crowd, 1), policy=email.policy.default)
        built = email.message_from_bytes(peer.message(ctx, crowd, 1), policy=email.policy.default)
        for kind in ("html", "plain"):
            ours, theirs = (mail.get_body((kind,)) for mail in (sample, built))
            assert ours is not None
            assert theirs is not None
            assert ours.get_content().split() == theirs.get_content().split()
        pairs = []
        for _ in range(ROUNDS):
            fresh = PrintedIssue(printed.document, printed.head, printed.fragments)
            spent = seconds(lambda crowd=crowd: [peer.message(ctx, crowd, n) for n in range(theirs_n)]) / theirs_n

            def ours_all(fresh: PrintedIssue = fresh, crowd: Readers = crowd) -> None:
                for n in range(readers):
                    one(ctx, fresh, crowd, n)

            pairs.append((spent, seconds(ours_all) / readers))
        ratio = statistics.median(theirs / ours for theirs, ours in pairs)
        print(
            f"stitching  {words:<22}  Jinja2 + EmailMessage {1 / statistics.median(a for a, _ in pairs):7.0f}/s   "
            f"ours {1 / statistics.median(b for _, b in pairs):8.0f}/s   ratio {ratio:.0f} (goal 150)"
        )


def memory(printed: PrintedIssue, readers: int) -> None:
    """The most that Python held while messages were made and let go, for a tenth of the readers and for all."""
    ctx, crowd, peaks = context(), Readers(printed, 500), []
    fresh = PrintedIssue(printed.document, printed.head, printed.fragments)
    for count in (readers // 10, readers):
        tracemalloc.start()
        for n in range(count):
            one(ctx, fresh, crowd, n)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    print(
        f"memory     peak {peaks[0] / 1e6:.2f} MB over {readers // 10:,} messages, {peaks[1] / 1e6:.2f} MB over {readers:,}; "
        f"process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


def sizes(printed: PrintedIssue) -> None:
    """Bytes of HTML of the whole cut, with and without the blocks that are not stories."""

    def size(document: IssueDocument) -> int:
        fragments = documents.renderer().render(document)
        return len(html_of(fragments, cut_for(fragments, selection_all(document)), TOKENS).encode())

    def without(block: Block) -> bool:
        return block.type in ("masthead", "section", "footer")

    document = printed.document
    stories = IssueDocument(
        **{**{n: getattr(document, n) for n in document.__slots__}, "blocks": tuple(filter(without, document.blocks))}
    )
    for words, found in (("25 stories", size(stories)), ("with all blocks", size(document))):
        print(
            f"size       {words:<22}  {found:,} bytes of HTML, {found / 102_400:.2f} of 102,400 (limit 0.40 for 25 stories)"
        )


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=10_000)
    readers = parser.parse_args().readers
    document = issue()
    printed = printed_issue(document)
    printing(document)
    stitching(printed, readers)
    memory(printed, readers)
    sizes(printed)


if __name__ == "__main__":
    main()
