"""From feeds to inboxes, over three days, with a clock to travel with."""

import itertools
from collections import Counter
from email.message import EmailMessage

from sqlmodel import select

from digest.store import issues
from digest.store.tables import Article, Delivery, Issue, Subscription
from digest.workflows.deliver import audit
from digest.workflows.preview import preview
from digest.workflows.subscribe import unsubscribe
from tests.e2e.conftest import Service


def auto(service: Service) -> list[Issue]:
    """Issues of the newsletter that is sent by policy, oldest first."""
    with service.ctx.db.read() as session:
        return [issue for issue in reversed([row for row, _ in issues.recent(session)]) if _is_auto(issue)]


def _is_auto(issue: Issue) -> bool:
    return bool(issue.spec) and issues.spec_of(issue).approval == "auto"


def links(mail: EmailMessage) -> set[str]:
    body = mail.get_body(("plain",))
    assert body is not None
    return {word.strip("<>()") for word in body.get_content().split() if word.startswith(("https://", "<https://"))}


def test_the_first_run_takes_news_from_feeds_to_every_inbox_once(service: Service) -> None:
    service.work()
    issue = auto(service)[0]
    numbers = audit(service.ctx, issue.id or 0)
    assert issue.state == "sent"
    assert numbers["sent"] == len(service.mails()) >= 3
    assert numbers["audience"] == sum(value for state, value in numbers.items() if state != "audience")
    assert set(Counter(str(mail["To"]) for mail in service.mails()).values()) == {1}
    assert len({str(mail["Message-ID"]) for mail in service.mails()}) == numbers["sent"]


def test_everyone_gets_their_own_selection(service: Service) -> None:
    service.work()
    selections = {frozenset(links(mail)) for mail in service.mails()}
    assert len(selections) > 2
    with service.ctx.db.read() as session:
        cuts = set(session.exec(select(Delivery.cut_id).where(Delivery.state == "sent")))
    assert len(cuts) > 2


def test_running_again_sends_nothing_and_keeps_everything(service: Service) -> None:
    service.work()
    before = {str(mail["Message-ID"]): mail.as_bytes() for mail in service.mails()}
    numbers = audit(service.ctx, auto(service)[0].id or 0)
    for _ in range(3):
        service.clock.advance(minutes=20)
        service.work()
    assert {str(mail["Message-ID"]): mail.as_bytes() for mail in service.mails()} == before
    assert audit(service.ctx, auto(service)[0].id or 0) == numbers


def test_the_next_days_bring_new_issues_whose_windows_adjoin_and_repeat_nothing(service: Service) -> None:
    service.work()
    for _ in range(16):
        service.clock.advance(hours=3)
        service.work()
    sent = [issue for issue in auto(service) if issue.state == "sent"]
    assert len(sent) == 3
    for before, after in itertools.pairwise(sent):
        assert after.window_start == before.window_end
    for address, mails in by_reader(service).items():
        seen: set[str] = set()
        for mail in mails:
            stories = article_links(service, mail)
            assert stories, address
            assert not stories & seen, address
            seen |= stories


def by_reader(service: Service) -> dict[str, list[EmailMessage]]:
    found: dict[str, list[EmailMessage]] = {}
    for mail in sorted(service.mails(), key=lambda mail: mail["Date"].datetime):
        if mail["List-Unsubscribe"]:
            found.setdefault(str(mail["To"]), []).append(mail)
    return found


def article_links(service: Service, mail: EmailMessage) -> set[str]:
    with service.ctx.db.read() as session:
        known = set(session.exec(select(Article.url)))
    return links(mail) & known


def test_what_somebody_was_sent_can_be_shown_again_byte_for_byte(service: Service) -> None:
    service.work()
    issue = auto(service)[0]
    files = list((service.outbox / "new").iterdir())
    for file in files:
        sent = file.read_bytes()
        address = next(line for line in sent.decode("ascii").split("\r\n") if line.startswith("To:"))
        address = address.split("<")[-1].removeprefix("To:").strip(" >")
        assert preview(service.ctx, issue.id or 0, subscriber=address, form="eml") == sent


def test_who_leaves_before_the_hour_gets_nothing(service: Service) -> None:
    with service.ctx.db.read() as session:
        leaving = session.exec(select(Subscription.id).where(Subscription.state == "active")).first()
    unsubscribe(service.ctx, service.ctx.signer.sign("unsubscribe", leaving or 0))
    service.work()
    with service.ctx.db.read() as session:
        states = list(session.exec(select(Delivery.state).where(Delivery.subscription_id == leaving)))
    assert "sent" not in states


def test_one_broken_feed_is_named_and_stops_nothing(service: Service) -> None:
    report = service.gather()
    assert report.as_dict()["failed"] == 1
    assert [outcome.error for outcome in report.outcomes if outcome.error]
    assert report.as_dict()["articles_new"] > 80
