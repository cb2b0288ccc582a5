"""Real Chromium, from the system's packages, before the whole application."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from digest.store.database import Database
from digest.web.app import create_app
from digest.workflows.context import Context
from tests.conftest import Clock
from tests.web.house import listening_socket, make_context, served


@dataclass
class House:
    """The application as served, and browser windows that look at it.

    Attributes:
        complaints: what browsers wrote to their consoles: script errors, violations of the security policy.
    """

    ctx: Context
    origin: str
    browser: Browser
    complaints: list[str] = field(default_factory=list)

    def window(self, *, width: int = 1100, dark: bool = False, scripts: bool = True, policy: bool = True) -> Page:
        """A fresh window that knows no cookies. ``policy=False`` lets a test bring a script of its own."""
        context = self.browser.new_context(
            base_url=self.origin,
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            bypass_csp=not policy,
        )
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page


@pytest.fixture
def house(chromium: Browser, sqlite_db: Database, clock: Clock, tmp_path: Path) -> Iterator[House]:
    """The house of ``tests/web/house.py`` with a browser before it."""
    listener = listening_socket()
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ctx = make_context(sqlite_db, clock, tmp_path, origin)
    with served(create_app(ctx), listener):
        found = House(ctx, origin, chromium)
        yield found
        for context in chromium.contexts:
            context.close()
