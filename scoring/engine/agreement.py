"""How far two people agree beyond chance: Cohen's kappa with the interval of its variance."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

from scoring.engine.intervals import Z, wilson

Table = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Agreement:
    """Of so many cases rated by two; `kappa` is NaN where chance alone would always agree."""

    cases: int
    observed: float
    expected: float
    kappa: float
    low: float
    high: float
    error: float  # standard error of kappa

    @property
    def share(self) -> tuple[float, float]:
        """95 % interval of the observed agreement."""
        return wilson(self.observed * self.cases, self.cases)


def cohen(table: Table) -> Agreement:
    """Kappa of a square table of counts: a row is what the first said, a column the second.

    J. Cohen, Educational and Psychological Measurement 20, 1960. The variance is that of Fleiss,
    Cohen and Everitt, Psychological Bulletin 72, 1969 (their formula 13), which holds for any
    kappa, not only for none. Where all cases agree it is zero, which no sample of twenty shows:
    then the lower end is that of the observed agreement (Wilson) with the same chance.
    """
    cases = sum(sum(row) for row in table)
    if not cases:
        return Agreement(0, nan, nan, nan, nan, nan, nan)
    p = [[count / cases for count in row] for row in table]
    rows = [sum(row) for row in p]
    columns = [sum(column) for column in zip(*p, strict=True)]
    observed = sum(p[i][i] for i in range(len(p)))
    expected = sum(r * c for r, c in zip(rows, columns, strict=True))
    if expected >= 1:
        return Agreement(int(cases), observed, expected, nan, nan, nan, nan)
    kappa = (observed - expected) / (1 - expected)
    error = sqrt(max(0.0, _spread(p, rows, columns, kappa, expected)) / cases) / (1 - expected)
    low = kappa - Z * error
    if observed == 1:
        low = (wilson(cases, cases)[0] - expected) / (1 - expected)
    return Agreement(
        int(cases), observed, expected, kappa, max(-1.0, low), min(1.0, kappa + Z * error), error
    )


def _spread(
    p: Table, rows: Sequence[float], columns: Sequence[float], kappa: float, expected: float
) -> float:
    """What stands in the braces of the variance."""
    k, doubt = range(len(p)), 1 - kappa
    agreed = sum(p[i][i] * (1 - (rows[i] + columns[i]) * doubt) ** 2 for i in k)
    apart = sum(p[i][j] * (columns[i] + rows[j]) ** 2 for i in k for j in k if i != j)
    return agreed + doubt**2 * apart - (kappa - expected * doubt) ** 2
