"""Rows and queries: one file per noun, set-based where many rows move."""
