"""Market data providers: bytes → quotes."""
