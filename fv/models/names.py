"""How face models are called. Pure."""

import re

DEFAULT = "dlib-resnet-1"  # the id of analysis.default_model.MODEL


def model_name(text: str) -> str:
    """As the API spells it. Raises ValueError with what is expected."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", text):
        raise ValueError("1 to 64 of a-z, 0-9, dot, dash and underscore, beginning with a letter or a digit")
    return text
