"""`manage.py replay`: make past decisions again and say whether they come out the same."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from scoring.models import Decision
from scoring.replaying import Report, replay

AT_A_TIME = 2_000


class Command(BaseCommand):
    """From the stored vector: score, level, outcome and reasons, bit for bit. From history: the
    vector, bit for bit, or the rows named that were not committed then. Exit 1 on a difference."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--ids", nargs="+", type=int, help="Transactions, by their number")
        which.add_argument("--decision-ids", nargs="+", type=int)
        which.add_argument("--last", type=int, default=1_000, help="So many (default 1000)")
        parser.add_argument("--quiet", action="store_true", help="No line per named row")

    def handle(
        self,
        *,
        ids: list[int] | None,
        decision_ids: list[int] | None,
        last: int,
        quiet: bool,
        **_: object,
    ) -> None:
        numbers = wanted(ids, decision_ids, last)
        report = Report()
        for start in range(0, len(numbers), AT_A_TIME):
            add(report, numbers[start : start + AT_A_TIME])
        self.tell(report, quiet=quiet)
        if report.differences:
            raise CommandError(f"{len(report.differences)} differences.", returncode=1)

    def tell(self, report: Report, *, quiet: bool) -> None:
        for name, count in report.counts.items():
            self.stdout.write(f"{count:>8,} {name}")
        for note in [] if quiet else report.notes:
            self.stdout.write(f"         {note}")
        for difference in report.differences:
            self.stdout.write(f"DIFFERS  {difference}")
        if not report.differences:
            self.stdout.write("         No differences.")


def wanted(ids: list[int] | None, decision_ids: list[int] | None, last: int) -> list[int]:
    """The keys of the decisions asked for."""
    keys = Decision.objects.order_by("-pk").values_list("pk", flat=True)
    asked = set(ids or decision_ids or ())
    if not asked:
        return list(keys[:last])
    found = list(keys.filter(**{"transaction_id__in" if ids else "pk__in": asked}))
    if missing := len(asked) - len(found):
        raise CommandError(f"{missing} of these are not decided, or do not exist.")
    return found


def add(report: Report, numbers: list[int]) -> None:
    """Replay these decisions and add what was found."""
    related = ("model", "policy", "transaction")
    found = replay(Decision.objects.filter(pk__in=numbers).select_related(*related))
    report.counts += found.counts
    report.differences += found.differences
    report.notes += found.notes
