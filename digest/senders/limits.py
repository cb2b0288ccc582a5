"""The limits of a sender, as options of ``DIGEST_SENDER`` that mean the same for every kind of sender."""

import re
from dataclasses import replace
from datetime import timedelta

from digest.domain.limits import Limits
from digest.senders.dsn import Dsn, wrong

OPTIONS = ("rate", "domain_rate", "domain_parallel", "daily", "warm_up", "give_up")
_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:/(s|m|h|second|minute|hour))?")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def limits_of(dsn: Dsn) -> tuple[Limits, Dsn]:
    """The limits, and the DSN without them.

    ``rate=100`` (mails a second; ``100/m`` and ``1000/h`` too), ``domain_rate=20,example.com:5``, ``domain_parallel=2``,
    ``daily=2000``, ``warm_up=50,100,500`` (mails on the first days), ``give_up=48`` (hours).

    Raises:
        ConfigError: an option that can't be read.
    """
    chosen = {name: value for name, value in dsn.options.items() if name in OPTIONS}
    if not chosen:
        return Limits(), dsn
    general, domains = _domain_rates(chosen.get("domain_rate", ""))
    limits = Limits(
        rate=_rate("rate", chosen["rate"]) if "rate" in chosen else None,
        domain_rate=general,
        domains=domains,
        domain_parallel=dsn.number("domain_parallel", 1) if "domain_parallel" in chosen else None,
        daily=dsn.number("daily", 1) if "daily" in chosen else None,
        warm_up=_warm_up(chosen["warm_up"]) if "warm_up" in chosen else (),
        give_up=timedelta(hours=dsn.number("give_up", 48)),
    )
    return limits, replace(dsn, options={name: value for name, value in dsn.options.items() if name not in chosen})


def _rate(name: str, text: str) -> float:
    found = _RATE.fullmatch(text.strip())
    if not found or float(found[1]) <= 0:
        raise wrong(f"{name}={text!r} is no rate: write mails a second (14, 0.5), a minute (100/m) or an hour (1000/h)")
    return float(found[1]) / _SECONDS[(found[2] or "s")[0]]


def _domain_rates(text: str) -> tuple[float | None, dict[str, float]]:
    general: float | None = None
    domains: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        domain, colon, rate = part.rpartition(":")
        if not colon:
            general = _rate("domain_rate", rate)
        elif _DOMAIN.fullmatch(domain.lower()):
            domains[domain.lower()] = _rate("domain_rate", rate)
        else:
            raise wrong(f"domain_rate={part!r} names no domain: write RATE,DOMAIN:RATE,DOMAIN:RATE")
    return general, domains


def _warm_up(text: str) -> tuple[int, ...]:
    steps = [part.strip() for part in text.split(",")]
    if not all(step.isascii() and step.isdigit() and int(step) > 0 for step in steps):
        raise wrong(f"warm_up={text!r} is no list of mails a day: write 50,100,500,1000")
    return tuple(int(step) for step in steps)
