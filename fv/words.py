"""Numbers and times as people read them. Pure."""

from datetime import UTC, datetime


def count(number: int, unit: str) -> str:
    """`1 row`, `1,200 rows`"""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def money(cents: int, currency: str) -> str:
    """`€ 1,240.00`, `CHF 0.40`, which no line ends inside of."""
    return f"{_SIGNS.get(currency, currency)}\N{NO-BREAK SPACE}{cents // 100:,}.{cents % 100:02}"


def size(number: int) -> str:
    """`0 bytes`, `37.4 kB`, `4.1 GB`: of bytes, in thousands."""
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if number >= 10**power:
            return f"{number / 10**power:,.1f}".removesuffix(".0") + f" {unit}"
    return count(number, "byte")


def duration(seconds: int) -> str:
    """`40 seconds`, `12 minutes`, `3 hours`, `30 days`: rounded up, so that nobody comes back too early."""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds > 2 * size:
            return count(-(-seconds // size), unit)
    return count(seconds, "second")


def difference(seconds: int) -> str:
    """`90 seconds`, `4 minutes`: to the nearest minute from three minutes on."""
    return count(seconds, "second") if seconds < 180 else count(round(seconds / 60), "minute")


def moment(seconds: int) -> str:
    """`23 Nov 2026, 14:32 UTC`"""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def day(seconds: int) -> str:
    """`23 November 2026`"""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%B %Y}"


def brief(seconds: int, now: int) -> str:
    """`23 Nov, 14:32` in UTC, for a column of them; what is not of this year: `23 Nov 2025`."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b, %H:%M}" if at.year == datetime.fromtimestamp(now, UTC).year else f"{at.day} {at:%b %Y}"


def ago(seconds: int, now: int) -> str:
    """`now`, `5 minutes ago`, then the moment."""
    passed = now - seconds
    if passed < 120:
        return "now"
    if passed < 86400:
        size, unit = (3600, "hour") if passed >= 7200 else (60, "minute")
        return f"{count(passed // size, unit)} ago"
    return moment(seconds)


def device(user_agent: str) -> str:
    """`Firefox on Linux`, from what a browser says of itself. For people to recognise, not to rely on."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "A program")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return f"{browser} on {system}" if system else browser


_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}

#: The first mark that is found wins: nearly every browser also says that it is Safari.
_BROWSERS = (
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-", "A Python program"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
