"""Pictures are fetched once, kept by the hash of their bytes, and never stop an issue."""

import gzip
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PIL import Image as Picture
from pytest_httpserver import HTTPServer
from sqlmodel import select

from digest.domain.audience import Signer
from digest.domain.content import Image
from digest.errors import FetchError, ForbiddenAddress
from digest.feeds.fetch import Fetched, Fetcher
from digest.store.database import Database
from digest.store.tables import Media
from digest.workflows.context import Context
from digest.workflows.media import host_chart, host_image
from tests.conftest import Clock
from tests.render import documents

SOURCE = Image("https://img.example/harbour.png", "A harbour", "Sean Pavone")


def png(width: int = 1600, height: int = 900) -> bytes:
    out = io.BytesIO()
    Picture.new("RGB", (width, height), (10, 90, 160)).save(out, "PNG")
    return out.getvalue()


@dataclass
class Web:
    """Answers with bytes or raises, and counts."""

    answer: bytes | Exception
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, **limits: object) -> Fetched:
        assert limits["max_bytes"] == 8_000_000
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return Fetched(200, url, "", {}, self.answer, "image/png", "", "")


@pytest.fixture
def context(db: Database, clock: Clock, tmp_path: Path) -> Callable[[Web], Context]:
    def make(web: Web) -> Context:
        return Context(
            db=db,
            sender=None,  # type: ignore[arg-type]
            fetcher=web,  # type: ignore[arg-type]
            signer=Signer(b"k" * 32),
            clock=clock,
            public_url="https://mail.float.example",
            var=tmp_path,
            templates=documents.TEMPLATES,
        )

    return make


def test_a_picture_is_fetched_once_and_shown_from_our_address(context: Callable[[Web], Context]) -> None:
    web = Web(png())
    ctx = context(web)
    first = host_image(ctx, SOURCE, 592, 333)
    again = host_image(ctx, SOURCE, 592, 333)
    assert first is not None
    assert first == again
    assert web.asked == [SOURCE.url]
    assert (first.width, first.height, first.alt, first.credit) == (592, 333, "A harbour", "Sean Pavone")
    name = first.url.removeprefix("https://mail.float.example/media/")
    assert Picture.open(ctx.media / name).size == (1184, 666)
    with ctx.db.read() as session:
        row = session.exec(select(Media)).one()
    assert (row.name, row.error, row.bytes) == (name, "", (ctx.media / name).stat().st_size)


@pytest.mark.parametrize(
    "problem", [FetchError("no answer"), ForbiddenAddress("private address"), b"<html>not found</html>"]
)
def test_a_failure_is_remembered_and_tried_again_later(
    context: Callable[[Web], Context], clock: Clock, problem: Exception | bytes
) -> None:
    web = Web(problem)
    ctx = context(web)
    assert host_image(ctx, SOURCE, 592, 333) is None
    assert host_image(ctx, SOURCE, 592, 333) is None
    assert len(web.asked) == 1
    web.answer = png()
    clock.advance(hours=6)
    assert host_image(ctx, SOURCE, 592, 333) is not None


def test_a_picture_whose_file_was_lost_is_fetched_again(context: Callable[[Web], Context]) -> None:
    web = Web(png())
    ctx = context(web)
    hosted = host_image(ctx, SOURCE, 592, 333)
    assert hosted is not None
    (ctx.media / hosted.url.rpartition("/")[2]).unlink()
    assert host_image(ctx, SOURCE, 592, 333) == hosted
    assert len(web.asked) == 2


def test_what_is_hosted_already_is_left_alone(context: Callable[[Web], Context]) -> None:
    web = Web(png())
    ctx = context(web)
    ours = Image("https://mail.float.example/media/abc.jpg", "A harbour")
    assert host_image(ctx, ours, 592, 333) == ours
    assert host_image(ctx, Image("", "Nothing"), 592, 333) is None
    assert web.asked == []


def test_a_chart_is_kept_and_says_what_it_shows(context: Callable[[Web], Context]) -> None:
    ctx = context(Web(b""))
    chart = host_chart(ctx, documents.QUOTES[0])
    assert chart == host_chart(ctx, documents.QUOTES[0])
    assert chart.alt == "Bitcoin fell 4.6% in 7 days"
    assert Picture.open(ctx.media / chart.url.rpartition("/")[2]).size == (chart.width * 2, chart.height * 2)
    assert [path.name for path in ctx.media.iterdir()] == [chart.url.rpartition("/")[2]]


def flat(width: int, height: int) -> bytes:
    """A PNG that says it is that large; what it would decode to is the point."""
    small = bytearray(png(10, 10))
    small[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    small[29:33] = zlib.crc32(bytes(small[12:29])).to_bytes(4, "big")
    return bytes(small)


@pytest.mark.parametrize(
    ("body", "headers", "why"),
    [
        (b"\x89PNG" + bytes(9_000_000), {}, "larger than 8 MB"),
        (gzip.compress(bytes(60_000_000)), {"Content-Encoding": "gzip"}, "larger than 8 MB"),
        (flat(60_000, 60_000), {}, "pixels"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>x</script></svg>",
            {"Content-Type": "image/svg+xml"},
            "no picture",
        ),
        (b"", {"Location": "http://169.254.169.254/latest/meta-data"}, "169.254"),
    ],
    ids=["too many bytes", "a bomb of bytes", "a bomb of pixels", "svg", "into our network"],
)
def test_no_picture_is_fetched_without_bounds_or_from_inside(
    context: Callable[[Web], Context], httpserver: HTTPServer, body: bytes, headers: dict[str, str], why: str
) -> None:
    httpserver.expect_request("/p").respond_with_data(
        body, status=302 if "Location" in headers else 200, headers=headers
    )
    fetcher = Fetcher(frozenset({f"localhost:{httpserver.port}"}))
    ctx = replace(context(Web(b"")), fetcher=fetcher)
    assert host_image(ctx, Image(httpserver.url_for("/p"), "A harbour"), 592, 333) is None
    fetcher.close()
    with ctx.db.read() as session:
        assert why in session.exec(select(Media)).one().error
    assert not ctx.media.is_dir() or not any(ctx.media.iterdir())
