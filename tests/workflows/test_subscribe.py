"""Joining, choosing and leaving, on both databases."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import SQLModel, col, select

from digest.domain.audience import Signer
from digest.errors import InvalidToken, StateConflict, UsageError
from digest.store import subscribers
from digest.store.database import Database
from digest.store.subscribers import topics_of
from digest.store.tables import AuditEntry, Notice, Subscriber, Subscription, Suppression
from digest.workflows import subscribe
from digest.workflows.context import Context
from digest.workflows.subscribe import Choices, SignUp
from digest.workflows.subscribe.export import _line
from digest.workflows.subscribe.importing import _rows
from tests.conftest import Clock
from tests.web.house import make_context


@pytest.fixture
def ctx(db: Database, clock: Clock, tmp_path: Path) -> Context:
    return make_context(db, clock, tmp_path)


def form(address: str = "rosa@example.org", **choices: str) -> SignUp:
    wanted = choices or {"ledger": "policy"}
    return SignUp(address, {slug: frozenset(topics.split()) for slug, topics in wanted.items()})


def rows(ctx: Context) -> list[Subscription]:
    with ctx.db.read() as session:
        return list(session.exec(select(Subscription).order_by(col(Subscription.id))))


def notices(ctx: Context) -> list[Notice]:
    with ctx.db.read() as session:
        return list(session.exec(select(Notice).order_by(col(Notice.id))))


def token_in(notice: Notice) -> str:
    return str(notice.payload["url"]).rpartition("/")[2]


def joined(ctx: Context, address: str = "rosa@example.org", newsletter: str = "ledger", **more: object) -> int:
    return subscribe.add_subscriber(ctx, address, newsletter=[newsletter], confirmed=True, **more)[0]  # type: ignore[arg-type]


def suppress(ctx: Context, address: str) -> None:
    with ctx.db.write() as session:
        hashed = ctx.signer.address_hash(address)
        session.add(Suppression(address_hash=hashed, reason="complaint", created_at=ctx.clock()))


# --- signing up and confirming ----------------------------------------------------------------------------------


def test_signing_up_leaves_a_pending_subscription_with_proof_of_consent_and_one_mail(ctx: Context) -> None:
    subscribe.sign_up(ctx, form("Rosa@Example.ORG"))
    [subscription] = rows(ctx)
    [notice] = notices(ctx)
    assert (subscription.state, subscription.confirmed_at) == ("pending", None)
    assert subscription.consent_text == subscribe.consent_text("The Ledger")
    assert subscription.consent_version == subscribe.CONSENT_VERSION
    assert subscription.consent_url == "https://news.example.com/"
    assert subscription.created_at == ctx.clock()
    assert (notice.kind, notice.address) == ("confirm", "Rosa@example.org")
    assert notice.payload["url"].startswith("https://news.example.com/confirm/")


def test_one_mail_asks_for_several_newsletters_and_one_press_confirms_them(ctx: Context) -> None:
    subscribe.sign_up(ctx, form(ledger="policy", week=""))
    [notice] = notices(ctx)
    assert notice.payload["name"] == "The Ledger and The Long Week"
    done = subscribe.confirm(ctx, token_in(notice))
    assert [offer.slug for offer in done.offers] == ["ledger", "week"]
    assert [each.state for each in rows(ctx)] == ["active", "active"]


def test_topics_that_are_not_on_offer_are_left_out(ctx: Context) -> None:
    subscribe.sign_up(ctx, form(ledger="policy stablecoins nonsense"))
    with ctx.db.read() as session:
        assert topics_of(session, rows(ctx)[0].id or 0) == {"policy"}


def test_looking_at_a_confirmation_changes_nothing(ctx: Context) -> None:
    subscribe.sign_up(ctx, form())
    found = subscribe.confirmation_of(ctx, token_in(notices(ctx)[0]))
    assert not found.done
    assert rows(ctx)[0].state == "pending"


def test_confirming_twice_is_as_good_as_once(ctx: Context, clock: Clock) -> None:
    subscribe.sign_up(ctx, form())
    token = token_in(notices(ctx)[0])
    first = clock()
    subscribe.confirm(ctx, token)
    clock.advance(days=30)
    assert subscribe.confirm(ctx, token).done
    assert rows(ctx)[0].confirmed_at == first


@pytest.mark.parametrize(("days", "works"), [(6.99, True), (7, False), (400, False)])
def test_a_confirmation_works_for_seven_days(ctx: Context, clock: Clock, days: float, works: bool) -> None:
    subscribe.sign_up(ctx, form())
    token = token_in(notices(ctx)[0])
    clock.advance(days=days)
    if works:
        subscribe.confirm(ctx, token)
    else:
        with pytest.raises(InvalidToken):
            subscribe.confirm(ctx, token)
    assert rows(ctx)[0].state == ("active" if works else "pending")


def test_an_old_confirmation_does_not_bring_back_who_has_left(ctx: Context) -> None:
    subscribe.sign_up(ctx, form())
    token = token_in(notices(ctx)[0])
    subscribe.confirm(ctx, token)
    subscribe.unsubscribe(ctx, ctx.signer.sign("unsubscribe", rows(ctx)[0].id or 0))
    with pytest.raises(InvalidToken):
        subscribe.confirm(ctx, token)
    assert rows(ctx)[0].state == "ended"


@pytest.mark.parametrize("purpose", ["unsubscribe", "preferences", "archive"])
def test_a_token_for_another_purpose_confirms_nothing(ctx: Context, purpose: str) -> None:
    subscribe.sign_up(ctx, form())
    with pytest.raises(InvalidToken):
        subscribe.confirm(ctx, ctx.signer.sign(purpose, rows(ctx)[0].id or 0))  # type: ignore[arg-type]


def test_a_stranger_with_the_form_cannot_change_an_active_readers_choices(ctx: Context) -> None:
    joined(ctx, topics=["policy"])
    subscribe.sign_up(ctx, form(ledger="markets"))
    with ctx.db.read() as session:
        assert topics_of(session, rows(ctx)[0].id or 0) == {"policy"}
    [notice] = notices(ctx)
    assert notice.kind == "preferences-link"


def test_who_left_and_signs_up_again_counts_as_departed_until_they_confirm(ctx: Context) -> None:
    number = joined(ctx)
    subscribe.unsubscribe(ctx, ctx.signer.sign("unsubscribe", number))
    subscribe.sign_up(ctx, form())
    [subscription] = rows(ctx)
    assert subscription.state == "pending"
    assert subscription.ended_at is not None
    subscribe.confirm(ctx, token_in(notices(ctx)[0]))
    [subscription] = rows(ctx)
    assert (subscription.state, subscription.ended_at, subscription.ended_why) == ("active", None, "")


def test_a_suppressed_address_gets_no_mail_and_leaves_no_trace(ctx: Context) -> None:
    suppress(ctx, "rosa@example.org")
    subscribe.sign_up(ctx, form("ROSA@example.org"))
    assert rows(ctx) == []
    assert notices(ctx) == []


def test_an_address_that_was_suppressed_under_a_retired_secret_and_erased_is_known_again(ctx: Context) -> None:
    suppress(ctx, "rosa@example.org")  # its owner's row is gone: the keyed hash is all that is left
    older = replace(ctx, signer=Signer(b"n" * 32, (b"m" * 32, ctx.signer.key)))
    subscribe.sign_up(older, form("ROSA@example.org"))
    assert (rows(ctx), notices(ctx)) == ([], [])
    with pytest.raises(StateConflict, match="suppressed"):
        joined(older)
    report = subscribe.import_csv(older, ["address,newsletter\n", "rosa@example.org,ledger\n"])
    assert (report.added, len(report.problems)) == (0, 1)
    # Whoever gets a row all the same is suppressed under the secret in force, when the old one is forgotten too.
    with ctx.db.write() as session:
        subscribers.find_or_add(session, older.signer, "rosa@example.org", ctx.clock())
    with ctx.db.read() as session:
        assert subscribers.is_suppressed(session, Signer(b"n" * 32), "rosa@example.org")


def test_nobody_can_flood_an_inbox_through_the_form(ctx: Context, clock: Clock) -> None:
    for _ in range(20):
        subscribe.sign_up(ctx, form())
        subscribe.request_link(ctx, "rosa@example.org")
    assert len(notices(ctx)) == 5
    clock.advance(days=1, seconds=1)
    subscribe.sign_up(ctx, form())
    assert len(notices(ctx)) == 6


@pytest.mark.parametrize("address", ["", "rosa", "rosa@", "a@b", "rosa@exa mple.org", "x@localhost", "a@b.org\r\nBcc: c@d.org", "ä@example.org"])  # fmt: skip
def test_what_is_no_address_is_named_at_its_field(ctx: Context, address: str) -> None:
    with pytest.raises(subscribe.WrongField) as caught:
        subscribe.sign_up(ctx, form(address))
    assert caught.value.field == "address"
    assert rows(ctx) == []


def test_signing_up_to_nothing_is_named_at_its_field(ctx: Context) -> None:
    with pytest.raises(subscribe.WrongField) as caught:
        subscribe.sign_up(ctx, SignUp("rosa@example.org", {"no-such": frozenset()}))
    assert caught.value.field == "newsletters"


def test_addresses_that_differ_in_case_are_one_person(ctx: Context) -> None:
    for address in ("rosa@example.org", "ROSA@EXAMPLE.ORG", "Rosa@bücher.example", "rosa@xn--bcher-kva.example"):
        subscribe.sign_up(ctx, form(address))
    with ctx.db.read() as session:
        people = session.exec(select(Subscriber.address).order_by(col(Subscriber.id))).all()
    assert people == ["rosa@example.org", "Rosa@xn--bcher-kva.example"]


# --- choosing ---------------------------------------------------------------------------------------------------


def test_choices_are_kept(ctx: Context) -> None:
    token = ctx.signer.sign("preferences", joined(ctx))
    with pytest.raises(subscribe.WrongField, match="no topic 'nonsense'"):
        subscribe.save_preferences(ctx, token, Choices(frozenset({"markets", "nonsense"}), "daily"))
    wanted = Choices(frozenset({"markets"}), "weekly", "2026-03-20", "America/New_York")
    subscribe.save_preferences(ctx, token, wanted)
    kept = subscribe.preferences_of(ctx, token)
    assert (kept.topics, kept.frequency, kept.zone) == ({"markets"}, "weekly", "America/New_York")
    assert kept.paused_until == date(2026, 3, 20)
    assert rows(ctx)[0].paused_until == datetime(2026, 3, 20, 4, tzinfo=UTC)  # midnight in New York, in summer time


def test_what_the_form_does_not_say_stays_as_it_is(ctx: Context) -> None:
    token = ctx.signer.sign("preferences", joined(ctx, topics=["policy"], frequency="weekdays"))
    subscribe.save_preferences(ctx, token, Choices(pause_until="2026-04-01"))
    subscribe.save_preferences(ctx, token, Choices())
    kept = subscribe.preferences_of(ctx, token)
    assert (kept.topics, kept.frequency, kept.paused_until) == ({"policy"}, "weekdays", date(2026, 4, 1))


def test_a_pause_ends_by_itself_or_by_the_reader(ctx: Context, clock: Clock) -> None:
    token = ctx.signer.sign("preferences", joined(ctx))
    subscribe.save_preferences(ctx, token, Choices(pause_until="2026-03-14"))
    assert subscribe.save_preferences(ctx, token, Choices(pause_until="")).paused_until is None
    subscribe.save_preferences(ctx, token, Choices(pause_until="2026-03-14"))
    clock.now = datetime(2026, 3, 14, tzinfo=UTC)
    assert subscribe.preferences_of(ctx, token).paused_until is None


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        (Choices(frequency="hourly"), "frequency"),
        (Choices(zone="Mars/Olympus"), "zone"),
        (Choices(zone="../../etc/passwd"), "zone"),
        (Choices(pause_until="tomorrow"), "pause_until"),
        (Choices(pause_until="2026-03-12"), "pause_until"),
        (Choices(pause_until="2027-03-14"), "pause_until"),
    ],
)
def test_a_choice_that_there_is_not_changes_nothing(ctx: Context, choices: Choices, field: str) -> None:
    token = ctx.signer.sign("preferences", joined(ctx, topics=["policy"]))
    before = subscribe.preferences_of(ctx, token)
    with pytest.raises(subscribe.WrongField) as caught:
        subscribe.save_preferences(ctx, token, choices)
    assert caught.value.field == field
    assert subscribe.preferences_of(ctx, token) == before


def test_the_preference_page_hides_the_address(ctx: Context) -> None:
    token = ctx.signer.sign("preferences", joined(ctx, "rosa.luz@example.org"))
    assert subscribe.preferences_of(ctx, token).address == "r•••@example.org"


def test_a_pending_subscription_has_no_preference_page(ctx: Context) -> None:
    subscribe.sign_up(ctx, form())
    with pytest.raises(InvalidToken):
        subscribe.preferences_of(ctx, ctx.signer.sign("preferences", rows(ctx)[0].id or 0))


def test_a_reader_joins_a_neighbour_without_another_mail_but_with_proof(ctx: Context) -> None:
    token = ctx.signer.sign("preferences", joined(ctx))
    subscribe.join_another(ctx, token, "week")
    assert [(each.state, bool(each.consent_text)) for each in rows(ctx)] == [("active", True), ("active", True)]
    assert [each.active for each in subscribe.preferences_of(ctx, token).neighbours] == [True]
    assert notices(ctx) == []


@pytest.mark.parametrize(
    ("known", "kinds"),
    [("nobody", []), ("active", ["preferences-link"]), ("ended", ["preferences-link"]), ("pending", ["confirm"]), ("suppressed", [])],
)  # fmt: skip
def test_asking_for_the_link(ctx: Context, known: str, kinds: list[str]) -> None:
    if known == "pending":
        subscribe.add_subscriber(ctx, "rosa@example.org", newsletter=["ledger"])
    elif known != "nobody":
        number = joined(ctx)
        if known == "ended":
            subscribe.unsubscribe(ctx, ctx.signer.sign("unsubscribe", number))
    if known == "suppressed":
        suppress(ctx, "rosa@example.org")
    before = len(notices(ctx))
    subscribe.request_link(ctx, "ROSA@example.org")
    assert [notice.kind for notice in notices(ctx)[before:]] == kinds


# --- leaving ----------------------------------------------------------------------------------------------------


def test_leaving_ends_the_subscription_with_reason_and_date(ctx: Context, clock: Clock) -> None:
    token = ctx.signer.sign("unsubscribe", joined(ctx))
    left = subscribe.unsubscribe(ctx, token, reason="too\r\nmuch")
    clock.advance(days=1)
    subscribe.unsubscribe(ctx, token, reason="again")
    [subscription] = rows(ctx)
    assert not left.active
    assert (subscription.state, subscription.ended_why) == ("ended", "unsubscribed: too much")
    assert subscription.ended_at == clock() - timedelta(days=1)


def test_leaving_one_newsletter_leaves_the_others_alone_unless_asked(ctx: Context) -> None:
    ledger, _week = joined(ctx), joined(ctx, newsletter="week")
    token = ctx.signer.sign("unsubscribe", ledger)
    assert [offer.slug for offer in subscribe.unsubscribe(ctx, token).others] == ["week"]
    assert [each.state for each in rows(ctx)] == ["ended", "active"]
    subscribe.unsubscribe(ctx, token, everything=True)
    assert [each.state for each in rows(ctx)] == ["ended", "ended"]


def test_coming_back_keeps_the_choices(ctx: Context) -> None:
    number = joined(ctx, topics=["policy"], frequency="weekly")
    token = ctx.signer.sign("unsubscribe", number)
    subscribe.unsubscribe(ctx, token)
    assert subscribe.resubscribe(ctx, token).active
    kept = subscribe.preferences_of(ctx, ctx.signer.sign("preferences", number))
    assert (kept.state, kept.topics, kept.frequency) == ("active", {"policy"}, "weekly")


def test_the_log_keeps_what_a_new_sign_up_overwrites(ctx: Context) -> None:
    number = joined(ctx)
    subscribe.unsubscribe(ctx, ctx.signer.sign("unsubscribe", number), reason="too much")
    subscribe.sign_up(ctx, form())
    with ctx.db.read() as session:
        entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
    assert [entry.action.removeprefix("subscription.") for entry in entries] == ["confirmed", "ended", "asked"]
    assert "rosa" not in "".join(str(entry.after) for entry in entries)


def test_a_suppressed_address_cannot_come_back_by_the_button(ctx: Context) -> None:
    token = ctx.signer.sign("unsubscribe", joined(ctx))
    subscribe.unsubscribe(ctx, token)
    suppress(ctx, "rosa@example.org")
    with pytest.raises(StateConflict):
        subscribe.resubscribe(ctx, token)
    assert rows(ctx)[0].state == "ended"


def test_who_never_confirmed_cannot_get_in_by_the_button(ctx: Context) -> None:
    subscribe.sign_up(ctx, form())
    token = ctx.signer.sign("unsubscribe", rows(ctx)[0].id or 0)
    subscribe.unsubscribe(ctx, token)
    with pytest.raises(StateConflict):
        subscribe.resubscribe(ctx, token)


# --- lists ------------------------------------------------------------------------------------------------------


def test_adding_a_subscriber_without_a_newsletter_takes_those_that_offer_the_topics(ctx: Context) -> None:
    subscribe.add_subscriber(ctx, "a@example.org", topics=["stablecoins"], confirmed=True)
    subscribe.add_subscriber(ctx, "b@example.org", topics=["markets"], confirmed=True)
    with ctx.db.read() as session:
        found = [
            (each.subscriber.address, each.newsletter, each.choice.encode()) for each in subscribers.listed(session)
        ]
    assert found == [
        ("a@example.org", "week", "stablecoins"),
        ("b@example.org", "ledger", "markets"),
        ("b@example.org", "week", "markets"),
    ]


@pytest.mark.parametrize(("newsletter", "topics", "word"), [(["nope"], [], "nope"), ([], ["zcash"], "zcash")])
def test_adding_to_what_there_is_not_names_what_there_is(
    ctx: Context, newsletter: list[str], topics: list[str], word: str
) -> None:
    with pytest.raises(UsageError, match=rf"{word}.*there are: "):
        subscribe.add_subscriber(ctx, "a@example.org", newsletter=newsletter, topics=topics, confirmed=True)


def test_adding_who_has_left_is_refused(ctx: Context) -> None:
    subscribe.unsubscribe(ctx, ctx.signer.sign("unsubscribe", joined(ctx)))
    with pytest.raises(StateConflict, match="left The Ledger on 2026-03-12"):
        joined(ctx)


LIST = """\ufeffemail,name,newsletter,topics,frequency,state
a@example.org,Ann,ledger,"policy, markets",weekly,
b@example.org,,ledger,,,active
not an address,,ledger,,,

c@example.org,,nope,,,
d@example.org,,ledger,zcash,,
e@example.org,,ledger,,hourly,
left@example.org,,ledger,,,
bad@example.org,,ledger,,,
f@example.org,,ledger,,,ended
A@EXAMPLE.ORG,,ledger,,,
"""


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_import_takes_what_it_can_and_names_the_other_lines(ctx: Context, dry_run: bool) -> None:
    subscribe.unsubscribe(ctx, ctx.signer.sign("unsubscribe", joined(ctx, "left@example.org")))
    suppress(ctx, "bad@example.org")
    report = subscribe.import_csv(ctx, LIST.splitlines(keepends=True), dry_run=dry_run)
    assert (report.rows, report.added, report.known) == (10, 2, 1)
    assert [each.line for each in report.problems] == [4, 6, 7, 8, 9, 10, 11]
    with ctx.db.read() as session:
        active = [
            (
                each.subscriber.address,
                each.subscriber.name,
                tuple(each.choice.encode().split()),
                each.subscription.frequency,
            )
            for each in subscribers.listed(session)
            if each.subscription.state == "active"
        ]
    complete = [("a@example.org", "Ann", ("markets", "policy"), "weekly"), ("b@example.org", "", (), "every-issue")]
    assert active == ([] if dry_run else complete)


def test_an_import_leaves_a_readers_own_choices_alone(ctx: Context) -> None:
    joined(ctx, topics=["policy"])
    subscribe.import_csv(ctx, ["address,newsletter,topics\n", "rosa@example.org,ledger,markets\n"])
    with ctx.db.read() as session:
        assert [each.choice.encode() for each in subscribers.listed(session)] == ["policy"]


def test_an_import_without_an_address_column_says_what_the_first_line_must_be(ctx: Context) -> None:
    with pytest.raises(UsageError, match="address,name,newsletter,topics,frequency"):
        subscribe.import_csv(ctx, ["rosa@example.org\n"])


def test_an_export_comes_back_as_it_left(ctx: Context, tmp_path: Path, clock: Clock) -> None:
    joined(ctx, "=cmd@example.org", name="=HYPERLINK(1)", topics=["policy"], frequency="weekly")
    joined(ctx, "plain@example.org", name="O'Neil, Pat")
    subscribe.unsubscribe(ctx, ctx.signer.sign("unsubscribe", joined(ctx, "gone@example.org")))
    lines = list(subscribe.export_csv(ctx))
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in lines for cell in line.split(","))
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    try:
        SQLModel.metadata.create_all(other.engine)
        there = make_context(other, clock, tmp_path)
        report = subscribe.import_csv(there, lines)
        assert (report.added, [each.line for each in report.problems]) == (2, [3])
        kept = [line.split(",202")[0] for line in lines if "gone" not in line]
        assert [line.split(",202")[0] for line in subscribe.export_csv(there)] == kept
    finally:
        other.close()


@given(st.text(alphabet="=+-@'ab\t,\"\n ;", max_size=8))
def test_no_cell_is_computed_and_every_cell_comes_back(cell: str) -> None:
    line = _line(("a@example.org", cell))
    [(_, shown)] = csv.reader(io.StringIO(line))
    assert not shown.startswith(("=", "+", "-", "@", "\t"))
    [row] = _rows(["address,name\n", *line.splitlines(keepends=True)])
    assert row.cells["name"] == cell


def test_hours_zones_weekly_topics_and_pauses_survive_export_and_import(ctx: Context) -> None:
    text = (
        "address,name,newsletter,topics,frequency,hour,zone,paused_until\n"
        "a@example.org,Ann,ledger,markets:weekly policy:weekdays,daily,7:00,Asia/Tokyo,2026-04-01\n"
        "b@example.org,,ledger,markets:hourly,,,,\n"
        "c@example.org,,ledger,,,25:00,,\n"
        "d@example.org,,ledger,,,,Mars/Base,\n"
        "e@example.org,,ledger,,,,,soon\n"
    )
    report = subscribe.import_csv(ctx, text.splitlines(keepends=True))
    assert [(each.line, each.problem.split(":")[0]) for each in report.problems] == [
        (3, "'markets"), (4, "'25"), (5, "There is no time zone 'Mars/Base'; write it as Europe/Berlin."),
        (6, "'soon' is no date"),
    ]  # fmt: skip
    header, line = list(subscribe.export_csv(ctx))
    cells = dict(zip(header.strip().split(","), line.strip().split(","), strict=True))
    assert (cells["topics"], cells["hour"], cells["zone"]) == ("markets:weekly policy:weekdays", "07:00", "Asia/Tokyo")
    assert cells["paused_until"] == "2026-04-01T00:00:00+00:00"
    again = subscribe.import_csv(ctx, [header, line.replace("a@", "z@")])
    assert (again.added, again.problems) == (1, [])
    lines = list(subscribe.export_csv(ctx))
    assert lines[2].split(",")[2:9] == line.split(",")[2:9]
