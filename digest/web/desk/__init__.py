"""The editors' desk: see an issue as readers will, shape it, let it out."""
