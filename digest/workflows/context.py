"""What every workflow is handed: the doors to the world, made once by ``bootstrap``."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from digest.domain.audience import Signer
from digest.domain.limits import Limits
from digest.engine.helpers import Helpers
from digest.engine.jobs import Jobs, Untold
from digest.feeds.fetch import Fetcher
from digest.feeds.reader import StartReader
from digest.semantic.model import SentenceModel
from digest.senders.base import Sender
from digest.store.database import Database
from digest.summariser.base import Summariser


@dataclass(frozen=True)
class Context:
    """Database, sender, fetcher, secrets, clock.

    Attributes:
        clock: returns the current aware UTC time; tests travel with it.
        public_url: where the world reaches the pages, without a trailing slash.
        var: folder for the journal, hosted pictures and the outbox.
        templates: folder that holds ``email/`` and ``web/``.
        newsroom: folder of the newsroom's files; newsletters may keep templates and a logo of their own in it.
        worker: the name that this process's claims bear.
        limits: how fast the sender may send.
        rest: waits for so many seconds; tests let their clock go on instead.
        summariser: the language model that newsletters may ask for blurbs; None if there is none.
        sentences: the sentence model that reads articles when they are grouped; None if there is none.
        jobs: the engine, to be told what other processes can do.
        start_reader: starts a process that reads feeds, sooner than one could be started anew.
        helpers: processes of this machine that may be started to help to hand out a large issue.
    """

    db: Database
    sender: Sender
    fetcher: Fetcher
    signer: Signer
    clock: Callable[[], datetime]
    public_url: str
    var: Path
    templates: Path
    worker: str = ""
    newsroom: Path | None = None
    summariser: Summariser | None = None
    sentences: SentenceModel | None = None
    limits: Limits = field(default_factory=Limits)
    rest: Callable[[float], None] = time.sleep
    jobs: Jobs = field(default_factory=Untold)
    start_reader: StartReader | None = None
    helpers: Helpers = field(default_factory=Helpers)

    @property
    def media(self) -> Path:
        """Folder of hosted pictures, served under ``/media/``."""
        return self.var / "media"

    @property
    def presence(self) -> Path:
        """Folder in which living processes hold their locks."""
        return self.var / "alive"
