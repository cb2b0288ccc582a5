"""The markup before strangers' judges: MJML's own validator, html-validate, the Nu HTML checker."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.judged.conftest import TOOLS, missing
from tests.judged.mails import Mail, written

pytestmark = pytest.mark.xdist_group("judged")

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "what-checks-the-mail.md"

EXPLAINED = {
    r"Attribute “xmlns:[vo]” not allowed here\.": "xmlns:v",
    r"CSS: “mso-[a-z-]+”: Property “mso-[a-z-]+” doesn't exist\.": "mso-*",
    r"CSS: “supported-color-schemes”: Property .*": "supported-color-schemes",
}
"""What the Nu checker calls an error and what stays: its message, and the name under which the guide explains it."""


def node(modules: Path, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    found = [str(modules / ".bin" / program), *map(str, arguments)]
    return subprocess.run(found, capture_output=True, text=True, timeout=120)


def test_mjml_accepts_every_template_as_it_is_filled(node_tools: Path, mjml_sources: dict[str, Path]) -> None:
    done = node(node_tools, "mjml", "--validate", *mjml_sources.values())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_mjmls_validator_is_awake(node_tools: Path, mjml_sources: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.mjml"
    broken.write_text(mjml_sources["one story"].read_text().replace("</mj-column>", "<mj-nope /></mj-column>"))
    assert node(node_tools, "mjml", "--validate", broken).returncode == 1


def test_html_validate_finds_nothing(
    node_tools: Path, mails: dict[str, Mail], notices: dict[str, Mail], tmp_path: Path
) -> None:
    files = written({**mails, **notices}, tmp_path, "html").values()
    done = node(node_tools, "html-validate", "--config", TOOLS / "html-validate.json", "--formatter", "json", *files)
    reports = json.loads(done.stdout or "[]")
    found = {
        (Path(file["filePath"]).stem, each["ruleId"], each["message"]) for file in reports for each in file["messages"]
    }
    assert (found, done.stderr) == (set(), "")


def test_every_rule_that_html_validate_must_not_apply_is_explained() -> None:
    rules = json.loads((TOOLS / "html-validate.json").read_text())["rules"]
    guide = GUIDE.read_text(encoding="utf-8")
    assert [name for name, value in rules.items() if value == "off" and f"`{name}`" not in guide] == []


def test_the_nu_checker_finds_no_error_that_is_not_explained(
    node_tools: Path, mails: dict[str, Mail], notices: dict[str, Mail], tmp_path: Path
) -> None:
    if shutil.which("java") is None:
        missing("java")
    files = written({**mails, **notices}, tmp_path, "html").values()
    jar = node_tools / "vnu-jar" / "build" / "dist" / "vnu.jar"
    done = subprocess.run(
        ["java", "-jar", jar, "--format", "json", "--exit-zero-always", *files],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    messages = json.loads(done.stderr)["messages"]
    assert messages, "the checker has said nothing at all, not even of table attributes"
    errors = {each["message"] for each in messages if each["type"] != "info"}
    assert {error for error in errors if not any(re.fullmatch(known, error) for known in EXPLAINED)} == set()
    others = {each["message"] for each in messages if each["type"] == "info"}
    assert {
        words for words in others if not re.search(r"is obsolete\.|is not needed and should be omitted", words)
    } == set()


def test_every_error_that_stays_is_explained() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert [name for name in EXPLAINED.values() if f"`{name}`" not in guide] == []
