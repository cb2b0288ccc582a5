"""The pages of new articles: their full text, the address that they call their own, and when they are really from."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import structlog

from digest.domain.content import Image
from digest.errors import DigestError, FetchError, ParseError
from digest.feeds import honest
from digest.feeds.extract import Page, extract
from digest.feeds.images import same_picture
from digest.feeds.read import PAGE_ACCEPT
from digest.feeds.reporter import original_reporter
from digest.store import addresses, articles
from digest.store.tables import Article
from digest.workflows.context import Context
from digest.workflows.gather_hosts import by_host

if TYPE_CHECKING:
    from digest.workflows.gather_run import Run

PAGES_PER_RUN = 200
DEADLINE = 20.0
"""Seconds for one page."""
MAX_PAGE = 5_000_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PageTask:
    """The page of a new article.

    Attributes:
        whole: its text is wanted, not only its own address and date.
    """

    article_id: int
    url: str
    source: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    """What a thread brings back: a page and its own address, or why there is none."""

    page: Page | None = None
    address: str = ""
    problem: DigestError | None = None


def read_pages(run: "Run", pool: ThreadPoolExecutor) -> tuple[int, int]:
    """Read the pages that a run has planned, and complete their articles.

    Returns:
        how many gave their text, and how many didn't.
    """
    read = failed = 0

    def begin(task: PageTask) -> tuple[PageTask, Future[_Found]] | None:
        return None if run.rests(task.url) else (task, pool.submit(_read_page, run.ctx, task))

    pages = by_host(run.page_tasks[:PAGES_PER_RUN], lambda task: task.url, begin, run.gate, stop=run.is_to_stop)
    for task, future in chain.from_iterable(pages):
        found = future.result()
        if run.stopped and found.page is None:
            continue
        if isinstance(found.problem, FetchError):
            run.rest(task.url, found.problem)
        if found.page is None:
            failed += task.whole
            continue
        _complete(run.ctx, task, found.page, found.address)
        read += task.whole and bool(found.page.text)
        failed += task.whole and not found.page.text
    return read, failed


def _complete(ctx: Context, task: PageTask, page: Page, address: str) -> None:
    with ctx.db.write() as session:
        article = session.get(Article, task.article_id)
        if article is None:
            return
        older = honest.older(article.published_at, page.published_at)
        ident = addresses.settle(session, task.article_id, address)
        if older:
            addresses.redate(session, ident, older)
        if page.text and task.whole:
            articles.add_text(
                session,
                ident,
                text=page.text,
                author=page.author,
                image=_picture(article, page),
                reporter=original_reporter(page.text, task.source),
                summary=page.summary,
                tags=page.tags,
            )


def _picture(article: Article, page: Page) -> Image | None:
    """The picture of the page; the feed's own, where it is the same, with the alt text and credit that the page knows."""
    if article.image is None or page.image is None:
        return page.image
    own = Image(**article.image)
    if not same_picture(own.url, page.image.url):
        return None
    return replace(own, alt=own.alt or page.image.alt, credit=own.credit or page.image.credit)


def _read_page(ctx: Context, task: PageTask) -> _Found:
    """Fetch one article page. Runs in a thread, never raises; a page that can't be read is harmless."""
    try:
        answer = ctx.fetcher.get(task.url, accept=PAGE_ACCEPT, deadline=DEADLINE, max_bytes=MAX_PAGE)
        address = honest.own_address(answer.body, answer.url)
        if not address:
            raise ParseError(
                f"it leads to {answer.url}, which is no article: a front page, or a place to sign in or agree"
            )
        try:
            return _Found(extract(answer.body, answer.url), address)
        except ParseError:
            if task.whole:
                raise
            return _Found(Page("", ""), address)  # it leads somewhere all the same
    except DigestError as error:
        log.info("no full text", article=task.url, why=str(error))
        return _Found(problem=error)
    except Exception:  # a bug in reading one page must not stop the others
        log.exception("page could not be read", article=task.url)
        return _Found()
