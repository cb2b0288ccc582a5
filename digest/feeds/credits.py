"""Whose picture it is: the line that names a photographer or an agency, and the caption that it stands in."""

import re

from digest.feeds.clean import one_line

_HOUSES = (
    r"Shutterstock|Getty(?: Images)?|Reuters|AFP|AP(?: Photo)?|Associated Press|Bloomberg|Unsplash|Pexels|Pixabay|iStock(?:photo)?"
    r"|Alamy|Adobe Stock|dpa|EPA|Depositphotos|Dreamstime|Flickr|Wikimedia(?: Commons)?|Magnum|Zuma(?: Press)?|Imago|Midjourney"
)
_LABEL = (
    r"(?:(?:photo|photograph|image|picture|illustration|graphic|art|artwork|cover|featured image|lead image|header image)s?"
    r"(?: credits?)?\s*(?::|by\b|via\b|from\b|courtesy(?: of)?\b)|(?:credits?|sources?|foto|bild)\s*:|courtesy (?:of )?|©|\(c\))"
)
_LINE = re.compile(
    rf"(?:{_LABEL}\s*.{{2,120}}"
    r"|.{2,100}\bmodified by .{2,60}"
    rf"|.{{0,70}}(?:/|\||,|–|—|\bvia|\bfrom|\bon)\s*(?:{_HOUSES})(?:\.com)?(?:\s*[/|]\s*.{{2,50}}|\s*\(.{{2,40}}\))?"
    rf"|(?:{_HOUSES})(?:\.com)?(?:\s*[/|]\s*.{{2,50}})?)\.?",
    re.IGNORECASE,
)
_IN_CAPTION = re.compile(
    rf"(?:(?<=[.!?…)\]]) |\s[|–—•·]\s|\s(?=\())(?P<credit>\(?(?:{_LABEL}|[^.!?]{{2,60}}(?:/|\bvia\b)\s*(?:{_HOUSES})).{{0,120}})$",
    re.IGNORECASE,
)
# "Per Lund/Quaypix": in a caption that is a credit, whether the agency is known or not.
_SLASHED = re.compile(r"[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,3}\s*/\s*[A-Z][\w.&'’-]*(?: [A-Z][\w.&'’-]*){0,3}")
_VERB = re.compile(r"\b(?:said|says|told|was|were|is|are|has|have|will|would|reported)\b")
_MAX = 160


def is_credit(line: str) -> bool:
    """Whether a line says whose picture it is, and nothing else."""
    line = one_line(line)
    return 0 < len(line) <= _MAX and bool(_LINE.fullmatch(line)) and not _VERB.search(line)


def credit_in(caption: str) -> str:
    """The credit of a caption: all of it, or its last part; "" if it names nobody.

    A label in front ("Photo:", "Image by") is left out: readers see the credit beneath the picture.
    """
    caption = one_line(caption)
    last = _IN_CAPTION.search(caption)
    if last and is_credit(last["credit"].strip("() ")):
        return _bare(last["credit"])
    return _bare(caption) if is_credit(caption) or _SLASHED.fullmatch(caption) else ""


def _bare(credit: str) -> str:
    credit = credit.strip(" ()|").rstrip(".") if credit.startswith("(") else credit.rstrip(".")
    bare = re.sub(rf"^{_LABEL}\s*", "", credit, flags=re.IGNORECASE).strip(" :|")
    return (bare if len(bare) > 1 else credit)[:200]
