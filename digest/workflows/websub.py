"""News by push, where a feed names a hub (W3C WebSub); polling goes on beneath, seldom while the hub is alive.

::

    gather notes the hub of a feed            wanted
    tend asks the hub                         asked      (again after an hour, then with growing pauses)
    the hub asks back: is it you?             active     (its challenge is given back, the lease is noted)
    the hub pushes                            stored, if its HMAC is that of our secret; else refused
    tend renews before the lease ends         active
    the hub refuses, or the lease runs out    refused or wanted; the feed is polled as before
"""

import hmac
from datetime import timedelta

import structlog

from digest.errors import DigestError, ForbiddenAddress, InvalidToken, NotFound, StateConflict
from digest.feeds.guard import check_url, is_allowed
from digest.feeds.read import read
from digest.feeds.understand import item_of
from digest.feeds.websub import ask, is_authentic, subscription
from digest.store import articles, websub
from digest.store.feed_specs import spec_of
from digest.store.tables import Feed, WebSub
from digest.workflows.context import Context

MAX_LEASE = timedelta(days=365)

log = structlog.get_logger()


def callback(ctx: Context, feed_id: int) -> str:
    """The address at which a hub reaches us for one feed; nobody can guess it."""
    return f"{ctx.public_url}/websub/{ctx.signer.sign('websub', feed_id)}"


def tend_subscriptions(ctx: Context) -> int:
    """Ask, renew and leave hubs as is due; safe from any number of workers. One that fails keeps no other.

    Nothing is asked while our own pages can't be reached from the open internet: no hub could answer.

    Returns:
        How many hubs were asked.
    """
    if not _is_reachable(ctx):
        return 0
    now = ctx.clock()
    with ctx.db.write() as session:
        websub.leave_retired(session, now)
        websub.poll_seldom(session, now)
        waiting = websub.due(session, now)
    return sum(_act(ctx, feed_id) for feed_id in waiting)


def confirm(ctx: Context, token: str, mode: str, topic: str, challenge: str, lease_seconds: str, reason: str) -> str:
    """Answer a hub that asks whether we asked (5.3), or that says no (5.2).

    Returns:
        The challenge, to be given back.

    Raises:
        NotFound: we did not ask for this, or the link is not ours.
    """
    now = ctx.clock()
    feed_id = _feed_of(ctx, token)
    with ctx.db.write() as session:
        row = websub.get(session, feed_id)
        if row is None or not hmac.compare_digest(row.topic.encode(), topic.encode()):
            raise NotFound("there is no such subscription")
        if mode == "denied":
            if row.state not in ("asked", "active"):
                raise NotFound("nothing was asked for")
            why = f"the hub refused: {' '.join(reason.split())[:300] or 'it gives no reason'}"
            websub.change(session, feed_id, state="refused", act_at=now + websub.ASK_AGAIN, asked_at=None, why=why)
            websub.poll_now(session, feed_id, now)
            return ""
        if mode == "unsubscribe" and row.state == "leaving" and challenge:
            websub.change(session, feed_id, state="ended", act_at=None, lease_until=None)
            return challenge
        if mode != "subscribe" or row.state not in ("asked", "active") or row.asked_at is None or not challenge:
            raise NotFound("nothing was asked for")
        lease = min(timedelta(seconds=int(lease_seconds[:9])) if lease_seconds.isdecimal() else timedelta(), MAX_LEASE)
        if not lease:
            raise NotFound("the hub names no lease")
        renew_at = now + lease - min(websub.RENEW_BEFORE, lease / 4)
        websub.change(
            session, feed_id, state="active", lease_until=now + lease, act_at=renew_at,
            asked_at=None, failures=0, why="",
        )  # fmt: skip
    log.info("a hub confirmed", feed=feed_id, days=lease / timedelta(days=1))
    return challenge


def receive(ctx: Context, token: str, body: bytes, content_type: str, signature: str) -> int:
    """Keep what a hub pushes; only with the HMAC of our secret.

    A feed whose articles are read on their own pages is polled at once instead: gathering reads those pages.

    Returns:
        How many articles are new.

    Raises:
        NotFound: the link is not ours.
        StateConflict: the subscription has ended; the hub may stop.
        InvalidToken: the signature is missing or wrong.
        ParseError: it is no feed.
    """
    now = ctx.clock()
    feed_id = _feed_of(ctx, token)
    with ctx.db.read() as session:
        row, feed = websub.get(session, feed_id), session.get(Feed, feed_id)
        if row is None or feed is None:
            raise NotFound("there is no such subscription")
        topic, secret, spec = row.topic, row.secret, spec_of(feed)
        over = feed.retired_at is not None or row.state in ("leaving", "ended")
    if not is_authentic(body, signature, secret):
        log.warning("push refused: not signed with our secret", feed=feed_id)
        raise InvalidToken("the signature is not that of this subscription")
    if over:
        raise StateConflict("this subscription has ended")
    found = read(spec, body, content_type, topic, now=now)
    items = [item for entry in found.entries if (item := item_of(entry, spec.name, now))]
    with ctx.db.write() as session:
        websub.change(session, feed_id, pushed_at=now)
        if spec.full_text:
            websub.poll_now(session, feed_id, now)
            return 0
        stored = articles.upsert(session, feed_id, spec.name, items, now)
    return len(stored.new)


def _act(ctx: Context, feed_id: int) -> bool:
    """Ask one hub for what is due; whether it was asked."""
    now = ctx.clock()
    with ctx.db.write() as session:
        row = websub.claim(session, feed_id, now)
        if row is None:
            return False
        hub, leaving, topic, secret, failures = row.hub, row.state == "leaving", row.topic, row.secret, row.failures
        if row.asked_at is not None and not leaving:
            failures += 1  # the last request was never verified
        if _has_run_out(row, ctx):
            websub.poll_now(session, feed_id, now)
        # Before the request: a hub may verify before it answers.
        state = row.state if row.state in ("active", "leaving") and not _has_run_out(row, ctx) else "asked"
        pause = max(websub.ANSWER_WITHIN, websub.back_off(failures)) if failures else websub.ANSWER_WITHIN
        websub.change(session, feed_id, state=state, asked_at=now, act_at=now + pause, failures=failures)
    mode = "unsubscribe" if leaving else "subscribe"
    try:
        _check_hub(ctx, hub)
        ask(ctx.fetcher, hub, subscription(mode, topic, callback(ctx, feed_id), secret))
    except DigestError as error:
        log.info("hub not reached", hub=hub, why=str(error))
        failures += 1
        for_good = isinstance(error, ForbiddenAddress) or (leaving and failures > 3)
        pause = websub.ASK_AGAIN if isinstance(error, ForbiddenAddress) else websub.back_off(failures)
        with ctx.db.write() as session:
            values = {"act_at": None if leaving and for_good else now + pause, "failures": failures, "why": str(error)}
            ending = {"state": "ended"} if leaving and for_good else {"state": "refused"} if for_good else {}
            websub.change(session, feed_id, **values, **ending)
        return False
    return True


def _has_run_out(row: WebSub, ctx: Context) -> bool:
    return row.state == "active" and (row.lease_until is None or row.lease_until <= ctx.clock())


def _check_hub(ctx: Context, hub: str) -> None:
    """A secret goes to the hub: over https, or to a host that the operator has named (5.1)."""
    parts = check_url(hub, ctx.fetcher.allow)
    if parts.scheme != "https" and not is_allowed(parts.hostname or "", parts.port or 80, ctx.fetcher.allow):
        raise ForbiddenAddress(f"the hub {hub} is not reached by https, so no secret is sent to it: the feed is polled")


def _is_reachable(ctx: Context) -> bool:
    try:
        parts = check_url(ctx.public_url, ctx.fetcher.allow)
    except ForbiddenAddress:
        return False
    host = parts.hostname or ""
    is_local = host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    return not is_local or is_allowed(host, parts.port or 80, ctx.fetcher.allow)


def _feed_of(ctx: Context, token: str) -> int:
    try:
        return ctx.signer.verify("websub", token)
    except InvalidToken:
        raise NotFound("there is no such subscription") from None
