import random

from digest.curation.learned import ENOUGH, Correction, classify_learned, learn
from digest.curation.linear import train
from digest.domain.content import TopicProfile
from tests.curation.make import article

SHIPPING = TopicProfile("shipping", "Shipping", include=("freight",))
THINGS = ("tanker", "harbour", "container", "vessel", "dock")
OTHER = ("orchard", "recipe", "garden", "kitchen", "bread")


def corrections(each: int = ENOUGH) -> list[Correction]:
    """Editors who mean ships by "shipping", where the rules know only freight."""
    chance = random.Random(3)
    return [
        Correction(article(number, " ".join(chance.sample(words, 3)), summary=f"A {words[0]} in spring."), "shipping", yes)
        for number, (words, yes) in enumerate([(THINGS, True), (OTHER, False)] * each)
    ]  # fmt: skip


def test_with_too_few_corrections_the_rules_decide_and_it_says_so() -> None:
    verdict = learn(corrections(ENOUGH - 1), [SHIPPING])["shipping"]
    assert verdict.model is None
    assert verdict.why == f"the rules decide: {ENOUGH - 1} and {ENOUGH - 1} corrections, {ENOUGH} each needed"


def test_a_classifier_takes_over_where_it_beats_the_rules_and_names_its_strongest_words() -> None:
    verdicts = learn(corrections(), [SHIPPING])
    assert verdicts["shipping"].learned > verdicts["shipping"].rules == 0.0
    ship, cook = classify_learned(
        [article(900, "Vessel hits dock"), article(901, "Bread from the garden freight")], [SHIPPING], verdicts
    )
    assert ship.topics == ("shipping",)
    assert any(words.startswith('learned: "vessel" +') for words in ship.labels[0].evidence)
    assert cook.topics == ()


def test_rules_that_are_right_already_stay() -> None:
    good = TopicProfile("shipping", "Shipping", include=THINGS)
    verdict = learn(corrections(), [good])["shipping"]
    assert (verdict.model, verdict.rules) == (None, 1.0)


def test_corrections_of_a_topic_that_is_gone_are_of_no_use() -> None:
    assert learn(corrections(), []) == {}


def test_neither_the_order_of_examples_nor_a_second_run_changes_what_is_learned() -> None:
    examples = [(c.article.title, str(c.belongs)) for c in corrections()]
    shuffled = random.Random(5).sample(examples, len(examples))
    one, other = train(examples), train(shuffled)
    assert (one.margins.tobytes(), one.odds.tobytes()) == (other.margins.tobytes(), other.odds.tobytes())
    assert one.features.columns == other.features.columns


def test_scripts_without_spaces_are_learned_too() -> None:
    model = train(
        [("比特币上涨", "coin"), ("央行加息", "bank"), ("ビットコイン急騰", "coin"), ("سعر الفائدة", "bank")] * 3
    )
    assert model.best("比特币下跌", "央行降息", "الفائدة", "")[:3] == ["coin", "bank", "bank"]


def test_a_text_without_a_known_feature_goes_where_most_examples_went() -> None:
    model = train([("rates rise", "money"), ("bonds fall", "money"), ("late goal", "sport")])
    assert model.best() == []
    assert set(model.decision("")) == {"money", "sport"}
    assert model.best("zzz", "bonds") == ["money", "money"]
