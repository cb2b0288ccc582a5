"""Subscribers, what they signed up to, and the addresses never to write to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col, select

from digest.store.tables import Newsletter, Notice, Subscriber, Subscription, Suppression, TopicChoice


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """One line of the subscriber list."""

    subscriber: Subscriber
    subscription: Subscription
    newsletter: str
    topics: tuple[str, ...]


def address_key(address: str) -> str:
    """What an address is found by: mailboxes that differ in case alone are one person."""
    return address.strip().casefold()


def find(session: Session, address: str) -> Subscriber | None:
    """The person with that address."""
    return session.exec(select(Subscriber).where(Subscriber.address_key == address_key(address))).first()


def find_or_add(session: Session, address: str, now: datetime, name: str = "") -> Subscriber:
    """The person with that address, made if unknown. Two requests at the same moment get the same row."""
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    values = {"address": address, "address_key": address_key(address), "name": name, "created_at": now}
    session.execute(
        insert(Subscriber)
        .values(**values, zone="UTC", language="en")
        .on_conflict_do_nothing(index_elements=["address_key"])
    )
    person = find(session, address)
    assert person is not None
    return person


def find_or_add_subscription(session: Session, subscriber_id: int, newsletter_id: int, now: datetime) -> Subscription:
    """A person's subscription to a newsletter, made as pending if there is none. Locked until the transaction ends."""
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    session.execute(
        insert(Subscription)
        .values(
            subscriber_id=subscriber_id,
            newsletter_id=newsletter_id,
            state="pending",
            frequency="every-issue",
            created_at=now,
            ended_why="",
            consent_text="",
            consent_version="",
            consent_url="",
            consent_ip="",
        )
        .on_conflict_do_nothing(index_elements=["subscriber_id", "newsletter_id"])
    )
    return session.exec(
        select(Subscription)
        .where(Subscription.subscriber_id == subscriber_id, Subscription.newsletter_id == newsletter_id)
        .with_for_update()
    ).one()


def locked(session: Session, subscription_id: int) -> Subscription | None:
    """The subscription, locked until the transaction ends, so that two clicks don't overwrite each other."""
    return session.exec(select(Subscription).where(Subscription.id == subscription_id).with_for_update()).first()


def subscriptions_of(session: Session, subscriber_id: int) -> list[Subscription]:
    """All that a person ever signed up to, oldest first."""
    query = select(Subscription).where(Subscription.subscriber_id == subscriber_id)
    return list(session.exec(query.order_by(col(Subscription.id))))


def topics_of(session: Session, subscription_id: int) -> frozenset[str]:
    """The chosen topics; none at all means everything."""
    return frozenset(session.exec(select(TopicChoice.topic).where(TopicChoice.subscription_id == subscription_id)))


def choose_topics(session: Session, subscription_id: int, topics: Iterable[str]) -> None:
    """Replace the chosen topics."""
    session.execute(delete(TopicChoice).where(col(TopicChoice.subscription_id) == subscription_id))
    session.add_all(TopicChoice(subscription_id=subscription_id, topic=topic) for topic in sorted(set(topics)))


def is_suppressed(session: Session, address_hash: str) -> bool:
    """Whether that address (see ``Signer.address_hash``) must never be written to."""
    return session.get(Suppression, address_hash) is not None


def notices_since(session: Session, address: str, since: datetime) -> int:
    """How many mails outside the issues an address was sent, or will be, since that moment."""
    query = select(func.count()).select_from(Notice).where(Notice.address == address, Notice.created_at > since)
    return session.exec(query).one()


def listed(session: Session, newsletter: str | None = None) -> Iterator[ListedSubscription]:
    """Every subscription of the list, or of one newsletter, by address; in chunks, however long the list is."""
    query = (
        select(Subscriber, Subscription, Newsletter.slug)
        .join(Subscription, col(Subscription.subscriber_id) == Subscriber.id)
        .join(Newsletter, col(Newsletter.id) == Subscription.newsletter_id)
        .where(col(Subscriber.erased_at).is_(None))
        .order_by(Subscriber.address_key, Newsletter.slug)
    )
    if newsletter is not None:
        query = query.where(Newsletter.slug == newsletter)
    for rows in session.exec(query.execution_options(yield_per=1000)).partitions():
        chosen = _topics_of_all(session, [subscription.id for _, subscription, _ in rows])
        for person, subscription, slug in rows:
            yield ListedSubscription(person, subscription, slug, chosen.get(subscription.id, ()))


def _topics_of_all(session: Session, ids: list[int | None]) -> dict[int | None, tuple[str, ...]]:
    rows = session.exec(
        select(TopicChoice).where(col(TopicChoice.subscription_id).in_(ids)).order_by(TopicChoice.topic)
    )
    chosen: dict[int | None, tuple[str, ...]] = {}
    for row in rows:
        chosen[row.subscription_id] = (*chosen.get(row.subscription_id, ()), row.topic)
    return chosen
