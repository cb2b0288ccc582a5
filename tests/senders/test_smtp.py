"""The SMTP client against a server that misbehaves in every way that is known."""

import base64
import hmac
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.mail import Message, SendResult
from digest.errors import SenderRefused, SenderUnavailable
from digest.senders.open import open_sender
from digest.senders.smtp import SmtpSender
from digest.senders.smtp_session import stuffed
from tests.senders.letters import FROM, letter, letters
from tests.senders.misbehaving import MailServer
from tests.senders.scripted import Line, scripted


@pytest.fixture(params=[False, True], ids=["step-by-step", "pipelined"])
def server(request: pytest.FixtureRequest) -> Iterator[MailServer]:
    with MailServer(pipelining=request.param) as running:
        yield running


def sender(server: MailServer, options: str = "", login: str = "") -> SmtpSender:
    opened = open_sender(f"smtp://{login}127.0.0.1:{server.port}?timeout=5{options}")
    assert isinstance(opened, SmtpSender)
    return opened


def send(server: MailServer, *recipients: str, options: str = "") -> list[tuple[str, str, str]]:
    results = sender(server, options).send(letters(*recipients), lambda _: None)
    return [(result.message.recipient.split("@")[0], result.outcome, result.code) for result in results]


@pytest.mark.parametrize(
    ("name", "outcome", "code"),
    [
        ("ok", "sent", "250 2.0.0"),
        ("hard", "failed", "550 5.1.1"),
        ("full", "failed", "552 5.2.2"),
        ("spam", "failed", "550 5.7.1"),
        ("soft", "deferred", "450 4.2.0"),
        ("once", "deferred", "450 4.7.1"),
        ("busy", "deferred", "421 4.7.0"),
        ("garbage", "deferred", ""),
        ("refused", "failed", "554 5.7.1"),
        ("later", "deferred", "451 4.3.0"),
        ("shutdown", "deferred", "421 4.3.2"),
        ("drop", "unknown", ""),
        ("babble", "unknown", ""),
    ],
)
def test_each_answer_has_its_outcome_and_the_others_get_their_mail(
    server: MailServer, name: str, outcome: str, code: str
) -> None:
    assert send(server, "a@x.example", f"{name}@x.example", "b@x.example") == [
        ("a", "sent", "250 2.0.0"),
        (name, outcome, code),
        ("b", "sent", "250 2.0.0"),
    ]
    assert server.recipients == ["a@x.example", *(["ok@x.example"] if name == "ok" else []), "b@x.example"]


def test_the_servers_words_are_kept_without_the_codes_that_stand_apart(server: MailServer) -> None:
    results = sender(server).send(letters("spam@x.example", "busy@x.example"), lambda _: None)
    assert [result.detail for result in results] == ["blocked see our pages", "too many connections"]


def test_no_answer_to_the_final_dot_within_the_timeout_is_unknown(server: MailServer) -> None:
    assert send(server, "silence@x.example", options="&timeout=1&final_timeout=1")[0][1] == "unknown"


def test_hand_over_comes_before_the_final_dot_and_never_for_what_was_refused(server: MailServer) -> None:
    handed: list[str] = []

    def hand_over(message: Message) -> None:
        # The server has all of the body and not yet the dot.
        assert message.recipient not in server.recipients
        assert server.commands[-1] == "DATA"
        handed.append(message.recipient.split("@")[0])

    names = [f"{name}@x.example" for name in ("ok", "hard", "soft", "refused", "drop", "last")]
    results = list(sender(server).send(letters(*names), hand_over))
    assert handed == ["ok", "refused", "drop", "last"]
    assert {r.message.recipient.split("@")[0] for r in results if r.outcome == "unknown"} == {"drop"}


def test_a_hand_over_that_raises_keeps_the_message_from_being_accepted(server: MailServer) -> None:
    def refuse(message: Message) -> None:
        raise LookupError(message.recipient)

    one = sender(server)
    with pytest.raises(LookupError, match=r"a@x\.example"):
        list(one.send(letters("a@x.example"), refuse))
    assert [r.outcome for r in one.send(letters("b@x.example"), lambda _: None)] == ["sent"]
    assert server.recipients == ["b@x.example"]


def test_a_connection_lost_in_the_middle_of_the_body_is_no_hand_over() -> None:
    handed: list[Message] = []
    with MailServer(ehlo=("8BITMIME",)) as server:
        # More than the buffers on the way hold, so that the client is still writing when the server hangs up.
        long = letter("half@x.example", 1, body="x" * 70 + "\r\n" * 200_000 * 30)
        results = list(sender(server).send([long, letter("b@x.example", 2)], handed.append))
    assert [(r.message.delivery_id, r.outcome) for r in results] == [(1, "deferred"), (2, "sent")]
    assert [message.delivery_id for message in handed] == [2]


@pytest.mark.parametrize("name", ["busy", "garbage"])
def test_two_connections_in_a_row_without_fruit_count_as_a_server_that_is_away(server: MailServer, name: str) -> None:
    results: list[SendResult] = []
    with pytest.raises(SenderUnavailable, match="ended the connection"):
        for result in sender(server).send(letters(*[f"{name}-{n}@x.example" for n in range(5)]), lambda _: None):
            results.append(result)  # noqa: PERF402
    assert [result.outcome for result in results] == ["deferred", "deferred"]


def test_a_server_that_can_not_be_reached_is_unavailable_in_words_without_the_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    handed: list[Message] = []
    with pytest.raises(SenderUnavailable, match=f"can't reach smtp 127.0.0.1:{port}: Connection refused") as caught:
        list(open_sender(f"smtp://me:geheim@127.0.0.1:{port}").send(letters("a@x.example"), handed.append))
    assert "geheim" not in str(caught.value)
    assert handed == []


@pytest.mark.parametrize(
    ("banner", "error"),
    [
        (b"421 4.3.2 shutting down", SenderUnavailable),
        (b"554 5.7.1 you are on our list", SenderRefused),
        (b"nonsense", SenderUnavailable),
    ],
)
def test_a_greeting_that_sends_us_away_is_passed_on(banner: bytes, error: type[Exception]) -> None:
    with MailServer(banner=banner) as server, pytest.raises(error, match=r"421 4\.3\.2|our list|127\.0\.0\.1"):
        send(server, "a@x.example")


def test_a_refused_sign_in_carries_the_servers_words_and_not_the_password() -> None:
    with MailServer(user="me:right") as server:
        with pytest.raises(SenderRefused, match=r"535 5\.7\.8 wrong user or password") as caught:
            list(sender(server, "&tls=none", "me:wr0ng@").send(letters("a@x.example"), lambda _: None))
        assert "wr0ng" not in str(caught.value)
        assert [
            r.outcome for r in sender(server, "&tls=none", "me:right@").send(letters("a@x.example"), lambda _: None)
        ] == ["sent"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_each_way_to_sign_in_is_known(mechanism: str) -> None:
    challenge = base64.b64encode(b"<1@here>")
    said: list[bytes] = []

    def talk(line: Line) -> None:
        line.greet(b"AUTH " + mechanism.encode())
        said.append(line.read_to(b"\r\n"))
        if mechanism != "PLAIN":
            line.say(b"334 " + challenge)
            said.append(line.read_to(b"\r\n"))
        line.say(b"235 welcome")
        for answer in (b"250 ok", b"250 ok", b"354 go"):
            line.read_to(b"\r\n")
            line.say(answer)
        line.read_to(b"\r\n.\r\n")
        line.say(b"250 ok")
        line.wait_for_hang_up()

    with scripted(talk, timeout=5, user="me", password="pw") as one:
        assert [r.outcome for r in one.send(letters("a@x.example"), lambda _: None)] == ["sent"]
    assert said[0].startswith(b"AUTH " + mechanism.encode())
    answer = base64.b64decode(said[-1].split()[-1])
    digest = hmac.new(b"pw", b"<1@here>", "md5").hexdigest().encode()
    assert answer == {"PLAIN": b"\0me\0pw", "LOGIN": b"pw", "CRAM-MD5": b"me " + digest}[mechanism]


def test_a_server_without_sign_in_refuses_a_sender_that_has_a_password(server: MailServer) -> None:
    with pytest.raises(SenderRefused, match="offers no sign-in"):
        list(sender(server, "&tls=none", "me:pw@").send(letters("a@x.example"), lambda _: None))


def test_a_refused_sender_address_refuses_us_and_marks_nobody_as_failed() -> None:
    with (
        MailServer(sender_answer=b"550 5.7.1 sender not allowed") as server,
        pytest.raises(SenderRefused, match=f"{FROM}: 550 5.7.1 sender not allowed"),
    ):
        send(server, "a@x.example", "b@x.example")


@pytest.mark.parametrize("offered", [True, False])
@pytest.mark.parametrize("policy", ["none", "opportunistic", "required", "verified"])
def test_tls_by_policy(policy: str, offered: bool) -> None:
    with MailServer(tls=offered) as server:
        if policy == "verified" and offered:
            with pytest.raises(SenderRefused, match=r"certificate .* can't be trusted"):
                send(server, "a@x.example", options=f"&tls={policy}")
        elif policy in ("required", "verified") and not offered:
            with pytest.raises(SenderRefused, match="does not offer STARTTLS"):
                send(server, "a@x.example", options=f"&tls={policy}")
        else:
            send(server, "a@x.example", options=f"&tls={policy}")
            assert server.accepted[0].tls == (offered and policy != "none")


def test_a_connection_is_used_again_up_to_its_cap(server: MailServer) -> None:
    one = sender(server, "&per_connection=2")
    for _ in range(2):
        list(one.send(letters("a@x.example", "b@x.example", "c@x.example"), lambda _: None))
    one.close()
    assert [mail.connection for mail in server.accepted] == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("pipelining", [False, True])
def test_a_server_that_ends_connections_after_some_messages_loses_none(pipelining: bool) -> None:
    with MailServer(per_connection=2, pipelining=pipelining) as server:
        outcomes = [outcome for _, outcome, _ in send(server, *[f"r{n}@x.example" for n in range(6)])]
        assert outcomes == ["sent"] * 6, "none of them has to wait because of it"
        assert len(set(server.recipients)) == len(server.recipients) == 6
        assert server.connections == 3


def test_an_idle_connection_that_the_server_closed_is_replaced(server: MailServer) -> None:
    one = sender(server)
    list(one.send(letters("a@x.example"), lambda _: None))
    with server._lock:
        for connection in server._open:
            connection.shutdown(socket.SHUT_RDWR)
    assert [r.outcome for r in one.send(letters("b@x.example"), lambda _: None)] == ["sent"]


def test_threads_get_connections_of_their_own(server: MailServer) -> None:
    one = sender(server)
    both = threading.Barrier(2, timeout=5)

    def hand_over(_: Message) -> None:
        both.wait()  # only passes when two messages are in flight at the same time

    threads = [
        threading.Thread(target=lambda n=n: list(one.send([letter(f"r{n}@x.example", n)], hand_over))) for n in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(server.recipients) == ["r1@x.example", "r2@x.example"]
    assert server.connections == 2


def test_a_message_above_the_servers_size_fails_before_it_is_sent() -> None:
    with MailServer(ehlo=("SIZE 300",)) as server:
        assert send(server, "a@x.example") == [("a", "failed", "552 5.3.4")]
        assert "DATA" not in server.commands


def test_8bit_bytes_need_8bitmime(server: MailServer) -> None:
    grown = letter("a@x.example", body="Grüße\r\n")
    assert [r.outcome for r in sender(server).send([grown], lambda _: None)] == ["sent"]
    assert any("BODY=8BITMIME" in command for command in server.commands)
    with MailServer(ehlo=("SIZE 0",)) as old:
        assert [(r.outcome, r.code) for r in sender(old).send([grown], lambda _: None)] == [("failed", "554 5.6.3")]


def test_a_utf8_local_part_needs_smtputf8_and_a_utf8_domain_goes_out_as_a_labels(server: MailServer) -> None:
    assert send(server, "jörg@bücher.example") == [("jörg", "sent", "250 2.0.0")]
    assert server.recipients == ["jörg@xn--bcher-kva.example"]
    with MailServer(ehlo=("8BITMIME",)) as old:
        assert send(old, "jörg@x.example", "a@bücher.example") == [
            ("jörg", "failed", "553 5.6.7"),
            ("a", "sent", "250 2.0.0"),
        ]


@pytest.mark.parametrize(
    "address",
    [
        "a@x.example>\r\nRCPT TO:<victim@y.example",
        "a\nb@x.example",
        "<a@x.example>",
        "a@x.example, b@y.example",
        "a b@x.example",
        "a@x..example",
        "a@-x.example",
        "@x.example",
        "a",
        "",
        f"{'a' * 65}@x.example",
        "a@x.example\u2028",
    ],
)
def test_an_address_that_could_say_more_than_an_address_never_reaches_the_server(
    server: MailServer, address: str
) -> None:
    bad = letter("a@x.example", 1)._replace(recipient=address)
    results = list(sender(server).send([bad, letter("b@x.example", 2)], lambda _: None))
    assert [(r.outcome, r.code) for r in results] == [("failed", "553 5.1.3"), ("sent", "250 2.0.0")]
    assert sum(command.upper().startswith("RCPT") for command in server.commands) == 1


@pytest.mark.parametrize("trick", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r"])
def test_a_smuggled_end_of_data_fails_and_nothing_of_it_is_sent(server: MailServer, trick: bytes) -> None:
    whole = letter("a@x.example")
    tricky = whole._replace(data=whole.data + b"x" + trick + b"MAIL FROM:<evil@x.example>\r\n")
    results = list(sender(server).send([tricky], lambda _: None))
    assert [r.outcome for r in results] == ["failed"]
    assert server.recipients == []


@given(st.lists(st.sampled_from([b".", b"..", b"", b".x", b"x.", b"x"]), min_size=1))
def test_dots_at_line_starts_are_doubled_and_come_back_single(lines: list[bytes]) -> None:
    data = b"\r\n".join(lines) + b"\r\n"
    wire = stuffed(data)
    assert b"\r\n.\r\n" not in b"\r\n" + wire
    back = b"".join(line[1:] if line.startswith(b".") else line for line in wire.splitlines(keepends=True))
    assert back == data


def test_what_arrives_is_what_was_sent_to_the_byte(server: MailServer) -> None:
    dotted = letter("a@x.example", body=".\r\n..two\r\n.\r\nend\r\n")
    list(sender(server).send([dotted], lambda _: None))
    assert server.accepted[0].data == dotted.data


def test_implicit_tls_refuses_a_certificate_that_it_can_not_verify() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, MailServer() as server:
        threading.Thread(target=_greet_with_tls, args=(listening, server), daemon=True).start()
        port = listening.getsockname()[1]
        with pytest.raises(SenderRefused, match="can't be trusted"):
            list(open_sender(f"smtps://127.0.0.1:{port}?timeout=5").send(letters("a@x.example"), lambda _: None))


def _greet_with_tls(listening: socket.socket, server: MailServer) -> None:
    connection, _ = listening.accept()
    try:
        server._context.wrap_socket(connection, server_side=True)
    except OSError:
        connection.close()
