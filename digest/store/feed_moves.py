"""Feeds whose server has moved to another port, and is ours: what is known of them stays theirs."""

from collections.abc import Collection
from urllib.parse import urlsplit

from sqlmodel import Session, col, select

from digest.store.tables import Feed


def follow(session: Session, base: str, wanted: Collection[str]) -> int:
    """Let feeds of the same host, on another port, have the address under ``base`` that is ``wanted``; how many did.

    A feed that the newsroom does not want there, or that is there already, stays as it is. What failed because nobody
    answered at the old port is forgotten.
    """
    place = urlsplit(base)
    known = {
        feed.url: feed for feed in session.exec(select(Feed).where(col(Feed.url).startswith(f"{place.scheme}://")))
    }
    moved = 0
    for url, feed in known.items():
        parts = urlsplit(url)
        there = parts._replace(netloc=place.netloc).geturl()
        if parts.hostname != place.hostname or there == url or there not in wanted or there in known:
            continue
        feed.url, feed.moved_to, feed.moving_to, feed.moving_seen, feed.moving_since = there, "", "", 0, None
        feed.next_check_at, feed.failures, feed.last_error = None, 0, ""
        moved += 1
    return moved
