"""What articles mean, where the operator installed a sentence model."""

from collections.abc import Mapping, Sequence
from typing import Any

from digest.curation.similar import gist
from digest.domain.content import Candidate
from digest.workflows.context import Context


def meanings(ctx: Context, articles: Sequence[Candidate]) -> Mapping[int, Any] | None:
    """For every article the vector of its gist; None without a sentence model."""
    if ctx.sentences is None:
        return None
    vectors = ctx.sentences.vectors([gist(article) for article in articles])
    return {article.id: vector for article, vector in zip(articles, vectors, strict=True)}
