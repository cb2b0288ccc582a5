"""Feeds: fetch (HTTP, politeness, guarded addresses) → parse (bytes → entries) → extract (article pages) → clean."""
