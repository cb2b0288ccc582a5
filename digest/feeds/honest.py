"""Dates that lie, found out before they make news of what is none; and the address that a page calls its own."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from lxml import etree

from digest.domain.content import Entry
from digest.feeds.clean import absolute_url, canonical_url
from digest.feeds.decode import decode

TOLERANCE = timedelta(days=2)
"""A date that an address or a page names must be this much older than the feed's to prove it wrong, and a
feed's date this much ahead of now to be none: zones differ."""
BACKLOG = timedelta(days=30)
"""How old an item without any date is taken to be when its feed is read for the first time: too old for any issue."""

_DAY_IN_PATH = re.compile(r"[^?#]*?/((?:19|20)\d\d)[/-](0?[1-9]|1[0-2])[/-](0?[1-9]|[12]\d|3[01])(?:[/?#-]|$)")
_GATE = re.compile(
    r"(?:^|[./_-])(?:consent|log-?in|sign-?in|sso|auth|oauth2?|captcha|challenge|cookie-?wall|privacy-?gate|404|not-?found|error)(?:[./_-]|$)",
    re.IGNORECASE,
)
_HEAD = 400_000


def published(entry: Entry, url: str, now: datetime, *, first_read: bool) -> datetime | None:
    """When an item is really from, as far as can be told; None for "just now".

    A day in the item's address (``/2019/05/02/``) that is older than the feed's date shows a re-published item. A
    date in the near future (a wrong zone) is one of now; one farther ahead says nothing. An item without a date is from now, unless its feed is read for the first time:
    then it may be from any time.
    """
    said = (moment for moment in (entry.published_at, entry.updated_at) if moment and moment <= now + TOLERANCE)
    told = next(said, None)
    told = min(told, now) if told else None
    named = day_in(url)
    if named and named + timedelta(days=1) <= (told or now) - (TOLERANCE if told else timedelta()):
        return named
    if told is None and named is None and first_read:
        return now - BACKLOG
    return told


def older(told: datetime, page_says: datetime | None) -> datetime | None:
    """The date of an article's page, if it shows that its feed passed something old off as new; else None."""
    return page_says if page_says and page_says <= told - TOLERANCE else None


def day_in(url: str) -> datetime | None:
    """The day that an article's address names, if it does."""
    found = _DAY_IN_PATH.match(url)
    try:
        return datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC) if found else None
    except ValueError:
        return None


def own_address(html: bytes, url: str) -> str:
    """The canonical address that a page names (``rel=canonical``), else the one at which it was found.

    One that leads to a front page is not believed: publishing systems that are set up wrongly say that of every page.

    Args:
        url: where redirects ended.

    Returns:
        "" if redirects ended at a front page, or where one must sign in or agree to something: that is no article's.
    """
    here = canonical_url(url)
    parts = urlsplit(here)
    if not (parts.path.strip("/") or parts.query) or _GATE.search(f"{parts.hostname}{parts.path}"):
        return ""
    try:
        parser = etree.HTMLParser(encoding="utf-8", no_network=True)
        tree = etree.fromstring(decode(html[:_HEAD])[:_HEAD].encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return here
    if tree is None:
        return here
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            named = canonical_url(absolute_url(link.get("href") or "", url))
            believed = urlsplit(named).path.strip("/") and not _GATE.search(named.partition("?")[0])
            return named if believed else here
    return here
