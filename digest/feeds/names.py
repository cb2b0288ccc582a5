"""What feedparser calls the elements of feeds, and which of them leave nothing behind in an entry."""

from feedparser.api import StrictFeedParser

SPACES = {uri.lower(): prefix for uri, prefix in StrictFeedParser.namespaces.items()}
PREFIXES = {prefix for prefix in SPACES.values() if prefix}
# Whole vocabularies that say nothing of what an entry keeps.
_SILENT = {
    "slash", "wfw", "thr", "georss", "geo", "gml", "icbm", "psc", "trackback", "pingback", "admin", "prism", "cc",
    "creativeCommons", "taxo", "ss", "wiki", "sy", "rdf", "annotate", "ag", "foaf", "ev", "co", "fm", "ref", "sub",
}  # fmt: skip
LENT = frozenset(_SILENT - {"sy", "rdf"})
"""Prefixes that may stand for another vocabulary than theirs (``thr`` and ``cc`` often do): nothing comes of either."""
# Elements of a channel or feed whose insides are about something else, and those that stay without effect.
_FEED_ASIDE = {
    "image", "textinput", "itunes_owner", "itunes_category", "author", "contributor", "cloud", "skiphours", "skipdays",
    "itunes_image", "subtitle", "description", "link", "category", "generator", "rights", "copyright", "docs", "logo",
    "icon", "id", "guid", "updated", "pubdate", "lastbuilddate", "managingeditor", "webmaster", "dc_creator", "dc_date",
    "dc_publisher", "dc_rights", "dc_description", "dc_subject", "published", "modified", "tagline", "rating", "info",
    "itunes_author", "itunes_summary", "itunes_subtitle", "itunes_keywords", "media_thumbnail", "media_keywords",
    "media_credit", "media_category", "media_rating", "media_description", "media_copyright", "items", "summary",
    "itunes_explicit", "itunes_block", "feedburner_browserfriendly", "dcterms_modified", "itunes_name", "itunes_email",
}  # fmt: skip
_ITEM_ASIDE = {
    "source", "comments", "contributor", "generator", "rights", "copyright", "dc_publisher", "dc_rights", "dc_language",
    "language", "dc_contributor", "dc_format", "dc_identifier", "dc_source", "dc_type", "itunes_duration", "docs",
    "itunes_explicit", "itunes_block", "media_rating", "media_copyright", "media_text", "media_player", "ttl",
    "itunes_owner", "subtitle", "tagline", "itunes_subtitle", "media_restriction", "media_license", "rating", "icon",
    "logo", "webmaster",
}  # fmt: skip
_PLURALS = {"authors", "links", "tags", "content", "item", "entry", "enclosures", "keywords"}
BEGIN_ANEW = frozenset(("item", "entry", "channel", "feed", "ttl", "rss"))
"""What must not stand inside an element that is passed over: feedparser would see it all the same."""


class UnusualError(Exception):
    """Something that only feedparser knows how to read."""


def called(uri: str, local: str, prefix: str | None) -> str:
    """How feedparser calls an element: ``dc_creator``, ``title``; "" if it belongs to no known vocabulary.

    Raises:
        UnusualError: it has a default vocabulary of its own, or one that borrows a well-known prefix.
    """
    space = SPACES.get(uri.lower()) if uri else ""
    if space is None and prefix in LENT and "userland" not in uri:
        space = prefix
    if space is None:
        if prefix is None or prefix in PREFIXES or "userland" in uri:
            raise UnusualError
        return ""
    return f"{space}_{local.lower()}" if space else local.lower()


def known(tag: str) -> str | None:
    """How feedparser calls an element, in whatever document; None if that depends.

    Args:
        tag: ``vocabulary}name``, or the name alone.
    """
    uri, _, local = tag.rpartition("}")
    return called(uri, local, None) if not uri or uri.lower() in SPACES else None


def borrows(prefix: str | None, uri: str) -> bool:
    """Whether a declaration gives a well-known prefix to another well-known vocabulary, and that matters."""
    space = SPACES.get(uri.lower(), prefix)
    return prefix in PREFIXES and space != prefix and not (prefix in LENT and space in LENT)


def is_silent(name: str) -> bool:
    """Whether an element's whole vocabulary says nothing of what an entry keeps."""
    return name.partition("_")[0] in _SILENT


def leaves_nothing_in_feed(name: str) -> bool:
    """Whether an element of a channel or feed may be passed over with all that it holds."""
    return name in _FEED_ASIDE or is_silent(name)


def leaves_nothing_in_item(name: str) -> bool:
    """Whether an element of an item may be passed over with all that it holds."""
    return name in _ITEM_ASIDE or is_silent(name)


def is_known(name: str) -> bool:
    """Whether feedparser does something at this element, or keeps something under its name."""
    return (
        name in _PLURALS
        or name.endswith(("_detail", "_parsed"))
        or hasattr(StrictFeedParser, f"_start_{name}")
        or hasattr(StrictFeedParser, f"_end_{name}")
    )
