"""The manifest of an issue: written when its bytes are frozen, read when they are asked for or made again."""

from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from digest.domain.issue import IssueDocument
from digest.domain.mail import Fragment
from digest.errors import RenderError, StateConflict
from digest.render import manifest
from digest.render.manifest import Comparison, Manifest
from digest.render.pipeline import Renderer
from digest.store import issues, manifests
from digest.workflows import printing
from digest.workflows.context import Context


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Manifest]:
    return TypeAdapter(Manifest)


def keep(
    session: Session, ctx: Context, issue_id: int, document: IssueDocument, fragments: tuple[Fragment, ...],
    renderer: Renderer, printed_at: datetime,
) -> None:  # fmt: skip
    """Note what the fragments that are being frozen were printed from."""
    weights = asdict(issues.spec_of(issues.get(session, issue_id)).ranking)
    made = _now(ctx, document, renderer, printed_at, fragments, weights)
    data: dict[str, Any] = _adapter().dump_python(made, mode="json")
    manifests.save(session, issue_id, printed_at, data)


def manifest_of(session: Session, issue_id: int) -> Manifest | None:
    """The manifest of an approved issue; None where there is none, or one that this version can't read."""
    data = manifests.get(session, issue_id)
    if data is None:
        return None
    try:
        return _adapter().validate_python(data)
    except ValidationError:
        return None


def rebuild(ctx: Context, issue_id: int) -> Comparison:
    """Print an approved issue again from its manifest and hold the result against the bytes that were frozen.

    Raises:
        NotFound: no such issue.
        StateConflict: it is not approved, or keeps no manifest that this version can read.
    """
    with ctx.db.read() as session:
        issue, then, frozen = (
            issues.get(session, issue_id),
            manifest_of(session, issue_id),
            issues.fragments(session, issue_id),
        )
        kept = manifests.get(session, issue_id) is not None
    if not frozen:
        raise StateConflict(f"issue {issue_id} is {issue.state} and has no frozen bytes: approve it first")
    if then is None:
        why = (
            "was written by a version whose issues had another shape"
            if kept
            else "was not kept: it was approved earlier"
        )
        raise StateConflict(f"issue {issue_id} can't be printed again: its manifest {why}")
    if changed := manifest.tampered(then, frozen):
        words = (
            f"the bytes kept for {changed} are not those that were approved: the database was changed by other means"
        )
        return Comparison(0, words, changed)
    renderer = printing.renderer(ctx, then.document.newsletter)
    reasons = manifest.changes(then, _now(ctx, then.document, renderer, then.printed_at, (), {}))
    try:
        again = renderer.render(then.document)
    except RenderError as error:
        return Comparison(0, f"it can't be printed any more: {error}", frozen[0].key, reasons=reasons)
    return manifest.compared(frozen, again, reasons)


def _now(
    ctx: Context, document: IssueDocument, renderer: Renderer, printed_at: datetime, fragments: tuple[Fragment, ...],
    weights: dict[str, float],
) -> Manifest:  # fmt: skip
    return Manifest(
        printed_at=printed_at,
        document=document,
        weights=weights,
        templates=renderer.sources(),
        program=manifest.program(),
        libraries=manifest.libraries(),
        fragments=tuple(manifest.fingerprint(fragment) for fragment in fragments),
        key=ctx.signer.fingerprint,
    )
