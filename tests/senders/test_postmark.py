"""The Postmark sender against a server that speaks the documented format."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from digest.domain.mail import SendResult
from digest.errors import ParseError, SenderRefused, SenderUnavailable
from digest.senders import postmark
from digest.senders.open import open_sender
from digest.senders.postmark_events import MailEvent, parse_event
from tests.senders.letters import letter, letters
from tests.senders.postmark_server import TOKEN, Postmark


@pytest.fixture
def server() -> Iterator[Postmark]:
    with Postmark() as running:
        yield running


def send(server: Postmark, *recipients: str, token: str = TOKEN, options: str = "") -> list[SendResult]:
    sender = open_sender(f"postmark://{token}@127.0.0.1:{server.port}?tls=none{options}")
    return list(sender.send(letters(*recipients), lambda _: None))


def test_a_message_is_put_into_the_words_of_the_api(server: Postmark) -> None:
    results = send(server, "a@bücher.example", options="&stream=daily")
    assert [(r.outcome, r.provider_id) for r in results] == [("sent", "id-1")]
    item = server.accepted[0]
    headers = {header["Name"]: header["Value"] for header in item.pop("Headers")}
    assert item == {
        "From": "News <news@example.com>",
        "To": "a@xn--bcher-kva.example",
        "Subject": "N° 1",
        "TextBody": "Hello.",
        "HtmlBody": "<p>Grüße</p>",
        "Metadata": {"message": "letter-1@example.com", "delivery": "1"},
        "MessageStream": "daily",
    }
    assert headers == {
        "Message-ID": "<letter-1@example.com>",
        "X-PM-KeepID": "true",
        "List-Unsubscribe": f"<https://news.example.com/unsubscribe/{'x' * 90}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_each_item_has_its_own_result_in_the_order_of_the_request(server: Postmark) -> None:
    results = send(server, "a@x.example", "hard@x.example", "invalid@x.example", "soft@x.example", "jörg@x.example")
    assert sorted((r.message.recipient.split("@")[0], r.outcome, r.code) for r in results) == [
        ("a", "sent", "200"),
        ("hard", "failed", "406"),
        ("invalid", "failed", "300"),
        ("jörg", "failed", "300"),
        ("soft", "deferred", "429"),
    ]


def test_requests_stay_within_the_limits(server: Postmark, monkeypatch: pytest.MonkeyPatch) -> None:
    send(server, *[f"r{n}@x.example" for n in range(501)])
    assert [len(request) for request in server.requests] == [500, 1]
    monkeypatch.setattr(postmark, "MAX_BATCH", 2000)
    monkeypatch.setattr(postmark, "MAX_MESSAGE", 1500)
    server.requests.clear()
    sender = open_sender(f"postmark://{TOKEN}@127.0.0.1:{server.port}?tls=none")
    mails = [*letters(*[f"r{n}@x.example" for n in range(5)]), letter("long@x.example", 9, body="x" * 2000 + "\r\n")]
    results = {r.message.delivery_id: r.outcome for r in sender.send(mails, lambda _: None)}
    assert results == {1: "sent", 2: "sent", 3: "sent", 4: "sent", 5: "sent", 9: "failed"}
    assert [len(request) for request in server.requests] == [3, 2]


def test_a_wrong_token_is_refused_in_the_servers_words_without_the_token(server: Postmark) -> None:
    with pytest.raises(SenderRefused, match="401 10 The Server Token you provided was incorrect") as caught:
        send(server, "a@x.example", token="geheim")
    assert "geheim" not in str(caught.value)


def test_an_account_that_is_refused_marks_nobody(server: Postmark) -> None:
    sender = open_sender(f"postmark://{TOKEN}@127.0.0.1:{server.port}?tls=none")
    results: list[SendResult] = []
    with pytest.raises(SenderRefused, match="405 This account has run out of credits"):
        for result in sender.send(letters("a@x.example", "ours@x.example", "b@x.example"), lambda _: None):
            results.append(result)  # noqa: PERF402
    assert [(r.message.recipient, r.outcome) for r in results] == [("a@x.example", "sent"), ("b@x.example", "sent")]


@pytest.mark.parametrize(
    ("status", "body", "error", "outcomes"),
    [
        (429, b'{"ErrorCode":429,"Message":"slow down"}', SenderUnavailable, []),
        (500, b"oops", SenderUnavailable, []),
        (503, b"", SenderUnavailable, []),
        (504, b"<html>gateway</html>", SenderUnavailable, ["unknown", "unknown"]),
        (422, b'{"ErrorCode":402,"Message":"Invalid JSON"}', SenderRefused, []),
        (302, b"", SenderRefused, []),
        (200, b"not json", SenderUnavailable, ["unknown", "unknown"]),
        (200, b'[{"ErrorCode":0}]', SenderUnavailable, ["unknown", "unknown"]),
    ],
)
def test_an_answer_to_the_whole_request(
    server: Postmark, status: int, body: bytes, error: type[Exception], outcomes: list[str]
) -> None:
    server.answer = status, body
    sender = open_sender(f"postmark://{TOKEN}@127.0.0.1:{server.port}?tls=none")
    results: list[SendResult] = []
    with pytest.raises(error):
        for result in sender.send(letters("a@x.example", "b@x.example"), lambda _: None):
            results.append(result)  # noqa: PERF402
    assert [result.outcome for result in results] == outcomes


@pytest.mark.parametrize("way", ["hang up", "too late"])
def test_a_request_without_an_answer_leaves_the_outcome_unknown(server: Postmark, way: str) -> None:
    server.hang_up = way == "hang up"
    server.wait = 0 if server.hang_up else 1.5
    sender = open_sender(f"postmark://{TOKEN}@127.0.0.1:{server.port}?tls=none&timeout=1")
    results: list[SendResult] = []
    with pytest.raises(SenderUnavailable):
        for result in sender.send(letters("a@x.example"), lambda _: None):
            results.append(result)  # noqa: PERF402
    assert [result.outcome for result in results] == ["unknown"]


def test_a_server_that_can_not_be_reached_accepted_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SenderUnavailable, match="can't reach Postmark: Connection refused"):
        list(open_sender(f"postmark://t@127.0.0.1:{port}?tls=none").send(letters("a@x.example"), lambda _: None))


AT = datetime(2026, 3, 12, 11, 0, 0, 123456, UTC)


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        (
            {"RecordType": "Delivery", "Recipient": "a@x.example", "DeliveredAt": "2026-03-12T12:00:00.1234567+01:00",
             "MessageID": "id-1", "Metadata": {"delivery": "7"}, "Details": "250 ok"},
            MailEvent("delivered", "a@x.example", AT, False, 7, "id-1", "250 ok"),
        ),
        (
            {"RecordType": "Bounce", "Type": "HardBounce", "Email": "a@x.example", "BouncedAt": "2026-03-12T11:00:00.123456Z",
             "MessageID": "id-1", "Description": "unknown user"},
            MailEvent("bounced", "a@x.example", AT, True, None, "id-1", "unknown user"),
        ),
        (
            {"RecordType": "Bounce", "Type": "SoftBounce", "Email": "a@x.example", "BouncedAt": "2026-03-12T11:00:00.123456Z"},
            MailEvent("bounced", "a@x.example", AT),
        ),
        (
            {"RecordType": "Bounce", "Type": "Transient", "Email": "a@x.example", "BouncedAt": "2026-03-12T11:00:00.123456Z"},
            MailEvent("deferred", "a@x.example", AT),
        ),
        (
            {"RecordType": "Bounce", "Type": "Blocked", "Email": "a@x.example", "BouncedAt": "2026-03-12T11:00:00.123456Z"},
            MailEvent("rejected", "a@x.example", AT),
        ),
        (
            {"RecordType": "SpamComplaint", "Email": "a@x.example", "BouncedAt": "2026-03-12T11:00:00.123456Z"},
            MailEvent("complained", "a@x.example", AT, True),
        ),
        (
            {"RecordType": "SubscriptionChange", "SuppressSending": True, "Recipient": "a@x.example",
             "ChangedAt": "2026-03-12T11:00:00.123456Z", "SuppressionReason": "ManualSuppression"},
            MailEvent("unsubscribed", "a@x.example", AT, True, None, "", "ManualSuppression"),
        ),
        ({"RecordType": "SubscriptionChange", "SuppressSending": False}, None),
        ({"RecordType": "Open"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_webhooks_become_events(payload: dict[str, Any], event: MailEvent | None) -> None:
    assert parse_event(payload) == event


@pytest.mark.parametrize(
    "payload",
    [
        {"RecordType": "Bounce", "Type": "HardBounce", "Email": "a@x.example"},
        {"RecordType": "Bounce", "Type": "HardBounce", "Email": "a@x.example", "BouncedAt": "yesterday"},
        {"RecordType": "Delivery", "DeliveredAt": "2026-03-12T11:00:00Z"},
        {"RecordType": "Delivery", "Recipient": "a@x.example", "DeliveredAt": "2026-03-12T11:00:00Z", "Metadata": "x"},
    ],
)
def test_a_webhook_that_can_not_be_read_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        parse_event(payload)
