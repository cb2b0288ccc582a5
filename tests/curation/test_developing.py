from dataclasses import replace
from datetime import timedelta

from digest.curation.developing import developments
from digest.curation.items import item_of
from digest.curation.window import fresh
from digest.domain.calendar import Window
from digest.domain.content import Story
from tests.curation.make import EVENT, NOW, article

SINCE = NOW - timedelta(hours=10)
FIRST = "Harbor Exchange halted withdrawals on Monday after thieves drained its hot wallet of 40 million dollars."
NEWS = "The regulator of Singapore has now opened an investigation into the custody partner of the exchange."


def story(*articles: object, copies: frozenset[int] = frozenset()) -> Story:
    lead, *others = articles
    return Story(lead, tuple(others), copies=copies)  # type: ignore[arg-type]


def test_only_sentences_that_earlier_articles_did_not_have_are_new() -> None:
    told = article(1, EVENT[0], hours=20, text=FIRST)
    late = article(2, EVENT[1], hours=2, text=f"On Monday thieves drained the hot wallet of Harbor Exchange. {NEWS}")
    assert developments(story(told, late), SINCE) == (NEWS,)


def test_a_copy_and_an_older_article_bring_nothing_new() -> None:
    told, copy = article(1, EVENT[0], hours=20, text=FIRST), article(2, EVENT[1], hours=2, text=NEWS)
    assert developments(story(told, copy, copies=frozenset({2})), SINCE) == ()
    assert developments(story(told), SINCE) == ()


def test_what_two_late_articles_say_is_told_once_and_never_cut() -> None:
    late = [
        article(n, EVENT[n], hours=3 - n, text=f"{NEWS} It is said that the wallets of many others were")
        for n in (0, 1)
    ]
    assert developments(story(*late), SINCE) == (NEWS,)


def test_page_furniture_is_never_news() -> None:
    told = article(1, EVENT[0], hours=20, text=FIRST)
    late = article(2, EVENT[1], hours=2, text=f"{NEWS}\nSign up for our free newsletter on money and markets today.")
    assert developments(story(told, late), SINCE) == (NEWS,)


def test_an_update_says_in_its_blurb_what_readers_were_not_told() -> None:
    told = article(1, EVENT[0], hours=20, text=FIRST)
    late = article(2, EVENT[1], hours=2, text=f"{FIRST} {NEWS}")
    running = replace(story(told, late), story_id=1, last_sent_at=SINCE)
    window = Window(SINCE, NOW)

    def blurb(found: Story) -> str:
        (item,) = [item_of(one, 0, [one], {}) for one in fresh([found], window)]
        return item.dek

    assert blurb(running) == NEWS
    assert blurb(replace(running, last_sent_at=None)).startswith(FIRST)
