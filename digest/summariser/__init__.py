"""Summaries by a language model: an option, behind a Protocol. What it says is checked elsewhere, word by word."""
