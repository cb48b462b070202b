"""What a file probably means: proposed with its evidence, and settled by a person.

Nothing here decides: the preview page shows each guess with what speaks for it, and `start` takes
what the person confirmed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from scoring.engine import amounts, fields
from scoring.engine.fields import Unfit
from scoring.engine.names import ALIASES, FIELDS
from scoring.engine.translation import column_of, plain_number, shown, written
from scoring.placeholders import Proposal, placeholders

ENOUGH = 0.95  # of the values must fit a guess
FORMATS = (
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M",
    "%d %b %Y",
    "%Y%m%d%H%M%S",
)
# Words in names of columns that often give a field; the first that fits a column wins.
CUES: tuple[tuple[str, str], ...] = (
    (r"^(tran\w*|txn|trx|payment|order)_?(id|no|num\w*|ref\w*)?$|reference|^id$", "transaction_id"),
    (r"(tran\w*|purchase|payment)?[_ ]?(amount|amt)(?!.*(24h|total|avg))|^value$|^sum$", "amount"),
    (r"(cust\w*|client|account|user|member|holder|source)[_ ]?(id|no|num\w*)?$", "user_id"),
    (r"(cc|card|pan)[_ ]?(id|no|num\w*|token)?$", "card_id"),
    (r"device|terminal_fingerprint|imei", "device_id"),
    (r"(merchant|merch|shop|store|payee|terminal|target)[_ ]?(name|id|no)?$", "merchant_name"),
    (r"^mcc|category[_ ]?code", "mcc"),
    (r"category|merchant[_ ]?type|^type$", "merchant_category"),
    (r"(trans\w*[_ ]?)?(date|time)|^ts$|datetime|booked", "timestamp"),
    (r"(merchant[_ ]?)?(city|town|place|location)$", "location"),
    (r"country", "country"),
    (r"currency|^ccy$", "currency"),
    (r"channel|use[_ ]?chip|entry[_ ]?mode", "channel"),
    (r"^lat", "latitude"),
    (r"^(lon|lng|long$)", "longitude"),
)
LABEL = re.compile(r"fraud|label|^class$|chargeback|is_sar", re.IGNORECASE)


@dataclass
class Guess:
    """Options as the page begins with them, and a sentence for each that was guessed."""

    options: dict[str, Any]
    evidence: dict[str, str] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)  # options a person has to look at
    proposed: list[Proposal] = field(default_factory=list)  # in no option until a person takes it


def guess(
    columns: list[str], records: Sequence[Mapping[str, Any]], remembered: Mapping[str, Any]
) -> Guess:
    """What the columns mean: as they did last time, else by their names, else by what they hold."""
    options = still_fitting(columns, remembered)
    mapping = dict(options.get("mapping", {}))
    made = Guess({**options, "mapping": mapping})
    labels = {options.get("label_column"), options.get("label_known_column")}
    for column in columns:
        if column not in mapping and column not in labels and (ours := _field(column, mapping)):
            mapping[column] = ours
    _guess_by_content(made, [name for name in columns if name not in {*mapping, *labels}], records)
    if "decimal_mark" not in options:
        _guess_money(made, _values(records, column_of("amount", columns, mapping)))
    if not {"date_format", "time_unit", "time_columns"} & set(options):
        _guess_time(made, _values(records, column_of("timestamp", columns, mapping)))
    if "label_column" not in made.options:
        _guess_label(made, columns, mapping)
    made.proposed = placeholders(columns, records, made.options)
    return made


def still_fitting(columns: list[str], remembered: Mapping[str, Any]) -> dict[str, Any]:
    """What was remembered, as far as it speaks of columns that this file has too."""
    options = dict(remembered)
    mapping = options.get("mapping", {})
    options["mapping"] = {theirs: ours for theirs, ours in mapping.items() if theirs in columns}
    for name in ("label_column", "label_known_column"):
        if options.get(name) not in columns:
            options.pop(name, None)
    for name in ("time_columns", "id_columns"):
        if not set(options.get(name, [])) <= set(columns):
            options.pop(name, None)
    empties = options.get("empty_values", {})
    options["empty_values"] = {name: empties[name] for name in empties if name in columns}
    if not options["empty_values"]:
        del options["empty_values"]
    if "label_column" not in options:
        for name in ("label_known_column", "label_delay_days", "label_values"):
            options.pop(name, None)
    return options


def _guess_by_content(
    made: Guess, columns: list[str], records: Sequence[Mapping[str, Any]]
) -> None:
    """Columns whose names say nothing: a time looks like one, and money carries a sign or cents."""
    mapping, given = made.options["mapping"], set(made.options["mapping"].values())
    looks: dict[str, Callable[[Any], Any]] = {"timestamp": _dated, "amount": _priced}
    for ours, look in looks.items():
        if ours in given or (ours == "timestamp" and made.options.get("time_columns")):
            continue
        fitting = (c for c in columns if _share(_values(records, c), look) >= ENOUGH)
        if column := next((c for c in fitting if c not in mapping), ""):
            mapping[column] = ours
            made.evidence[ours] = _("“{column}” holds what looks like {looks}").format(
                column=column, looks=LOOKS[ours]
            )


LOOKS = {"timestamp": _lazy("times"), "amount": _lazy("amounts of money")}


def _dated(value: Any) -> None:
    text = str(value).strip()
    if len(text) < 8 or text.isdigit():
        raise Unfit("is a number")
    for how in FORMATS:
        try:
            written(text, how)
        except Unfit:
            continue
        return
    fields.moment(text, "UTC")


def _priced(value: Any) -> None:
    text = str(value).strip()
    if not re.search(r"\D\d{2}\D*$|^\D|\D$", text):
        raise Unfit("has neither cents nor a sign")
    try:
        plain_number(text, ".")
    except Unfit:
        plain_number(text, ",")


def _field(column: str, taken: Mapping[str, str]) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", column.casefold()).strip("_")
    exact = ALIASES.get(name, name)
    given = set(taken.values())
    if exact in FIELDS:
        return exact if exact not in given else ""
    found = (ours for cue, ours in CUES if re.search(cue, name))
    return next((ours for ours in found if ours not in given), "")


def _values(records: Sequence[Mapping[str, Any]], column: str) -> list[Any]:
    return [v for row in records if (v := row.get(column)) is not None and v != ""]


def _share(values: list[Any], read: Callable[[Any], Any]) -> float:
    """How many of the values can be read so."""
    good = 0
    for value in values:
        try:
            read(value)
        except (Unfit, ValueError):
            continue
        good += 1
    return good / len(values) if values else 0.0


def _guess_money(made: Guess, values: list[Any]) -> None:
    if not values or _share(values, lambda v: _unsigned(str(v))) >= ENOUGH:
        return
    shares = {mark: _share(values, lambda v, m=mark: plain_number(v, m)) for mark in (".", ",")}
    mark = max(shares, key=lambda one: shares[one])
    if shares[mark] < ENOUGH:
        return
    example = next(str(v) for v in values if not str(v).isdigit())
    read = plain_number(example, mark)
    made.options["decimal_mark"] = mark
    made.evidence["decimal_mark"] = _("“{example}” is read as {read}").format(
        example=example, read=read
    )
    if min(shares.values()) >= ENOUGH:
        made.unsure.add("decimal_mark")
        made.evidence["decimal_mark"] += _(", but the other way round fits as well")


def _unsigned(text: str) -> None:
    """Plain, whether or not it is negative: a refund is refused row by row, not by its writing."""
    amounts.amount(text.strip().removeprefix("-"))


def _guess_time(made: Guess, values: list[Any]) -> None:
    if not values or _share(values, lambda v: fields.moment(v, "UTC")) >= ENOUGH:
        return
    texts = [str(value).strip() for value in values]
    fitting = [how for how in FORMATS if _share(texts, lambda t, h=how: written(t, h)) >= ENOUGH]
    if not fitting:
        made.unsure.add("date_format")
        made.evidence["date_format"] = _("“{text}” is in no form known here; state it").format(
            text=texts[0][:40]
        )
        return
    made.options["date_format"] = fitting[0]
    made.evidence["date_format"] = _("“{text}” is read like {form}").format(
        text=texts[0][:40], form=shown(fitting[0])
    )
    if len(fitting) > 1:
        made.unsure.add("date_format")
        made.evidence["date_format"] += _(
            "; {form} fits every value too, so nobody can tell day from month"
        ).format(form=shown(fitting[1]))


def _guess_label(made: Guess, columns: list[str], mapping: Mapping[str, str]) -> None:
    """Only named, never used: without the date a label became known it would be looking ahead."""
    found = next((name for name in columns if LABEL.search(name) and name not in mapping), "")
    if found:
        made.evidence["label_column"] = _(
            "“{found}” looks like a label. It is taken only with the date it became known."
        ).format(found=found)
