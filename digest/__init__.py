"""A newsletter digest service: from feeds to everyone's own mail."""

__version__ = "0.1.0"
