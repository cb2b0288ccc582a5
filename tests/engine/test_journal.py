"""What a dead worker's journal tells those who come after it."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.engine import journal as room
from digest.engine.journal import Answer, Journal, living, settle_dead

SENT = Answer(1, "sent", "250 2.0.0", "queued as 7 “é”", "id-1")


def test_answered_and_unanswered_are_told_apart(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "w1", idempotent=True)
    journal.about(1)
    journal.done(SENT)
    journal.about(2)
    journal.about(3)
    journal.taken_back([3])
    journal.close()
    (estate,) = settle_dead(tmp_path)
    assert (estate.worker, estate.idempotent) == ("w1", True)
    assert estate.answered == {1: SENT}
    assert estate.unanswered == {2}
    assert list(tmp_path.iterdir()) == []


def test_the_latest_attempt_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "w1")
    journal.about(1)
    journal.done(Answer(1, "deferred", "450"))
    journal.about(1)
    journal.close()
    (estate,) = settle_dead(tmp_path)
    assert (estate.answered, estate.unanswered) == ({}, {1})


def test_a_living_worker_is_left_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "w1")
    journal.about(1)
    assert list(settle_dead(tmp_path)) == []
    assert living(tmp_path) == {"w1"}
    journal.close()
    assert living(tmp_path) == frozenset()


def test_a_journal_with_nothing_unrecorded_leaves_no_trace_unless_rows_may_be_in_hand(tmp_path: Path) -> None:
    with Journal(tmp_path, "w1") as journal:
        journal.about(1)
        journal.done(SENT)
        journal.recorded([1])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(LookupError), Journal(tmp_path, "w2"):
        raise LookupError
    assert [estate.worker for estate in settle_dead(tmp_path)] == ["w2"]


def test_a_line_torn_by_death_is_as_if_it_had_not_been_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "w1")
    journal.about(1)
    journal.about(2)
    journal.close()
    path = tmp_path / "w1.journal"
    whole = path.read_bytes()
    path.write_bytes(whole.rstrip(b"\0")[:-4].ljust(len(whole), b"\0"))
    (estate,) = settle_dead(tmp_path)
    assert estate.unanswered == {1}


def test_an_estate_that_could_not_be_settled_stays(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "w1")
    journal.about(1)
    journal.close()
    with pytest.raises(LookupError):
        for _ in settle_dead(tmp_path):
            raise LookupError
    assert [estate.unanswered for estate in settle_dead(tmp_path)] == [{1}]


def test_two_who_settle_at_once_do_not_get_the_same_estate(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "w1")
    journal.about(1)
    journal.close()
    first = settle_dead(tmp_path)
    assert next(first).worker == "w1"
    assert list(settle_dead(tmp_path)) == []
    assert list(first) == []


def test_a_killed_process_leaves_its_journal_unlocked_and_whole(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from digest.engine.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), 'w1'); journal.about(7); os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=root, check=False)
    assert [estate.unanswered for estate in settle_dead(tmp_path)] == [{7}]


def test_it_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ROOM", 512)
    journal = Journal(tmp_path, "w1")
    for number in range(200):
        journal.about(number)
        journal.done(Answer(number, "sent"))
        journal.recorded([number])
        assert os.path.getsize(tmp_path / "w1.journal") == 512
    journal.about(201)
    journal.close()
    (estate,) = settle_dead(tmp_path)
    assert (estate.worker, estate.unanswered) == ("w1", {201})


def test_what_is_unsettled_is_carried_over_when_it_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "ROOM", 256)
    journal = Journal(tmp_path, "w1")
    for number in range(100):
        journal.about(number)
        if number % 2:
            journal.done(Answer(number, "sent", "250"))
    journal.recorded(range(50))
    journal.about(1000)
    journal.close()
    (estate,) = settle_dead(tmp_path)
    assert estate.unanswered >= {*range(50, 100, 2), 1000}
    assert estate.answered.keys() >= set(range(51, 100, 2))


def test_a_full_disk_is_an_error_before_the_message_may_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(room, "ROOM", 256)
    journal = Journal(tmp_path, "w1")
    monkeypatch.setattr(os, "posix_fallocate", full)
    left = []
    with pytest.raises(OSError, match="No space left"):
        for number in range(100):
            journal.about(number)
            left.append(number)
    journal.close()
    (estate,) = settle_dead(tmp_path)
    assert estate.unanswered == set(left), "nothing that may have left is forgotten"


EVENTS = st.lists(st.tuples(st.sampled_from(["about", "done", "back"]), st.integers(1, 4)), max_size=20)


@given(EVENTS)
def test_what_was_about_to_leave_and_has_no_later_word_is_unanswered(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    journal = Journal(folder, "w1")
    last: dict[int, str] = {}
    for kind, number in events:
        if kind == "back" and last.get(number) == "done":
            continue  # nobody takes back what was answered
        last[number] = kind
        if kind == "about":
            journal.about(number)
        elif kind == "done":
            journal.done(Answer(number, "sent"))
        else:
            journal.taken_back([number])
    journal.close(keep=True)
    (estate,) = settle_dead(folder)
    assert estate.unanswered == {number for number, kind in last.items() if kind == "about"}
    assert estate.answered.keys() == {number for number, kind in last.items() if kind == "done"}
