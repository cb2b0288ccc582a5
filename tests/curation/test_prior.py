import random

from digest.curation.prior import Past, learn_prior

STRONG, WEAK = "The Docket", "Daily Wire Copy"


def past(times: int) -> list[Past]:
    return [Past(f"Note {n}", source, "", gain) for n in range(times) for source, gain in ((STRONG, 9.0), (WEAK, 0.0))]


def test_an_outlet_seen_often_earns_more_points_than_one_seen_once() -> None:
    once, often = learn_prior(past(1)).sources(), learn_prior(past(40)).sources()
    assert 0 < once["the docket"] < often["the docket"] < 1.5
    assert once["daily wire copy"] < 0


def test_where_all_fared_alike_nobody_earns_points() -> None:
    assert set(learn_prior([Past("A", "x", "", 4.0), Past("B", "y", "", 4.0)]).sources().values()) <= {0.0}
    assert learn_prior([]).of("A", "x") == 0.0


def test_words_and_part_of_the_site_count_for_an_article_of_an_unknown_outlet() -> None:
    prior = learn_prior([Past("Rocket launch", "a", "https://a.example/space/1", 50), Past("Tax form", "b", "", 0)] * 5)
    assert prior.of("A rocket", "c") > prior.of("A form", "c")
    assert prior.of("Plain", "a", "https://a.example/space/2") > prior.of("Plain", "a", "https://a.example/other/2")


def test_the_order_of_what_is_learned_is_of_no_matter() -> None:
    rows = past(9)
    assert learn_prior(rows) == learn_prior(random.Random(2).sample(rows, len(rows)))
