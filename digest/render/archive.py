"""The public page of an issue: the mail itself, whole, with nothing in it that belongs to one reader."""

from collections.abc import Sequence

from digest.domain.issue import WEEK, IssueDocument
from digest.domain.mail import Fragment
from digest.render.cut import html_of, on_the_web
from digest.render.message import Head


def archive_html(fragments: Sequence[Fragment], document: IssueDocument, sign_up_url: str) -> str:
    """The page. Its personal links lead to the public sign-up page.

    Raises:
        RenderError: a token that the templates use and that has no public meaning.
    """
    week = next((block.section for block in document.blocks if block.type == WEEK), None)
    cut = on_the_web(fragments, week.most if week else 0)
    public = {
        "PREHEADER": Head.of(document).lines_for(fragments, cut).preheader,
        "UNSUBSCRIBE": sign_up_url,
        "PREFERENCES": sign_up_url,
        "ADDRESS": "every reader",
    }
    return html_of(fragments, cut, public)
