"""Weights of the ranking from a file of their own, to be tried before they go into a newsletter's file."""

from pathlib import Path

from pydantic import TypeAdapter

from digest.domain.ranking import RankingWeights
from digest.errors import ConfigError
from digest.newsroom.read import _only, _read, _validate
from digest.newsroom.rules import weights_problems


def weights_in(path: Path) -> RankingWeights:
    """The table ``[ranking]`` of a TOML file.

    Raises:
        ConfigError: the first problem, by file, line and key.
    """
    if not path.is_file():
        raise ConfigError("there is no such file", file=str(path))
    problems: list[ConfigError] = []
    source = _read(path, problems)
    weights: RankingWeights | None = None
    if source is not None:
        _only(source, {"ranking"}, problems)
        table = source.data.get("ranking", {})
        weights = _validate(TypeAdapter(RankingWeights), table, source, ("ranking",), problems)
        if weights is not None:
            problems.extend(weights_problems(weights, source))
    if problems or weights is None:
        raise problems[0]
    return weights
