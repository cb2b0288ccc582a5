"""Who an issue is for, as sets: what distinguishes its readers is little, and is asked for once each.

Three small temporary tables carry what was worked out for each distinct choice (``Group`` → cut), each distinct hour
(``Hour`` → moment) and each cut of an earlier issue (→ stories received). One SELECT joins them to a million
subscriptions; it is inserted into the ledger, or only counted for a forecast.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col
from sqlmodel.sql.sqltypes import UTCDateTime

from digest.domain.audience import TopicChoice
from digest.store.tables import ChoiceSet, Delivery, Subscriber, Subscription, Suppression
from digest.store.tables.base import Moment

SUPPRESSED = "suppressed"
PAUSED = "paused"
SECOND = "another mail of this newsletter bears the same day"

WORD = 62
"""Stories received before stand as bits in integers of so many bits, which both databases have."""

_ROWS = Delivery.__table__  # type: ignore[attr-defined]
_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Group:
    """Readers who chose the same topics and were sent the same of this issue's stories before.

    Attributes:
        choice_set: id of the set of topics, 0 for everything.
        weekly: whether they want one mail a week.
        received: bits of stories, in words of ``WORD`` bits.
        count: how many they are.
    """

    choice_set: int
    weekly: bool
    received: tuple[int, ...]
    choice: TopicChoice
    count: int


@dataclass(frozen=True, slots=True)
class Hour:
    """Readers whose mail leaves at the same moment: the same hour ("" for at once), zone and frequency."""

    hour: str
    zone: str
    frequency: str


class Audience:
    """The readers of one issue while it is planned. Made by :func:`audience`; its tables last as long as that.

    Args:
        words: how many integers hold the stories received before.
    """

    def __init__(self, session: Session, newsletter_id: int, issue_id: int, words: int) -> None:
        self._session = session
        self._newsletter_id = newsletter_id
        self._issue_id = issue_id
        meta = MetaData()
        self._masks = [f"received_{n}" for n in range(words)]
        temporary = ["TEMPORARY"]

        def masks() -> list[Column[int]]:
            return [Column(name, BigInteger, nullable=False) for name in self._masks]

        self._holding = Table(
            "plan_holding", meta, Column("cut_id", Integer, primary_key=True), *masks(), prefixes=temporary
        )
        self._received = Table(
            "plan_received", meta, Column("subscriber_id", Integer, primary_key=True), *masks(), prefixes=temporary
        )
        self._cuts = Table(
            "plan_cut", meta, Column("choice_set", Integer, primary_key=True),
            Column("weekly", Integer, primary_key=True),
            *(Column(name, BigInteger, primary_key=True) for name in self._masks),
            Column("cut_id", Integer), Column("reason", String, nullable=False), prefixes=temporary, sqlite_with_rowid=False,
        )  # fmt: skip
        self._hours = Table(
            "plan_hour", meta, Column("hour", String, primary_key=True), Column("zone", String, primary_key=True),
            Column("frequency", String, primary_key=True), Column("at", Moment), Column("then", UTCDateTime),
            Column("reason", String, nullable=False), prefixes=temporary, sqlite_with_rowid=False,
        )  # fmt: skip
        self._meta = meta

    def open(self) -> None:
        """Make the tables."""
        self._meta.create_all(self._session.connection(), checkfirst=False)

    def close(self) -> None:
        """Drop the tables."""
        self._meta.drop_all(self._session.connection(), checkfirst=False)

    def receive(self, issue_id: int, holdings: Mapping[int, Sequence[int]], *, goes_on: bool) -> None:
        """Note who got which of the stories by an earlier issue: one statement, along that issue's rows.

        Args:
            holdings: for each of its cuts that showed one of the stories, which ones.
            goes_on: whether its copies that wait will be sent, so that they count too.
        """
        if not holdings:
            return
        session = self._session
        session.execute(self._holding.delete())
        rows = [{"cut_id": cut, **dict(zip(self._masks, masks, strict=True))} for cut, masks in holdings.items()]
        session.execute(insert(self._holding), rows)
        masks = [self._holding.c[name] for name in self._masks]
        got = (
            select(_ROWS.c.subscriber_id, *masks)
            .join(self._holding, self._holding.c.cut_id == _ROWS.c.cut_id)
            .where(
                _ROWS.c.issue_id == issue_id,
                _ROWS.c.state.in_(("sent", "unknown", "sending", *(("queued",) if goes_on else ()))),
            )
        )
        statement = self._insert(self._received).from_select(["subscriber_id", *self._masks], got)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["subscriber_id"],
                set_={name: self._received.c[name].op("|")(statement.excluded[name]) for name in self._masks},
            )
        )

    def groups(self) -> Iterator[Group]:
        """What distinguishes the readers' cuts."""
        self._analyze(self._received)
        choice, weekly, masks = self._group_columns()
        named = [mask.label(name) for name, mask in zip(self._masks, masks, strict=True)]
        keys_of = (
            select(choice.label("choice_set"), weekly.label("weekly"), *named)
            .select_from(self._subscriptions())
            .where(*self._active())
            .subquery("keys_of")
        )
        query = select(*keys_of.c, func.count()).group_by(*keys_of.c)
        keys = {row[0]: row[1] for row in self._session.execute(select(col(ChoiceSet.id), col(ChoiceSet.key)))}
        for choice_set, is_weekly, *received, count in self._session.execute(query).all():
            words = TopicChoice.decode(keys.get(choice_set, ""))
            yield Group(choice_set, bool(is_weekly), tuple(received), words, count)

    def hours(self) -> Iterator[Hour]:
        """What distinguishes the readers' moments. The zone is "" where it doesn't matter."""
        hour, zone, frequency = self._hour_columns()
        query = (
            select(hour, zone, frequency)
            .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
            .where(*self._active())
            .distinct()
        )
        for row in self._session.execute(query).all():
            yield Hour(*row)

    def assign_cuts(self, assigned: Iterable[tuple[Group, int | None, str]]) -> None:
        """The cut of each group, or why it has none."""
        self._fill(
            self._cuts,
            (
                {
                    "choice_set": group.choice_set, "weekly": int(group.weekly), "cut_id": cut_id, "reason": reason,
                    **dict(zip(self._masks, group.received, strict=True)),
                }
                for group, cut_id, reason in assigned
            ),
        )  # fmt: skip

    def assign_hours(self, assigned: Iterable[tuple[Hour, datetime | None, datetime, str]]) -> None:
        """The moment of each hour (None: as soon as the issue goes out), when that is, or why there is none."""
        self._fill(
            self._hours,
            (
                {"hour": hour.hour, "zone": hour.zone, "frequency": hour.frequency, "at": at, "then": then,
                 "reason": reason}
                for hour, at, then, reason in assigned
            ),
        )  # fmt: skip

    def plan(self, same_day: Sequence[int] = ()) -> Select[Any]:
        """The ledger as it should be: subscriber, subscription, state, reason, cut and moment of every reader.

        Args:
            same_day: other issues of the newsletter that bear the same day: who wants one mail a day had it.
        """
        choice, weekly, masks = self._group_columns()
        hour, zone, frequency = self._hour_columns()
        cuts, hours = self._cuts, self._hours
        second = (
            exists(select(literal(1)).where(
                _ROWS.c.issue_id.in_(list(same_day)), _ROWS.c.subscriber_id == col(Subscription.subscriber_id),
                _ROWS.c.cut_id.is_not(None), _ROWS.c.state.in_(("queued", "sending", "sent", "unknown")),
            ))
            if same_day else literal(value=False)
        )  # fmt: skip
        reason = case(
            (col(Suppression.address_hash).is_not(None), SUPPRESSED),
            (col(Subscription.paused_until) > hours.c.then, PAUSED),
            (hours.c.reason != "", hours.c.reason),
            (and_(frequency != "every-issue", second), SECOND),
            else_=cuts.c.reason,
        )
        readers = (
            select(
                col(Subscription.subscriber_id).label("subscriber_id"), col(Subscription.id).label("subscription_id"),
                reason.label("reason"), cuts.c.cut_id, hours.c.at,
            )
            .select_from(
                self._subscriptions()
                .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
                .join(hours, and_(hours.c.hour == hour, hours.c.zone == zone, hours.c.frequency == frequency))
                .join(
                    cuts,
                    and_(
                        cuts.c.choice_set == choice, cuts.c.weekly == weekly,
                        *(cuts.c[name] == mask for name, mask in zip(self._masks, masks, strict=True)),
                    ),
                )
                .outerjoin(Suppression, col(Suppression.address_hash) == col(Subscriber.address_hash))
            )
            .where(*self._active(), col(Subscriber.erased_at).is_(None))
            .offset(0)  # keeps the inner query apart: the reason is worked out once for each reader, not four times
            .subquery("reader")
        )  # fmt: skip
        goes = readers.c.reason == ""
        return select(
            readers.c.subscriber_id,
            readers.c.subscription_id,
            case((goes, "queued"), else_="skipped").label("state"),
            readers.c.reason,
            case((goes, readers.c.cut_id)).label("cut_id"),
            case((goes, readers.c.at)).label("not_before"),
        )

    def _active(self) -> list[Any]:
        return [col(Subscription.newsletter_id) == self._newsletter_id, col(Subscription.state) == "active"]

    def _subscriptions(self) -> Any:
        table = Subscription.__table__  # type: ignore[attr-defined]
        if not self._masks:
            return table
        return table.outerjoin(self._received, self._received.c.subscriber_id == col(Subscription.subscriber_id))

    def _group_columns(self) -> tuple[Any, Any, list[Any]]:
        weekly = case((col(Subscription.frequency) == "weekly", literal(1)), else_=literal(0))
        masks = [func.coalesce(self._received.c[name], 0) for name in self._masks]
        return func.coalesce(col(Subscription.choice_set_id), 0), weekly, masks

    def _hour_columns(self) -> tuple[Any, Any, Any]:
        zone = case((col(Subscription.hour) == "", ""), else_=col(Subscriber.zone))
        return col(Subscription.hour), zone, col(Subscription.frequency)

    def _insert(self, table: Table) -> Any:
        is_postgresql = self._session.get_bind().dialect.name == "postgresql"
        return (postgresql_insert if is_postgresql else sqlite_insert)(table)

    def _fill(self, table: Table, rows: Iterable[dict[str, Any]]) -> None:
        chunk: list[dict[str, Any]] = []
        for row in rows:
            chunk.append(row)
            if len(chunk) == _CHUNK:
                self._session.execute(insert(table), chunk)
                chunk = []
        if chunk:
            self._session.execute(insert(table), chunk)
        self._analyze(table)

    def _analyze(self, table: Table) -> None:
        # PostgreSQL knows nothing of a fresh temporary table and would join a million rows as if it were ten.
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.connection().exec_driver_sql(f"ANALYZE {table.name}")


@contextmanager
def audience(session: Session, newsletter_id: int, issue_id: int, *, stories: int) -> Iterator[Audience]:
    """The readers of an issue of a newsletter; ``stories`` of it may have been sent to them before."""
    found = Audience(session, newsletter_id, issue_id, -(-stories // WORD))
    found.open()
    yield found
    # If the block raises, the transaction is rolled back, and takes its temporary tables along.
    found.close()
