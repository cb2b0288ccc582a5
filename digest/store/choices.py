"""What the readers of a newsletter chose, taken together: few choices, however many readers."""

from sqlalchemy import func
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from digest.domain.audience import TopicChoice
from digest.store.tables import ChoiceSet, Subscription


def choices_of_all(session: Session, newsletter_id: int) -> dict[TopicChoice, int]:
    """How many active readers made each choice of topics."""
    query = (
        core_select(func.coalesce(col(ChoiceSet.key), ""), func.count())
        .select_from(Subscription)
        .outerjoin(ChoiceSet, col(ChoiceSet.id) == col(Subscription.choice_set_id))
        .where(col(Subscription.newsletter_id) == newsletter_id, col(Subscription.state) == "active")
        .group_by(col(ChoiceSet.key))
    )
    return {TopicChoice.decode(key): readers for key, readers in session.execute(query)}
