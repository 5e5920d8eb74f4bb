"""The face models of this installation: the one that is installed with it, and those that were added."""
