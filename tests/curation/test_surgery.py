from hypothesis import given
from hypothesis import strategies as st

from digest.curation.group import group
from digest.domain.content import StoryRule
from tests.curation.make import EVENT, OTHERS, article


def ids(stories: object) -> list[list[int]]:
    return [sorted(a.id for a in story.articles) for story in stories]  # type: ignore[attr-defined]


ARTICLES = [article(number, title) for number, title in enumerate((*EVENT, *OTHERS), start=1)]


def test_what_must_be_together_is_one_story_whatever_its_words_say() -> None:
    assert ids(group(ARTICLES, [StoryRule(4, 6, together=True)])) == [[1, 2, 3], [4, 6], [5]]


def test_whole_stories_follow_the_articles_that_must_be_together() -> None:
    assert ids(group(ARTICLES, [StoryRule(5, 2, together=True)])) == [[1, 2, 3, 5], [4], [6]]


def test_what_must_be_apart_is_two_stories_even_when_one_is_a_copy() -> None:
    twins = [article(1, EVENT[0]), article(2, EVENT[0]), article(3, EVENT[1])]
    assert ids(group(twins, [StoryRule(1, 2, together=False)])) == [[1, 3], [2]]


def test_of_two_rules_that_clash_the_later_one_holds() -> None:
    together, apart = StoryRule(1, 4, together=True), StoryRule(4, 1, together=False)
    assert [1, 2, 3, 4] in ids(group(ARTICLES, [apart, together]))
    assert [4] in ids(group(ARTICLES, [together, apart]))


def test_rules_of_articles_that_left_the_window_say_nothing() -> None:
    assert group(ARTICLES, [StoryRule(77, 1, together=False), StoryRule(1, 1, together=False)]) == group(ARTICLES)


def test_articles_that_left_the_window_still_link_those_that_are_in_it() -> None:
    chain = [StoryRule(4, 77, together=True), StoryRule(77, 6, together=True)]
    assert ids(group(ARTICLES, chain)) == [[1, 2, 3], [4, 6], [5]]
    assert [2] in ids(group(ARTICLES, [StoryRule(77, 2, together=False), StoryRule(1, 77, together=True)]))


RULES = st.lists(st.builds(StoryRule, st.integers(1, 7), st.integers(1, 7), st.booleans()), max_size=8)


@given(RULES)
def test_the_latest_rule_is_obeyed_and_no_article_is_lost(rules: list[StoryRule]) -> None:
    found = ids(group(ARTICLES, rules))
    assert sorted(ident for story in found for ident in story) == [1, 2, 3, 4, 5, 6]
    if rules and rules[-1].one != rules[-1].other and max(rules[-1].one, rules[-1].other) <= 6:
        together = any(rules[-1].one in story and rules[-1].other in story for story in found)
        assert together is rules[-1].together
