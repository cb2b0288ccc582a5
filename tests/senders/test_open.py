"""From ``DIGEST_SENDER`` to a sender, and what is said of one that can't be used."""

import io

import pytest

from digest.errors import ConfigError
from digest.senders.open import open_sender
from digest.senders.postmark import PostmarkSender
from digest.senders.smtp import SmtpSender


@pytest.mark.parametrize(
    ("dsn", "name"),
    [
        ("smtp://mail.example", "smtp mail.example:25"),
        ("smtp://me:pw@mail.example", "smtp mail.example:587"),
        ("smtps://mail.example", "smtp mail.example:465"),
        ("smtp://[::1]:2525?tls=none&timeout=5&per_connection=3&ehlo=me.example", "smtp ::1:2525"),
        ("postmark://token@", "postmark"),
        ("postmark://token@127.0.0.1:99?tls=none&stream=x", "postmark"),
        ("file:///var/out%20box", "maildir"),
        ("console://", "console"),
        ("digest.senders.local:MaildirSender?folder=/var/x", "maildir"),
    ],
)
def test_a_dsn_stands_for_a_sender(dsn: str, name: str) -> None:
    assert open_sender(dsn, stream=io.StringIO()).name == name


def test_passwords_are_percent_decoded_and_never_shown() -> None:
    sender = open_sender("smtp://me%40x.example:p%2Fw%23@mail.example")
    assert isinstance(sender, SmtpSender)
    assert (sender._entrance.user, sender._entrance.password) == ("me@x.example", "p/w#")
    assert "p/w#" not in sender.name


def test_without_a_host_it_is_postmarks_own_over_tls() -> None:
    sender = open_sender("postmark://token@")
    assert isinstance(sender, PostmarkSender)
    assert sender._url == "https://api.postmarkapp.com/email/batch"


@pytest.mark.parametrize(
    ("dsn", "problem"),
    [
        ("", "use smtp://"),
        ("mail.example", "use smtp://"),
        ("sendgrid://geheim@x", "use smtp://"),
        ("smtp://", "names no host"),
        ("smtp://me@mail.example", "both user and password"),
        ("smtp://me:geheim@mail.example:port", "can't be read"),
        ("smtp://me:ge#heim@mail.example", "can't be read|%23"),
        ("smtp://me:geheim@mail.example/path", "has a path"),
        ("smtp://me:geheim@mail.example?tsl=none", "unknown option 'tsl'"),
        ("smtp://me:geheim@mail.example?tls=maybe", "tls='maybe' is not one of"),
        ("smtps://me:geheim@mail.example?tls=none", "tls='none' is not one of required, verified"),
        ("smtp://me:geheim@mail.example?timeout=soon", "timeout='soon' is not a whole number"),
        ("smtp://me:geheim@mail.example?per_connection=0", "not a whole number above zero"),
        ("postmark://", "needs the server's API token"),
        ("postmark://geheim@api.example?tls=none", "in plain text"),
        ("file://outbox", "three slashes"),
        ("file:///", "three slashes"),
        ("console://?x=1", "unknown option 'x'"),
        ("no.such.module:Sender", "can't be loaded"),
        ("digest.senders.local:NoSuch", "can't be loaded"),
        ("digest.senders.local:MaildirSender?geheim=1", "does not take these options"),
        ("pathlib:Path", "is not a sender: it lacks idempotent, batch, send, close"),
    ],
)
def test_a_dsn_that_can_not_be_used_names_the_setting_and_shows_no_secret(dsn: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        open_sender(dsn)
    assert str(caught.value).startswith("DIGEST_SENDER: ")
    assert ":geheim" not in str(caught.value)
    assert "geheim@" not in str(caught.value)
    assert caught.value.__cause__ is None
