"""Senders: from a finished message to somebody else's inbox."""
