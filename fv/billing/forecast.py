"""How many sessions a month will have had at its end. Pure."""

DAY = 86400  # seconds


def expected(used: int, begins: int, ends: int, now: int) -> int:
    """Those used so far, and as many a second until the end as in the time that is gone.

    Times are seconds, `begins` <= `now` <= `ends`. Rounded to whole ones, half of one up. On the first day as if it
    were over: an hour says nothing of a month.
    """
    gone = max(now - begins, DAY)
    left = min(ends - now, ends - begins - gone)
    return used + (2 * used * left + gone) // (2 * gone)
