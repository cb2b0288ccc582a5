"""A small press of the project's own: fictional outlets served over real HTTP on loopback."""

from digest.sample.articles import Outlet, SampleArticle, load_articles, load_outlets
from digest.sample.server import SampleServer

__all__ = ["Outlet", "SampleArticle", "SampleServer", "load_articles", "load_outlets"]
