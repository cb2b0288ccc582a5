"""News by push: our real pages and a real hub, both on loopback, talk to each other over HTTP."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import requests
from pytest_httpserver import HTTPServer
from sqlmodel import select
from werkzeug import Request, Response

from digest.domain.newsroom import FeedSpec, Newsroom
from digest.feeds.fetch import Fetcher
from digest.store.database import Database
from digest.store.feed_health import health
from digest.store.newsroom import write_newsroom
from digest.store.tables import Article, Feed, WebSub
from digest.web.app import create_app
from digest.workflows.context import Context
from digest.workflows.gather import gather
from digest.workflows.websub import callback, tend_subscriptions
from tests.conftest import Clock
from tests.web.house import listening_socket, make_context, served
from tests.workflows.test_gather import item, rss

TOPIC = "https://news.example/feed"


@dataclass
class World:
    """The house, the hub, and what the hub was asked."""

    ctx: Context
    hub: HTTPServer
    asked: list[dict[str, str]] = field(default_factory=list)

    def verify(self, **changed: str) -> requests.Response:
        """The hub's question, as the standard words it."""
        asked = self.asked[-1]
        params = {
            "hub.mode": asked["hub.mode"], "hub.topic": asked["hub.topic"], "hub.challenge": "c-42", "hub.lease_seconds": "864000",
        } | {f"hub.{name}": value for name, value in changed.items()}  # fmt: skip
        return requests.get(asked["hub.callback"], params=params, timeout=10)

    def push(
        self, body: str, *, secret: str | None = None, method: str = "sha256", **headers: str
    ) -> requests.Response:
        asked = self.asked[0]
        digest = hmac.new((secret or asked["hub.secret"]).encode(), body.encode(), method).hexdigest()
        headers = {"X-Hub-Signature": f"{method}={digest}", **headers}
        return requests.post(asked["hub.callback"], data=body.encode(), headers=headers, timeout=10)

    @property
    def row(self) -> WebSub:
        with self.ctx.db.read() as session:
            return session.exec(select(WebSub)).one()

    @property
    def feed(self) -> Feed:
        with self.ctx.db.read() as session:
            return session.exec(select(Feed)).one()

    @property
    def articles(self) -> list[str]:
        with self.ctx.db.read() as session:
            return [article.title for article in session.exec(select(Article).order_by(Article.id))]  # type: ignore[arg-type]


@pytest.fixture
def world(db: Database, clock: Clock, tmp_path: Path, httpserver: HTTPServer) -> Iterator[World]:
    listener = listening_socket()
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ctx = make_context(db, clock, tmp_path, origin)
    ctx = replace(ctx, fetcher=Fetcher(frozenset({"127.0.0.1", "localhost"})))
    made = World(ctx, httpserver)

    def asked(request: Request) -> Response:
        made.asked.append({name: values[0] for name, values in parse_qs(request.get_data(as_text=True)).items()})
        return Response(status=202)

    links = f'<{httpserver.url_for("/hub")}>; rel="hub", <{TOPIC}>; rel="self"'
    httpserver.expect_request("/feed").respond_with_data(rss(item(1)), headers={"Link": links})
    httpserver.expect_request("/hub", method="POST").respond_with_handler(asked)
    with db.write() as session:
        write_newsroom(session, Newsroom(feeds=(FeedSpec(httpserver.url_for("/feed"), "Wire"),)), clock())
    with served(create_app(ctx), listener):
        yield made
    ctx.fetcher.close()


@pytest.fixture
def active(world: World) -> World:
    gather(world.ctx)
    assert tend_subscriptions(world.ctx) == 1
    answer = world.verify()
    assert (answer.status_code, answer.text) == (200, "c-42")
    return world


def test_a_feed_that_names_a_hub_is_subscribed_and_the_challenge_given_back(active: World, clock: Clock) -> None:
    asked = active.asked[0]
    assert (asked["hub.mode"], asked["hub.topic"]) == ("subscribe", TOPIC)
    assert asked["hub.callback"] == callback(active.ctx, active.row.feed_id)
    assert len(asked["hub.secret"]) >= 32
    assert (active.row.state, active.row.lease_until) == ("active", clock() + timedelta(days=10))
    assert tend_subscriptions(active.ctx) == 0
    with active.ctx.db.read() as session:
        (feed,) = health(session, clock())
    assert (feed.push, feed.push_until, feed.push_why) == ("active", clock() + timedelta(days=10), "")


@pytest.mark.parametrize(
    "changed", [{"topic": "https://other.example/feed"}, {"mode": "unsubscribe"}, {"challenge": ""}, {"lease_seconds": "0"}]
)  # fmt: skip
def test_a_question_that_is_not_about_what_we_asked_is_not_confirmed(world: World, changed: dict[str, str]) -> None:
    gather(world.ctx)
    tend_subscriptions(world.ctx)
    assert world.verify(**changed).status_code == 404
    assert world.row.state == "asked"


def test_a_question_about_nothing_we_asked_or_under_a_forged_link_is_not_confirmed(active: World) -> None:
    assert active.verify().status_code == 404  # was confirmed already
    forged = active.asked[0]["hub.callback"][:-2] + "AA"
    assert requests.get(forged, params={"hub.mode": "subscribe", "hub.topic": TOPIC}, timeout=10).status_code == 404


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_what_is_pushed_with_our_secret_is_kept_once(active: World, method: str) -> None:
    body = rss(item(1), item(2, title="Pushed &amp; kept"))
    assert [active.push(body, method=method).text for _ in range(2)] == ["1 new\n", "0 new\n"]
    assert active.articles == ["Headline number 1", "Pushed & kept"]


@pytest.mark.parametrize(
    "signature", [None, "", "sha256=", "sha256=00", "md5={}", "sha256={}00", "none={}", "{}"]
)  # fmt: skip
def test_content_without_a_valid_hmac_is_refused(active: World, signature: str | None) -> None:
    body = rss(item(2))
    right = hmac.new(active.asked[0]["hub.secret"].encode(), body.encode(), hashlib.sha256).hexdigest()
    headers = {} if signature is None else {"X-Hub-Signature": signature.format(right)}
    answer = requests.post(active.asked[0]["hub.callback"], data=body.encode(), headers=headers, timeout=10)
    assert (answer.status_code, active.articles) == (403, ["Headline number 1"])


def test_content_signed_with_another_secret_or_altered_is_refused_and_what_is_no_feed_too(active: World) -> None:
    assert active.push(rss(item(2)), secret="another").status_code == 403
    assert active.push("<html>").status_code == 422
    assert active.articles == ["Headline number 1"]


def test_a_push_of_a_feed_whose_pages_are_read_makes_it_due_at_once(active: World, clock: Clock) -> None:
    tend_subscriptions(active.ctx)
    with active.ctx.db.write() as session:
        session.exec(select(Feed)).one().full_text = True
    clock.advance(minutes=5)
    assert active.push(rss(item(2))).status_code == 202
    tend_subscriptions(active.ctx)
    assert (active.feed.next_check_at, active.articles) == (clock(), ["Headline number 1"])


def test_a_lease_is_renewed_before_it_ends(active: World, clock: Clock) -> None:
    clock.advance(days=8)
    assert tend_subscriptions(active.ctx) == 0
    clock.advance(days=1)
    assert tend_subscriptions(active.ctx) == 1
    assert active.verify().status_code == 200
    assert active.row.lease_until == clock() + timedelta(days=10)
    assert active.asked[1]["hub.secret"] == active.asked[0]["hub.secret"]


def test_while_a_hub_is_alive_its_feed_is_polled_seldom_and_when_the_lease_runs_out_at_once(
    active: World, clock: Clock
) -> None:
    tend_subscriptions(active.ctx)
    assert active.feed.next_check_at == clock() + timedelta(hours=3)
    clock.advance(days=10, seconds=1)
    tend_subscriptions(active.ctx)
    assert (active.row.state, active.feed.next_check_at) == ("asked", clock())
    gather(active.ctx, due_only=True)
    tend_subscriptions(active.ctx)
    assert active.feed.next_check_at == clock() + timedelta(minutes=15)  # as its interval says


def test_a_refusal_leaves_the_feed_to_polling_with_the_hubs_reason(world: World, clock: Clock) -> None:
    gather(world.ctx)
    tend_subscriptions(world.ctx)
    assert world.verify(mode="denied", reason="no such topic").status_code == 200
    assert (world.row.state, world.row.why) == ("refused", "the hub refused: no such topic")
    tend_subscriptions(world.ctx)
    assert world.feed.next_check_at <= clock() + timedelta(minutes=15)


def test_a_hub_that_does_not_answer_is_asked_again_with_growing_pauses(world: World, clock: Clock) -> None:
    world.hub.clear()
    links = f'<{world.hub.url_for("/hub")}>; rel="hub"'
    world.hub.expect_request("/feed").respond_with_data(rss(item(1)), headers={"Link": links})
    world.hub.expect_request("/hub").respond_with_data("over capacity", status=503)
    gather(world.ctx)
    pauses = []
    for _ in range(6):
        assert tend_subscriptions(world.ctx) == 0
        pauses.append((world.row.act_at - clock()) / timedelta(hours=1))  # type: ignore[operator]
        clock.now = world.row.act_at  # type: ignore[assignment]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1, 24)
    assert "503: over capacity" in world.row.why


def test_a_feed_that_is_taken_out_leaves_its_hub_which_then_hears_410(active: World, clock: Clock) -> None:
    with active.ctx.db.write() as session:
        write_newsroom(session, Newsroom(), clock())
    assert tend_subscriptions(active.ctx) == 1
    assert active.asked[-1]["hub.mode"] == "unsubscribe"
    assert active.push(rss(item(2))).status_code == 410
    assert active.verify().text == "c-42"
    assert active.row.state == "ended"


@pytest.mark.parametrize(
    "hub", ["http://169.254.169.254/latest", "http://10.0.0.1/hub", "https://[::1]/hub", "http://hub.example/", "https://user@hub.example/", "http://2130706433/"]
)  # fmt: skip
def test_a_hub_at_a_forbidden_address_or_without_https_is_never_told_a_secret(
    world: World, hub: str, clock: Clock, make_hub: Callable[[str], None]
) -> None:
    make_hub(hub)
    gather(world.ctx)
    assert tend_subscriptions(world.ctx) == 0
    assert (world.asked, world.feed.failures) == ([], 0)
    with world.ctx.db.read() as session:
        rows = list(session.exec(select(WebSub)))
    assert all(row.state == "refused" and row.why for row in rows)


@pytest.fixture
def make_hub(world: World) -> Callable[[str], None]:
    def make(hub: str) -> None:
        world.hub.clear()
        world.hub.expect_request("/feed").respond_with_data(rss(item(1)), headers={"Link": f'<{hub}>; rel="hub"'})

    return make


def test_nothing_is_asked_while_no_hub_could_reach_us(world: World) -> None:
    gather(world.ctx)
    for unreachable in ("http://localhost:8000", "http://127.0.0.1:8000", "http://10.1.1.1"):
        shut = replace(world.ctx, public_url=unreachable, fetcher=Fetcher())
        assert tend_subscriptions(shut) == 0
    assert (world.asked, world.row.state) == ([], "wanted")
