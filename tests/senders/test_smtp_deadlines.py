"""Whatever a server does, the sender comes back: each talk here would hold a careless client for ever."""

import ssl
import threading
from collections.abc import Callable

import pytest

from digest.domain.mail import Message, SendResult
from digest.errors import SenderRefused, SenderUnavailable
from tests.senders.letters import letter, letters
from tests.senders.misbehaving import DATA
from tests.senders.scripted import Line, scripted

PATIENCE = 20
"""Seconds until a test says that the sender hangs. Its own limit is a fraction of a second for each step."""


def endless_words(line: Line) -> None:
    while True:
        line.say(b"250-" + b"x" * 500)


def endless_line(line: Line) -> None:
    while True:
        line.sock.sendall(b"x" * 1000)


def a_byte_now_and_then(text: bytes) -> Callable[[Line], None]:
    def talk(line: Line) -> None:
        pause = threading.Event()
        for byte in text * 1000:
            line.sock.sendall(bytes([byte]))
            pause.wait(0.1)

    return talk


def silence(line: Line) -> None:
    line.wait_for_hang_up()


ILLS = {
    "endless words": endless_words,
    "endless line": endless_line,
    "a byte now and then": a_byte_now_and_then(b"250-x\r\n"),
    "silence": silence,
}


@pytest.mark.parametrize("ill", ILLS)
def test_a_greeting_without_end_is_given_up(ill: str) -> None:
    with scripted(ILLS[ill]) as sender, pytest.raises(SenderUnavailable):
        within(lambda: list(sender.send(letters("a@x.example"), lambda _: None)))


@pytest.mark.parametrize("ill", ILLS)
def test_an_ehlo_without_end_is_given_up(ill: str) -> None:
    def talk(line: Line) -> None:
        line.say(b"220 here")
        line.read_to(b"\r\n")
        ILLS[ill](line)

    with scripted(talk) as sender, pytest.raises(SenderUnavailable):
        within(lambda: list(sender.send(letters("a@x.example"), lambda _: None)))


@pytest.mark.parametrize("ill", ILLS)
def test_an_envelope_that_is_never_answered_is_put_off(ill: str) -> None:
    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        line.read_to(b"DATA\r\n")
        ILLS[ill](line)

    results: list[SendResult] = []
    with scripted(talk) as sender, pytest.raises(SenderUnavailable, match="ended the connection"):
        within(lambda: results.extend(keep(sender.send(letters(*["a@x.example"] * 3), lambda _: None), results)))
    assert [result.outcome for result in results] == ["deferred", "deferred"]


@pytest.mark.parametrize("ill", ILLS)
def test_a_message_that_is_never_answered_is_unknown(ill: str) -> None:
    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        line.read_to(b"DATA\r\n")
        line.say(b"250 ok", b"250 ok", b"354 go")
        line.read_to(b"\r\n.\r\n")
        ILLS[ill](line)

    with scripted(talk) as sender:
        results = within(lambda: list(sender.send(letters("a@x.example"), lambda _: None)))
    assert [result.outcome for result in results] == ["unknown"]


def test_a_server_that_stops_reading_in_the_middle_of_a_body_gets_no_final_dot() -> None:
    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        line.read_to(b"DATA\r\n")
        line.say(b"250 ok", b"250 ok", b"354 go")
        threading.Event().wait(1)

    handed: list[Message] = []
    long = letter("a@x.example", body="x" * 70 + "\r\n" * 8_000_000)
    with scripted(talk) as sender:
        results = within(lambda: list(sender.send([long], handed.append)))
    assert [result.outcome for result in results] == ["deferred"]
    assert handed == []


def test_tls_that_is_never_agreed_on_is_given_up() -> None:
    def talk(line: Line) -> None:
        line.greet(b"STARTTLS")
        line.read_to(b"STARTTLS\r\n")
        line.say(b"220 go")
        line.wait_for_hang_up()

    with scripted(talk, tls="required") as sender, pytest.raises(SenderUnavailable, match=r"within 0\.4 s"):
        within(lambda: list(sender.send(letters("a@x.example"), lambda _: None)))


def test_tls_from_the_first_byte_that_never_comes_is_given_up() -> None:
    with (
        scripted(silence, tls="required", implicit=True) as sender,
        pytest.raises(SenderUnavailable, match=r"within 0\.4 s"),
    ):
        within(lambda: list(sender.send(letters("a@x.example"), lambda _: None)))


def test_a_sign_in_that_goes_on_for_ever_is_given_up() -> None:
    def talk(line: Line) -> None:
        line.greet(b"AUTH LOGIN")
        while True:
            line.read_to(b"\r\n")
            line.say(b"334 VXNlcm5hbWU6")

    with (
        scripted(talk, user="me", password="pw") as sender,
        pytest.raises(SenderRefused, match="no sign-in that we know"),
    ):
        within(lambda: list(sender.send(letters("a@x.example"), lambda _: None)))


def test_what_was_said_in_clear_behind_starttls_is_not_taken_for_an_answer_over_tls() -> None:
    """An attacker on the line could otherwise answer EHLO for the server (CVE-2011-0411 and its kin)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / "localhost.pem", DATA / "localhost.key")
    commands: list[bytes] = []

    def talk(line: Line) -> None:
        line.greet(b"STARTTLS")
        line.read_to(b"STARTTLS\r\n")
        line.say(b"220 go", b"250-evil", b"250 AUTH PLAIN")
        secret = Line(context.wrap_socket(line.sock, server_side=True))
        secret.read_to(b"\r\n")
        secret.say(b"250 PIPELINING")
        for answer in (b"250 ok", b"250 ok", b"354 go"):
            commands.append(secret.read_to(b"\r\n"))
            secret.say(answer)
        secret.read_to(b"\r\n.\r\n")
        secret.say(b"250 over tls")
        secret.wait_for_hang_up()

    with scripted(talk, timeout=5, tls="required") as sender:
        results = within(lambda: list(sender.send(letters("a@x.example"), lambda _: None)))
    assert [(result.outcome, result.detail) for result in results] == [("sent", "over tls")]
    assert commands[0].startswith(b"MAIL")


def test_a_word_out_of_turn_is_heard_over_tls_as_well() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / "localhost.pem", DATA / "localhost.key")
    talks = 0

    def talk(line: Line) -> None:
        nonlocal talks
        talks += 1
        is_first = talks == 1
        secret = Line(context.wrap_socket(line.sock, server_side=True))
        secret.greet(b"PIPELINING")
        secret.read_to(b"DATA\r\n")
        secret.say(b"250 ok", b"250 ok", b"354 go")
        if is_first:
            secret.say(b"250 already mine")
            secret.read_to(b"never")
        secret.read_to(b"\r\n.\r\n")
        secret.say(b"250 ok")
        secret.wait_for_hang_up()

    handed: list[str] = []
    with scripted(talk, timeout=5, tls="required", implicit=True) as sender:
        mails = [letter("a@x.example", 1, body="a long line\r\n" * 200_000), letter("b@x.example", 2)]
        results = within(lambda: list(sender.send(mails, lambda m: handed.append(m.recipient))))
    assert [r.outcome for r in results] == ["deferred", "sent"]
    assert handed == ["b@x.example"]


def keep(results, kept):  # type: ignore[no-untyped-def]
    """Keeps what came before an error."""
    for result in results:
        kept.append(result)
    return []


def within(work):  # type: ignore[no-untyped-def]
    """What ``work`` returns or raises; the test fails if it does neither in time."""
    came: list[object] = []
    trouble: list[BaseException] = []

    def run() -> None:
        try:
            came.append(work())
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), f"it still waits after {PATIENCE} s"
    if trouble:
        raise trouble[0]
    return came[0]
