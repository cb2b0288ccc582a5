"""Links that lead to an article by way of somebody else: aggregators' wrappers, shorteners, counters of clicks."""

import re
from urllib.parse import parse_qs, urlsplit

# Who wraps an article's address into one of their own, and the parameters that hold it.
_WRAPPERS = (
    (re.compile(r"(?:www\.)?google\.[a-z.]{2,6}"), "/url", ("url", "q")),
    (re.compile(r"(?:www\.)?bing\.com"), "/news/apiclick.aspx", ("url",)),
    (re.compile(r"lm?\.facebook\.com"), "/l.php", ("u",)),
    (re.compile(r"(?:www\.)?youtube\.com"), "/redirect", ("q",)),
    (re.compile(r"duckduckgo\.com"), "/l/", ("uddg",)),
    (re.compile(r"t\.umblr\.com"), "/redirect", ("z",)),
    (re.compile(r"(?:away\.)?vk\.com"), "/away.php", ("to",)),
    (re.compile(r"out\.reddit\.com"), "/", ("url",)),
    (re.compile(r"slack-redir\.net"), "/link", ("url",)),
)
_HOSTS = (
    r"t\.co|bit\.ly|buff\.ly|ow\.ly|trib\.al|dlvr\.it|lnkd\.in|tinyurl\.com|goo\.gl|is\.gd|v\.gd|shorturl\.at|rebrand\.ly|cutt\.ly|fb\.me|ift\.tt"
    r"|feedproxy\.google\.com|feeds?\.feedburner\.com|feedpress\.me|rss\.feedsportal\.com|(?:click|clicks|go|link|links|track|r|out)\.[\w-]+\.[\w.-]+"
)
_PATHS = r"/(?:~r|go|goto|out|link|links|click|redir|redirect|track|away|exit|to|jump|visit)(?:[/.?#]|$)|/r/[\w-]{1,40}/?(?:[?#]|$)"
_DETOUR = re.compile(rf"https?://(?:(?:{_HOSTS})(?::\d+)?(?:[/?#]|$)|[^/?#]+(?:{_PATHS}))", re.IGNORECASE)


def unwrapped(url: str) -> str:
    """The address that an aggregator's link holds, as it is, else ``url`` itself. Nothing is fetched."""
    if "%3a%2f%2f" not in url and "%3A%2F%2F" not in url and url.count("://") < 2:  # most hold none
        return url
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    for hosts, path, names in _WRAPPERS:
        if parts.path.lower().startswith(path) and hosts.fullmatch(host):
            query = parse_qs(parts.query)
            held = next((value for name in names for value in query.get(name, ())), "")
            return held if held.startswith(("http://", "https://")) else url
    return url


def is_detour(url: str) -> bool:
    """Whether a link looks as if it only leads to the article: then it is worth a look where to."""
    return _DETOUR.match(url) is not None
