"""The mapping files of docs/mappings: they load, and the files they are for are read by them."""

from itertools import islice
from pathlib import Path

import pytest
from django.conf import settings

from scoring import columns, dryrun, uploads
from scoring.mapping_form import from_yaml
from scoring.models import Label, Source
from scoring.sources import file_source, kind_of
from tests.scoring import making

MAPPINGS = sorted((Path(settings.BASE_DIR) / "docs" / "mappings").glob("*.yaml"))
DATA = Path(settings.BASE_DIR).parent / "shared" / "data" / "transactions"
FILES = {
    "handbook": "handbook.parquet",
    "arena": "arena.parquet",
    "sparkov": "sparkov.parquet",
    "s_ffsd": "s_ffsd.csv",
    "ulb40": "ulb40.parquet",
    "tabformer": "tabformer_user0.csv",
    "amlsim": "amlsim/transactions.csv",
}


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.stem)
def test_a_mapping_file_is_understood(path: Path) -> None:
    options = columns.checked_options(from_yaml(path.read_text(encoding="utf-8")))
    assert options["mapping"]
    labelled = "label_column" in options
    assert labelled == ("label_delay_days" in options or "label_known_column" in options)


def test_a_column_that_is_said_twice_is_refused_with_its_line() -> None:
    with pytest.raises(columns.Refused, match=r"“Betrag” is said twice \(line 3\)"):
        from_yaml("mapping:\n  Betrag: amount\n  Betrag: user_id\n")


def test_each_foreign_file_has_its_mapping_file() -> None:
    assert {path.stem for path in MAPPINGS} == FILES.keys()


@pytest.mark.django_db
@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.stem)
def test_the_file_it_is_for_is_read_by_it(path: Path) -> None:
    there = DATA / FILES[path.stem]
    if not there.is_file():
        pytest.skip(f"{there.name} is not here: it may not be given away with the project")
    options = from_yaml(path.read_text(encoding="utf-8"))
    source = Source.objects.create(name=path.stem, kind=kind_of(there.name))
    head = next(islice(file_source(source.kind).blocks(there, None, 300), 1))
    with there.open("rb") as file:
        upload = uploads.receive(
            by=None, source=source, name=there.name, file=file, options=options
        )
    tried = dryrun.dry_run(upload, head)
    assert tried.accepted >= 0.9 * tried.read, tried.most
    assert set(dict(tried.most)) <= {("amount", "is negative; an amount is zero or more")}, (
        tried.most
    )


@pytest.mark.django_db(transaction=True)
def test_what_nobody_can_say_is_never_learnt_from_and_silence_says_nothing() -> None:
    head, *lines = making.csv_of(making.ordinary_rows(4)).decode().splitlines()
    said = ["1", "0", "2", "?"]
    body = "\n".join([f"{head},judged", *(f"{a},{b}" for a, b in zip(lines, said, strict=True))])
    making.send(
        body.encode(),
        label_column="judged",
        label_delay_days=0,
        label_values={"fraud": ["1"], "legitimate": ["0"], "undecided": ["2"], "unknown": ["?"]},
    )
    making.work_through()
    found = dict(Label.objects.values_list("transaction__external_id", "value"))
    assert found == {"t0": "TRUE_FRAUD", "t1": "FALSE_POSITIVE", "t2": "INCONCLUSIVE"}
