"""What goes over the line when the server offers PIPELINING (RFC 2920), byte by byte."""

from collections.abc import Iterator

import pytest

from digest.domain.mail import Message, SendResult
from digest.errors import SenderUnavailable
from digest.senders.open import open_sender
from tests.senders.letters import letters
from tests.senders.misbehaving import MailServer
from tests.senders.scripted import Line, scripted

ENVELOPE = b"MAIL FROM:<news@example.com>\r\nRCPT TO:<%s@x.example>\r\nDATA\r\n"


def test_the_next_envelope_goes_behind_the_final_dot_and_the_body_only_after_354() -> None:
    groups: list[bytes] = []

    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        groups.append(line.read_to(b"DATA\r\n"))
        assert line.got == b"", "no body before 354"
        line.say(b"250 ok", b"250 ok", b"354 go")
        # No answer until the second envelope is there: a client that waits for it would wait in vain.
        body, group = line.read_to(b"\r\n.\r\n"), line.read_to(b"DATA\r\n")
        groups.extend((body, group))
        assert line.got == b""
        line.say(b"250 first is mine", b"250 ok", b"250 ok", b"354 go")
        groups.append(line.read_to(b"\r\n.\r\n"))
        assert line.got == b"", "after the last message nothing follows"
        line.say(b"250 second is mine")
        line.wait_for_hang_up()

    mails = letters("a@x.example", "b@x.example")
    with scripted(talk, timeout=5) as sender:
        results = list(sender.send(mails, lambda _: None))
    assert [(r.outcome, r.detail) for r in results] == [("sent", "first is mine"), ("sent", "second is mine")]
    assert groups[0] == ENVELOPE % b"a"
    assert groups[1] == mails[0].data + b".\r\n"
    assert groups[2] == ENVELOPE % b"b"
    assert groups[3] == mails[1].data + b".\r\n"


def test_without_the_offer_each_command_waits_for_its_answer() -> None:
    def talk(line: Line) -> None:
        line.greet(b"8BITMIME")
        for command, answer in ((b"MAIL", b"250 ok"), (b"RCPT", b"250 ok"), (b"DATA", b"354 go")):
            assert line.read_to(b"\r\n").startswith(command)
            assert line.got == b""
            line.say(answer)
        line.read_to(b"\r\n.\r\n")
        line.say(b"250 ok")
        line.wait_for_hang_up()

    with scripted(talk) as sender:
        assert [r.outcome for r in sender.send(letters("a@x.example"), lambda _: None)] == ["sent"]


def test_a_354_although_the_recipient_was_refused_is_answered_with_a_dot_alone() -> None:
    dots: list[bytes] = []
    handed: list[str] = []

    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        line.read_to(b"DATA\r\n")
        line.say(b"250 ok", b"550 5.1.1 unknown", b"354 go")
        dots.append(line.read_to(b".\r\n"))
        line.say(b"554 5.5.1 nobody to give it to")
        line.read_to(b"DATA\r\n")
        line.say(b"250 ok", b"250 ok", b"354 go")
        line.read_to(b"\r\n.\r\n")
        line.say(b"250 ok")
        line.wait_for_hang_up()

    with scripted(talk) as sender:
        results = list(sender.send(letters("a@x.example", "b@x.example"), lambda m: handed.append(m.recipient)))
    assert [(r.outcome, r.code) for r in results] == [("failed", "550 5.1.1"), ("sent", "250")]
    assert dots == [b".\r\n"]
    assert handed == ["b@x.example"]


def test_a_refused_recipient_is_forgotten_before_the_next_message() -> None:
    groups: list[bytes] = []

    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        line.read_to(b"DATA\r\n")
        line.say(b"250 ok", b"550 5.1.1 unknown", b"503 5.5.1 no recipient")
        groups.append(line.read_to(b"DATA\r\n"))
        line.say(b"250 forgotten", b"250 ok", b"250 ok", b"354 go")
        line.read_to(b"\r\n.\r\n")
        line.say(b"250 ok")
        line.wait_for_hang_up()

    with scripted(talk) as sender:
        results = list(sender.send(letters("a@x.example", "b@x.example"), lambda _: None))
    assert [r.outcome for r in results] == ["failed", "sent"]
    assert groups == [b"RSET\r\n" + ENVELOPE % b"b"]


@pytest.mark.parametrize("ending", ["silence", "hang-up", "nonsense", "out of turn", "421"])
def test_of_two_messages_on_their_way_only_the_one_whose_dot_was_sent_is_in_doubt(ending: str) -> None:
    """The second one's envelope went with the first one's dot: it was not accepted, and goes over a new connection."""

    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        line.read_to(b"DATA\r\n")
        line.say(b"250 ok", b"250 ok", b"354 go")
        line.read_to(b"\r\n.\r\n")
        if line.number == 1:
            line.read_to(b"DATA\r\n")
            if ending == "silence":
                line.wait_for_hang_up()
            elif ending == "nonsense":
                line.say(b"thanks")
            elif ending == "out of turn":
                line.say(b"354 more")
            elif ending == "421":
                line.say(b"421 4.3.2 bye")
            return
        line.say(b"250 ok")
        line.wait_for_hang_up()

    handed: list[Message] = []
    mails = letters("a@x.example", "b@x.example")
    with scripted(talk) as sender:
        results = list(sender.send(mails, handed.append))
    first = "deferred" if ending == "421" else "unknown"
    assert [(r.message.recipient, r.outcome) for r in results] == [("a@x.example", first), ("b@x.example", "sent")]
    assert handed == mails


def test_a_server_that_never_answers_whole_messages_does_not_make_everybody_unknown() -> None:
    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        line.read_to(b"DATA\r\n")
        line.say(b"250 ok", b"250 ok", b"354 go")
        line.read_to(b"\r\n.\r\n")

    outcomes: list[str] = []
    with scripted(talk) as sender, pytest.raises(Exception, match="gives no answer to whole messages"):
        outcomes.extend(r.outcome for r in iter(sender.send(letters(*["a@x.example"] * 9), lambda _: None)))
    assert len(outcomes) <= 2


def test_a_word_out_of_turn_before_the_dot_keeps_the_message_back() -> None:
    """Otherwise its answer would be taken for the answer to the message."""
    bodies: list[bytes] = []

    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        line.read_to(b"DATA\r\n")
        if line.number == 1:
            line.say(b"250 ok", b"250 ok", b"354 go", b"250 already mine")
            bodies.append(line.read_to(b"never"))
        line.say(b"250 ok", b"250 ok", b"354 go")
        line.read_to(b"\r\n.\r\n")
        line.say(b"250 ok")
        line.wait_for_hang_up()

    handed: list[str] = []
    with scripted(talk) as sender:
        results = list(sender.send(letters("a@x.example", "b@x.example"), lambda m: handed.append(m.recipient)))
    assert [r.outcome for r in results] == ["deferred", "sent"]
    assert handed == ["b@x.example"]
    assert bodies == []


@pytest.mark.parametrize("offers", [(b"PIPELINING",), ()], ids=["pipelined", "step-by-step"])
def test_a_yes_to_data_where_the_server_should_ask_for_the_message_ends_the_connection(offers: list[bytes]) -> None:
    def talk(line: Line) -> None:
        line.greet(*offers)
        if offers:
            line.read_to(b"DATA\r\n")
            line.say(b"250 ok", b"250 ok", b"250 ok")
        else:
            for _ in range(3):
                line.read_to(b"\r\n")
                line.say(b"250 ok")
        line.wait_for_hang_up()

    handed: list[str] = []
    results: list[SendResult] = []
    with scripted(talk) as sender, pytest.raises(SenderUnavailable, match="out of turn"):
        for result in sender.send(letters("a@x.example", "b@x.example"), lambda m: handed.append(m.recipient)):
            results.append(result)  # noqa: PERF402
    assert [r.outcome for r in results] == ["deferred", "deferred"]
    assert handed == []


def test_a_question_mark_is_no_answer_to_an_envelope() -> None:
    bodies: list[bytes] = []

    def talk(line: Line) -> None:
        line.say(b"220 here")
        line.read_to(b"\r\n")
        line.sock.sendall(b"250-here\r\n250 PIPELINING\r\n?")
        line.read_to(b"DATA\r\n")
        bodies.append(line.sock.recv(100))

    with scripted(talk) as sender, pytest.raises(SenderUnavailable):
        list(sender.send(letters("a@x.example", "b@x.example"), lambda _: None))
    assert set(bodies) == {b""}


def test_a_message_is_not_handed_over_when_the_one_behind_it_can_not_be_made() -> None:
    """It would be in doubt, although its final dot never followed."""
    handed: list[str] = []

    def made() -> Iterator[Message]:
        yield from letters("a@x.example")
        raise LookupError

    with MailServer(pipelining=True) as server:
        sender = open_sender(f"smtp://127.0.0.1:{server.port}?timeout=5")
        with pytest.raises(LookupError):
            list(sender.send(made(), lambda m: handed.append(m.recipient)))
        assert (handed, server.recipients) == ([], [])


def test_messages_are_made_one_ahead_of_their_turn_and_no_more() -> None:
    """There may be a million of them."""
    made: list[int] = []
    ahead: list[int] = []

    def talk(line: Line) -> None:
        line.greet(b"PIPELINING")
        for _ in range(5):
            line.read_to(b"DATA\r\n")
            line.say(b"250 ok", b"250 ok", b"354 go")
            line.read_to(b"\r\n.\r\n")
            line.say(b"250 ok")
        line.wait_for_hang_up()

    def making() -> Iterator[Message]:
        for number, mail in enumerate(letters(*["a@x.example"] * 5), start=1):
            made.append(number)
            yield mail

    with scripted(talk) as sender:
        for number, _ in enumerate(sender.send(making(), lambda _: None), start=1):
            ahead.append(len(made) - number)
    assert max(ahead) == 1
