"""Links that lead to an article by way of somebody else."""

import pytest

from digest.feeds.detours import is_detour, unwrapped

INNER = "https://news.example/a?b=1"
HELD = "https%3A%2F%2Fnews.example%2Fa%3Fb%3D1"


@pytest.mark.parametrize(
    ("url", "inner"),
    [
        (f"https://www.google.com/url?rct=j&sa=t&url={HELD}&ct=ga&usg=x", INNER),
        (f"https://www.google.co.uk/url?q={HELD}", INNER),
        (f"http://www.bing.com/news/apiclick.aspx?ref=FexRss&aid=&url={HELD.lower()}&c=1", INNER),
        (f"https://l.facebook.com/l.php?u={HELD}&h=1", INNER),
        (f"https://news.example/share?url={HELD}", f"https://news.example/share?url={HELD}"),  # no wrapper that is known
        ("https://www.google.com/url?q=javascript%3A%2F%2Falert", "https://www.google.com/url?q=javascript%3A%2F%2Falert"),
        (f"https://google.com.evil.example/url?q={HELD}", f"https://google.com.evil.example/url?q={HELD}"),
        (INNER, INNER),
    ],
)  # fmt: skip
def test_an_aggregators_link_gives_the_address_that_it_holds(url: str, inner: str) -> None:
    assert unwrapped(url) == inner


@pytest.mark.parametrize(
    ("url", "detour"),
    [
        ("https://t.co/AbC", True),
        ("http://feedproxy.google.com/~r/Paper/~3/x/story", True),
        ("https://go.paper.example/k/2026", True),
        ("https://paper.example/redirect?id=7", True),
        ("https://paper.example/go/7", True),
        ("https://paper.example/r/7", True),
        ("https://www.reddit.com/r/news/comments/abc/title/", False),
        ("https://paper.example/2026/03/12/outlook-for-ports", False),
        ("https://paper.example/golang-release", False),
        ("https://paper.example/link-rot-is-news", False),
    ],
)
def test_a_link_that_only_leads_on_is_told_by_its_look(url: str, detour: bool) -> None:
    assert is_detour(url) == detour
