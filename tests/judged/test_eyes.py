"""The mails before axe-core and in a real browser, in light and in dark: for those who read with a keyboard, a reader, or a phone."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from tests.conftest import CHROMIUM
from tests.judged.mails import ISSUES, Mail, written
from tests.judged.test_delivery import shared_tool

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("judged")]

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
    # A mail is shown inside another page, which has the landmarks.
    "rules": {"region": {"enabled": False}, "landmark-one-main": {"enabled": False}},
}


@pytest.mark.parametrize("name", ["sample", *ISSUES])
def test_axe_finds_nothing_serious_and_nothing_scrolls_sideways(
    chromium: Browser, node_tools: Path, mails: dict[str, Mail], name: str
) -> None:
    for scheme, width in (("light", 680), ("dark", 375)):
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()

        def answer(route: Route) -> None:
            if route.request.url == "http://mail.invalid/":
                route.fulfill(content_type="text/html; charset=utf-8", body=mails[name].html)
            else:
                route.abort()

        context.route("**/*", answer)
        page.goto("http://mail.invalid/")
        wide = page.evaluate("document.documentElement.scrollWidth")
        page.add_script_tag(path=node_tools / "axe-core" / "axe.min.js")
        report = page.evaluate("rules => axe.run(document, rules)", RULES)
        context.close()
        serious = [
            (each["id"], each["nodes"][0]["html"][:150])
            for each in report["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert (wide <= width, serious) == (True, []), scheme
        assert len(report["passes"]) > 10


@pytest.mark.parametrize("name", ["one story", "right to left"])
def test_six_photographs_show_nothing_that_scrolls_and_nothing_serious(
    node_tools: Path, mails: dict[str, Mail], name: str, tmp_path: Path
) -> None:
    tool = shared_tool("screenshot.py")
    file = written({name: mails[name]}, tmp_path, "eml")[name]
    axe = node_tools / "axe-core" / "axe.min.js"
    done = subprocess.run(
        [sys.executable, tool, file, tmp_path / "shots", "--axe", axe, "--chromium", CHROMIUM],
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert (done.returncode, [line for line in lines if not line.startswith("PASS")]) == (0, []), done.stderr
    assert len(lines) == 12
