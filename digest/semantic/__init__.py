"""What texts mean, as vectors from a sentence model: an option, behind a Protocol."""
