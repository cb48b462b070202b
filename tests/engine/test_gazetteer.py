"""Places in words have one position, or none."""

import pytest

from scoring.engine import gazetteer
from scoring.engine.gazetteer import NOWHERE, Place, find, folded, table

OSLO = Place("NO", 59.91, 10.75)


@pytest.mark.parametrize(
    "text",
    ["Oslo", "OSLO, NO", "oslo, no", "Oslo, Norway", "Oslo (NOR)", "0150 Oslo, Norge", "Oslo NO"],
)
def test_a_city_is_found_however_it_is_written(text: str) -> None:
    assert find(text) == OSLO
    assert find(text, "NO") == OSLO


@pytest.mark.parametrize(
    "text, country",
    [
        ("São Paulo", "BR"), ("sao paulo", "BR"), ("København", "DK"), ("KØBENHAVN", "DK"),
        ("Łódź", "PL"), ("Köln", "DE"), ("Zürich, Schweiz", "CH"), ("İstanbul", "TR"),
        ("Xi'an", "CN"), ("New York, NY, US", "US"), ("NEW YORK NY", "US"), ("NYC", "US"),
        ("San Francisco, CA", "US"), ("Toronto, CA", "CA"), ("Washington, D.C.", "US"),
        ("St. Petersburg, Russia", "RU"), ("St. Petersburg, FL", "US"),
        ("London, ON, Canada", "CA"),
        ("Birmingham, UK", "GB"), ("Birmingham, AL", "US"), ("Hyderabad, Pakistan", "PK"),
        ("Mumbai, Maharashtra, India", "IN"), ("Singapore", "SG"), ("Vienna, Austria", "AT"),
    ],
)  # fmt: skip
def test_it_has_a_position(text: str, country: str) -> None:
    found = find(text)
    assert found.country == country
    assert found.latitude is not None


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "Springfield", "Hyderabad", "Birmingham", "Valencia", "Georgia", "CA", "IN",
        "Paris, Ontario", "London, Springfield", "is", "and", "Delhi or Mumbai", "Dover, DE",
        "Kiosk 7", "online", "-", "x" * 500,
    ],
)  # fmt: skip
def test_what_could_be_two_places_or_is_none_is_nowhere(text: str) -> None:
    assert find(text).latitude is None
    assert find(text).country == ""


@pytest.mark.parametrize(
    "text, country",
    [
        ("Norway", "NO"), ("NO", "NO"), ("NOR", "NO"), ("deutschland", "DE"), ("Türkiye", "TR"),
        ("Kleinposemuckel, Germany", "DE"), ("Paris, Texas", "US"), ("Bielefeld, DEU", "DE"),
        ("Côte d’Ivoire", "CI"), ("UK", "GB"), ("U.S.A.", "US"),
    ],
)  # fmt: skip
def test_a_country_has_no_position(text: str, country: str) -> None:
    assert find(text) == Place(country)


def test_what_a_record_states_beside_it_decides_and_is_never_contradicted() -> None:
    assert find("Hyderabad", "PK").latitude == 25.4
    assert find("Hyderabad", "IN").latitude == 17.39
    assert find("London", "CA").longitude == -81.25
    assert find("Oslo", "SE") == find("Oslo, Norway", "SE") == find("Norway", "SE") == NOWHERE


def test_the_table_is_whole() -> None:
    known = table()
    assert len(set(known.countries.values())) == 250  # ISO 3166-1, and Kosovo
    assert len(set(known.states.values())) == 51
    places = {city for some in known.cities.values() for city in some}
    assert len({city.at for city in places}) > 500
    assert {city.country for city in places} <= set(known.countries.values())
    assert {city.state for city in places} - {""} <= set(known.states.values())
    for city in places:
        assert -90 < (city.at.latitude or 0) < 90
        assert -180 <= (city.at.longitude or 0) <= 180
    for name, some in known.cities.items():
        assert name == folded(name)
        assert sum(city.own for city in some) <= 1, f"{name} alone is one city"
        assert len({(city.country, city.state) for city in some}) == len(some)
    assert gazetteer.find.cache_info().maxsize == 65_536
