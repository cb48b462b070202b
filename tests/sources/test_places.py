"""A source may have places looked up by name: at every door alike, and never guessed."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest

from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.models import User
from scoring import explaining, uploads
from scoring.engine.features import column
from scoring.models import RejectedRecord, Source, Transaction
from scoring.source_documents import write
from scoring.sourcing import change_source, load_document
from scoring.tasks import look
from tests.scoring import making
from tests.sources.conftest import Send, event

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
OSLO, MUMBAI = (59.91, 10.75, "NO"), (19.08, 72.88, "IN")


def at(number: int, **more: Any) -> dict[str, Any]:
    return event(number, timestamp=(NOON + timedelta(hours=number)).isoformat(), **more)


def lies() -> dict[str, tuple[float | None, float | None, str]]:
    rows = Transaction.objects.values_list("external_id", "latitude", "longitude", "country")
    return {name: (latitude, longitude, country) for name, latitude, longitude, country in rows}


def test_by_default_nothing_is_looked_up_and_switched_on_it_is(
    send: Send, till: Source, dana: User
) -> None:
    assert send(at(1, location="Oslo")).status_code == 202
    assert lies() == {"e1": (None, None, "")}
    change_source(by=dana, source=till, places=True)
    forget_keys()  # which are known with their source for a few seconds
    said = send([at(1, location="Oslo"), at(2, location="Oslo")]).json()
    assert (said["accepted"], said["repeated"]) == (1, 1), "it is the same payment as before"
    assert lies() == {"e1": (None, None, ""), "e2": OSLO}
    assert not RejectedRecord.objects.exists()


def test_what_was_said_is_kept_and_what_could_be_elsewhere_is_nowhere(
    send: Send, till: Source, dana: User
) -> None:
    change_source(by=dana, source=till, places=True)
    here = {"latitude": 1.5, "longitude": 2.5}
    send(
        [
            at(1, location="Oslo", **here),
            at(2, location="Hyderabad"),
            at(3, location="Hyderabad", country="IN"),
            at(4, location="Oslo", country="SE"),
            at(5, location="Norway"),
            at(6),
        ]
    )
    assert lies() == {
        "e1": (1.5, 2.5, ""),
        "e2": (None, None, ""),
        "e3": (17.39, 78.49, "IN"),
        "e4": (None, None, "SE"),
        "e5": (None, None, "NO"),
        "e6": (None, None, ""),
    }
    places = Transaction.objects.order_by("pk").values_list("location", flat=True)
    assert list(places) == ["Oslo", "Hyderabad", "Hyderabad", "Oslo", "Norway", ""]


def test_a_file_and_an_event_come_to_the_same_vector_and_see_the_journey(
    send: Send, till: Source, dana: User
) -> None:
    making.first_model()
    change_source(by=dana, source=till, places=True)
    files = Source.objects.create(name="files", kind="csv", places=True)
    rows = [("Oslo", 1), ("Mumbai, India", 2)]
    text = "transaction_id,user_id,amount,timestamp,location\n" + "".join(
        f'f{n},walker,10,{(NOON + timedelta(hours=n)).isoformat()},"{place}"\n' for place, n in rows
    )
    uploads.receive(by=None, source=files, name="a.csv", file=BytesIO(text.encode()), options={})
    making.work_through()
    for place, n in rows:
        send(at(n, location=place) | {"user_id": "runner"})
        look(["detect"])
    assert lies() == {"e1": OSLO, "e2": MUMBAI, "f1": OSLO, "f2": MUMBAI}
    first, second = (
        explaining.stored_vector(Transaction.objects.get(external_id=name).decision)
        for name in ("e2", "f2")
    )
    for name in ("location_distance_km", "implied_speed_kmh"):
        assert first[column(name)] == second[column(name)] > 6_000


def test_a_document_says_it_and_says_it_again(dana: User) -> None:
    text = "name: tills\nsource_type: rest\nplaces: true\n"
    made, _ = load_document(by=dana, text=text)
    assert made.places
    assert "places: true" in write(made)
    with pytest.raises(ValueError, match="places is true or false"):
        load_document(by=dana, text=text.replace("true", "maybe"))
