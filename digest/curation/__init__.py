"""From candidates to sections: pure functions, values in, values out, the same for every order of arrival."""
