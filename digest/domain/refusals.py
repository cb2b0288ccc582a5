"""What a refusal speaks of: the address, the moment, or us. From RFC 3463 codes; from RFC 5321 codes and words without.

Suppression rests on this: only ``hard`` may end an address at once, ``soft`` counts towards it, ``policy`` never does.
"""

import re
from typing import Literal

Refusal = Literal["", "hard", "soft", "policy"]
"""``hard``: no such address, for good. ``soft``: not now, or not this mail. ``policy``: they refuse us. "": none."""

_ENHANCED = re.compile(r"\b([45])\.(\d{1,3})\.(\d{1,3})\b")

_HARD = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "4.4"})
"""No such mailbox, domain or route; moved away; null MX (RFC 7505); disabled (RFC 3463 3.2, 3.3, 3.5)."""

_HARD_WORDS = re.compile(
    r"(no|not|unknown|invalid|non-?existent|doesn'?t exist|does not exist)\b.{0,40}\b(user|mailbox|recipient|account|address)"
    r"|(user|mailbox|recipient|account|address)\b.{0,60}\b(unknown|not found|not exist|doesn'?t exist|no longer|disabled|unavailable)",
    re.IGNORECASE,
)
_POLICY_WORDS = re.compile(
    r"relay|spam|blocked|black ?list|block ?list|denylist|reputation|policy|dmarc|dkim|\bspf\b|authenticat|not (allowed|authorized)|denied",
    re.IGNORECASE,
)


def refusal_of(code: str, words: str) -> Refusal:
    """The class of a reply that is no acceptance.

    Args:
        code: the status, with the enhanced code where there is one: "550 5.1.1".
        words: the server's own.
    """
    basic = code[:3]
    if basic[:1] not in ("4", "5"):
        return ""
    enhanced = _ENHANCED.search(code) or _ENHANCED.match(words)
    if enhanced:
        return _by_enhanced(enhanced[1], int(enhanced[2]), int(enhanced[3]))
    if basic[0] == "4":
        return "soft"
    if basic in ("530", "534", "535", "538"):  # RFC 4954 6: sign in first, or otherwise
        return "policy"
    if basic in ("521", "556"):  # RFC 7504: the domain takes no mail
        return "hard"
    if _POLICY_WORDS.search(words):
        return "policy"
    if basic in ("550", "551", "553") and (_HARD_WORDS.search(words) or basic == "551"):
        return "hard"
    # RFC 5321 4.2.3: syntax and sequence are our fault.
    return "policy" if basic in ("500", "501", "502", "503", "504") else "soft"


def _by_enhanced(kind: str, subject: int, detail: int) -> Refusal:
    if subject == 7:
        return "policy" if kind == "5" else "soft"
    if kind == "4":
        return "soft"
    if f"{subject}.{detail}" in _HARD:
        return "hard"
    return "policy" if subject == 5 else "soft"


def asks_to_slow_down(code: str) -> bool:
    """Whether a reply says that we send too fast: 421 (RFC 5321 3.8), and the providers' 4.7.28."""
    return code.startswith("421") or "4.7.28" in code
