"""Many sessions at once: pages of a list, what waits for a person, how many there are. Only SQL, as in store.py."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fv import db
from fv.verifications import states
from fv.verifications.store import COLUMNS, OPEN, Number, Verification, verification

DAY = 86400  # seconds


@dataclass(frozen=True)
class _Count:
    status: str
    number: int


@dataclass(frozen=True)
class Filter:
    """What a list is narrowed to; None: not."""

    mode: str | None = None
    statuses: tuple[str, ...] | None = None
    external_user_id: str | None = None
    created_after: int = -1
    created_before: int = 2**62


def page(account_id: str, wanted: Filter, before: int, before_id: str, most: int, now: int) -> list[Verification]:
    """Newest first, older than (before, before_id)."""
    if wanted.created_before <= before:
        before, before_id = wanted.created_before, ""
    return db.many(
        verification,
        f"""
        SELECT {COLUMNS} FROM verifications
        WHERE account_id = :account_id AND (created_at, id) < (:before, :before_id) {_narrowed(wanted)}
        ORDER BY {"created_at + 0" if _are_few(wanted) else "created_at"} DESC, id DESC LIMIT :most
        """,
        account_id=account_id, mode=wanted.mode, external_user_id=wanted.external_user_id,
        created_after=wanted.created_after, before=before, before_id=before_id, most=most, now=now,
    )  # fmt: skip


def _are_few(wanted: Filter) -> bool:
    """Those of one person, and open ones: sorting them costs 1 ms, meeting them in the order of the list 40 ms or more.

    Hence the `+ 0`: an index that is in the order of the list does not help then.
    """
    return wanted.external_user_id is not None or bool(set(wanted.statuses or ()) & set(states.OPEN))


def _narrowed(wanted: Filter) -> str:
    """Only what is asked for stands in the statement, so that an index is used: not 50,000 rows are read for 25."""
    parts = [f"AND {name} = :{name}" for name in ("mode", "external_user_id") if getattr(wanted, name) is not None]
    if wanted.created_after >= 0:
        parts.append("AND created_at > :created_after")
    if wanted.statuses is not None:
        running = [status for status in wanted.statuses if status in states.OPEN]
        over = [status for status in wanted.statuses if status not in states.OPEN]
        written = [*over, *running, *(states.OPEN if "expired" in over else ())]
        ways = [f"status IN ({_listed(over)})"]
        if running:
            ways.append(f"status IN ({_listed(running)}) AND expires_at > :now")
        if "expired" in over:
            ways.append(f"status IN ({OPEN}) AND expires_at <= :now")
        parts.append(f"AND status IN ({_listed(written)}) AND ({' OR '.join(ways)})")
    return " ".join(parts)


def _listed(statuses: Sequence[str]) -> str:
    """For IN (…). They are ours: what somebody typed was looked up in states.NEXT."""
    return ", ".join(f"'{status}'" for status in statuses if status in states.NEXT) or "NULL"


def longest_waiting(account_id: str, mode: str, after: int, after_id: str, most: int, now: int) -> list[Verification]:
    """Those in review, the oldest first, younger than (after, after_id)."""
    return db.many(
        verification,
        f"""
        SELECT {COLUMNS} FROM verifications
        WHERE account_id = :account_id AND mode = :mode AND status = 'review' AND (created_at, id) > (:after, :after_id)
        ORDER BY created_at, id LIMIT :most
        """,
        account_id=account_id, mode=mode, after=after, after_id=after_id, most=most, now=now,
    )  # fmt: skip


def counts(account_id: str, mode: str, now: int, since: int = 0) -> Counter[str]:
    """How many there are of each status, created since then."""
    found = Counter({row.status: row.number for row in _counted(account_id, mode, since, [*states.NEXT])})
    for row in _counted(account_id, mode, since, states.OPEN, run_out_by=now):
        found[row.status] -= row.number
        found["expired"] += row.number
    return found


def _counted(account_id: str, mode: str, since: int, among: Sequence[str], run_out_by: int = 2**62) -> list[_Count]:
    return db.many(
        _Count,
        f"""
        SELECT status, count(*) AS number FROM verifications
        WHERE account_id = :account_id AND mode = :mode AND status IN ({_listed(among)}) AND created_at >= :since
          AND expires_at <= :run_out_by
        GROUP BY status
        """,
        account_id=account_id, mode=mode, since=since, run_out_by=run_out_by,
    )  # fmt: skip


def waiting(account_id: str, mode: str = "live") -> int:
    """How many wait for a person. It stands on every page, so it is one range of an index."""
    found = db.one(
        Number,
        """
        SELECT count(*) AS number FROM verifications
        WHERE account_id = :account_id AND mode = :mode AND status = 'review'
        """,
        account_id=account_id, mode=mode,
    )  # fmt: skip
    return found.number if found else 0


def unbilled(account_id: str, now: int) -> int:
    """Live sessions that can still be billed. Each new one of a limited plan asks: two ranges of indexes."""
    found = db.one(
        Number,
        f"""
        SELECT (SELECT count(*) FROM verifications
                WHERE account_id = :account_id AND mode = 'live' AND status IN ({OPEN}) AND expires_at > :now)
             + (SELECT count(*) FROM verifications
                WHERE account_id = :account_id AND mode = 'live' AND status = 'analyzing') AS number
        """,
        account_id=account_id, now=now,
    )  # fmt: skip
    return found.number if found else 0


# ── What the overview shows ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _OfDay:
    day: int
    status: str
    number: int


def by_day(account_id: str, mode: str, first: int, now: int) -> dict[int, Counter[str]]:
    """Day (since 1970-01-01, UTC) → status → how many of those created on it, for every day from `first` to today."""
    found = {day: Counter[str]() for day in range(first, now // DAY + 1)}
    for row in _counted_by_day(account_id, mode, first, now, [*states.NEXT]):
        found[row.day][row.status] += row.number
    for row in _counted_by_day(account_id, mode, first, now, states.OPEN, run_out_by=now):
        found[row.day][row.status] -= row.number
        found[row.day]["expired"] += row.number
    return found


def _counted_by_day(
    account_id: str, mode: str, first: int, now: int, among: Sequence[str], run_out_by: int = 2**62
) -> list[_OfDay]:
    """A range of an index for each day and status: 2 ms for 43,000 sessions, where grouping them takes 10."""
    return db.many(
        _OfDay,
        f"""
        WITH RECURSIVE days (day) AS (SELECT :first UNION ALL SELECT day + 1 FROM days WHERE day < :last),
                       kinds (status) AS (VALUES {", ".join(f"('{status}')" for status in among)})
        SELECT day, kinds.status,
               (SELECT count(*) FROM verifications
                WHERE account_id = :account_id AND mode = :mode AND status = kinds.status
                  AND created_at >= day * {DAY} AND created_at < day * {DAY} + {DAY} AND expires_at <= :run_out_by
               ) AS number
        FROM days, kinds
        """,
        account_id=account_id, mode=mode, first=first, last=now // DAY, run_out_by=run_out_by,
    )  # fmt: skip


def median_seconds(account_id: str, mode: str, since: int) -> float | None:
    """From creation to the first verdict, of those created since then that have one. Exact; None: there are none."""
    lengths = """
        SELECT completed_at - created_at AS seconds, count(*) AS number FROM verifications
        WHERE account_id = :account_id AND mode = :mode AND completed_at IS NOT NULL AND created_at >= :since
        GROUP BY seconds ORDER BY seconds
    """
    parts = db.chunks(lengths, 1000, account_id=account_id, mode=mode, since=since)
    counted = [(seconds, number) for part in parts for seconds, number in part]
    total, middle, below = sum(number for _, number in counted), [], 0
    for seconds, number in counted:
        # of an odd number the same one twice
        middle += [seconds for place in ((total - 1) // 2, total // 2) if below <= place < below + number]
        below += number
    return sum(middle) / 2 if middle else None


def kept_of_mode(account_id: str, mode: str, ids: Sequence[str]) -> list[str]:
    """Those of up to some hundred sessions that are of this mode and not erased."""
    named = {f"id{number}": id for number, id in enumerate(ids)}
    found = f"""
        SELECT id FROM verifications
        WHERE account_id = :account_id AND mode = :mode AND erased_at IS NULL
          AND id IN ({", ".join(f":{name}" for name in named) or "NULL"})
    """
    parts = db.chunks(found, 1000, account_id=account_id, mode=mode, **named)
    return [id for part in parts for (id,) in part]


def has_any(account_id: str, mode: str) -> bool:
    found = "SELECT id FROM verifications WHERE account_id = :account_id AND mode = :mode LIMIT 1"
    return db.one(dict, found, account_id=account_id, mode=mode) is not None


@dataclass(frozen=True)
class Queue:
    """The sessions that wait for their analysis, or are being analysed. `waited`: seconds, of the first of them."""

    number: int
    waited: int


def queue(now: int) -> Queue:
    """Of all accounts."""
    found = db.one(
        Queue,
        """
        SELECT count(*) AS number, :now - coalesce(min(submitted_at), :now) AS waited FROM verifications
        WHERE status = 'analyzing'
        """,
        now=now,
    )
    return found or Queue(0, 0)


@dataclass(frozen=True)
class Place:
    """Of one session in that queue. `ahead`: how many come first; `is_taken`: not 0 while somebody examines it."""

    ahead: int
    is_taken: int


def place(account_id: str, id: str, now: int) -> Place | None:
    """None: it is not in the queue."""
    return db.one(
        Place,
        """
        SELECT (SELECT count(*) FROM verifications AS other WHERE other.status = 'analyzing'
                AND (other.submitted_at, other.id) < (mine.submitted_at, mine.id)) AS ahead,
               CASE WHEN mine.leased_until > :now THEN 1 ELSE 0 END AS is_taken
        FROM verifications AS mine
        WHERE mine.id = :id AND mine.account_id = :account_id AND mine.status = 'analyzing'
        """,
        id=id, account_id=account_id, now=now,
    )  # fmt: skip
