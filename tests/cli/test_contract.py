"""Names, fields and exit codes that other programs rely on."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

GATHERED = {"feeds", "ok", "not_modified", "failed", "articles_new", "articles_seen", "seconds"}
LEDGER = {"audience", "queued", "sending", "sent", "skipped", "failed", "unknown"}


def the_issue(sample: Run) -> int:
    """The id of the issue that was sent."""
    return next(row["id"] for row in sample("issue", "list", "--json").json["issues"] if row["state"] == "sent")


def test_gather_reports_its_numbers(sample: Run) -> None:
    result = sample("gather", "--json")
    assert (result.code, result.json.keys() >= GATHERED) == (0, True)
    assert result.json["feeds"] == result.json["ok"] + result.json["not_modified"] + result.json["failed"]
    assert result.json["articles_new"] == 0


def test_an_issue_says_of_each_story_where_it_comes_from_and_why_it_stands_there(sample: Run) -> None:
    shown = sample("issue", "show", str(the_issue(sample)), "--json").json
    stories = [story for section in shown["sections"] for story in section["stories"]]
    fields = {"id", "headline", "url", "source", "topics", "articles", "sources", "score"}
    assert len(stories) > 10
    for story in stories:
        assert story.keys() >= fields
        assert story["score"]["total"] == pytest.approx(sum(story["score"]["parts"].values()), abs=1e-5)
    assert max(story["sources"] for story in stories) >= 5


def test_the_ledger_adds_up(sample: Run) -> None:
    numbers = sample("issue", "audit", str(the_issue(sample)), "--json").json
    assert numbers.keys() == LEDGER
    assert numbers["audience"] == sum(value for name, value in numbers.items() if name != "audience")
    assert numbers["sent"] > 0


def test_a_forecast_speaks_of_what_lies_ahead_only(sample: Run) -> None:
    refused = sample("issue", "forecast", str(the_issue(sample)))
    assert (refused.code, "digest issue audit" in refused.err) == (1, True)
    ahead = [row["id"] for row in sample("issue", "list", "--json").json["issues"] if row["state"] == "draft"]
    told = sample("issue", "forecast", str(ahead[0]), "--json").json
    assert told.keys() == {
        "issue", "audience", "recipients", "settled", "skipped", "skips", "cuts", "largest", "first_at", "last_at",
        "sender_hours", "done_at", "shortfall",
    }  # fmt: skip
    assert told["audience"] == told["recipients"] + told["settled"] + told["skipped"]


def test_preflight_reports_findings_and_the_sizes_of_the_mails(sample: Run) -> None:
    done = sample("issue", "preflight", str(the_issue(sample)), "--json")
    assert (done.code, done.json["errors"], done.json["links"]) == (0, 0, 0)
    assert all(row.keys() == {"id", "level", "where", "message"} for row in done.json["findings"])
    cuts = done.json["cuts"]
    assert cuts["distinct"] > 2
    assert 10_000 < cuts["smallest"] < cuts["largest"] <= 102_400


def test_an_issue_is_printed_again_from_its_manifest_byte_for_byte(sample: Run) -> None:
    done = sample("issue", "rebuild", str(the_issue(sample)), "--json")
    assert (done.code, done.json["same"], done.json["difference"], done.json["reasons"]) == (0, True, "", [])
    assert done.json["fragments"] > 20


def test_nothing_is_unknown_where_nothing_was_lost(sample: Run) -> None:
    done = sample("issue", "reconcile", str(the_issue(sample)), "--json")
    assert (done.code, done.json) == (
        0, {"issue": the_issue(sample), "found": 0, "resent": 0, "considered_sent": 0, "unknown": 0, "left": []},
    )  # fmt: skip
    both = sample("issue", "reconcile", str(the_issue(sample)), "--resend", "--consider-sent")
    assert (both.code, "not both" in both.err) == (2, True)


@pytest.mark.parametrize(("form", "begins"), [("html", "<!doctype html"), ("text", ""), ("eml", "to:")])
def test_an_issue_is_rendered_to_a_file(sample: Run, tmp_path: Path, form: str, begins: str) -> None:
    out = tmp_path / "mail"
    result = sample("issue", "render", str(the_issue(sample)), "--format", form, "--out", str(out))
    assert (result.code, result.out) == (0, "")
    assert out.read_text(encoding="utf-8").lower().startswith(begins)
    assert out.stat().st_size > 2000


def test_rendering_for_topics_leaves_the_others_out(sample: Run) -> None:
    issue = str(the_issue(sample))
    whole = sample("issue", "render", issue, "--format", "text").out
    part = sample("issue", "render", issue, "--format", "text", "--topics", "bitcoin").out
    assert 0 < len(part) < len(whole)


def test_rendering_for_a_subscriber_gives_the_mail_in_the_outbox(sample: Run, tmp_path: Path) -> None:
    issue = str(the_issue(sample))
    address = next(
        row["address"]
        for row in sample("subscribers", "list", "--json").json["subscribers"]
        if row["state"] == "active" and row["newsletter"] == "clearing-price" and row["frequency"] == "every-issue"
    )
    out = tmp_path / "one.eml"
    assert sample("issue", "render", issue, "--subscriber", address, "--format", "eml", "--out", str(out)).code == 0
    assert f"To: {address}" in out.read_text() or f"<{address}>" in out.read_text()


def test_running_again_sends_nothing(sample: Run) -> None:
    issue = the_issue(sample)
    before = sample("issue", "audit", str(issue), "--json").json
    again = sample("run", "--once", "--json")
    assert (again.code, again.json["ok"]) == (0, True)
    assert sample("issue", "audit", str(issue), "--json").json == before
    assert the_issue(sample) == issue


def test_a_draft_at_a_time_is_made_once(sample: Run) -> None:
    first = sample("draft", "clearing-price", "--at", "2026-01-05T06:00:00Z", "--json")
    again = sample("draft", "clearing-price", "--at", "2026-01-05T06:00:00Z", "--json")
    assert first.code == again.code == 0
    assert first.json.keys() >= {"issue", "stories", "sections"}
    assert first.json["issue"] == again.json["issue"]


def test_subscribers_go_out_to_a_file_and_come_back_in(sample: Run, tmp_path: Path) -> None:
    file = tmp_path / "readers.csv"
    assert (
        sample("subscribers", "add", "new.reader@example.org", "--confirmed", "--newsletter", "clearing-price").code
        == 0
    )
    assert sample("subscribers", "export", str(file), "--json").json["rows"] > 3
    assert "new.reader@example.org" in file.read_text()
    report = sample("subscribers", "import", str(file), "--dry-run", "--json").json
    assert (report["added"], report["dry_run"]) == (0, True)


def test_the_newsroom_goes_out_to_files_that_plan_no_change(sample: Run, tmp_path: Path) -> None:
    assert sample("newsroom", "check", "--json").json == {"ok": True, "problems": []}
    assert sample("newsroom", "plan", "--json").json == {"changes": []}
    assert len(sample("newsroom", "export", str(tmp_path / "out"), "--json").json["files"]) >= 6


def test_feeds_are_listed_with_their_health(sample: Run) -> None:
    feeds = {row["name"]: row for row in sample("feeds", "list", "--json").json["feeds"]}
    broken = feeds["The Night Desk"]
    assert broken["state"] == "failing"
    assert broken["last_error"]
    assert feeds["Harbor Wire"]["state"] == "ok"


def test_a_private_address_is_refused_as_a_feed(sample: Run) -> None:
    result = sample("feeds", "add", "http://127.0.0.1:1/rss", "--json")
    assert result.code == 1
    assert "127.0.0.1" in result.err
    assert "error" in json.loads(result.out)


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["issue", "show", "999"], 1, "no issue 999"),
        (["draft", "nowhere"], 1, "no newsletter 'nowhere'; there are: clearing-price, asia-close, al-maqassa"),
        (["draft", "clearing-price", "--at", "yesterday"], 2, "no ISO time"),
        (["issue", "render", "1", "--format", "pdf"], 2, "--format"),
        (["issue", "shwo", "1"], 2, "shwo"),
        (["gahter"], 2, "did you mean 'gather'"),
        (["subscribers", "add", "not-an-address"], 2, "address"),
        (["subscribers", "import", "nowhere.csv"], 2, "nowhere.csv"),
    ],
)
def test_what_is_called_wrongly_says_so(sample: Run, args: list[str], code: int, words: str) -> None:
    result = sample(*args)
    assert result.code == code, result.err
    assert words in " ".join(result.err.split())
    assert "Traceback" not in result.err
