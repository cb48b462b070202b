"""`generate_data` and `simulate`: the same bytes again, and payments a running server decides."""

import csv
import hashlib
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pyarrow import parquet

from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.keys import make_key
from scoring import current
from scoring.demo.typologies import NAMES
from scoring.models import Decision, Transaction
from tests.scoring import making


def said(name: str, *words: str) -> str:
    out = StringIO()
    call_command(name, *words, stdout=out)
    return out.getvalue()


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_same_options_write_the_same_bytes_and_say_their_hash(tmp_path: Path) -> None:
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    told = [said("generate_data", "--rows", "2000", "--out", str(path)) for path in files]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    assert digests[0] == digests[1]
    assert all(digest in words for digest, words in zip(digests, told, strict=True))
    other = tmp_path / "other.csv"
    said("generate_data", "--rows", "2000", "--seed", "8", "--out", str(other))
    assert hashlib.sha256(other.read_bytes()).hexdigest() != digests[0]


def test_the_truth_lies_beside_it_and_the_share_is_the_one_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "paid.csv"
    said("generate_data", "--rows", "4000", "--fraud-rate", "0.02", "--out", str(path))
    paid, truth = rows_of(path), rows_of(tmp_path / "paid-truth.csv")
    assert (len(paid), len(truth)) == (4_000, 80)
    ids = [row["transaction_id"] for row in paid]
    assert len(set(ids)) == 4_000
    assert {row["transaction_id"] for row in truth} < set(ids)
    known = {row["transaction_id"] for row in paid if row["label"]}
    assert known < {row["transaction_id"] for row in truth}, "what is known later is not in it"


def test_parquet_holds_what_csv_holds(tmp_path: Path) -> None:
    for ending in ("csv", "parquet"):
        said("generate_data", "--rows", "500", "--out", str(tmp_path / f"paid.{ending}"))
    plain = rows_of(tmp_path / "paid.csv")
    typed = parquet.read_table(tmp_path / "paid.parquet").to_pylist()
    assert [row["transaction_id"] for row in plain] == [row["transaction_id"] for row in typed]
    assert [row["amount"] for row in plain] == [str(row["amount"]) for row in typed]
    assert plain[7]["timestamp"] == f"{typed[7]['timestamp']:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_holds_frauds_of_its_kind_only(tmp_path: Path, name: str) -> None:
    path = tmp_path / "paid.csv"
    words = ("--sink", "csv", "--scenario", name.lower(), "--count", "600", "--out", str(path))
    said("simulate", *words)
    kinds = Counter(row["typology"] for row in rows_of(tmp_path / "paid-truth.csv"))
    assert kinds == {name: 36}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--rows", "7"], "--rows is a number from 100"),
        (["--fraud-rate", "0.9"], "--fraud-rate is a number from 0.0 to 0.5"),
        (["--days", "0"], "--days is a number from 1"),
        (["--scenario", "phishing"], "There is no scenario 'phishing'. There are: stolen_card"),
        (["--until", "tomorrow"], "--until is a moment"),
        (["--out", "paid.xlsx"], "--out ends in .csv or .parquet"),
        (["--out", "/nowhere/paid.csv"], "There is no folder /nowhere"),
    ],
)
def test_an_option_that_cannot_be_is_named(words: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        said("generate_data", *words)


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    said("generate_data", "--rows", "500", "--out", str(tmp_path / "paid.csv"))
    assert {path.name for path in tmp_path.iterdir()} == {"paid.csv", "paid-truth.csv"}


@pytest.fixture
def key(transactional_db: None, adam) -> str:
    making.first_model()
    forget_keys()
    current.forget()
    return make_key(by=adam, name="simulator", scopes=["score:write"])[1]


@pytest.mark.parametrize("path", ["/api/v1/scoring/score", "/detect"])
def test_a_running_server_decides_them_and_the_end_says_how(
    live_server, key: str, tmp_path: Path, path: str
) -> None:
    truth = tmp_path / "truth.csv"
    words = ("--count", "150", "--rate", "400", "--endpoint", live_server.url, "--key", key)
    told = said("simulate", *words, "--path", path, "--out", str(truth))
    assert "150 payments in" in told
    assert "150 × 200" in told
    assert Transaction.objects.count() == Decision.objects.count() == 150
    names = set(Transaction.objects.values_list("external_id", flat=True))
    frauds = {row["transaction_id"] for row in rows_of(truth)}
    assert len(frauds) == 9
    assert frauds < names
    honest = next(line for line in told.splitlines() if line.startswith("honest"))
    assert honest.split()[1] == "141"


def test_a_wrong_key_is_said_once_and_nothing_is_sent(live_server, key: str) -> None:
    with pytest.raises(CommandError, match="answers 401"):
        said("simulate", "--endpoint", live_server.url, "--key", "as_wrong", "--count", "100")
    assert not Transaction.objects.exists()


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match="does not answer: "):
        said("simulate", "--endpoint", "http://127.0.0.1:9", "--count", "100")


def test_a_rate_is_above_zero() -> None:
    with pytest.raises(CommandError, match="--rate is a number above 0"):
        said("simulate", "--rate", "0")
