"""The next sender takes over what was surely not accepted, and nothing else."""

import pytest

from digest.domain.mail import Message
from digest.errors import ConfigError, SenderRefused, SenderUnavailable
from digest.senders.failover import FailoverSender
from digest.senders.open import limits_in, open_sender
from tests.senders.letters import letters
from tests.senders.misbehaving import MailServer


def outcomes(sender: FailoverSender, *recipients: str) -> list[tuple[str, str]]:
    return [
        (result.message.recipient.split("@")[0], result.outcome)
        for result in sender.send(letters(*recipients), lambda _: None)
    ]


def test_what_is_unknown_or_refused_stays_so_and_the_rest_goes_elsewhere() -> None:
    with MailServer() as first, MailServer() as second:
        sender = open_sender(f"smtp://127.0.0.1:{first.port}?timeout=5 smtp://127.0.0.1:{second.port}?timeout=5")
        assert isinstance(sender, FailoverSender)
        names = ("ok", "hard", "drop", "drop-2", "last")  # two connections without an answer: the first counts as away
        assert outcomes(sender, *[f"{name}@x.example" for name in names]) == [
            ("ok", "sent"),
            ("hard", "failed"),
            ("drop", "unknown"),
            ("drop-2", "unknown"),
            ("last", "sent"),
        ]
        assert (first.recipients, second.recipients) == (["ok@x.example"], ["last@x.example"])
        assert outcomes(sender, "next@x.example") == [("next", "sent")]
        assert second.recipients[-1] == "next@x.example", "the first rests for a while"
        sender.close()


def test_when_none_can_be_reached_the_words_of_the_last_are_said_and_nothing_was_accepted() -> None:
    with MailServer(banner=b"421 4.3.2 full") as first, MailServer(banner=b"421 4.3.2 closed") as second:
        sender = open_sender(f"smtp://127.0.0.1:{first.port} smtp://127.0.0.1:{second.port}")
        handed: list[Message] = []
        with pytest.raises(SenderUnavailable, match="closed"):
            list(sender.send(letters("a@x.example"), handed.append))
        assert handed == []


def test_a_sender_that_refuses_us_is_no_reason_to_go_elsewhere() -> None:
    with MailServer(sender_answer=b"550 5.7.1 not you") as first, MailServer() as second:
        sender = open_sender(f"smtp://127.0.0.1:{first.port} smtp://127.0.0.1:{second.port}")
        with pytest.raises(SenderRefused, match="not you"):
            list(sender.send(letters("a@x.example"), lambda _: None))
        assert second.recipients == []


def test_limits_stand_behind_the_first_and_hold_for_all() -> None:
    assert limits_in("smtp://a.example?rate=5 smtp://b.example").rate == 5
    with pytest.raises(ConfigError, match="behind the first"):
        open_sender("smtp://a.example smtp://b.example?rate=5")
