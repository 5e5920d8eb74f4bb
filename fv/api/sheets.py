"""Tables for a spreadsheet, as CSV (RFC 4180). What somebody typed is shown there, and never computed."""

import csv
import io
from collections.abc import Iterable, Sequence

from werkzeug.wrappers import Response

#: What a spreadsheet takes for a formula when a cell begins with it; some take the full-width signs too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def answer(name: str, rows: Iterable[Sequence[object]]) -> Response:
    """To be kept as a file of this name; the first row is the heading."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    response = Response(text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    return response


def harmless(cell: object) -> str:
    """With an apostrophe in front a spreadsheet shows the text and computes nothing. A number stays one."""
    text = str(cell)
    return f"'{text}" if text.startswith(FORMULA) and not isinstance(cell, int) else text
