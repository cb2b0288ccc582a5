"""Joining, choosing and leaving: what readers do by themselves, and what an operator does for a whole list.

::

    sign_up ──mail──▶ confirm ──▶ active ◀──▶ paused
                                    │ ▲
                        unsubscribe ▼ │ resubscribe
                                   ended

Nothing here says whether an address is known: unknown, known and suppressed ones get the same answer.
"""

from digest.workflows.subscribe.confirm import Confirmation, confirm, confirmation_of
from digest.workflows.subscribe.consent import CONSENT_VERSION, consent_text
from digest.workflows.subscribe.export import export_csv
from digest.workflows.subscribe.importing import ImportReport, RowProblem, import_csv
from digest.workflows.subscribe.leave import Membership, membership_of, resubscribe, unsubscribe
from digest.workflows.subscribe.operator import add_subscriber
from digest.workflows.subscribe.preferences import (
    Choices,
    Neighbour,
    Preferences,
    join_another,
    preferences_of,
    request_link,
    save_preferences,
)
from digest.workflows.subscribe.sign_up import SignUp, sign_up
from digest.workflows.subscribe.words import WrongField, reader_address

__all__ = [
    "CONSENT_VERSION",
    "Choices",
    "Confirmation",
    "ImportReport",
    "Membership",
    "Neighbour",
    "Preferences",
    "RowProblem",
    "SignUp",
    "WrongField",
    "add_subscriber",
    "confirm",
    "confirmation_of",
    "consent_text",
    "export_csv",
    "import_csv",
    "join_another",
    "membership_of",
    "preferences_of",
    "reader_address",
    "request_link",
    "resubscribe",
    "save_preferences",
    "sign_up",
    "unsubscribe",
]
