"""The limits that an operator writes behind the address of a sender."""

from datetime import timedelta

import pytest

from digest.domain.limits import Limits
from digest.errors import ConfigError
from digest.senders.open import limits_in, open_sender


def test_limits_stand_behind_every_kind_of_sender_and_are_not_its_own_options() -> None:
    options = (
        "rate=100&domain_rate=20,gmail.com:5,Outlook.com:30/m&domain_parallel=2&daily=2000&warm_up=50,100&give_up=24"
    )
    for dsn in (
        f"smtp://mail.example?{options}&tls=none",
        f"postmark://token@?{options}",
        f"file:///var/out?{options}",
    ):
        assert limits_in(dsn) == Limits(
            rate=100.0,
            domain_rate=20.0,
            domains={"gmail.com": 5.0, "outlook.com": 0.5},
            domain_parallel=2,
            daily=2000,
            warm_up=(50, 100),
            give_up=timedelta(hours=24),
        )
        open_sender(dsn)
    assert limits_in("digest.senders.local:MaildirSender?folder=/var/x&rate=3").rate == 3.0
    assert open_sender("digest.senders.local:MaildirSender?folder=/var/x&rate=3").name == "maildir"
    assert limits_in("smtp://mail.example") == Limits()


def test_a_rate_may_be_a_minutes_or_an_hours() -> None:
    assert limits_in("console://?rate=90/m").rate == 1.5
    assert limits_in("console://?rate=1800/hour").rate == 0.5
    assert limits_in("console://?rate=0.25").rate == 0.25


def test_days_of_the_warm_up_come_before_the_daily_limit() -> None:
    limits = Limits(warm_up=(50, 100), daily=2000)
    assert [limits.cap(days) for days in range(4)] == [50, 100, 2000, 2000]
    assert Limits(warm_up=(50,)).cap(1) is None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("rate=fast", "rate='fast' is no rate"),
        ("rate=0", "is no rate"),
        ("rate=5/day", "is no rate"),
        ("domain_rate=gmail:5", "names no domain"),
        ("domain_rate=gmail.com:x", "is no rate"),
        ("daily=0", "not a whole number above zero"),
        ("warm_up=50,,100", "no list of mails a day"),
        ("give_up=soon", "not a whole number above zero"),
    ],
)
def test_a_limit_that_can_not_be_read_is_refused_by_name(options: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        open_sender(f"smtp://me:geheim@mail.example?{options}")
    assert "geheim" not in str(caught.value)
