"""How long what is kept of a person: the days an account chose, and the term that each session was begun with."""
