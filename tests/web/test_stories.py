"""Stories at the desk, over real HTTP: what an editor sees, and surgery."""

from datetime import timedelta

import pytest
from sqlmodel import select

from digest.store import story_rules
from digest.store.tables import Article, Feed, Issue, Topic, TopicCorrection
from digest.workflows import stories
from tests.curation.make import EVENT, OTHERS
from tests.web.desk_house import csrf_of, sign_in
from tests.web.house import publish


@pytest.fixture
def news(ctx) -> dict[str, int]:
    """Six articles in four stories, all of a topic of The Ledger; the story of every title."""
    with ctx.db.write() as session:
        policy = session.get_one(Topic, "policy")
        policy.spec = {**policy.spec, "sources": ["A"]}
        feed = Feed(url="https://a.example/feed", name="A")
        session.add(feed)
        session.flush()
        for number, title in enumerate((*EVENT, *OTHERS)):
            at = ctx.clock() - timedelta(hours=number)
            session.add(
                Article(url=f"https://a.example/{number}", title=title, source=f"S{number}", feed_id=feed.id or 0,
                        summary=f"<b>{title}</b>", published_at=at, first_seen_at=at)
            )  # fmt: skip
    stories.regroup(ctx)
    return stories_of(ctx)


def stories_of(ctx) -> dict[str, int]:
    with ctx.db.read() as session:
        return {row.title: row.story_id or 0 for row in session.exec(select(Article))}


def ident(ctx, title: str) -> int:
    with ctx.db.read() as session:
        return session.exec(select(Article.id).where(Article.title == title)).one() or 0


def act(ctx, client, path: str, **form: object) -> str:
    return client.post(path, {"csrf": csrf_of(client), **form}).text


def test_stories_stand_as_they_would_rank_and_can_be_searched(ctx, client, news) -> None:
    sign_in(ctx, client)
    page = client.get("/desk/stories").text
    assert "4 could stand in an issue of The Ledger" in page
    assert all(title in page for title in OTHERS)
    only = client.get("/desk/stories?find=norway").text
    assert (OTHERS[0] in only, OTHERS[1] in only) == (True, False)
    assert "No headline of the last days has" in client.get("/desk/stories?find=zebra").text


def test_a_story_of_other_topics_is_no_candidate_and_says_so(ctx, client, news) -> None:
    with ctx.db.write() as session:
        other = Feed(url="https://b.example/feed", name="B")
        session.add(other)
        session.flush()
        session.exec(select(Article).where(Article.title == OTHERS[2])).one().feed_id = other.id or 0
    sign_in(ctx, client)
    page = client.get("/desk/stories").text
    assert "3 could stand in an issue of The Ledger that ended now, 1 has none of its topics, 0 are older" in page
    assert page.index(OTHERS[1]) < page.index(OTHERS[2]) < page.index("none of its topics</span>")
    one = client.get(f"/desk/stories/{news[OTHERS[2]]}").text
    assert "Not in the running for The Ledger: it has none of its topics" in one


def test_a_story_says_why_it_stands_there_and_what_would_make_it_the_first(ctx, client, news) -> None:
    sign_in(ctx, client)
    page = client.get(f"/desk/stories/{news[OTHERS[2]]}").text
    assert "Why is this #4?" in page
    assert "coverage" in page
    assert "would be #1 if an editor gave it" in page
    assert "behind <a" in page


def test_evidence_names_a_topic_as_readers_know_it(ctx, client, news) -> None:
    with ctx.db.write() as session:
        policy = session.get_one(Topic, "policy")
        policy.spec = {**policy.spec, "name": "Law & order"}
    sign_in(ctx, client)
    page = client.get(f"/desk/stories/{news[OTHERS[2]]}").text
    assert "Law &amp; order at " in page
    assert ">Law &amp; order</span>" in page


def test_what_is_new_since_the_last_issue_is_shown(ctx, client, news) -> None:
    with ctx.db.write() as session:
        row = session.exec(select(Article).where(Article.title == EVENT[0])).one()
        row.summary = "Police in Valletta arrested two engineers of the exchange on Thursday morning. It goes on."
        session.add(row)
    issue_id = publish(ctx)
    with ctx.db.write() as session:
        session.get_one(Issue, issue_id).window_end = ctx.clock() - timedelta(minutes=90)
    sign_in(ctx, client)
    page = client.get(f"/desk/stories/{news[EVENT[0]]}").text
    assert "New since the last issue" in page
    assert "<li>Police in Valletta arrested two engineers of the exchange on Thursday morning.</li>" in page


def test_an_editor_splits_moves_and_merges_and_takes_it_back(ctx, client, news) -> None:
    sign_in(ctx, client, "editor")
    story = f"/desk/stories/{news[EVENT[0]]}"
    page = act(ctx, client, story, do="split", articles=[ident(ctx, EVENT[1])])
    assert "A story of its own now" in page
    fresh = stories_of(ctx)[EVENT[1]]
    assert fresh != news[EVENT[0]]
    assert "Moved 1 here" in act(ctx, client, story, do="move", articles=[ident(ctx, EVENT[2])], to=fresh)
    assert "One story now" in act(ctx, client, story, do="merge", number=f"#{news[OTHERS[0]]}")
    after = stories_of(ctx)
    assert (after[EVENT[2]], after[OTHERS[0]]) == (fresh, news[EVENT[0]])
    page = client.get("/desk/stories/rules").text
    assert page.index("<strong>Merge") < page.index("<strong>Move") < page.index("<strong>Split")
    with ctx.db.read() as session:
        steps = story_rules.steps(session)
    for step in steps:
        assert "Taken back: its rules hold no more" in act(ctx, client, f"/desk/stories/steps/{step.id}/revoke")
    assert stories_of(ctx) == news
    assert "taken back already" in act(ctx, client, f"/desk/stories/steps/{steps[0].id}/revoke")


def test_what_makes_no_sense_is_said_so(ctx, client, news) -> None:
    sign_in(ctx, client, "editor")
    story = f"/desk/stories/{news[EVENT[0]]}"
    for form, words in (
        ({"do": "split"}, "choose some of its 3 articles"),
        ({"do": "move", "to": "1"}, "Tick the articles"),
        ({"do": "merge"}, "Choose the other story"),
        ({"do": "merge", "number": "999"}, "There is no story 999"),
        ({"do": "burn"}, "no step"),
    ):
        assert words in act(ctx, client, story, **form), form
    assert stories_of(ctx) == news


def test_articles_that_came_in_since_are_grouped_on_request(ctx, client, news) -> None:
    with ctx.db.write() as session:
        now = ctx.clock()
        session.add(Article(url="https://a.example/9", title="Late news of a comet", source="S9", feed_id=1, published_at=now - timedelta(minutes=1), first_seen_at=now))  # fmt: skip
    sign_in(ctx, client)
    assert "1 article came in since stories were last grouped" in client.get("/desk/stories").text
    assert "Grouped: 5 stories" in act(ctx, client, "/desk/stories/regroup")


def test_viewers_look_and_change_nothing(ctx, client, news) -> None:
    sign_in(ctx, client, "viewer")
    page = client.get(f"/desk/stories/{news[EVENT[0]]}").text
    assert 'name="articles"' not in page
    answer = client.post(f"/desk/stories/{news[EVENT[0]]}", {"csrf": csrf_of(client), "do": "split"})
    assert answer.status_code == 403
    assert client.post(f"/desk/stories/{news[EVENT[0]]}", {"do": "split"}).status_code == 403


@pytest.mark.parametrize("path", ["/desk/stories/99", "/desk/stories/x", "/desk/stories?newsletter=none"])
def test_what_is_not_there_is_said_so(path: str, ctx, client, news) -> None:
    sign_in(ctx, client)
    assert client.get(path).status_code == 404


def test_an_editor_says_which_articles_belong_to_a_topic_and_it_is_noted(ctx, client, news) -> None:
    sign_in(ctx, client)
    path, article = f"/desk/stories/{news[OTHERS[0]]}", ident(ctx, OTHERS[0])
    assert "The ticked belong to it" in client.get(path).text
    assert "choose the topic" in act(ctx, client, path, do="belongs", articles=article).lower()
    assert "tick the articles" in act(ctx, client, path, do="belongs", topic="policy").lower()
    said = act(ctx, client, path, do="belongs-not", topic="policy", articles=article)
    assert "Noted of 1 article. policy: the rules decide: 0 and 1 corrections" in said
    with ctx.db.read() as session:
        (row,) = session.exec(select(TopicCorrection))
    assert (row.topic, row.article_id, row.belongs) == ("policy", article, False)


def test_viewers_correct_no_topics(ctx, client, news) -> None:
    sign_in(ctx, client, "viewer")
    path = f"/desk/stories/{news[OTHERS[0]]}"
    assert "belong to it" not in client.get(path).text
    form = {"csrf": csrf_of(client), "do": "belongs", "topic": "policy", "articles": ident(ctx, OTHERS[0])}
    assert client.post(path, form).status_code == 403
