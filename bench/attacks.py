"""Documents whose zone and printed text look otherwise than expected, or do not say the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from degrading import photographed
from printing import OTHERS, PLAIN, Style
from specimens import POOL, Truth, drawn, made_up


@dataclass(frozen=True)
class Attack:
    """`truth`: what the zone says. `denied`: fields that must not be called high, whatever was read."""

    name: str
    jpeg: bytes
    truth: Truth
    denied: tuple[str, ...] = ()


class Altered(Truth):
    """A zone in which the birth year was changed, and no check digit with it."""

    @property
    def lines(self) -> list[str]:
        first, second, *third = super().lines
        place = 1 if self.format == "TD1" else 14
        return [first, second[:place] + str((int(second[place]) + 3) % 10) + second[place + 1 :], *third]


def _other_birth(truth: Truth) -> Truth:
    year = (int(truth.birth[:2]) + 29) % 60 + 40  # 1940 to 1999
    return replace(truth, birth=f"{year:02}{truth.birth[2:]}")


def _other_name(truth: Truth) -> Truth:
    return replace(truth, surname=truth.surname[:-1] + ("A" if truth.surname[-1] != "A" else "O"))


def _other_number(truth: Truth) -> Truth:
    return replace(truth, number=truth.number[:-1] + ("7" if truth.number[-1] != "7" else "4"))


#: What is wrong with the zone, how it is made so, and which fields the print contradicts (none: no field may be high).
FORGED: dict[str, tuple[Callable[[Truth], Truth], tuple[str, ...]]] = {
    "altered zone, check digits left": (lambda truth: Altered(**vars(truth)), ()),
    "other birth date in the zone": (_other_birth, ("date_of_birth",)),
    "other last letter of the name": (_other_name, ("surname", "full_name")),
    "surname and given names exchanged": (
        lambda truth: replace(truth, surname=truth.given, given=truth.surname),
        ("surname", "given_names", "full_name"),
    ),
    "other document number in the zone": (_other_number, ("document_number",)),
}  # fmt: skip


def attacks(random: Random, number: int) -> Iterator[Attack]:
    """`number` of each."""
    everything = tuple(made_up(random, "TD3").fields)
    for one in range(number):
        truth = made_up(random, POOL[one % len(POOL)])
        yield Attack("other printed layouts", _photo(random, truth, truth, OTHERS[one % len(OTHERS)]), truth)
    for name, (forge, denied) in FORGED.items():
        for one in range(number):
            truth = made_up(random, POOL[one % len(POOL)])
            forged = forge(truth)
            yield Attack(name, _photo(random, forged, truth), forged, denied or everything)


def _photo(random: Random, zone: Truth, printed: Truth, style: Style = PLAIN) -> bytes:
    return photographed(random, drawn(random, zone, style=style, printed=printed), "mild")
