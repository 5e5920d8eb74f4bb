"""The first page behind the gate."""

from flask import Blueprint
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.accounts import flows as accounts
from fv.dashboard import figures, flows
from fv.mfa import backup_codes
from fv.mfa import store as mfa
from fv.usage import chart, periods
from fv.webhooks import targets
from fv.webhooks.listing import MANY

blueprint = Blueprint("dashboard", __name__)

FEW_CODES = 3  # backup codes left from which on the page warns


@blueprint.get("/dashboard")
def index() -> Response:
    account_id, now = gate.login().account_id, clock.now()
    seen = flows.overview(account_id, now)
    return web.screen(
        "dashboard/index.html",
        within="page",
        seen=seen,
        chart=chart.stacked([[counted[one] for one in figures.OUTCOMES] for counted in seen.days.values()]),
        outcomes=figures.OUTCOMES,
        days={period.name: counted for period, counted in zip(_periods(seen), seen.days.values(), strict=True)},
        words=periods.words,
        mark=periods.mark,
        many=MANY,
        host=_host,
        logins=len(accounts.active_logins(account_id, now)),
        codes_left=mfa.codes_left(account_id),
        codes_of=backup_codes.COUNT,
        few=FEW_CODES,
        authenticator=mfa.authenticator(account_id),
        now=now,
    )


def _periods(seen: flows.Overview) -> list[periods.Period]:
    return periods.days(min(seen.days), max(seen.days))


def _host(url: str) -> str:
    target = targets.parse(url)
    return target.authority if target else url
