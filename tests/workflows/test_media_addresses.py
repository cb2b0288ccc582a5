"""Pictures are fetched by the same guard as feeds."""

from digest.domain.audience import Signer
from digest.domain.content import Image
from digest.feeds.fetch import Fetcher
from digest.workflows.context import Context
from digest.workflows.media import host_image
from tests.feeds.test_fetch import FORBIDDEN


def test_a_picture_at_a_forbidden_address_is_left_out_directly_and_behind_a_redirect(
    sqlite_db, clock, tmp_path, httpserver
) -> None:
    port = httpserver.port
    ctx = Context(db=sqlite_db, sender=None, fetcher=Fetcher(frozenset({f"127.0.0.1:{port}"})), signer=Signer(b"0" * 32),  # type: ignore[arg-type]
                  clock=clock, public_url="http://digest.example", var=tmp_path, templates=tmp_path)  # fmt: skip
    refused = [url for url in FORBIDDEN if url.startswith("http") and url.isascii() and url != "http:///path"]
    assert len(refused) >= 25
    for number, url in enumerate(refused):
        assert host_image(ctx, Image(url), 100) is None
        httpserver.expect_request(f"/{number}").respond_with_data("", status=302, headers={"Location": url})
        assert host_image(ctx, Image(f"http://127.0.0.1:{port}/{number}"), 100) is None
    assert {request.path for request, _ in httpserver.log} == {f"/{number}" for number in range(len(refused))}
    ctx.fetcher.close()
