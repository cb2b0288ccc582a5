"""What a refusal speaks of."""

import pytest

from digest.domain.mail import Message, SendResult
from digest.domain.refusals import asks_to_slow_down, refusal_of


@pytest.mark.parametrize(
    ("code", "words", "refusal"),
    [
        ("550 5.1.1", "no such user", "hard"),
        ("550 5.1.2", "no such domain", "hard"),
        ("553 5.1.3", "bad address", "hard"),
        ("551 5.1.6", "moved", "hard"),
        ("556 5.1.10", "null MX", "hard"),
        ("550 5.2.1", "mailbox disabled", "hard"),
        ("552 5.2.2", "mailbox full", "soft"),
        ("552 5.3.4", "too big", "soft"),
        ("550 5.4.1", "access denied", "soft"),
        ("550 5.4.4", "no route to host", "hard"),
        ("554 5.6.3", "needs 8BITMIME", "soft"),
        ("550 5.7.1", "blocked, see our pages", "policy"),
        ("550 5.7.26", "unauthenticated mail", "policy"),
        ("550 5.7.515", "does not meet the required authentication level", "policy"),
        ("503 5.5.1", "bad sequence", "policy"),
        ("450 4.2.0", "greylisted", "soft"),
        ("450 4.7.1", "greylisted", "soft"),
        ("421 4.7.28", "unusual rate", "soft"),
        ("452 4.5.3", "too many recipients", "soft"),
        ("450", "try later", "soft"),
        ("550", "User unknown", "hard"),
        ("550", "no such mailbox here", "hard"),
        ("550", "The recipient does not exist", "hard"),
        ("551", "not here", "hard"),
        ("550", "sorry", "soft"),
        ("554", "Relay access denied", "policy"),
        ("550", "your IP is on a blacklist, user unknown", "policy"),
        ("550", "5.1.1 code only in the words", "hard"),
        ("535", "wrong password", "policy"),
        ("521", "this host takes no mail", "hard"),
        ("250 2.0.0", "queued", ""),
        ("", "the connection was lost", ""),
    ],
)
def test_a_refusal_is_sorted_by_its_code_and_without_one_by_its_words(code: str, words: str, refusal: str) -> None:
    assert refusal_of(code, words) == refusal


def test_a_result_knows_its_refusal_and_a_sender_may_know_better() -> None:
    message = Message(1, "<1@x>", "a@x.example", "b@x.example", b"")
    assert SendResult(message, "failed", "550 5.1.1", "no such user").refusal == "hard"
    assert SendResult(message, "sent", "250 2.1.5", "5.1.1 in passing").refusal == ""
    assert SendResult(message, "unknown", "", "550 nothing").refusal == ""
    assert SendResult(message, "failed", "406", "inactive", speaks_of="hard").refusal == "hard"


@pytest.mark.parametrize(
    ("code", "slow"), [("421", True), ("421 4.3.2", True), ("450 4.7.28", True), ("450 4.2.0", False), ("550", False)]
)
def test_some_replies_ask_to_slow_down(code: str, slow: bool) -> None:
    assert asks_to_slow_down(code) is slow
