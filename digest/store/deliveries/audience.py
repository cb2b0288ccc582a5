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
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col
from sqlmodel.sql.sqltypes import UTCDateTime

from digest.domain.audience import Arrival, TopicChoice
from digest.domain.calendar import Frequency
from digest.store.deliveries.rows import LEDGER, QUEUE, either
from digest.store.tables import ChoiceSet, Subscriber, Subscription, Suppression
from digest.store.tables.base import Moment

SUPPRESSED = "suppressed"
PAUSED = "paused"

WORD = 62
"""Stories received before stand as bits in integers of so many bits, which both databases have."""

_CHUNK = 5000

# A pace is a frequency and what the day of the copy means for it, as one small number.
_PACES: tuple[Frequency, ...] = ("every-issue", "daily", "weekdays", "weekly")
_WEEKEND, _SECOND = 4, 8


@dataclass(frozen=True, slots=True)
class Group:
    """Readers who chose the same topics, as often, and were sent the same of this issue's stories before.

    Attributes:
        choice_set: id of the set of topics, 0 for everything.
        pace: how often they want mail, and what the day of their copy means for that; see :meth:`arrival`.
        received: bits of stories, in words of ``WORD`` bits.
    """

    choice_set: int
    pace: int
    received: tuple[int, ...]
    choice: TopicChoice

    @property
    def frequency(self) -> Frequency:
        """How often they want mail; frequencies that mean the same for this issue are told as one of them."""
        return _PACES[self.pace & 3]

    def arrival(self, *, weekly: bool) -> Arrival:
        """The day of their copies, of an issue that is or isn't the one of its week."""
        return Arrival(weekly, bool(self.pace & _WEEKEND), bool(self.pace & _SECOND))


@dataclass(frozen=True, slots=True)
class Hour:
    """Readers whose mail leaves at the same moment: the same hour ("" for at once) and zone."""

    hour: str
    zone: str


class Audience:
    """The readers of one issue while it is planned. Made by :func:`audience`; its tables last as long as that.

    Args:
        words: how many integers hold the stories received before.
        same_day: other issues of the newsletter that bear the same day: who wants one mail a day had it.
    """

    def __init__(
        self, session: Session, newsletter_id: int, issue_id: int, words: int, same_day: Sequence[int]
    ) -> None:
        self._same_day = list(same_day)
        self._weekends: set[bool] = set()
        self._is_postgresql = session.get_bind().dialect.name == "postgresql"
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
            Column("pace", Integer, primary_key=True),
            *(Column(name, BigInteger, primary_key=True) for name in self._masks),
            Column("cut_id", Integer), Column("reason", String, nullable=False), prefixes=temporary, sqlite_with_rowid=False,
        )  # fmt: skip
        self._hours = Table(
            "plan_hour", meta, Column("hour", String, primary_key=True), Column("zone", String, primary_key=True),
            Column("at", Moment), Column("then", UTCDateTime), Column("weekend", Integer, nullable=False),
            prefixes=temporary, sqlite_with_rowid=False,
        )  # fmt: skip
        self._meta = meta

    def open(self) -> None:
        """Make the tables."""
        if self._is_postgresql:
            # It takes joins by expressions for joins of a few rows, and would go through all of them for each reader.
            self._session.connection().exec_driver_sql("SET LOCAL enable_nestloop TO off")
        self._meta.create_all(self._session.connection(), checkfirst=False)

    def close(self) -> None:
        """Drop the tables."""
        if self._is_postgresql:
            self._session.connection().exec_driver_sql("SET LOCAL enable_nestloop TO DEFAULT")
        self._meta.drop_all(self._session.connection(), checkfirst=False)

    def receive(
        self, issue_id: int, holdings: Mapping[int, Sequence[int]], *, goes_on: bool, weekly: bool = False
    ) -> None:
        """Note who got which of the stories by an earlier issue: one statement, along that issue's rows.

        Args:
            holdings: for each of its cuts that showed one of the stories, which ones.
            goes_on: whether its copies that wait will be sent, so that they count too.
            weekly: only of readers who get something weekly: the others don't get those stories anyway.
        """
        if not holdings:
            return
        session = self._session
        session.execute(self._holding.delete())
        rows = [{"cut_id": cut, **dict(zip(self._masks, masks, strict=True))} for cut, masks in holdings.items()]
        session.execute(insert(self._holding), rows)
        masks = [self._holding.c[name] for name in self._masks]
        states = ("sent", "unknown", "sending", *(("queued",) if goes_on else ()))
        # One half after the other: of the view of both, SQLite would first write down every column of every row. The queue
        # comes first, so that who is settled in between is found in the ledger.
        for half in (QUEUE, LEDGER):
            got = (
                select(half.c.subscriber_id, *masks)
                .join(self._holding, self._holding.c.cut_id == half.c.cut_id)
                .where(half.c.issue_id == issue_id, half.c.state.in_(states))
            )
            if weekly:
                ours = (col(Subscription.newsletter_id) == self._newsletter_id, col(Subscription.state) == "active")
                got = got.where(
                    half.c.subscriber_id.in_(select(col(Subscription.subscriber_id)).where(*ours, gets_weekly()))
                )
            statement = self._insert(self._received).from_select(["subscriber_id", *self._masks], got)
            session.execute(
                statement.on_conflict_do_update(
                    index_elements=["subscriber_id"],
                    set_={name: self._received.c[name].op("|")(statement.excluded[name]) for name in self._masks},
                )
            )

    def groups(self) -> Iterator[Group]:
        """What distinguishes the readers' cuts; asked after hours were assigned."""
        self._analyze(self._received)
        choice, pace, masks = self._group_columns()
        named = [mask.label(name) for name, mask in zip(self._masks, masks, strict=True)]
        readers = self._subscriptions()
        if len(self._weekends) > 1:  # else nobody's day differs, and nobody has to be looked up
            readers = self._with_hours(readers)
        keys_of = (
            select(choice.label("choice_set"), pace.label("pace"), *named)
            .select_from(readers)
            .where(*self._active())
            .subquery("keys_of")
        )
        query = select(*keys_of.c).distinct()
        keys = {row[0]: row[1] for row in self._session.execute(select(col(ChoiceSet.id), col(ChoiceSet.key)))}
        for choice_set, number, *received in self._session.execute(query).all():
            words = TopicChoice.decode(keys.get(choice_set, ""))
            yield Group(choice_set, number, tuple(received), words)

    def hours(self) -> Iterator[Hour]:
        """What distinguishes the readers' moments. The zone is "" where it doesn't matter."""
        query = (
            select(*self._hour_columns())
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
                    "choice_set": group.choice_set, "pace": group.pace, "cut_id": cut_id, "reason": reason,
                    **dict(zip(self._masks, group.received, strict=True)),
                }
                for group, cut_id, reason in assigned
            ),
        )  # fmt: skip

    def assign_hours(self, assigned: Iterable[tuple[Hour, datetime | None, datetime, bool]]) -> None:
        """The moment of each hour (None: as soon as the issue goes out), when that is, and whether on a free weekend."""
        rows = [
            {"hour": hour.hour, "zone": hour.zone, "at": at, "then": then, "weekend": int(weekend)}
            for hour, at, then, weekend in assigned
        ]
        self._weekends = {bool(row["weekend"]) for row in rows}
        self._fill(self._hours, rows)

    def plan(self) -> Select[Any]:
        """The ledger as it should be: subscriber, subscription, state, reason, cut and moment of every reader."""
        choice, pace, masks = self._group_columns()
        cuts, hours = self._cuts, self._hours
        reason = case(
            (col(Suppression.address_hash).is_not(None), SUPPRESSED),
            (col(Subscription.paused_until) > hours.c.then, PAUSED),
            else_=cuts.c.reason,
        )
        readers = (
            select(
                col(Subscription.subscriber_id).label("subscriber_id"), col(Subscription.id).label("subscription_id"),
                reason.label("reason"), cuts.c.cut_id, hours.c.at,
            )
            .select_from(
                self._with_hours(self._subscriptions())
                .join(
                    cuts,
                    and_(
                        cuts.c.choice_set == choice, cuts.c.pace == pace,
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

    def _with_hours(self, readers: Any) -> Any:
        hour, zone = self._hour_columns()
        same = and_(self._hours.c.hour == hour, self._hours.c.zone == zone)
        if self._is_postgresql:
            # As one key: by the hour alone it would join every zone of it to each reader, and throw most away again.
            same = self._hours.c.hour + " " + self._hours.c.zone == hour + " " + zone
        return readers.join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id)).join(self._hours, same)

    def _group_columns(self) -> tuple[Any, Any, list[Any]]:
        masks = [func.coalesce(self._received.c[name], 0) for name in self._masks]
        return func.coalesce(col(Subscription.choice_set_id), 0), self._pace(), masks

    def _pace(self) -> Any:
        """The pace of a reader. What means the same for this issue is told as one, so that groups stay few."""
        told = {"weekly": 3}
        if True in self._weekends:
            told["weekdays"] = 2
        if self._same_day:
            told = {"daily": 1, "weekdays": 1} | told
        pace: Any = case(
            *((col(Subscription.frequency) == name, literal(n)) for name, n in told.items()), else_=literal(0)
        )
        if len(self._weekends) > 1:
            pace += _WEEKEND * self._hours.c.weekend
        elif True in self._weekends:
            pace += literal(_WEEKEND)
        if self._same_day:
            had = either(
                lambda half: (
                    half.c.issue_id.in_(self._same_day), half.c.subscriber_id == col(Subscription.subscriber_id),
                    half.c.cut_id.is_not(None), half.c.state.in_(("queued", "sending", "sent", "unknown")),
                )
            )  # fmt: skip
            pace += case((had, literal(_SECOND)), else_=literal(0))
        return pace

    def _hour_columns(self) -> tuple[Any, Any]:
        return col(Subscription.hour), case((col(Subscription.hour) == "", ""), else_=col(Subscriber.zone))

    def _insert(self, table: Table) -> Any:
        return (postgresql_insert if self._is_postgresql else sqlite_insert)(table)

    def _fill(self, table: Table, rows: Iterable[dict[str, Any]]) -> None:
        chunk: list[dict[str, Any]] = []
        for row in rows:
            chunk.append(row)
            if len(chunk) == _CHUNK:
                self._add(table, chunk)
                chunk = []
        if chunk:
            self._add(table, chunk)
        self._analyze(table)

    def _add(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if not self._is_postgresql:
            self._session.execute(insert(table), rows)
            return
        # One COPY, where a statement for each row takes longer.
        connection = self._session.connection()
        columns = ", ".join(connection.dialect.identifier_preparer.quote(name) for name in rows[0])
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(tuple(row.values()))

    def _analyze(self, table: Table) -> None:
        # PostgreSQL knows nothing of a fresh temporary table and would join a million rows as if it were ten.
        if self._is_postgresql:
            self._session.connection().exec_driver_sql(f"ANALYZE {table.name}")


def gets_weekly() -> Any:
    """Whether a subscription, or a topic of it, comes weekly, as a condition."""
    sets = select(col(ChoiceSet.id)).where(col(ChoiceSet.key).contains(":weekly"))
    return or_(col(Subscription.frequency) == "weekly", col(Subscription.choice_set_id).in_(sets))


def any_weekly(session: Session, newsletter_id: int) -> bool:
    """Whether any active reader of a newsletter gets something weekly."""
    ours = (col(Subscription.newsletter_id) == newsletter_id, col(Subscription.state) == "active")
    return session.execute(select(literal(1)).where(*ours, gets_weekly()).limit(1)).first() is not None


@contextmanager
def audience(
    session: Session, newsletter_id: int, issue_id: int, *, stories: int, same_day: Sequence[int] = ()
) -> Iterator[Audience]:
    """The readers of an issue of a newsletter; ``stories`` of it may have been sent to them before."""
    found = Audience(session, newsletter_id, issue_id, -(-stories // WORD), same_day)
    found.open()
    yield found
    # If the block raises, the transaction is rolled back, and takes its temporary tables along.
    found.close()
