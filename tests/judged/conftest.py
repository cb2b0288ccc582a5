"""Judges that nobody here wrote. They are skipped where they are not installed, unless they must be there.

``make tools`` installs those from npm; Java, SpamAssassin and Chromium come from the system. With
``DIGEST_TEST_REQUIRE_TOOLS`` set, as CI does, a judge that is missing is a failure.
"""

import os
import shutil
from pathlib import Path

import pytest

from digest.render import pipeline
from digest.render.notices import KINDS, NoticeSender, notice
from tests.cli.conftest import command, environment
from tests.conftest import NOW
from tests.judged.mails import ISSUES, Mail, mail_of
from tests.render import documents

TOOLS = Path(__file__).resolve().parents[2] / "tools"
MODULES = TOOLS / "node_modules"


def missing(what: str) -> None:
    """Skip, or fail where everything must be there."""
    if os.environ.get("DIGEST_TEST_REQUIRE_TOOLS"):
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed; `make tools` says how")


@pytest.fixture(scope="session")
def node_tools() -> Path:
    """The folder of the tools from npm."""
    if not (MODULES / "mjml").is_dir() or shutil.which("node") is None:
        missing("tools/node_modules")
    return MODULES


@pytest.fixture(scope="session")
def sample_mail(tmp_path_factory: pytest.TempPathFactory) -> Mail:
    """The first mail of the sample newsroom that reached the outbox whole, after a real run from feeds to inbox."""
    folder = tmp_path_factory.mktemp("sample")
    done = command(environment(folder), "run", "--once", "--json")
    assert done.code == 0, done.err
    files = (folder / "var" / "outbox" / "new").iterdir()
    longest = max((file.read_bytes() for file in files), key=len)
    return Mail("sample", longest, "12 Tally Street, New York, NY 10004")


@pytest.fixture(scope="session")
def mails(sample_mail: Mail) -> dict[str, Mail]:
    """The six kinds of issue, and the sample's."""
    return {"sample": sample_mail, **{name: mail_of(name, document) for name, document in ISSUES.items()}}


@pytest.fixture(scope="session")
def notices() -> dict[str, Mail]:
    """One of each mail outside the issues."""
    return {kind: Mail(kind, notice_of(kind)) for kind in KINDS}


def notice_of(kind: str) -> bytes:
    payload = {
        "url": "https://mail.float.example/confirm/AAAAAAAAAAEwTAtGc2x0fJc1bJ0Yd9mK", "name": "The Float", "days": 30,
        "minutes": 15, "headline": "Two feeds do not answer", "tagline": "What moves money.",
        "failing": ["Reuters: no answer for six hours"], "ended": ["The Block: gone for good (410)"],
    }  # fmt: skip
    letter = notice(
        documents.renderer(), kind, payload, NoticeSender("The Float", "mara@float.example", documents.POSTAL),
        address="ada@reader.example", message_id="<k5twq7hz3nd6x2ab@float.example>", date=NOW,
    )  # fmt: skip
    return letter.data


@pytest.fixture(scope="session")
def mjml_sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every template as the renderer fills it, before MJML is turned into HTML."""
    folder = tmp_path_factory.mktemp("mjml")
    sources: dict[str, Path] = {}
    real = pipeline.mjml.mjml2html
    for name in (*ISSUES, *KINDS):
        with pytest.MonkeyPatch.context() as patch:
            file = sources[name] = folder / f"{name.replace(' ', '-')}.mjml"

            def keep(source: str, file: Path = file, **options: object) -> str:
                file.write_text(source)
                return str(real(source, **options))

            patch.setattr(pipeline.mjml, "mjml2html", keep)
            if name in ISSUES:
                documents.renderer().render(ISSUES[name])
            else:
                notice_of(name)
    return sources
