"""Files of templates that were made elsewhere: checked whole, taken in, and found all at once or not at all."""
