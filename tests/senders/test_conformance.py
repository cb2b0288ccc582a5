"""What every sender promises, whoever carries the mail."""

import io
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from digest.domain.mail import Message, SendResult
from digest.errors import SenderUnavailable
from digest.senders.base import HandOver, Sender, SenderAbreast
from digest.senders.local import MaildirSender, file_name
from digest.senders.open import open_sender
from tests.senders.letters import letters
from tests.senders.misbehaving import MailServer
from tests.senders.postmark_server import TOKEN, Postmark


@dataclass
class Carried:
    """A sender, and the Message-IDs that arrived where it delivers, in order."""

    sender: Sender
    arrived: Callable[[], list[str]]


@contextmanager
def maildir(tmp_path: Path) -> Iterator[Carried]:
    def arrived() -> list[str]:
        found = [path.read_bytes() for path in (tmp_path / "box" / "new").glob("*")]
        return sorted(_message_id(data.decode()) for data in found)

    yield Carried(open_sender(f"file://{tmp_path / 'box'}"), arrived)


@contextmanager
def console(tmp_path: Path) -> Iterator[Carried]:
    stream = io.StringIO()
    yield Carried(
        open_sender("console://", stream=stream),
        lambda: re.findall(r"^Message-ID: (<.+>)$", stream.getvalue(), re.MULTILINE),
    )


@contextmanager
def smtp(tmp_path: Path, options: str = "", *, pipelining: bool = False) -> Iterator[Carried]:
    secure = "tls" in options
    with MailServer(tls=secure, user="me:pw" if secure else "", pipelining=pipelining) as server:
        login = "me:pw@" if secure else ""
        sender = open_sender(f"smtp://{login}127.0.0.1:{server.port}?timeout=5{options}")
        yield Carried(sender, lambda: [_message_id(mail.data.decode()) for mail in server.accepted])
        sender.close()


@contextmanager
def smtp_pipelined(tmp_path: Path) -> Iterator[Carried]:
    with smtp(tmp_path, pipelining=True) as carried:
        yield carried


@contextmanager
def smtp_pipelined_over_short_connections(tmp_path: Path) -> Iterator[Carried]:
    with smtp(tmp_path, "&per_connection=2", pipelining=True) as carried:
        yield carried


@dataclass
class ThreeAbreast:
    """A mail server over three connections at once, as any sender."""

    sender: SenderAbreast

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sender, name)

    def send(self, messages: Iterable[Message], hand_over: HandOver) -> Iterator[SendResult]:
        return self.sender.send_abreast(messages, hand_over, 3)


@contextmanager
def smtp_abreast(tmp_path: Path, options: str = "", *, pipelining: bool = False) -> Iterator[Carried]:
    with smtp(tmp_path, options, pipelining=pipelining) as carried:
        assert isinstance(carried.sender, SenderAbreast)
        yield Carried(ThreeAbreast(carried.sender), carried.arrived)


@contextmanager
def smtp_abreast_pipelined_over_short_connections(tmp_path: Path) -> Iterator[Carried]:
    with smtp_abreast(tmp_path, "&per_connection=2", pipelining=True) as carried:
        yield carried


@contextmanager
def smtp_abreast_signed_in_over_tls(tmp_path: Path) -> Iterator[Carried]:
    with smtp_abreast(tmp_path, "&tls=required", pipelining=True) as carried:
        yield carried


@contextmanager
def failover_from_a_server_that_is_away(tmp_path: Path) -> Iterator[Carried]:
    with socket.create_server(("127.0.0.1", 0)) as closed, MailServer(pipelining=True) as server:
        port = closed.getsockname()[1]
        closed.close()
        sender = open_sender(f"smtp://127.0.0.1:{port} smtp://127.0.0.1:{server.port}?timeout=5")
        yield Carried(sender, lambda: [_message_id(mail.data.decode()) for mail in server.accepted])
        sender.close()


@contextmanager
def failover_abreast(tmp_path: Path) -> Iterator[Carried]:
    with failover_from_a_server_that_is_away(tmp_path) as carried:
        assert isinstance(carried.sender, SenderAbreast)
        yield Carried(ThreeAbreast(carried.sender), carried.arrived)


@contextmanager
def smtp_signed_in_over_tls(tmp_path: Path) -> Iterator[Carried]:
    with smtp(tmp_path, "&tls=required", pipelining=True) as carried:
        yield carried


@contextmanager
def postmark(tmp_path: Path) -> Iterator[Carried]:
    with Postmark() as server:
        yield Carried(
            open_sender(f"postmark://{TOKEN}@127.0.0.1:{server.port}?tls=none"),
            lambda: [next(h["Value"] for h in i["Headers"] if h["Name"] == "Message-ID") for i in server.accepted],
        )


def _message_id(text: str) -> str:
    return re.findall(r"^Message-ID: (<.+>)\r?$", text, re.MULTILINE)[0]


@pytest.fixture(
    params=[
        maildir, console, smtp, smtp_pipelined, smtp_pipelined_over_short_connections, smtp_signed_in_over_tls, postmark,
        smtp_abreast, smtp_abreast_pipelined_over_short_connections, smtp_abreast_signed_in_over_tls,
        failover_from_a_server_that_is_away, failover_abreast,
    ],
    ids=lambda maker: maker.__name__,
)  # fmt: skip
def carried(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Carried]:
    with ExitStack() as stack:
        yield stack.enter_context(request.param(tmp_path))


def test_every_message_has_one_result_and_arrives_once(carried: Carried) -> None:
    mails = letters(*[f"r{n}@x.example" for n in range(7)])
    results = list(carried.sender.send(mails, lambda _: None))
    assert [result.outcome for result in results] == ["sent"] * 7
    assert sorted(result.message.message_id for result in results) == sorted(mail.message_id for mail in mails)
    assert sorted(carried.arrived()) == sorted(mail.message_id for mail in mails)


def test_hand_over_is_called_once_for_each_before_it_arrives(carried: Carried) -> None:
    handed: list[str] = []

    def hand_over(message: Message) -> None:
        assert message.message_id not in carried.arrived()
        handed.append(message.message_id)

    mails = letters("a@x.example", "b@x.example", "c@x.example")
    for result in carried.sender.send(mails, hand_over):
        assert result.message.message_id in handed
    assert sorted(handed) == sorted(mail.message_id for mail in mails)


def test_a_hand_over_that_raises_is_passed_on_and_its_message_does_not_arrive(carried: Carried) -> None:
    def refuse(message: Message) -> None:
        if message.recipient.startswith("b"):
            raise LookupError

    mails = letters("a@x.example", "b@x.example", "c@x.example")
    sent: list[str] = []
    with pytest.raises(LookupError):
        for result in carried.sender.send(mails, refuse):
            sent.append(result.message.message_id)  # noqa: PERF401  (what came before the error must be kept)
    assert sorted(carried.arrived()) == sorted(sent), "what had a result before arrived, and nothing else"
    assert mails[1].message_id not in sent


def test_nothing_to_send_is_no_error(carried: Carried) -> None:
    assert list(carried.sender.send([], lambda _: None)) == []


def test_it_can_be_used_again_after_it_was_closed(carried: Carried) -> None:
    for number in (1, 2):
        assert [r.outcome for r in carried.sender.send(letters(f"r{number}@x.example"), lambda _: None)] == ["sent"]
        carried.sender.close()


def test_only_an_idempotent_sender_leaves_one_copy_of_two(carried: Carried) -> None:
    mails = letters("a@x.example")
    for _ in range(2):
        list(carried.sender.send(mails, lambda _: None))
    assert len(carried.arrived()) == (1 if carried.sender.idempotent else 2)


def test_its_name_is_for_people_and_its_batch_is_a_number(carried: Carried) -> None:
    assert carried.sender.name
    assert "pw" not in carried.sender.name
    assert TOKEN not in carried.sender.name
    assert carried.sender.batch > 0


def test_a_mail_that_was_read_is_replaced_where_it_was_read(tmp_path: Path) -> None:
    sender = MaildirSender(tmp_path / "box")
    mails = letters("a@x.example")
    list(sender.send(mails, lambda _: None))
    name = file_name(mails[0].message_id)
    (tmp_path / "box" / "new" / name).rename(tmp_path / "box" / "cur" / f"{name}:2,S")
    list(sender.send(mails, lambda _: None))
    assert [path.name for path in (tmp_path / "box").rglob("*.eml*")] == [f"{name}:2,S"]


def test_a_file_name_can_not_leave_the_folder() -> None:
    assert file_name("<../../etc/passwd@x>") == "_.._etc_passwd.eml"


def test_a_folder_that_can_not_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "box").write_text("a file where the folder should be")
    with pytest.raises(SenderUnavailable, match="can't write mail to"):
        list(MaildirSender(tmp_path / "box").send(letters("a@x.example"), lambda _: None))


def test_the_console_shows_headers_and_text_and_no_escape_sequences() -> None:
    stream = io.StringIO()
    mail = letters("a@x.example")[0]
    tricky = Message(
        1, mail.message_id, mail.envelope_from, mail.recipient, mail.data.replace(b"Hello.", b"Hi \x1b[2J.")
    )
    list(open_sender("console://", stream=stream).send([tricky], lambda _: None))
    shown = stream.getvalue()
    assert "Subject: N° 1\n" in shown
    assert "\nHi \N{REPLACEMENT CHARACTER}[2J." in shown
    assert "<p>" not in shown
