"""One verification of one person, from the link to the decision. The product and its API call it a session."""
