"""The words of the service as values: standard library only, no I/O."""
