"""Mails leave in waves, under a rate and under numbers a day."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.domain.outflow import outflow

MORNING = datetime(2026, 3, 12, 6, 0, tzinfo=UTC)


def test_without_a_limit_all_leave_when_they_are_due() -> None:
    found = outflow({MORNING: 1000, MORNING + timedelta(hours=5): 10})
    assert (found.seconds, found.done_at, found.shortfall) == (0.0, MORNING + timedelta(hours=5), 0)


def test_a_rate_takes_its_time_and_a_later_wave_waits_for_its_hour() -> None:
    found = outflow({MORNING: 7200, MORNING + timedelta(hours=5): 3600}, rate=1.0)
    assert (found.seconds, found.done_at) == (10800.0, MORNING + timedelta(hours=6))
    found = outflow({MORNING: 7200, MORNING + timedelta(hours=1): 3600}, rate=1.0)
    assert found.done_at == MORNING + timedelta(hours=3)


def test_a_warm_up_leaves_a_shortfall_for_the_next_days() -> None:
    steps = (50, 100)
    found = outflow({MORNING: 500}, cap=lambda day: steps[day] if day < 2 else None, sent_today=20)
    assert found.shortfall == 470
    assert found.done_at == datetime(2026, 3, 14, tzinfo=UTC)
    assert outflow({MORNING: 1}, cap=lambda _day: 0).done_at is None


def test_the_slowest_domain_decides() -> None:
    found = outflow({MORNING: 1000}, rate=100.0, domains=[(600, 1.0), (10, 5.0)])
    assert (found.seconds, found.done_at) == (600.0, MORNING + timedelta(minutes=10))


@given(
    st.dictionaries(st.integers(0, 72), st.integers(1, 5000), min_size=1, max_size=6),
    st.sampled_from([None, 0.5, 3.0, 100.0]),
    st.sampled_from([None, 100, 2000]),
)
def test_nothing_leaves_before_it_is_due_nor_faster_than_allowed(
    hours: dict[int, int], rate: float | None, daily: int | None
) -> None:
    waves = {MORNING + timedelta(hours=hour): count for hour, count in hours.items()}
    found = outflow(waves, rate=rate, cap=lambda _day: daily)
    assert found.done_at is not None
    assert found.done_at >= max(waves)
    total = sum(waves.values())
    if rate:
        assert (found.done_at - min(waves)).total_seconds() >= total / rate - 1
    if daily:
        assert (found.done_at.date() - MORNING.date()).days + 1 >= total / daily
        assert found.shortfall <= total
