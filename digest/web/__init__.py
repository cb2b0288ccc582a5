"""The pages: readers sign up and choose, editors work at the desk. GET asks, POST acts."""
