"""Who leaves by mail: from a Maildir, an mbox file, or a mail server's pipe."""

import io
import mailbox
import tracemalloc
from email.header import Header
from pathlib import Path

import pytest
from sqlmodel import col, select

from digest.errors import PassingError, UsageError
from digest.store.database import Database
from digest.store.tables import Subscription
from digest.workflows import subscribe
from digest.workflows.context import Context
from digest.workflows.inbox import read_inbox, read_one
from tests.conftest import Clock
from tests.web.house import make_context

BOUNCE = b"From: MAILER-DAEMON@example.org\nSubject: Undelivered Mail\n\nunsubscribe " + b"A" * 32 + b"\n"


@pytest.fixture
def ctx(db: Database, clock: Clock, tmp_path: Path) -> Context:
    return make_context(db, clock, tmp_path)


@pytest.fixture
def plain(sqlite_db: Database, clock: Clock, tmp_path: Path) -> Context:
    return make_context(sqlite_db, clock, tmp_path)


def reader(ctx: Context, address: str = "rosa@example.org") -> str:
    """Somebody who reads The Ledger; the token with which they can leave."""
    number = subscribe.add_subscriber(ctx, address, newsletter=["ledger"], confirmed=True)[0]
    return ctx.signer.sign("unsubscribe", number)


def wish(token: str, subject: str = "unsubscribe {}", sender: str = "somebody-else@example.net") -> bytes:
    return f"From: {sender}\nTo: leave@example.com\nSubject: {subject.format(token)}\n\n\n".encode()


def states(ctx: Context) -> list[tuple[str, str | None]]:
    with ctx.db.read() as session:
        query = select(Subscription.state, Subscription.ended_why).order_by(col(Subscription.id))
        return [tuple(row) for row in session.exec(query)]  # type: ignore[misc]


def maildir(folder: Path, *mails: bytes) -> Path:
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    for number, mail in enumerate(mails):
        (folder / "new" / f"{number}.host").write_bytes(mail)
    return folder


def mbox(file: Path, *mails: bytes) -> Path:
    file.write_bytes(b"".join(b"From x@example.org Thu Mar 12 11:00:00 2026\n" + mail + b"\n" for mail in mails))
    return file


def test_a_mail_with_a_readers_token_ends_their_subscription_whoever_sent_it(ctx: Context) -> None:
    token = reader(ctx)
    reader(ctx, "ben@example.org")
    report = read_one(ctx, io.BytesIO(wish(token)))
    assert report.as_dict() == {"read": 1, "left": 1, "again": 0, "others": 0}
    assert states(ctx) == [("ended", "unsubscribed: by mail"), ("active", "")]
    assert read_one(ctx, io.BytesIO(wish(token))).as_dict() == {"read": 1, "left": 0, "again": 1, "others": 0}


@pytest.mark.parametrize(
    "subject",
    ["Re: unsubscribe {}", "{}", "unsubscribe\n {}", "AW: =?utf-8?b?w4Q=?= {} bitte", "   {}  "],
)  # fmt: skip
def test_programs_may_write_the_subject_in_their_own_way(plain: Context, subject: str) -> None:
    assert read_one(plain, io.BytesIO(wish(reader(plain), subject))).left == 1


def test_an_encoded_subject_is_decoded(plain: Context) -> None:
    subject = Header(f"unsubscribe {reader(plain)}", "utf-8").encode()
    assert read_one(plain, io.BytesIO(wish(subject, "{}"))).left == 1


@pytest.mark.parametrize(
    "mail",
    [
        b"", b"\n\n", b"Subject:\n\n", b"no header at all", BOUNCE, b"Subject: unsubscribe\n\nplease\n",
        b"Subject: =?nonsense?b?!!!?= =?utf-8?q?=FF?=\n\n", b"Subject: \xff\xfe\x00 unsubscribe\n\n", b"Subject: " + b"A" * 5_000_000,
        b"Subject: " + b"A" * 32 + b" " + b"B" * 32 + b"\n\n",
    ],
)  # fmt: skip
def test_all_other_mail_is_left_alone(plain: Context, mail: bytes) -> None:
    reader(plain)
    assert read_one(plain, io.BytesIO(mail)).as_dict() == {"read": 1, "left": 0, "again": 0, "others": 1}
    assert states(plain) == [("active", "")]


def test_a_token_for_another_door_or_an_altered_one_ends_nothing(plain: Context) -> None:
    token = reader(plain)
    altered = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in (altered, plain.signer.sign("preferences", 1), plain.signer.sign("confirm", 1)):
        assert read_one(plain, io.BytesIO(wish(wrong))).others == 1
    assert read_one(plain, io.BytesIO(f"Subject: hello\n\nunsubscribe {token}\n".encode())).others == 1
    assert states(plain) == [("active", "")]


@pytest.mark.parametrize("kind", [maildir, mbox])
def test_an_inbox_is_read_and_who_comes_back_is_not_sent_away_again(
    plain: Context, tmp_path: Path, kind: object
) -> None:
    token = reader(plain)
    box = kind(tmp_path / "inbox", BOUNCE, wish(token), b"Subject: hello\n\nYours, a reader.\n")  # type: ignore[operator]
    assert read_inbox(plain, box).as_dict() == {"read": 3, "left": 1, "again": 0, "others": 2}
    subscribe.resubscribe(plain, token)
    assert read_inbox(plain, box).as_dict() == {"read": 2, "left": 0, "again": 0, "others": 2}
    assert states(plain)[0][0] == "active"


def test_mails_of_a_maildir_are_marked_in_their_name_and_others_stay_where_they_lie(
    plain: Context, tmp_path: Path
) -> None:
    mail = wish(reader(plain))
    box = maildir(tmp_path / "inbox", BOUNCE, mail)
    (box / "cur" / "7.host:2,S").write_bytes(mail)  # somebody looked at it: it counts all the same
    assert read_inbox(plain, box).as_dict() == {"read": 3, "left": 1, "again": 1, "others": 1}
    found = {str(file.relative_to(box)): file.read_bytes() for file in box.rglob("*") if file.is_file()}
    assert found == {"new/0.host": BOUNCE, "cur/1.host:2,R": mail, "cur/7.host:2,RS": mail}


def test_other_mails_of_an_mbox_file_keep_their_bytes(plain: Context, tmp_path: Path) -> None:
    odd = b"From: a@example.org\nSubject:  two  spaces \nX-Odd:\ttab\n\n>From here on\n\nit is \xff odd\n"
    box = mbox(tmp_path / "inbox", odd, wish(reader(plain)), BOUNCE)
    read_inbox(plain, box)
    left = box.read_bytes()
    assert odd in left
    assert BOUNCE in left
    assert [mail.get_flags() for mail in mailbox.mbox(box)] == ["", "A", ""]


def test_marks_that_are_no_text_keep_nobody_from_leaving(plain: Context, tmp_path: Path) -> None:
    """Anybody can send a mail with such a header; once, none behind it would ever be read."""
    token = reader(plain)
    hostile = b"Status: \xff\nX-Status: \xfe\n" + wish("nobody")
    box = mbox(tmp_path / "inbox", hostile, b"Status: \xff\n" + wish(token))
    assert read_inbox(plain, box).as_dict() == {"read": 2, "left": 1, "again": 0, "others": 1}
    assert read_inbox(plain, box).as_dict() == {"read": 1, "left": 0, "again": 0, "others": 1}


def test_a_mail_of_an_mbox_file_that_is_no_wish_is_never_held_whole(plain: Context, tmp_path: Path) -> None:
    box = mbox(tmp_path / "inbox", b"Subject: photos\n\n" + (b"x" * 70 + b"\n") * 100_000, wish(reader(plain)))
    tracemalloc.start()
    assert read_inbox(plain, box).left == 1
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 7_000_000


def test_a_place_that_is_no_inbox_is_named(plain: Context, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path, words in (("folder", "is no Maildir"), ("nothing", "nothing")):
        with pytest.raises(UsageError, match=words):
            read_inbox(plain, tmp_path / path)


def test_an_mbox_file_in_other_hands_is_tried_later(plain: Context, tmp_path: Path) -> None:
    box = mbox(tmp_path / "inbox", wish(reader(plain)))
    (tmp_path / "inbox.lock").touch()
    with pytest.raises(PassingError, match="another program"):
        read_inbox(plain, box)
    assert states(plain) == [("active", "")]
