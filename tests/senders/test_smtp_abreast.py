"""Several connections driven by one thread: each at its own pace, and nothing is lost when one of them ends."""

import threading
from collections.abc import Callable, Iterator

import pytest

from digest.domain.mail import Message, SendResult
from digest.errors import SenderRefused, SenderUnavailable
from digest.senders.open import open_sender
from digest.senders.smtp import SmtpSender
from tests.senders.letters import letter, letters
from tests.senders.misbehaving import MailServer
from tests.senders.scripted import Line, scripted

NAMES = [f"r{number}@x.example" for number in range(12)]


def outcomes(results: list[SendResult]) -> dict[str, str]:
    return {result.message.recipient.split("@")[0]: result.outcome for result in results}


def taking(line: Line, *, before_the_answer: Callable[[int], None] = lambda number: None) -> None:
    """Takes one mail after the other."""
    line.greet(b"PIPELINING")
    number = 0
    while True:
        line.read_to(b"DATA\r\n")
        line.say(b"250 ok", b"250 ok", b"354 go")
        line.read_to(b"\r\n.\r\n")
        number += 1
        before_the_answer(number)
        line.say(b"250 taken")


@pytest.fixture(params=[False, True], ids=["step-by-step", "pipelined"])
def pipelining(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def sender(server: MailServer, options: str = "") -> SmtpSender:
    opened = open_sender(f"smtp://127.0.0.1:{server.port}?timeout=5{options}")
    assert isinstance(opened, SmtpSender)
    return opened


def test_so_many_messages_are_under_way_as_there_are_connections() -> None:
    handed: list[str] = []
    all_three = threading.Event()

    def talk(line: Line) -> None:
        taking(line, before_the_answer=lambda _: all_three.wait(5) and None)

    def hand_over(message: Message) -> None:
        handed.append(message.recipient)
        if len(handed) == 3:
            all_three.set()  # only now does the server answer any of them

    with scripted(talk, timeout=5) as one:
        results = list(one.send_abreast(letters(*NAMES[:5]), hand_over, 3))
    assert [result.outcome for result in results] == ["sent"] * 5
    assert sorted(handed) == NAMES[:5]


def test_a_slow_connection_does_not_hold_up_the_others() -> None:
    others = threading.Event()

    def talk(line: Line) -> None:
        taking(line, before_the_answer=lambda _: (line.number == 1 and others.wait(5)) and None)

    with scripted(talk, timeout=5) as one:
        order = []
        for result in one.send_abreast(letters(*NAMES), lambda _: None, 2):
            order.append(result.message.recipient)
            if len(order) == len(NAMES) - 2:
                others.set()
    assert order[-2] == NAMES[0], "the first was answered after all but the one behind it"


def test_one_connection_is_enough_for_one_message(pipelining: bool) -> None:
    with MailServer(pipelining=pipelining) as server:
        list(sender(server).send_abreast(letters("a@x.example"), lambda _: None, 4))
        assert server.connections == 1


def test_never_more_connections_than_allowed(pipelining: bool) -> None:
    with MailServer(pipelining=pipelining) as server:
        one = sender(server)
        for _ in range(3):
            results = list(one.send_abreast(letters(*NAMES), lambda _: None, 3))
            assert outcomes(results) == dict.fromkeys(outcomes(results), "sent")
        assert server.connections <= 3, "connections are used again"


def test_a_hand_over_that_raises_lets_the_others_be_heard_out() -> None:
    """What was handed over has a result before the error is passed on: nobody could tell otherwise whether it left."""
    raised = threading.Event()
    handed: list[str] = []

    def talk(line: Line) -> None:
        taking(line, before_the_answer=lambda _: raised.wait(5) and None)

    def hand_over(message: Message) -> None:
        if len(handed) == 2:
            raised.set()
            raise LookupError
        handed.append(message.recipient)

    results: list[SendResult] = []
    with scripted(talk, timeout=5) as one, pytest.raises(LookupError):
        for result in one.send_abreast(letters(*NAMES), hand_over, 3):
            results.append(result)  # noqa: PERF402  (what came before the error must be kept)
    assert sorted(result.message.recipient for result in results) == sorted(handed)
    assert [result.outcome for result in results] == ["sent", "sent"]


def test_mails_that_can_not_be_made_let_the_others_be_heard_out() -> None:
    broken = threading.Event()
    handed: list[str] = []

    def talk(line: Line) -> None:
        taking(line, before_the_answer=lambda _: broken.wait(5) and None)

    def made() -> Iterator[Message]:
        yield from letters(*NAMES[:2])
        broken.set()
        raise LookupError

    results: list[SendResult] = []
    with scripted(talk, timeout=5) as one, pytest.raises(LookupError):
        for result in one.send_abreast(made(), lambda mail: handed.append(mail.recipient), 4):
            results.append(result)  # noqa: PERF402
    assert sorted(result.message.recipient for result in results) == sorted(handed)


def test_a_server_that_refuses_our_address_is_said_after_the_others_were_heard_out() -> None:
    refused = threading.Event()

    def talk(line: Line) -> None:
        if line.number == 1:
            taking(line, before_the_answer=lambda _: refused.wait(5) and None)
        line.greet(b"PIPELINING")
        line.read_to(b"DATA\r\n")
        line.say(b"550 5.7.1 not from you", b"503 no", b"503 no")
        refused.set()
        line.wait_for_hang_up()

    results: list[SendResult] = []
    with scripted(talk, timeout=5) as one, pytest.raises(SenderRefused, match="not from you"):
        for result in one.send_abreast(letters(*NAMES), lambda _: None, 2):
            results.append(result)  # noqa: PERF402
    assert outcomes(results) == {"r0": "sent"}


def test_whoever_ends_it_leaves_no_connection_open() -> None:
    hung_up = threading.Semaphore(0)

    def talk(line: Line) -> None:
        try:
            taking(line)
        finally:
            hung_up.release()

    with scripted(talk, timeout=5) as one:
        results = one.send_abreast(letters(*NAMES), lambda _: None, 3)
        next(results)
        results.close()  # type: ignore[attr-defined]
        assert hung_up.acquire(timeout=5)


def test_further_connections_that_are_not_to_be_had_are_done_without() -> None:
    def talk(line: Line) -> None:
        if line.number > 1:
            line.say(b"421 4.7.0 too many connections")
            return
        taking(line)

    with scripted(talk, timeout=5) as one:
        results = list(one.send_abreast(letters(*NAMES), lambda _: None, 4))
    assert outcomes(results) == dict.fromkeys(outcomes(results), "sent")


def test_threads_that_are_not_to_be_had_are_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name.startswith("smtp-"):
            raise RuntimeError("can't start new thread")
        begun(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with scripted(taking, timeout=5) as one:
        results = list(one.send_abreast(letters(*NAMES), lambda _: None, 3))
    assert outcomes(results) == dict.fromkeys(outcomes(results), "sent")
    assert len(results) == len(NAMES)


def test_a_greeting_that_takes_its_time_holds_nobody_up() -> None:
    over = threading.Event()

    def talk(line: Line) -> None:
        if line.number > 1:
            over.wait(5)
        taking(line)

    with scripted(talk, timeout=5) as one:
        results = list(one.send_abreast(letters(*NAMES), lambda _: None, 2))
        assert not over.is_set()
        over.set()
    assert len(results) == len(NAMES)


def test_a_connection_that_is_still_being_opened_counts_for_the_next_mails_too() -> None:
    """Otherwise each call would ask a server that takes its time for more."""
    over = threading.Event()
    connections: list[int] = []

    def talk(line: Line) -> None:
        connections.append(line.number)
        if line.number > 1:
            over.wait(5)
        taking(line)

    with scripted(talk, timeout=5) as one:
        for _ in range(5):
            assert len(list(one.send_abreast(letters(*NAMES), lambda _: None, 2))) == len(NAMES)
        over.set()
    assert len(connections) <= 2


def test_a_server_that_ends_connections_after_some_messages_loses_none(pipelining: bool) -> None:
    with MailServer(per_connection=2, pipelining=pipelining) as server:
        results = list(sender(server).send_abreast(letters(*NAMES), lambda _: None, 3))
        assert outcomes(results) == dict.fromkeys(outcomes(results), "sent")
        assert sorted(server.recipients) == sorted(NAMES)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("hard", "failed"), ("soft", "deferred"), ("busy", "deferred"), ("drop", "unknown"), ("shutdown", "deferred"),
     ("half", "deferred"), ("garbage", "deferred")],
)  # fmt: skip
def test_what_happens_to_one_message_is_its_own(pipelining: bool, name: str, outcome: str) -> None:
    with MailServer(pipelining=pipelining, ehlo=("8BITMIME",)) as server:
        mails = letters(*NAMES[:5], f"{name}@x.example", *NAMES[5:])
        if name == "half":  # more than the buffers on the way hold
            mails[5] = letter("half@x.example", 6, body="x" * 70 + "\r\n" * 200_000 * 30)
        results = list(sender(server).send_abreast(mails, lambda _: None, 3))
        found = outcomes(results)
        assert found.pop(name) == outcome
        assert found == {name.split("@")[0]: "sent" for name in NAMES}
        assert sorted(server.recipients) == sorted(NAMES)


@pytest.mark.parametrize("silence", [b"", b"250 ok"], ids=["silent", "half an answer"])
def test_a_server_that_falls_silent_is_given_up_within_its_time(silence: bytes) -> None:
    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        line.read_to(b"DATA\r\n")
        if silence:
            line.say(silence)
        line.wait_for_hang_up()

    results: list[SendResult] = []
    with scripted(talk, timeout=0.3) as one, pytest.raises(SenderUnavailable, match="timed out"):
        for result in one.send_abreast(letters(*NAMES), lambda _: None, 3):
            results.append(result)  # noqa: PERF402
    assert set(outcomes(results).values()) == {"deferred"}
    assert len(results) == 2


def test_answers_that_never_come_are_unknown_and_nothing_more_is_tried() -> None:
    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        line.read_to(b"DATA\r\n")
        line.say(b"250 ok", b"250 ok", b"354 go")
        line.wait_for_hang_up()

    handed: list[str] = []
    results: list[SendResult] = []
    with scripted(talk, timeout=0.3) as one, pytest.raises(SenderUnavailable, match="no answer to whole messages"):
        for result in one.send_abreast(letters(*NAMES), lambda mail: handed.append(mail.recipient), 3):
            results.append(result)  # noqa: PERF402
    assert outcomes(results) == {name.split("@")[0]: "unknown" for name in handed}
    assert len(handed) <= 4


@pytest.mark.parametrize("tls", [False, True], ids=["in clear", "over TLS"])
def test_mails_larger_than_the_buffers_on_the_way_arrive_whole(pipelining: bool, tls: bool) -> None:
    body = "".join(f"line {number} of a long letter\r\n" for number in range(150_000))
    mails = [letter(name, number, body) for number, name in enumerate(NAMES[:4], start=1)]
    with MailServer(pipelining=pipelining, tls=tls, ehlo=("8BITMIME",)) as server:
        options = f"&tls={'required' if tls else 'none'}"
        results = list(sender(server, options).send_abreast(mails, lambda _: None, 2))
        assert set(outcomes(results).values()) == {"sent"}
        assert {mail.recipient: mail.data for mail in server.accepted} == {mail.recipient: mail.data for mail in mails}
        assert {mail.tls for mail in server.accepted} == {tls}
