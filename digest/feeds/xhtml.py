"""Markup that a feed holds as elements of its own (Atom, ``type="xhtml"``), as it stands in the document.

To write a tree anew takes longer than to read it. The tree has shown that the markup is well-formed; what is in it
stands in the document's bytes, between two tags. Slices between such tags are the elements, in their order, if there
are as many as elements in the tree and nothing else can look like one: where that isn't certain, nothing is taken.
"""

import re
from collections.abc import Iterator
from typing import Any

from digest.feeds.names import UnusualError
from digest.feeds.strict_item import fixed

XHTML = frozenset(("content", "summary"))
"""The elements that are read in this way."""
XHTML_TYPE = "application/xhtml+xml"

# Other vocabularies, what isn't markup at all, addresses seen from elsewhere: all that feedparser would think about. One
# pattern for each: each has its first letters looked for, which one for all has not.
_UNUSUAL = tuple(
    map(
        re.compile,
        (
            rb"<(?:[A-Za-z0-9_.-]++:|svg\b|math\b|[!?\x80-\xff])",
            rb"base\s*=",
            rb"xmlns(?!=[\"']http://www\.w3\.org/1999/xhtml[\"'])",
        ),
    )
)
# References to what feedparser mends (see fixed), or to parts of it.
_MENDED = re.compile(
    rb"&#(?:0*1[2-5]\d|[xX]0*[89][0-9A-Fa-f]);"
    rb"|(?:&#(?:0*19[4-9]|0*2[0-4]\d|[xX]0*[c-fC-F][0-9A-Fa-f]);|\xc3[\x82-\xb4])&#"
    rb"|&#(?:0*19[4-9]|0*2[0-4]\d|[xX]0*[c-fC-F][0-9A-Fa-f]);\xc2"
)


class Slices:
    """The markup of a document's elements of XHTML, one after the other.

    Args:
        document, root: the same, as bytes and as a tree whose names are ``vocabulary}name``.
        mends: whether its texts may need to be mended (see :func:`digest.feeds.strict_item.may_need_mending`).
    """

    def __init__(self, document: bytes, root: Any, *, mends: bool) -> None:
        self._document, self._root, self._mends = document, root, mends
        self._found: dict[str, Iterator[str]] = {}

    def next(self, tag: str) -> str:
        """What stands in the next element of a tag.

        Raises:
            UnusualError: only an XML parser tells where that is.
        """
        if tag not in self._found:
            self._found[tag] = self._all(tag)
        found = next(self._found[tag], None)
        if found is None:
            raise UnusualError
        return found

    def is_left(self) -> bool:
        """Whether there are more slices than have been asked for: then they were not those of the elements."""
        return any(next(slices, None) is not None for slices in self._found.values())

    def _all(self, tag: str) -> Iterator[str]:
        document, (space, _, local) = self._document, tag.encode().rpartition(b"}")
        start, end = b"<" + local, b"</" + local
        parts = document.split(end + b">")
        counts = {len(parts) - 1, document.count(start), document.count(end), sum(1 for _ in self._root.iter(tag))}
        # Named once, a vocabulary has no second prefix; a comment or the like could hold what looks like an element.
        if len(counts) > 1 or document.count(space) != 1 or b"<!" in document or b"<?" in document:
            raise UnusualError
        for part in parts[:-1]:
            given, _, inside = part.partition(start)[2].partition(b">")
            if not given[:1].isspace() or given.count(b'"') & 1 or given.count(b"'") & 1 or start in inside:
                raise UnusualError
            if b"xhtml" in given.lower():
                yield self._text(inside)

    def _text(self, inside: bytes) -> str:
        if any(each.search(inside) for each in _UNUSUAL) or (b"&#" in inside and _MENDED.search(inside)):
            raise UnusualError
        return fixed(inside.decode()) if self._mends else inside.decode().strip()
