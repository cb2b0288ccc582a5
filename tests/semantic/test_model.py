from pathlib import Path

import pytest

from digest.errors import ConfigError
from digest.semantic.model import open_model

TEXTS = [
    "Harbor Exchange halts withdrawals after a breach",
    "Hackers rob a trading platform",
    "Coins of Roman emperors",
]


def test_without_the_extra_the_operator_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.semantic.model.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"newsletter-digest\[semantic\]"):
        open_model()


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"DIGEST_SEMANTIC"):
        open_model(tmp_path)


def test_texts_that_mean_the_same_are_nearer_and_company_changes_nothing() -> None:
    pytest.importorskip("onnxruntime", reason="the extra `semantic` is not installed")
    numpy = pytest.importorskip("numpy")
    one, other, third = open_model().vectors(TEXTS)
    assert numpy.dot(one, other) > numpy.dot(one, third)
    assert open_model().vectors(TEXTS[:1])[0].tobytes() == one.tobytes()
