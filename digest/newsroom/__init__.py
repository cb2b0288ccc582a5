"""The newsroom as files: reading them with errors that name file, line and key; writing them; telling what changed."""
