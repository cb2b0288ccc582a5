"""Mails bear the public address; on a page they lead to the address under which the reader sees that page."""

import re

from fastapi import Request


def here(html: str, public_url: str, origin: str) -> str:
    """A mail with links to our own pages and pictures pointed at ``origin``."""
    return re.sub(rf"{re.escape(public_url)}(?=[/\"'?#<\s])", lambda _found: origin, html) if public_url else html


def origin_of(request: Request) -> str:
    """Where the browser reached us, such as ``http://127.0.0.1:8000``."""
    return str(request.base_url).rstrip("/")
