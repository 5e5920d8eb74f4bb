"""The first page behind the gate."""

from flask import Blueprint
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.accounts import flows as accounts
from fv.keys import store as keys
from fv.mfa import backup_codes
from fv.mfa import store as mfa
from fv.verifications import listing

blueprint = Blueprint("dashboard", __name__)

DAY = 86400  # seconds


@blueprint.get("/dashboard")
def index() -> Response:
    account_id, now = gate.login().account_id, clock.now()
    return web.screen(
        "dashboard/index.html",
        within="page",
        sessions=listing.counts(account_id, "live", now, now - 30 * DAY),
        waiting=listing.waiting(account_id),
        keys=keys.count(account_id, now),
        logins=len(accounts.active_logins(account_id, now)),
        codes_left=mfa.codes_left(account_id),
        codes_of=backup_codes.COUNT,
        authenticator=mfa.authenticator(account_id),
    )
