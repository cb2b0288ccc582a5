"""Everything worth knowing before an issue leaves: each check has an id, a level, a place and a sentence.

Errors block approval; warnings ask for a look. What a source wrote is never an error: a feed can't stop an issue. The
checks read the document, its fragments and what they are told of the world, nothing else, so they answer the same at
the desk, on the command line and in the worker.
"""

from collections.abc import Sequence

from digest.domain.issue import IssueDocument
from digest.domain.mail import Fragment
from digest.render.checks import CHECKS
from digest.render.findings import Finding, Level, Subject, World

__all__ = ["Finding", "Level", "World", "preflight"]


def preflight(
    document: IssueDocument, fragments: Sequence[Fragment], world: World | None = None
) -> tuple[Finding, ...]:
    """What there is to say of the issue, errors first; empty if all is well."""
    subject = Subject(document, fragments, world or World())
    found = dict.fromkeys(finding for check in CHECKS for finding in check(subject))
    return tuple(sorted(found, key=lambda finding: finding.level != "error"))
