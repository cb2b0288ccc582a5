import csv
import json
from pathlib import Path

import pytest

from digest.cli.root import application
from digest.errors import ConfigError, UsageError


def lab(*words: object) -> None:
    application(["lab"])(["lab", *map(str, words)], standalone_mode=False)


def lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    hour = 3600
    seen = [
        ("wide", "A", 20),
        ("wide", "B", 21),
        ("wide", "C", 22),
        ("lone", "A", 22),
        ("old", "B", -30),
        ("next", "C", 25),
    ]
    return lines(
        tmp_path / "in.jsonl",
        [{"story": s, "title": s, "source": o, "ts": 1_700_000_000 + h * hour} for s, o, h in seen],
    )


TIME = "2023-11-15T22:13:20Z"  # 24 hours after 1,700,000,000


def test_rank_scores_stories_of_the_window_from_what_was_known_then(stream: Path, tmp_path: Path) -> None:
    (tmp_path / "times.txt").write_text(TIME + "\n")
    lab("rank", stream, "--times", tmp_path / "times.txt", "--window", "24h", "--out", tmp_path / "out.csv")
    assert [row["id"] for row in rows(tmp_path / "out.csv")] == [f"wide@{TIME}", f"lone@{TIME}"]


def test_explain_says_parts_gaps_and_what_would_lead(stream: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab("explain", stream, "--at", TIME, "--story", "lone")
    said = capsys.readouterr().out
    assert said.startswith("#2 of 2: lone (")
    assert "coverage: one independent outlet: A" in said
    assert "behind #1" in said
    assert "would be #1 if" in said


def test_rank_by_record_learns_from_earlier_groups_alone(tmp_path: Path) -> None:
    items = [
        {"id": f"{day}-{site}", "group": day, "title": "x", "url": f"https://{site}.example/{day}"}
        for day in ("d1", "d2") for site in ("good", "bad")
    ]  # fmt: skip
    gold = tmp_path / "gold.csv"
    gold.write_text("id,group,gain\nd1-good,d1,100\nd1-bad,d1,1\nd2-good,d2,0\nd2-bad,d2,900\n")
    lab("rank", lines(tmp_path / "in.jsonl", items), "--gold", gold, "--out", tmp_path / "out.csv")
    score = {row["id"]: float(row["score"]) for row in rows(tmp_path / "out.csv")}
    assert score["d1-good"] == score["d1-bad"] == 0.0
    assert score["d2-good"] > 0 > score["d2-bad"]


def test_rank_by_record_learns_from_other_rows_too_but_never_from_its_own(tmp_path: Path) -> None:
    def item(ident: str, site: str) -> dict[str, str]:
        return {"id": ident, "group": "d1", "title": "x", "url": f"https://{site}.example/{ident}"}

    gold = tmp_path / "gold.csv"
    gold.write_text("id,gain\nt1,100\nt2,1\none,0\ntwo,900\n")
    taught = lines(tmp_path / "train.jsonl", [item("t1", "good"), item("t2", "bad"), item("two", "bad")])
    asked = lines(tmp_path / "in.jsonl", [item("one", "good"), item("two", "bad")])
    lab("rank", asked, "--gold", gold, "--train", taught, "--out", tmp_path / "out.csv")
    score = {row["id"]: float(row["score"]) for row in rows(tmp_path / "out.csv")}
    assert score["one"] > 0 > score["two"]


def test_classify_names_the_topic_learned_from_labelled_texts(tmp_path: Path) -> None:
    texts = [{"id": f"t{n}", "text": t} for n, t in enumerate(["a goal in the match", "rates and bonds"] * 4)]
    gold = tmp_path / "gold.csv"
    gold.write_text("id,topic\n" + "".join(f"t{n},{'money' if n % 2 else 'sport'}\n" for n in range(8)))
    new = lines(tmp_path / "in.jsonl", [{"id": "n", "text": "bonds fall"}, {"id": "m", "text": "late goal"}])
    lab("classify", new, "--train", lines(tmp_path / "train.jsonl", texts), "--gold", gold, "--out", tmp_path / "o.csv")
    assert [(row["id"], row["topic"]) for row in rows(tmp_path / "o.csv")] == [("n", "money"), ("m", "sport")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[ranking]\nfreshness = 1.0\ncoverage = -2\n", r"weights.toml:3: ranking.coverage: is -2, but must be from 0"),
        ("[ranking]\n\nspeed = 1\n", r"weights.toml:3: ranking.speed: unknown key"),
    ],
)
def test_weights_that_make_no_sense_are_named_by_file_line_and_key(
    stream: Path, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "weights.toml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        lab("explain", stream, "--at", TIME, "--weights", tmp_path / "weights.toml")


@pytest.mark.parametrize("window", ["day", "0h", "24"])
def test_a_window_that_is_none_is_refused(stream: Path, window: str) -> None:
    with pytest.raises(UsageError, match="--window"):
        lab("explain", stream, "--at", TIME, "--window", window)
