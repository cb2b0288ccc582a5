"""The byte budget of an issue: how large its largest mail is, and which stories were made smaller for it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from digest.render.budget import LIMIT, RESERVE, WORDS, Step, largest
from digest.render.findings import Finding
from digest.store import issues
from digest.workflows.context import Context
from digest.workflows.document import document_of
from digest.workflows.printing import renderer

_STEPS = TypeAdapter(tuple[Step, ...])


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes of HTML.

    Attributes:
        limit: what no mail may exceed, less what is kept free for a reader's own links and address.
        largest: what no mail does exceed.
        steps: stories that were made smaller, in that order.
        frozen: the issue is approved, and these are the steps that were taken then.
    """

    limit: int
    largest: int
    steps: tuple[Step, ...]
    frozen: bool


def budget_of(ctx: Context, issue_id: int) -> Budget:
    """The budget of an issue as it was approved, or as it would be now.

    Raises:
        NotFound: no such issue.
        RenderError: it can't be rendered.
    """
    with ctx.db.read() as session:
        issue = issues.get(session, issue_id)
        fragments = issues.fragments(session, issue_id)
        document = None if fragments else document_of(session, issue_id, ctx)
    limit = LIMIT - RESERVE
    if document is None:
        return Budget(limit, largest(fragments), _STEPS.validate_python(issue.extras.get("steps", [])), True)
    fitted = renderer(ctx, document.newsletter).fit(document)
    return Budget(limit, fitted.largest, fitted.steps, False)


def told(steps: Sequence[Step]) -> tuple[Finding, ...]:
    """What an editor should know before approving an issue in which stories were made smaller."""
    if not steps:
        return ()
    final = {(step.section, step.story_id): step.after for step in steps}
    counts = Counter(final.values())
    words = ", ".join(f"{count} to {WORDS[form]}" for form, count in counts.items())
    message = (
        f"stories were made smaller so that no mail is cut off by Gmail: {words}; drop some to keep the others whole"
    )
    return (Finding("byte-budget", "warning", "issue", message),)
