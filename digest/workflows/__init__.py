"""The product's story, one verb per file."""
