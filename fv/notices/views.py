"""The holder has seen what the banner says."""

import re

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import gate, web
from fv.notices import flows

blueprint = Blueprint("notices", __name__)


@blueprint.post("/account/notices/dismiss")
def dismiss() -> Response:
    typed = request.form.get("through", "")
    if re.fullmatch(r"[0-9]{1,15}", typed):
        flows.dismiss(gate.login(), int(typed))
    return web.go_to(web.stays_home(request.form.get("next")))
