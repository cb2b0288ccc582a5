"""Who reported it first: the outlet that a text credits with the original story."""

import re

# Outlets whose name beside "reported" means a press report. Companies report as well (revenue, outages), so a
# name that is not listed counts only in phrases that speak of nothing but the press.
_OUTLETS = (
    "Agence France-Presse", "AFP", "Al Jazeera", "Associated Press", "AP", "Axios", "Barron's", "BBC", "Bitcoin Magazine",
    "Bloomberg", "Bloomberg Law", "Bloomberg News", "Blockworks", "Business Insider", "Caixin", "CNBC", "CNN", "CoinDesk",
    "Cointelegraph", "Daily Telegraph", "Decrypt", "Der Spiegel", "DL News", "Economic Times", "Financial Times", "Forbes",
    "Fortune", "Fox Business", "Globe and Mail", "Guardian", "Handelsblatt", "Le Monde", "Les Echos", "MarketWatch",
    "New York Post", "New York Times", "Nikkei", "Nikkei Asia", "NPR", "Politico", "ProPublica", "Protos", "Punchbowl News",
    "Reuters", "Semafor", "Sky News", "South China Morning Post", "TechCrunch", "The Block", "The Economist", "The Information",
    "The Verge", "Wall Street Journal", "Washington Post", "WSJ", "Wired", "Wu Blockchain", "Xinhua", "Yonhap",
)  # fmt: skip
_BY_NAME = {name.casefold(): name for name in _OUTLETS}
_KNOWN = "|".join(re.escape(name) for name in sorted(_OUTLETS, key=len, reverse=True))
_ANY = r"(?:[Tt]he )?[A-Z][\w&.’'-]*(?: (?:(?:of|the|and|&) )?[A-Z][\w&.’'-]*){0,4}"
_WHEN = r"(?: (?:first|also|earlier|previously|exclusively))?"

# Patterns, behind words of which a text must hold one: most texts hold none, and finding that out is cheap.
_PATTERNS = tuple(
    (words, tuple(re.compile(pattern) for pattern in patterns))
    for words, patterns in (
        (
            ("report",),
            (
                rf"\b(?P<outlet>{_KNOWN}){_WHEN} (?:reported|reports)\b",
                rf"\b(?P<outlet>{_KNOWN}),? (?:which|who) first reported\b",
                rf"\b(?:[Ff]irst|[Oo]riginally|[Ii]nitially) reported by (?P<outlet>{_ANY})",
                rf"\b[Aa]s reported (?:earlier )?by (?P<outlet>{_ANY})",
                rf"\b(?P<outlet>{_ANY}) (?:was the )?first (?:to report|reported)\b",
            ),
        ),
        (("ccording to ",), (rf"\b[Aa]ccording to (?:[Tt]he )?(?P<outlet>{_KNOWN})\b",)),
        (
            ("told ", "Told ", "n an interview with "),
            (
                rf"\b(?:[Tt]old|[Ss]aid in an interview with|[Ii]n an interview with) (?:[Tt]he )?(?P<outlet>{_KNOWN})\b",
            ),
        ),
        (
            ("report ", "story ", "article ", "investigation "),
            (rf"\b(?:report|story|article|investigation) (?:by|from|in) (?:[Tt]he )?(?P<outlet>{_KNOWN})\b",),
        ),
    )
)
_NO_NAMES = frozenset("the a an it he she they we this that these those who which".split())  # noqa: SIM905
_WINDOW = 6_000
"""Characters from the beginning: credits stand early, and what is named late is background."""


def original_reporter(text: str, own: str = "") -> str:
    """The outlet that ``text`` credits with the original report, "" if it credits none.

    Args:
        own: the outlet that published the text: "Bloomberg reported" on Bloomberg credits nobody else.
    """
    text = text[:_WINDOW]
    found: list[re.Match[str]] = []
    for words, patterns in _PATTERNS:
        for each in words:
            if each in text:
                for pattern in patterns:
                    found += pattern.finditer(text)
                break
    if not found:
        return ""
    for match in sorted(found, key=lambda match: match.start()):
        name = re.sub(r"[’']s$", "", match["outlet"].rstrip(".,")).replace("’", "'")
        bare = re.sub(r"^[Tt]he ", "", name)
        name = _BY_NAME.get(name.casefold()) or _BY_NAME.get(bare.casefold()) or bare
        if bare.casefold() not in _NO_NAMES and not _same_house(name, own):
            return name
    return ""


def _same_house(name: str, own: str) -> bool:
    ours, theirs = (re.sub(r"\W|^the |\.com$", "", each.casefold()) for each in (own, name))
    return bool(ours) and (ours in theirs or theirs in ours)
