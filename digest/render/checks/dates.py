"""Checks of what has a date: sponsors, events, prices."""

from collections.abc import Iterator
from datetime import timedelta

from digest.domain.issue import LEAD
from digest.render.findings import Finding, Subject

STALE_QUOTES = timedelta(hours=24)


def sponsor(subject: Subject) -> Iterator[Finding]:
    for block in subject.document.blocks:
        if block.sponsor is None:
            continue
        if not block.sponsor.approved:
            yield Finding(
                "sponsor-approved", "error", block.key, f"the text of {block.sponsor.advertiser} is not approved"
            )
        if not block.sponsor.starts <= subject.document.day <= block.sponsor.ends:
            yield Finding(
                "sponsor-dates",
                "error",
                block.key,
                f"{block.sponsor.advertiser} is booked from {block.sponsor.starts} to {block.sponsor.ends}, not for this day",
            )
        if not block.sponsor.advertiser.strip():
            yield Finding("sponsor-label", "error", block.key, "a sponsor without a name can't be labelled")


def events(subject: Subject) -> Iterator[Finding]:
    for block in subject.document.blocks:
        for event in block.events:
            if event.ends < subject.document.day:
                yield Finding("event-past", "error", f"{block.key}: {event.name}", f"ended on {event.ends}")


def quotes(subject: Subject) -> Iterator[Finding]:
    for block in subject.document.blocks:
        for quote in block.quotes:
            if abs((quote.as_of.date() - subject.document.day).days) * timedelta(days=1) > STALE_QUOTES:
                yield Finding(
                    "quotes-stale", "warning", f"{block.key}: {quote.symbol}", f"the price is of {quote.as_of:%Y-%m-%d}"
                )
            if quote.price <= 0:
                yield Finding(
                    "quotes-price",
                    "warning",
                    f"{block.key}: {quote.symbol}",
                    f"a price of {quote.price} can't be right",
                )


def day(subject: Subject) -> Iterator[Finding]:
    """An issue that bears another day than the one on which it leaves."""
    now = subject.world.now
    if now is not None and abs((now.date() - subject.document.day).days) > 1:
        words = f"the issue bears {subject.document.day}, and today is {now:%Y-%m-%d}"
        yield Finding("day-stale", "warning", "masthead", words)


def sent_before(subject: Subject) -> Iterator[Finding]:
    """A story that an earlier number carried comes again as an update, or because an editor pinned it."""
    for where, item in subject.items:
        earlier = subject.world.sent_before.get(item.story_id)
        if earlier and item.update_of is None and not where.startswith(LEAD):
            words = f"was in {earlier} already: only readers who did not get it there will see it"
            yield Finding("sent-before", "warning", where, words)
