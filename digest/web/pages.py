"""Pages from templates: escaped always, and a name that isn't there is an error, not a blank."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from digest.web.security import csrf_field, csrf_token

STATIC = Path(__file__).parent / "static"
"""Style sheets and scripts, served under ``/static/``."""


class Pages:
    """Renders the templates under ``web/``.

    Args:
        templates: the folder that holds ``web/`` (``Context.templates``).

    In every template: ``request``, ``asset(name)`` (a file of ``static/``, cacheable for ever),
    ``csrf_field()`` and ``csrf_token()`` (see ``security``), and the filters ``day`` ("Thursday, March 12, 2026")
    and ``moment`` ("Mar 12, 2026, 11:00 AM", in a zone).
    """

    def __init__(self, templates: Path) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(templates / "web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals["asset"] = asset_url
        self.environment.filters["day"] = day
        self.environment.filters["moment"] = moment

    def render(
        self,
        request: Request,
        name: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> HTMLResponse:
        """The page made from template ``name`` (such as ``reader/sign_up.html``) and ``values``."""
        html = self.environment.get_template(name).render(
            request=request,
            csrf_field=lambda: csrf_field(request),
            csrf_token=lambda: csrf_token(request),
            **values,
        )
        return HTMLResponse(html, status_code=status, headers=dict(headers or {}))


@cache
def asset_url(name: str) -> str:
    """Where ``static/NAME`` is served; the address changes with the file, so that it may be cached for ever."""
    return f"/static/{name}?v={sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def day(value: date | datetime, locale: str = "en-US", zone: str = "UTC") -> str:
    """A date in words, "Thursday, March 12, 2026"; an aware time is a date on the calendar of ``zone``."""
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(zone)).date()
    return format_date(value, "full", locale=locale.replace("-", "_"))


def moment(value: datetime, zone: str = "UTC", locale: str = "en-US") -> str:
    """An aware time on the clock of ``zone``: "Mar 12, 2026, 11:00 AM"."""
    return format_datetime(value.astimezone(ZoneInfo(zone)), "medium", locale=locale.replace("-", "_"))
