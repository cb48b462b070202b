"""Users, cards, devices and merchants by what they are called, and their payments by index."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote

from django.http import Http404
from django.urls import reverse

from alerts.models import Alert
from scoring import personal
from scoring.engine.keys import entity_key, folded_key
from scoring.models import Transaction
from scoring.models.transactions import TransactionQuerySet
from scoring.privacy import own_source, sees_people

Kind = Alert.Kind
# Kind → the columns of a payment that name it, key first.
COLUMNS: Mapping[str, tuple[str, str]] = {
    Kind.USER: ("user_key", "user_id"),
    Kind.CARD: ("card_key", "card_id"),
    Kind.DEVICE: ("device_key", "device_id"),
    Kind.MERCHANT: ("merchant_key", "merchant_name"),
}
LONGEST = {Kind.MERCHANT: 200}  # others: 128, as in a transaction


class ValueInAddress:
    """A value as one step of an address: encoded twice, so that no slash, dot or % is lost."""

    regex = "[^/]+"

    def to_python(self, step: str) -> str:
        return unquote(step)

    def to_url(self, value: str) -> str:
        if set(value) == {"."}:  # a browser would resolve it
            return value.replace(".", "%2E")
        return quote(value, safe="")


@dataclass(frozen=True)
class Entity:
    """One user, card, device or merchant; of one `source` alone for a key that is bound to it."""

    kind: str
    value: str
    key: int
    source: int | None = None
    sent: str = ""  # what its sender calls it, where it is stored by a token

    @property
    def title(self) -> str:
        return str(Kind(self.kind).label)

    @property
    def is_personal(self) -> bool:
        """Merchants are no people: their names are read by everyone who reads payments."""
        return self.kind != Kind.MERCHANT

    @property
    def shown(self) -> str:
        """What people call it."""
        return self.sent or self.value

    @property
    def keys(self) -> set[int]:
        """Under which lists may name it."""
        return {self.key, entity_key(self.sent) or self.key}

    @property
    def address(self) -> str:
        return reverse("entity", args=[self.kind, self.value])

    @property
    def links_address(self) -> str:
        return reverse("entity-links", args=[self.kind, self.value])

    def payments(self) -> TransactionQuerySet:
        """By the key, which is what the index holds; the text tells apart two with one key."""
        key, text = COLUMNS[self.kind]
        known: dict[str, Any] = {key: self.key}
        if self.is_personal:  # a merchant is the same however it is spelled
            known[text] = self.value
        if self.source is not None:
            known["source_id"] = self.source
        return Transaction.objects.filter(**known)


def named(kind: str, value: str) -> Entity | None:
    """The entity of this kind and name, whether anybody knows it or not; None if none can be."""
    longest = LONGEST.get(Kind(kind), 128) if kind in Kind.values else 0
    value = " ".join(value.split()) if kind == Kind.MERCHANT else value
    if not value or len(value) > longest or "\x00" in value:
        return None
    key = folded_key(value) if kind == Kind.MERCHANT else entity_key(value)
    return Entity(kind, value, key)


def find(kind: str, value: str, asker: Any) -> Entity:
    """The entity, if a payment names it that this person may find by it; else 404.

    As in the search of transactions: whoever reads values masked cannot ask for one, because an
    answer would confirm it; a key finds what its own source has sent.
    """
    entity = named(kind, value)
    if entity is None:
        raise Http404
    if not sees_people(asker) and (entity.is_personal or own_source(asker) is not None):
        if own_source(asker) is None:
            raise Http404
        entity = Entity(entity.kind, entity.value, entity.key, own_source(asker))
    return _under_the_veil(entity)


def _under_the_veil(entity: Entity) -> Entity:
    """Whom a source has declared personal is stored by a token, and asked for by either name."""
    if not entity.is_personal:
        return entity
    token, name = personal.token_of(entity.value), COLUMNS[entity.kind][1]
    stored = replace(entity, value=token, key=entity_key(token))
    row = stored.payments().only(name, "extra").first()
    return replace(stored, sent=personal.as_sent(row, name)) if row else entity


def hidden_from(asker: Any) -> bool:
    """Whether values beside a merchant's are masked: a key of one source reads what it sent."""
    return not sees_people(asker) and own_source(asker) is None
