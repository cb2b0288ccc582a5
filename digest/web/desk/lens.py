"""Through whose eyes, and in which mail program, an issue is looked at: the part of a page's address that says so."""

from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query

VIEWS = {
    "desktop": "Desktop",
    "mobile": "Mobile",
    "dark": "Dark",
    "text": "Plain text",
    "no-images": "Images off",
}
"""How the mail may be shown, and what the tabs say."""


@dataclass(frozen=True)
class Lens:
    """A view, and whose copy: a subscriber's, that of a reader of some topics, or (neither) a reader of everything.

    ``weekly``: as one who gets one mail a week.
    """

    view: str = "desktop"
    topics: tuple[str, ...] = ()
    subscriber: str = ""
    weekly: bool = False

    def through(self, view: str) -> "Lens":
        """The same copy in another view."""
        return replace(self, view=view)

    @property
    def query(self) -> str:
        """The query string, with its question mark; "" for the usual lens."""
        pairs = [("view", self.view)] if self.view != "desktop" else []
        pairs += [("topics", slug) for slug in self.topics]
        pairs += [("often", "weekly")] if self.weekly else []
        pairs += [("subscriber", self.subscriber)] if self.subscriber else []
        return f"?{urlencode(pairs)}" if pairs else ""

    @property
    def choice(self) -> frozenset[str]:
        """The chosen topics; empty for a reader who gets everything."""
        return frozenset(self.topics)


def lens_of(
    view: Annotated[str, Query(max_length=20)] = "desktop",
    topics: Annotated[list[str] | None, Query(max_length=100)] = None,
    subscriber: Annotated[str, Query(max_length=320)] = "",
    often: Annotated[str, Query(max_length=20)] = "",
) -> Lens:
    """A dependency: the lens that an address names. ``topics`` may be repeated or joined by commas."""
    slugs = [slug.strip() for word in topics or () for slug in word.split(",")]
    known = view if view in (*VIEWS, "html", "eml") else "desktop"
    return Lens(known, tuple(dict.fromkeys(filter(None, slugs))), subscriber.strip(), often == "weekly")
