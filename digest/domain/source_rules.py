"""How a source without a feed is read: rules that an editor writes, as values, and what their notation means."""

import re
from dataclasses import dataclass

FORBID_EXTRA = {"extra": "forbid"}

_XPATH = re.compile(r"/|\.\.?/|\(|@|\.$")
_ATTRIBUTE = re.compile(r"(?P<css>.*?)@(?P<name>[A-Za-z_][\w.:-]*)", re.DOTALL)
_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class PageRules:
    """Where the items of a web page stand. Each rule but ``item`` is looked up within an item; "" finds nothing.

    A rule is a CSS selector, which may end in ``@attribute``, or an XPath (it begins with ``/``, ``./``, ``..``,
    ``(`` or ``@``).

    Attributes:
        item: every item of the page; never itself an attribute.
        title, link: the headline; where it leads (``href`` where the rule finds an element).
        summary, author, tags: words of the elements found.
        date: the ``datetime`` of the element found, or else its words.
        image: ``src`` (or ``data-src``) of the element found, with its ``alt``.
        date_format: how dates are written, as ``strptime`` says it (``%d %B %Y``); "" for ISO 8601 and RFC 5322.
        zone: IANA zone of dates that name none.
    """

    item: str
    title: str = "a"
    link: str = "a"
    summary: str = ""
    author: str = ""
    date: str = "time"
    image: str = "img"
    tags: str = ""
    date_format: str = ""
    zone: str = "UTC"

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class JsonRules:
    """Where the items of a JSON document stand, as dot paths: ``data.articles``, ``authors.0.name``, ``tags.*.label``.

    A number picks from a list, ``*`` takes everything, a dot within a name is written ``\\.``. ``items`` leads from the
    document, the others from one item; "" finds nothing (for ``items``: the document itself is the list).

    Attributes:
        link: a path, or a template such as ``https://news.example/{section.slug}/{id}``.
        date: ISO 8601, RFC 5322, or seconds or milliseconds since 1970.
        date_format, zone: as in ``PageRules``.
    """

    items: str = ""
    title: str = "title"
    link: str = "url"
    id: str = "id"
    summary: str = ""
    content: str = ""
    author: str = ""
    date: str = ""
    image: str = ""
    tags: str = ""
    date_format: str = ""
    zone: str = "UTC"

    __pydantic_config__ = FORBID_EXTRA


PAGE_SELECTORS = ("item", "title", "link", "summary", "author", "date", "image", "tags")
JSON_PATHS = ("items", "title", "link", "id", "summary", "content", "author", "date", "image", "tags")


def is_xpath(rule: str) -> bool:
    """Whether a rule is an XPath; else it is a CSS selector."""
    return bool(_XPATH.match(rule.strip()))


def css_and_attribute(rule: str) -> tuple[str, str]:
    """``time@datetime`` as selector and attribute; the attribute is "" if the rule names none."""
    match = _ATTRIBUTE.fullmatch(rule.strip())
    return (match["css"].strip(), match["name"]) if match else (rule.strip(), "")


def dot_path(path: str) -> tuple[str, ...]:
    """The steps of a dot path.

    Raises:
        ValueError: it has an empty step.
    """
    if not path.strip():
        return ()
    steps = tuple(step.replace("\\.", ".").strip() for step in re.split(r"(?<!\\)\.", path.strip()))
    if not all(steps):
        raise ValueError(f"{path!r} has an empty step: write names with single dots between them")
    return steps


def template_paths(template: str) -> tuple[str, ...]:
    """The paths in the braces of a template; empty if it is none."""
    return tuple(_PLACE.findall(template))


def fill_template(template: str, values: dict[str, str]) -> str:
    """The template with a value for each of its paths."""
    return _PLACE.sub(lambda match: values[match[1]], template)
