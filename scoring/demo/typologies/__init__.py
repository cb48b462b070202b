"""The register of typologies: what each is called, who tells it, how often, and who notices."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scoring.demo.crime import Crime
from scoring.demo.payments import Payment
from scoring.demo.typologies import (
    account_takeover,
    bust_out,
    card_testing,
    impossible_travel,
    merchant_collusion,
    mule,
    stolen_card,
    structuring,
)


@dataclass(frozen=True)
class Typology:
    """One kind of fraud. `noticed` are the weights of chargeback, customer and analyst."""

    name: str
    tell: Callable[[Crime], Iterator[Payment]]
    share: float  # of the episodes, once it is there
    careful: float  # share of them that imitate the victim
    noticed: tuple[float, float, float]
    since: float = 0.0  # share of the story after which it first appears
    label: str = ""  # what an analyst calls it, when that is another word

    @property
    def meaning(self) -> str:
        return (self.tell.__doc__ or "").strip()


REGISTER = (
    Typology("STOLEN_CARD", stolen_card.tell, 0.12, 0.40, (0.3, 0.5, 0.2)),
    Typology("CARD_TESTING", card_testing.tell, 0.14, 0.35, (0.4, 0.3, 0.3), since=0.4),
    Typology("ACCOUNT_TAKEOVER", account_takeover.tell, 0.20, 0.45, (0.2, 0.6, 0.2)),
    Typology(
        "IMPOSSIBLE_TRAVEL", impossible_travel.tell, 0.17, 0.4, (0.5, 0.3, 0.2), label="STOLEN_CARD"
    ),
    Typology("MULE", mule.tell, 0.14, 0.40, (0.1, 0.3, 0.6)),
    Typology("MERCHANT_COLLUSION", merchant_collusion.tell, 0.07, 0.30, (0.7, 0.2, 0.1)),
    Typology("STRUCTURING", structuring.tell, 0.09, 0.45, (0.0, 0.0, 1.0)),
    Typology("BUST_OUT", bust_out.tell, 0.07, 0.40, (0.8, 0.0, 0.2)),
)
NAMES = tuple(typology.name for typology in REGISTER)


def typology(name: str) -> Typology:
    """Raises KeyError with the names there are."""
    for one in REGISTER:
        if one.name == name.upper():
            return one
    raise KeyError(f"There is no scenario {name!r}. There are: {', '.join(NAMES).lower()}.")
