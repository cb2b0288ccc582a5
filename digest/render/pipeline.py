"""One issue, rendered once: document → Jinja2 → MJML → premailer → fragments."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from traceback import extract_tb
from typing import Any, cast

import mjml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2 import TemplateNotFound as JinjaTemplateNotFound
from markupsafe import Markup

from digest.domain.issue import LEAD, Form, IssueDocument
from digest.domain.mail import Fragment
from digest.domain.newsroom import Theme
from digest.errors import RenderError
from digest.render import clean, inline, quoted, rich, slots, wording
from digest.render.budget import (
    LIMIT,
    RESERVE,
    Place,
    Step,
    in_form,
    largest,
    least_with_week,
    size,
    smaller_weeks,
    step_down,
    stepped,
    topical,
    week_of,
    with_week,
    without_week,
)
from digest.render.palette import palette
from digest.render.words import Words, says, words_for


@dataclass(frozen=True, slots=True)
class Fitted:
    """An issue within the byte budget.

    Attributes:
        document: with every story in the form in which it is shown.
        steps: the stories that were made smaller for it, in that order.
        largest: bytes of HTML that no cut exceeds.
    """

    document: IssueDocument
    fragments: tuple[Fragment, ...]
    steps: tuple[Step, ...]
    largest: int


class Renderer:
    """Renders issues and notices with the templates under ``templates/email``.

    Args:
        templates: the folder that holds ``email/``.
        own: folders whose files stand in for those of the same name in ``templates/email``, first one first.
    """

    def __init__(self, templates: Path, own: Sequence[Path] = ()) -> None:
        self._folders = (*own, templates / "email")
        loader = FileSystemLoader(self._folders)
        self._html = _environment(loader, autoescape=True)
        self._text = _environment(loader, autoescape=False)

    def render(self, document: IssueDocument) -> tuple[Fragment, ...]:
        """The fragments of the issue, in the order of the mail. The same document gives the same bytes.

        Raises: see :meth:`fit`.
        """
        return self.fit(document).fragments

    def fit(self, document: IssueDocument, limit: int = LIMIT - RESERVE) -> Fitted:
        """The issue, with stories stepped down until no cut has more than ``limit`` bytes of HTML.

        Blocks that nobody chooses (letters, tables) and leads stay whole: if they alone are larger, so is the mail, and
        preflight says so.

        Raises:
            RenderError: a template, block or theme that can't be rendered; names the place.
        """
        week = week_of(document)
        if week is None or not week.items:
            return self._fit(document, limit)
        daily = self._fit(without_week(document), limit)
        document = stepped(document, daily.steps)
        for section in (week, *smaller_weeks(week)):
            fitted = with_week(document, section)
            fragments = self._drawn(fitted)
            if least_with_week(fragments, section.most) <= limit:
                return Fitted(fitted, fragments, daily.steps, largest(fragments))
        return daily

    def _fit(self, document: IssueDocument, limit: int) -> Fitted:
        fragments = self._drawn(document)
        excess = largest(fragments) - limit
        if excess <= 0:
            return Fitted(document, fragments, (), limit + excess)
        sections = topical(document)
        sizes: dict[Form, dict[Place, int]] = {"card": {}, "related": {}, "lead": {}, "brief": {}, "line": {}}
        for fragment in fragments:
            if fragment.role == "item" and fragment.group != LEAD:
                sizes[cast(Form, fragment.form)][fragment.group, fragment.story_id or 0] = size(fragment)
        sizes["brief"] = self._sizes(in_form(document, "brief"))
        sizes["line"] = self._sizes(in_form(document, "line"))
        while True:
            steps, saved = step_down(sections, sizes, excess)
            fitted = stepped(document, steps)
            fragments = self._drawn(fitted)
            over = largest(fragments) - limit
            # The block that leads to the page on the web takes room itself, and may come with the last step.
            if over <= 0 or saved < excess:
                return Fitted(fitted, fragments, steps, limit + over)
            excess = saved + over

    def _sizes(self, document: IssueDocument) -> dict[Place, int]:
        return {
            (f.group, f.story_id or 0): size(f) for f in self._drawn(document) if f.role == "item" and f.group != LEAD
        }

    def _drawn(self, document: IssueDocument) -> tuple[Fragment, ...]:
        nonce = _nonce(document)
        document = clean.cleaned(document)
        planned = slots.plan(document)
        web = slots.web_items(document)
        names: dict[str, Any] = {"document": document, "blocks": slots.in_mail(document).blocks, "web": web}
        html = self.page("layout.mjml", names, document.locale, document.theme, nonce)
        text = self.text("layout.txt", names, document.locale, nonce)
        keys = [slot.key for slot in planned]
        html_pieces = _sliced(html, re.compile(f"<!--{nonce}:(.*?)-->"), keys, "layout.mjml")
        text_pieces = _sliced(text, re.compile(f"{nonce}:(.*?):{nonce}"), keys, "layout.txt")
        sentinel = _sentinel(nonce)
        return tuple(
            Fragment(
                position=position,
                key=slot.key,
                role=slot.role,
                group=slot.group,
                html=quoted.pieces(html_piece + ("\n" if slot.key == slots.CLOSE else ""), sentinel),
                text=quoted.pieces(_paragraph(text_piece), sentinel),
                story_id=slot.item.story_id if slot.item else None,
                form=slot.form,
                headline=slot.item.headline if slot.item else "",
                dek=slot.item.dek if slot.item else "",
            )
            for position, (slot, html_piece, text_piece) in enumerate(
                zip(planned, html_pieces, text_pieces, strict=True)
            )
        )

    def sources(self) -> dict[str, str]:
        """SHA-256 of every template that an issue may use, by name, as this renderer finds them; not those of notices."""
        loader = self._text.loader
        assert loader is not None
        return {
            name: sha256(loader.get_source(self._text, name)[0].encode()).hexdigest()
            for name in loader.list_templates()
            if name.endswith((".mjml", ".txt", ".css", ".toml"))
            and not name.startswith("_notice")
            and ("/" not in name or name.startswith(("blocks/", "words/")))
        }

    def whole(self, name: str, names: dict[str, Any], locale: str, theme: Theme) -> tuple[bytes, bytes]:
        """HTML and text of a mail that is not cut, such as a notice: ``name``.mjml and ``name``.txt, encoded."""
        nonce = _nonce((name, names))
        sentinel = _sentinel(nonce)
        html = self.page(f"{name}.mjml", names, locale, theme, nonce)
        text = self.text(f"{name}.txt", names, locale, nonce)
        return quoted.pieces(html + "\n", sentinel), quoted.pieces(text.strip("\n") + "\n", sentinel)

    def words(self, locale: str) -> Words:
        """The words of the mail in the language of a BCP 47 tag. Raises as :func:`words_for` does."""
        return words_for(locale, self._folders)

    def spoken(self, locale: str) -> str:
        """The locale, or English where there are no words for it: for mails that are made of such words alone."""
        language = str(self.words(locale)["language"])
        return locale if wording.locale_of(locale).language == language else "en-US"

    def line(self, name: str, names: dict[str, Any], locale: str) -> str:
        """A one-line text, such as a subject, from template ``name``."""
        return clean.clean_line(self.text(name, names, locale, "0"))

    def page(self, name: str, names: dict[str, Any], locale: str, theme: Theme, nonce: str) -> str:
        """The finished page of template ``name``: inlined, checked, minified; markers and tokens still in it."""
        shared = {**self._shared(locale, nonce, _html_mark, Markup), **names, "theme": palette(theme)}
        # In mj-head mrml takes line ends between elements for white space, but blanks alone for stray text.
        head, end, body = _fill(self._html, name, shared).partition("</mj-head>")
        source = re.sub(r">[ \t]+(?=<|$)", ">\n", head) + end + body
        css = _fill(self._text, "style.css", shared)
        try:
            page = mjml.mjml2html(source, disable_comments=False)
        except ValueError as error:
            raise RenderError(
                f"{name} is no valid MJML with this content: {error}{_excerpt(source, str(error))}"
            ) from error
        return inline.minified(inline.checked(inline.inline(inline.lean(page), css)))

    def text(self, name: str, names: dict[str, Any], locale: str, nonce: str) -> str:
        """The text of template ``name``; markers and tokens still in it."""
        return _fill(self._text, name, {**self._shared(locale, nonce, _text_mark, str), **names})

    def _shared(self, locale: str, nonce: str, mark: Callable[[str, str], str], kind: type[str]) -> dict[str, Any]:
        """What every template may use besides its own names. ``kind`` is the type of finished text."""
        words = words_for(locale, self._folders)
        return {**_shared(locale, nonce, mark), "words": words, **says(words, kind)}


def _environment(loader: FileSystemLoader, *, autoescape: bool) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=autoescape,  # noqa: S701  (off for the text part alone, where < is a character)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        finalize=None if autoescape else wording.untagged,
    )
    environment.filters.update(
        href=clean.href,
        fold=wording.fold,
        markdown=lambda body: Markup(rich.markdown_html(body)),  # noqa: S704  (sanitised by nh3)
        markdown_text=rich.markdown_text,
        slug_heading=slots.heading,
    )
    return environment


def _fill(environment: Environment, name: str, names: dict[str, Any]) -> str:
    try:
        return environment.get_template(name).render(names)
    except JinjaTemplateNotFound as error:
        raise RenderError(f"{name}: there is no template {error.name} under templates/email") from error
    except TemplateError as error:
        raise RenderError(f"{_place(error, environment, name)}: {error}") from error


def _place(error: TemplateError, environment: Environment, name: str) -> str:
    """File and line of a template at fault: of a file that cannot be read as one, or that fails when it is filled."""
    if isinstance(error, TemplateSyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    loader = environment.loader
    folders = loader.searchpath if isinstance(loader, FileSystemLoader) else []
    # Jinja2 makes tracebacks speak of template files and their lines.
    frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename.startswith(tuple(folders))]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else name


def _shared(locale: str, nonce: str, mark: Callable[[str, str], str]) -> dict[str, Any]:
    place = wording.locale_of(locale)
    direction = wording.direction(locale)
    return {
        "lang": locale,
        "dir": direction,
        "start": "right" if direction == "rtl" else "left",
        "end": "left" if direction == "rtl" else "right",
        "mark": lambda key: mark(nonce, key),
        "mark_item": lambda group, story_id: mark(nonce, slots.item(group, story_id)),
        "mark_heading": lambda group: mark(nonce, slots.heading(group)),
        "mark_closing": lambda group: mark(nonce, slots.closing(group)),
        "token": lambda name: f"{nonce}{name}{nonce}",
        "long_date": lambda day: wording.long_date(day, place),
        "short_day": lambda day: wording.short_day(day, place),
        "weekday": lambda day: wording.weekday(day, place),
        "month": lambda day: wording.month(day, place),
        "date_range": lambda starts, ends: wording.date_range(starts, ends, place),
        "clock_time": lambda moment: wording.clock_time(moment, place),
        "price": lambda quote: wording.price(quote.price, quote.currency, place),
        "change": lambda value: wording.change(value, place),
        "pad": lambda text, width: text + " " * max(0, width - wording.columns(text)),
        "pad_left": lambda text, width: " " * max(0, width - wording.columns(text)) + text,
    }


def _excerpt(source: str, problem: str) -> str:
    """The source around the position that mrml names, for whoever must mend it."""
    place = re.search(r"position (\d+):", problem)
    if not place:
        return ""
    at = int(place[1])
    return f", near {source.encode()[max(0, at - 60) : at + 60].decode(errors='replace')!r}"


def _nonce(content: object) -> str:
    """A word that no text of this issue can hold, because it depends on all of them; the same every time."""
    return "q" + sha256(repr(content).encode("utf-8", "surrogatepass")).hexdigest()[:20]


def _sentinel(nonce: str) -> "re.Pattern[str]":
    return re.compile(f"{nonce}([A-Z]+){nonce}")


def _html_mark(nonce: str, key: str) -> str:
    return Markup("<!--{}:{}-->").format(nonce, key)


def _text_mark(nonce: str, key: str) -> str:
    return f"{nonce}:{key}:{nonce}"


def _paragraph(text: str) -> str:
    """A piece of the text part: its own lines and one blank line behind it, or nothing."""
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    joined = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
    return f"{joined}\n\n" if joined.strip() else ""


def _sliced(source: str, marker: "re.Pattern[str]", keys: list[str], name: str) -> list[str]:
    """The source cut at its markers; what stands before the first one belongs to the first key.

    Raises:
        RenderError: the templates do not mark every slot once and in order.
    """
    parts = marker.split(source)
    found = [slots.OPEN, *parts[1::2]]
    if found != keys:
        odd = next(pair for pair in zip([*found, "nothing"], [*keys, "nothing"], strict=False) if pair[0] != pair[1])
        raise RenderError(f"{name}: found the mark {odd[0]!r} where {odd[1]!r} belongs; see the block's template")
    return parts[0::2]
