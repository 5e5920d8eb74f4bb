"""The plans of a file, and what a month of one costs. Pure. Money is whole cents."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

MOST_SESSIONS = 1_000_000_000  # included in a plan
MOST_CENTS = 1_000_000_000  # of a fee, or for one session
#: Currencies of ISO 4217 whose unit is not 100 of something: their amounts would be shown wrong.
NOT_CENTS = frozenset({
    "BHD", "BIF", "CLF", "CLP", "DJF", "GNF", "IQD", "ISK", "JOD", "JPY", "KMF", "KRW", "KWD", "LYD", "OMR", "PYG",
    "RWF", "TND", "UGX", "UYI", "UYW", "VND", "VUV", "XAF", "XOF", "XPF",
})  # fmt: skip
_NEEDED = {"id", "name", "monthly_fee", "included"}
_KNOWN = _NEEDED | {"overage", "hard_limit", "retired"}


@dataclass(frozen=True)
class Line:
    """Of a bill: so many of this, each for so many cents."""

    what: str
    quantity: int
    each: int

    @property
    def amount(self) -> int:
        return self.quantity * self.each


@dataclass(frozen=True)
class Plan:
    """`included`: sessions a month. `overage`: cents for each one above; None: there is none above, it is a hard limit.

    `is_retired`: who has it keeps it, and nobody else can choose it.
    """

    id: str
    name: str
    monthly_fee: int
    included: int
    overage: int | None
    is_retired: bool = False

    @property
    def is_hard_limit(self) -> bool:
        return self.overage is None

    def over(self, sessions: int) -> int:
        """How many of so many are paid for one by one."""
        return 0 if self.overage is None else max(0, sessions - self.included)

    def lines(self, sessions: int) -> tuple[Line, ...]:
        """What a month with so many sessions is billed by. Nothing stands there that costs nothing."""
        fee = Line(f"{self.name} plan", 1, self.monthly_fee)
        over = Line(f"Sessions above the {self.included:,} included", self.over(sessions), self.overage or 0)
        return tuple(line for line in (fee, over) if line.amount)

    def cost(self, sessions: int) -> int:
        return sum(line.amount for line in self.lines(sessions))


@dataclass(frozen=True)
class Plans:
    """The smallest first."""

    currency: str
    all: tuple[Plan, ...]

    @property
    def first(self) -> Plan:
        """What an account begins on."""
        return self.all[0]

    @property
    def offered(self) -> tuple[Plan, ...]:
        return tuple(plan for plan in self.all if not plan.is_retired)

    def of(self, id: str) -> Plan:
        """The plan of this id; a bug when there is none: which ones are needed is checked at the start."""
        found = self.find(id)
        if found is None:
            raise LookupError("a plan that accounts have is not in the file of plans")
        return found

    def find(self, id: str) -> Plan | None:
        return next((plan for plan in self.all if plan.id == id), None)

    def is_larger(self, one: Plan, than: Plan) -> bool:
        return self.all.index(one) > self.all.index(than)


def from_file(name: str) -> Plans:
    """The plans of this file; of '' those that come with the product. ValueError says what was expected."""
    source = Path(name) if name else files("fv.billing") / "plans.toml"
    try:
        return read(source.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"a file of plans that can be read ({type(error).__name__})") from None
    except ValueError as error:  # also what is no TOML, or no UTF-8
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error
        raise ValueError(f"a file of plans, and {reason}") from None


def read(text: str) -> Plans:
    """ValueError with the first thing that is wrong."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"it is not TOML: {error}") from None
    _insist(data.keys() <= {"currency", "plan"}, "it has names other than currency and plan")
    currency, tables = data.get("currency"), data.get("plan")
    is_currency = isinstance(currency, str) and re.fullmatch(r"[A-Z]{3}", currency)
    _insist(is_currency and currency not in NOT_CENTS, "currency is not three capitals of one that has 100 cents")
    _insist(isinstance(tables, list) and tables, "it has no [[plan]]")
    plans = tuple(_plan(number, table) for number, table in enumerate(tables or (), 1))
    _insist(len({plan.id for plan in plans}) == len(plans), "two plans have one id")
    fees = [plan.monthly_fee for plan in plans if not plan.is_retired]
    _insist(fees == sorted(fees), "its plans are not in the order of their fees, the smallest first")
    _insist(not plans[0].is_retired, "the first plan is retired, and accounts begin on it")
    return Plans(str(currency), plans)


def _plan(number: int, table: object) -> Plan:
    what = f"plan {number}"
    _insist(isinstance(table, dict), f"{what} is not a table")
    given: Mapping[str, object] = table if isinstance(table, dict) else {}
    _insist(given.keys() <= _KNOWN, f"{what} has names other than {', '.join(sorted(_KNOWN))}")
    _insist(given.keys() >= _NEEDED, f"{what} needs {', '.join(sorted(_NEEDED))}")
    id, name = given["id"], given["name"]
    _insist(
        isinstance(id, str) and re.fullmatch(r"[a-z0-9-]{1,32}", id), f"the id of {what} is not 1 to 32 of a-z 0-9 -"
    )
    is_name = isinstance(name, str) and 1 <= len(name) <= 40 and name.isprintable()
    _insist(is_name, f"the name of {what} is not 1 to 40 printable characters")
    for flag in ("hard_limit", "retired"):
        _insist(type(given.get(flag, False)) is bool, f"{flag} of {what} is neither true nor false")
    _insist(("overage" in given) != bool(given.get("hard_limit")), f"{what} needs either overage or hard_limit = true")
    return Plan(
        str(id),
        str(name),
        _number(given["monthly_fee"], MOST_CENTS, f"monthly_fee of {what}"),
        _number(given["included"], MOST_SESSIONS, f"included of {what}"),
        None if given.get("hard_limit") else _number(given["overage"], MOST_CENTS, f"overage of {what}"),
        bool(given.get("retired")),
    )


def _number(value: object, most: int, what: str) -> int:
    if type(value) is not int or not 0 <= value <= most:  # True is an int too
        raise ValueError(f"{what} is not a whole number from 0 to {most}")
    return value


def _insist(is_so: object, otherwise: str) -> None:
    if not is_so:
        raise ValueError(otherwise)
