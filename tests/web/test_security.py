"""What protects every page."""

import tomllib
from datetime import timedelta
from hashlib import sha256
from http.cookies import SimpleCookie

import pytest
from fastapi import Request, Response

from digest.web import security
from digest.web.pages import STATIC, asset_url
from digest.web.security import Forbidden, RateLimiter, client_address, networks
from digest.workflows import subscribe
from digest.workflows.context import Context
from tests.conftest import Clock
from tests.web.conftest import Client
from tests.web.house import publish


def asked(*, cookie: str = "", client: str = "203.0.113.9", **headers: str) -> Request:
    sent = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    if cookie:
        sent.append((b"cookie", f"{security.SESSION_COOKIE}={cookie}".encode()))
    return Request({"type": "http", "headers": sent, "client": (client, 1234), "method": "POST", "path": "/"})


def test_vendored_files_are_as_they_were_published() -> None:
    listed = tomllib.loads((STATIC / "vendor" / "VENDORED.toml").read_text("utf-8"))["file"]
    present = {path.name: sha256(path.read_bytes()).hexdigest() for path in (STATIC / "vendor").iterdir()}
    present.pop("VENDORED.toml")
    assert {each["name"]: each["sha256"] for each in listed} == present
    assert all(each["version"] in each["name"] and len(each["license_text"]) > 100 for each in listed)


@pytest.mark.parametrize("path", ["/", "/preferences", "/nothing-here", "/confirm/x", "/archive/ledger", "/healthz"])
def test_every_answer_carries_the_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Strict-Transport-Security" not in headers


def test_an_issue_may_have_its_inline_styles_but_no_script(client: Client, ctx: Context) -> None:
    policy = client.get(f"/archive/ledger/{publish(ctx)}").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert f"img-src 'self' data: {ctx.public_url};" in policy
    assert "script-src" not in policy


def test_no_page_uses_anything_from_another_host_or_an_inline_script(client: Client) -> None:
    for path in ("/", "/preferences", "/archive/ledger", "/embed/ledger", "/nothing-here"):
        page = client.get(path).text
        assert "<script>" not in page
        assert " style=" not in page
        assert 'src="http' not in page
        assert '<link rel="stylesheet" href="http' not in page


def test_style_sheets_may_be_kept_for_ever_under_an_address_that_changes_with_them(client: Client) -> None:
    response = client.get(asset_url("base.css"))
    assert response.headers["Content-Type"].startswith("text/css")
    assert "immutable" in response.headers["Cache-Control"]
    assert "immutable" not in client.get("/static/base.css").headers["Cache-Control"]


def test_a_bug_is_answered_with_a_calm_page_and_all_headers(
    client: Client, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(subscribe, "confirmation_of", broken)
    answer = client.get("/confirm/x")
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/media/../digest.db", "/media/x.png", "/media/" + "a" * 64 + ".exe"])  # fmt: skip
def test_nothing_outside_the_public_folders_is_served(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_hosted_picture_may_be_kept_for_ever_and_runs_nothing(client: Client, ctx: Context) -> None:
    ctx.media.mkdir(parents=True)
    name = f"{'ab' * 32}.png"
    (ctx.media / name).write_bytes(b"\x89PNG")
    response = client.get(f"/media/{name}")
    assert response.content == b"\x89PNG"
    assert response.headers["Content-Type"] == "image/png"
    assert "immutable" in response.headers["Cache-Control"]
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_the_machines_that_watch_over_it_get_an_answer(client: Client) -> None:
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").json() == {"database": "ok"}


def test_a_database_that_does_not_answer_is_not_ready(client: Client, ctx: Context) -> None:
    object.__setattr__(ctx, "db", type(ctx.db)("postgresql://nobody@127.0.0.1:1/none"))
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_a_body_that_is_too_long_is_refused(client: Client) -> None:
    assert client.post("/subscribe", data={"address": "x" * 1_100_000}).status_code == 413


def test_a_body_that_hides_its_length_is_refused_too(client: Client) -> None:
    def endless() -> object:
        yield b"address="
        for _ in range(30):
            yield b"x" * 50_000

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/subscribe", data=endless(), headers=headers).status_code == 413


def test_an_uploaded_file_is_refused(client: Client) -> None:
    assert client.post("/subscribe", files={"address": ("a.txt", b"rosa@example.org")}).status_code == 400


def test_every_wrong_link_gets_the_same_page(client: Client) -> None:
    pages = {
        client.get(path).text
        for path in (
            "/nothing",
            "/confirm/abc",
            "/preferences/abc",
            "/unsubscribe/abc",
            "/archive/no",
            "/archive/ledger/9",
        )
    }
    assert len(pages) == 1


def test_an_error_page_escapes_what_it_repeats(client: Client) -> None:
    page = client.post("/subscribe", data={"address": "<script>alert(1)</script>@x"}).text
    assert "<script>" not in page


# --- sessions -----------------------------------------------------------------------------------------------------


def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites() -> None:
    response = Response()
    security.set_session(response, "secret", public_url="https://news.example.com", max_age=timedelta(days=1))
    cookie = SimpleCookie(response.headers["Set-Cookie"])[security.SESSION_COOKIE]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["path"]) == (True, True, "lax", "/desk")
    assert cookie["max-age"] == "86400"


def test_a_form_of_the_session_passes_by_field_or_header() -> None:
    request = asked(cookie="one")
    token = security.csrf_token(request)
    assert f'name="csrf" value="{token}"' in security.csrf_field(request)
    security.check_csrf(request, {"csrf": token})
    security.check_csrf(asked(cookie="one", x_csrf_token=token), {})


@pytest.mark.parametrize(
    ("cookie", "form"),
    [
        ("one", {}),
        ("one", {"csrf": ""}),
        ("one", {"csrf": security.csrf_token(asked(cookie="another"))}),
        ("", {"csrf": security.csrf_token(asked())}),
        ("", {}),
        ("one", {"csrf": "ümlaut"}),
    ],
)
def test_a_form_of_another_site_does_not_pass(cookie: str, form: dict[str, object]) -> None:
    with pytest.raises(Forbidden):
        security.check_csrf(asked(cookie=cookie), form)


def test_readers_never_get_a_cookie(client: Client) -> None:
    for path in ("/", "/preferences", "/archive/ledger"):
        assert "Set-Cookie" not in client.get(path).headers
    form = {"address": "a@example.org", "newsletters": "week"}
    assert "Set-Cookie" not in client.post("/subscribe", data=form).headers


# --- who asks, and how often --------------------------------------------------------------------------------------

PROXIES = networks(["10.0.0.0/8", " ::1", ""])


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody's proxy: its word counts for nothing
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the client wrote the first one itself
        ("10.0.0.1", "198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_client_is_whom_a_trusted_proxy_saw(peer: str, forwarded: str, expected: str) -> None:
    assert client_address(asked(client=peer, x_forwarded_for=forwarded), PROXIES) == expected


def test_without_configuration_no_forwarded_address_is_believed() -> None:
    assert client_address(asked(client="127.0.0.1", x_forwarded_for="198.51.100.1")) == "127.0.0.1"


def test_the_window_slides(clock: Clock) -> None:
    limiter = RateLimiter(2, timedelta(minutes=10), clock)
    assert limiter.allows("a")
    clock.advance(minutes=9)
    assert limiter.allows("a")
    assert not limiter.allows("a")
    assert limiter.allows("b")
    clock.advance(minutes=1)
    assert limiter.allows("a")
    assert not limiter.allows("a")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_a_client_is_its_network_where_it_can_choose_addresses(
    clock: Clock, one: str, other: str, is_same: bool
) -> None:
    limiter = RateLimiter(1, timedelta(minutes=10), clock)
    limiter.allows(one)
    assert limiter.allows(other) is not is_same


def test_memory_is_bounded_and_the_past_is_forgotten(clock: Clock) -> None:
    limiter = RateLimiter(1, timedelta(minutes=10), clock, max_clients=2)
    assert [limiter.allows(name) for name in ("a", "b", "c")] == [True, True, False]
    clock.advance(minutes=10)
    assert limiter.allows("c")


def test_a_client_that_sends_too_many_forms_is_asked_to_wait(client: Client, clock: Clock) -> None:
    answers = [client.post("/preferences", data={"address": "a@example.org"}) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[-1].headers["Retry-After"] == "3600"
    clock.advance(hours=1)
    assert client.post("/preferences", data={"address": "a@example.org"}).status_code == 200


def test_https_is_remembered_where_there_is_https() -> None:
    headers = security.page_headers("https://news.example.com")
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
