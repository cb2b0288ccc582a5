"""What the readers of a newsletter chose, taken together: few choices, however many readers."""

from sqlalchemy import func
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from digest.domain.audience import TopicChoice
from digest.domain.calendar import Frequency
from digest.store.tables import ChoiceSet, Subscription


def choices_of_all(session: Session, newsletter_id: int) -> dict[tuple[TopicChoice, Frequency], int]:
    """How many active readers made each choice of topics, and want it how often."""
    query = (
        core_select(func.coalesce(col(ChoiceSet.key), ""), col(Subscription.frequency), func.count())
        .select_from(Subscription)
        .outerjoin(ChoiceSet, col(ChoiceSet.id) == col(Subscription.choice_set_id))
        .where(col(Subscription.newsletter_id) == newsletter_id, col(Subscription.state) == "active")
        .group_by(col(ChoiceSet.key), col(Subscription.frequency))
    )
    return {(TopicChoice.decode(key), often): readers for key, often, readers in session.execute(query)}
