"""A mail speaks one language: that of its newsletter, or English."""

import email
import email.policy
import re
import tomllib
from datetime import date
from pathlib import Path
from quopri import decodestring
from string import Formatter

import pytest

from digest.domain.issue import WEEK, Block, PlacedItem, Section
from digest.errors import RenderError
from digest.render.cut import html_of, text_of, whole
from digest.render.message import Head, tokens
from digest.render.notices import NoticeSender, notice
from digest.render.words import says, words_for
from tests.render import documents

FOLDER = documents.TEMPLATES / "email"
FILES = sorted((FOLDER / "words").glob("*.toml"))
ENGLISH = words_for("en-US", (FOLDER,))


def mail(locale: str) -> tuple[str, str]:
    document = documents.document(locale=locale)
    fragments = documents.renderer().render(document)
    values = tokens(Head.of(document), fragments, whole(fragments), documents.addressee())
    return html_of(fragments, whole(fragments), values), text_of(fragments, whole(fragments), values)


def test_the_languages_that_come_with_the_code() -> None:
    assert {path.stem for path in FILES} >= {"en", "de", "fr", "es", "pt", "ar", "he"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_language_has_every_word_with_the_names_that_are_filled_in(path: Path) -> None:
    words = words_for(path.stem, (FOLDER,))
    assert words.keys() == ENGLISH.keys()
    for key, english in ENGLISH.items():
        if key != "language":
            forms = words[key].values() if isinstance(words[key], dict) else [words[key]]
            wanted = names(english["other"] if isinstance(english, dict) else english)
            for form in forms:
                assert names(form) <= wanted, key
            assert set().union(*map(names, forms)) == wanted, key


def names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize(
    ("locale", "seen"),
    [
        ("de-AT", ["Donnerstag, 12. März 2026", "Täglich, mit Mara Ellison", "Nr. 42", "$\u00a083.912", "−2,4\u00a0%", "Abbestellen", "Von Ines Carvalho"]),
        ("fr", ["jeudi 12 mars 2026", "Chaque jour, avec Mara Ellison", "révélé par Bloomberg", "Se désabonner"]),
        ("es-MX", ["jueves, 12 de marzo de 2026", "Cada día, con Mara Ellison", "Darse de baja"]),
        ("pt-BR", ["quinta-feira, 12 de março de 2026", "Todos os dias, com Mara Ellison"]),
        ("ar", ["الخميس، 12 مارس 2026", "كل يوم، مع Mara Ellison", "إلغاء الاشتراك", "تناوله مصدران."]),
        ("he", ["יום חמישי, 12 במרץ 2026", "הסרה מרשימת התפוצה"]),
    ],
)  # fmt: skip
def test_dates_numbers_and_words_are_those_of_the_newsletters_language(locale: str, seen: list[str]) -> None:
    for part in mail(locale):
        for words in seen:
            assert words in part
        for english in ("Unsubscribe", "View in browser", "Why it leads", "Brought to you", "By Ines", "Upcoming"):
            assert english not in part


@pytest.mark.parametrize(
    ("locale", "seen"),
    [
        ("en", ("The best of the week", "Tues · By")),
        ("de", ("Das Beste der Woche", "Di. · Von")),
        ("fr", ("Le meilleur de la semaine", "Mar. · Par")),
        ("es", ("Lo mejor de la semana", "Mar · Por")),
        ("pt", ("O melhor da semana", "Ter. · Por")),
        ("ar", ("أبرز ما في الأسبوع", "الثلاثاء · ")),
        ("he", ("מיטב השבוע", "יום ג׳ · ")),
    ],
)
def test_the_best_of_the_week_has_its_heading_and_days_in_every_language(locale: str, seen: tuple[str, str]) -> None:
    item = documents.story(1, author="Ines Carvalho", week=1, carried_on=date(2026, 3, 10))
    week = Block(WEEK, WEEK, section=Section(WEEK, "", items=(PlacedItem(item, "card"),)))
    document = documents.document(documents.masthead(), week, documents.footer(), locale=locale)
    fragments = documents.renderer().render(document)
    for part in (
        b"".join(f.html for f in fragments if f.group == WEEK),
        b"".join(f.text for f in fragments if f.group == WEEK),
    ):
        shown = " ".join(decodestring(part).decode().split())
        assert seen[0].casefold() in shown.casefold()
        assert seen[1] in shown


def test_a_language_without_a_file_gets_english_words_all_of_them() -> None:
    page, _ = mail("fi")
    assert "torstai 12. maaliskuuta 2026" in page
    assert all(word in page for word in ("Unsubscribe", "View in browser", "Brought to you by"))
    assert words_for("fi", (FOLDER,))["language"] == "en"


def test_a_file_that_lacks_words_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "fi.toml").write_text('no = "Nro {n}"\n')
    with pytest.raises(RenderError, match=r"fi\.toml: these words are missing: .*unsubscribe"):
        words_for("fi-FI", (tmp_path, FOLDER))
    (tmp_path / "words" / "de.toml").write_text('shere = "Weitersagen"\n')
    with pytest.raises(RenderError, match="no template uses shere"):
        words_for("de", (tmp_path, FOLDER))


def test_a_newsletters_own_words_go_before_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "de.toml").write_text('sponsored = "Gefördert von"\n')
    words = words_for("de", (tmp_path, FOLDER))
    assert (words["sponsored"], words["share"]) == ("Gefördert von", "Teilen")


@pytest.mark.parametrize(("number", "words"), [(1, "مصدر واحد"), (2, "مصدران"), (5, "5 مصادر"), (11, "11 مصدرًا"), (100, "100 مصدر")])  # fmt: skip
def test_what_is_counted_takes_the_form_of_its_number(number: int, words: str) -> None:
    arabic = words_for("ar", (FOLDER,))
    assert words in says(arabic, str)["plural"](arabic["outlets_cover"], number)


def test_no_template_asks_for_a_word_that_is_not_there() -> None:
    asked = {
        name
        for folder in (FOLDER, FOLDER.parent / "web" / "reader")
        for path in folder.rglob("*")
        if path.suffix in (".mjml", ".txt", ".css", ".html")
        for name in re.findall(r"words\.(\w+)", path.read_text(encoding="utf-8"))
    }
    assert asked - ENGLISH.keys() == set()
    shipped = tomllib.loads((FOLDER / "words" / "en.toml").read_text(encoding="utf-8"))
    used_elsewhere = {
        "daily",
        "weekdays",
        "weekly",
        "no_history",
        "stands",
        "rose",
        "fell",
        "chart_line",
        "chart_lines",
        "chart_bars",
    }
    assert shipped.keys() - asked == used_elsewhere


@pytest.mark.parametrize(
    ("locale", "subject", "seen"),
    [
        (
            "de",
            "Bitte bestätigen: The Float",
            ["Meine Adresse bestätigen", "Nach 30 Tagen wird Ihre Adresse vergessen."],
        ),
        ("ar", "يرجى التأكيد: The Float", ["أكّد عنواني", "بعد 30 يومًا"]),
        ("fi", "Please confirm: The Float", ["Confirm my address"]),
    ],
)
def test_notices_to_readers_speak_the_newsletters_language(locale: str, subject: str, seen: list[str]) -> None:
    sender = NoticeSender("The Float", "mara@float.example", documents.POSTAL, locale)
    mail = email.message_from_bytes(confirm(sender, "confirm"), policy=email.policy.default)
    page = mail.get_body(("html",)).get_content()
    assert mail["Subject"] == subject
    for part in (page, " ".join(mail.get_body(("plain",)).get_content().split())):
        for words in seen:
            assert words in part
    assert f'lang="{locale if locale != "fi" else "en-US"}" dir="{"rtl" if locale == "ar" else "ltr"}"' in page


def confirm(sender: NoticeSender, kind: str) -> bytes:
    payload = {"url": "https://mail.float.example/confirm/AAAA", "name": "The Float", "days": 30}
    renderer = documents.renderer()
    return notice(
        renderer, kind, payload, sender, address="a@b.example", message_id="<n@float.example>", date=documents.NOW
    ).data


def test_mails_to_editors_are_english_whatever_the_newsletter_speaks() -> None:
    sender = NoticeSender("The Float", "mara@float.example", documents.POSTAL, "ar")
    page = email.message_from_bytes(confirm(sender, "sign-in-link"), policy=email.policy.default).get_body(("html",))
    assert 'lang="en-US" dir="ltr"' in page.get_content()
