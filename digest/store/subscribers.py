"""Subscribers, what they signed up to, and the addresses never to write to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, or_, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col, select

from digest.domain.audience import Signer, TopicChoice
from digest.store.tables import ChoiceSet, Newsletter, Notice, Subscriber, Subscription, Suppression

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """One line of the subscriber list."""

    subscriber: Subscriber
    subscription: Subscription
    newsletter: str
    choice: TopicChoice


def address_key(address: str) -> str:
    """What an address is found by: mailboxes that differ in case alone are one person."""
    return address.strip().casefold()


def find(session: Session, address: str) -> Subscriber | None:
    """The person with that address."""
    return session.exec(select(Subscriber).where(Subscriber.address_key == address_key(address))).first()


def find_or_add(session: Session, signer: Signer, address: str, now: datetime, name: str = "") -> Subscriber:
    """The person with that address, made if unknown. Two requests at the same moment get the same row."""
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    values = {"address": address, "address_key": address_key(address), "name": name, "created_at": now}
    session.execute(
        insert(Subscriber)
        .values(
            **values, zone="UTC", language="en", address_hash=signer.address_hash(address), hash_key=signer.fingerprint
        )
        .on_conflict_do_nothing(index_elements=["address_key"])
    )
    person = find(session, address)
    assert person is not None
    # What was noted under a retired secret, of somebody who was erased, must be found by the hash of their new row.
    current, *retired = signer.address_hashes(address)
    _carry_over(session, dict.fromkeys(retired, current))
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
            hour="",
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


def choice_of(session: Session, subscription_id: int) -> TopicChoice:
    """The chosen topics, and how often; none at all means everything."""
    query = select(ChoiceSet.key).join(Subscription, col(Subscription.choice_set_id) == ChoiceSet.id)
    return TopicChoice.decode(session.exec(query.where(Subscription.id == subscription_id)).first() or "")


def topics_of(session: Session, subscription_id: int) -> frozenset[str]:
    """The chosen topics; none at all means everything."""
    return choice_of(session, subscription_id).topics


def choose_topics(session: Session, subscription_id: int, choice: TopicChoice | frozenset[str]) -> None:
    """Replace the chosen topics; a bare set of them is wanted in every mail."""
    wanted = (choice if isinstance(choice, TopicChoice) else TopicChoice(choice)).encode()
    set_id: int | None = None
    if wanted:
        insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
        session.execute(insert(ChoiceSet).values(key=wanted).on_conflict_do_nothing(index_elements=["key"]))
        set_id = session.exec(select(ChoiceSet.id).where(ChoiceSet.key == wanted)).one()
    session.flush()
    session.execute(update(Subscription).where(col(Subscription.id) == subscription_id).values(choice_set_id=set_id))


def hash_addresses(session: Session, signer: Signer, most: int | None = None) -> int:
    """Hash the addresses that are not hashed yet, or under an earlier secret; returns how many it did.

    It costs two looks into an index where there are none.

    Args:
        most: stop after so many, so that others may write in between.

    A suppression that was written under an earlier secret is written again under the one in force.
    """
    stale = or_(
        col(Subscriber.hash_key) < signer.fingerprint, col(Subscriber.hash_key) > signer.fingerprint
    )  # both walk the index
    done = 0
    while rows := session.exec(select(Subscriber.id, Subscriber.address).where(stale).limit(_CHUNK)).all():
        hashes = [(ident, signer.address_hashes(address)) for ident, address in rows]
        session.execute(
            update(Subscriber.__table__).where(Subscriber.__table__.c.id == bindparam("row")).values(  # type: ignore[attr-defined]
                address_hash=bindparam("hash"), hash_key=signer.fingerprint
            ),
            [{"row": ident, "hash": found[0]} for ident, found in hashes],
        )  # fmt: skip
        _carry_over(session, {old: found[0] for _, found in hashes for old in found[1:]})
        done += len(rows)
        if most is not None and done >= most:
            break
    return done


def _carry_over(session: Session, renamed: dict[str, str]) -> None:
    """Suppressions under retired secrets, by their old hash, also under the new one."""
    old = (
        session.exec(select(Suppression).where(col(Suppression.address_hash).in_(list(renamed)))).all()
        if renamed
        else []
    )
    for row in old:
        if session.get(Suppression, renamed[row.address_hash]) is None:
            session.add(
                Suppression(
                    address_hash=renamed[row.address_hash], reason=row.reason, detail=row.detail,
                    created_at=row.created_at,
                )
            )  # fmt: skip
    session.flush()


def has_many_readers(session: Session, newsletter_id: int, many: int) -> bool:
    """Whether a newsletter has more active readers than that; it looks at no more of them."""
    some = select(Subscription.id).where(Subscription.newsletter_id == newsletter_id, Subscription.state == "active")
    return session.exec(select(func.count()).select_from(some.limit(many + 1).subquery())).one() > many


def is_suppressed(session: Session, signer: Signer, address: str) -> bool:
    """Whether that address must never be written to, under whichever secret that was noted."""
    hashes = col(Suppression.address_hash).in_(signer.address_hashes(address))
    return session.exec(select(Suppression.address_hash).where(hashes).limit(1)).first() is not None


def notices_since(session: Session, address: str, since: datetime) -> int:
    """How many mails outside the issues an address was sent, or will be, since that moment."""
    query = select(func.count()).select_from(Notice).where(Notice.address == address, Notice.created_at > since)
    return session.exec(query).one()


def listed(session: Session, newsletter: str | None = None) -> Iterator[ListedSubscription]:
    """Every subscription of the list, or of one newsletter, by address; in chunks, however long the list is."""
    query = (
        select(Subscriber, Subscription, Newsletter.slug, ChoiceSet.key)
        .join(Subscription, col(Subscription.subscriber_id) == Subscriber.id)
        .join(Newsletter, col(Newsletter.id) == Subscription.newsletter_id)
        .outerjoin(ChoiceSet, col(ChoiceSet.id) == Subscription.choice_set_id)
        .where(col(Subscriber.erased_at).is_(None))
        .order_by(Subscriber.address_key, Newsletter.slug)
    )
    if newsletter is not None:
        query = query.where(Newsletter.slug == newsletter)
    for person, subscription, slug, key in session.exec(query.execution_options(yield_per=1000)):
        yield ListedSubscription(person, subscription, slug, TopicChoice.decode(key or ""))
