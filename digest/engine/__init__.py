"""How work is spread, and how it survives a crash."""
