"""A mailbag as editors write it, in Markdown: a heading asks, a line in italics may say who, the rest answers."""

import re
from collections.abc import Iterable

from digest.domain.issue import Question

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_ASKER = re.compile(r"\A\s*[*_]([^*_\n]+)[*_]\s*(?:\n|\Z)")


def questions(body: str) -> tuple[Question, ...]:
    """The questions of a mailbag with their answers, in order; what stands before the first heading is left out."""
    headings = list(_HEADING.finditer(body))
    ends = [*(heading.start() for heading in headings), len(body)][1:]
    return tuple(_question(heading[1], body[heading.end() : end]) for heading, end in zip(headings, ends, strict=False))


def _question(question: str, rest: str) -> Question:
    asker = _ASKER.match(rest)
    answer = rest[asker.end() :] if asker else rest
    return Question(question.strip(), answer.strip(), asker[1].strip() if asker else "")


def markdown(asked: Iterable[Question]) -> str:
    """A mailbag as editors would have written it; the inverse of :func:`questions`."""
    parts = (
        f"## {each.question}\n{f'*{each.asker}*' + chr(10) if each.asker else ''}\n{each.answer}" for each in asked
    )
    return "\n\n".join(parts)
