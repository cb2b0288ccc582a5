"""The checks of preflight, one function each; :mod:`digest.render.preflight` runs them."""

from collections.abc import Callable, Iterator

from digest.render.checks import dates, layout, links, pictures, words
from digest.render.findings import Finding, Subject

Check = Callable[[Subject], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    layout.stories, layout.masthead, layout.unsubscribe, layout.postal_address, layout.sender, words.lines,
    layout.html_size, layout.cut_sizes, layout.empty_section, layout.text_part, words.items, words.repeated,
    links.links, links.twice, links.unreachable, words.link_texts, pictures.alt, pictures.hosted, pictures.sizes,
    pictures.weight, words.placeholders, words.stale_year, dates.sponsor, dates.events, dates.quotes, dates.day,
    dates.sent_before, layout.colours, layout.fragment_bytes,
)  # fmt: skip
