"""What each approved issue was printed from."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from digest.store.tables import ManifestRow


def save(session: Session, issue_id: int, printed_at: datetime, data: dict[str, Any]) -> None:
    """Keep the manifest of an issue; an earlier one went with the fragments that it spoke of."""
    session.add(ManifestRow(issue_id=issue_id, printed_at=printed_at, data=data))


def get(session: Session, issue_id: int) -> dict[str, Any] | None:
    """The manifest of an issue; None if it is not approved, or was by a version that kept none."""
    row = session.get(ManifestRow, issue_id)
    return None if row is None else row.data
