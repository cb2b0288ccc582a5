"""Pages for readers: signing up, confirming, choosing, leaving, and the archive. All work without JavaScript."""
