"""Sentences with values in them that workers keep in English and pages tell in the reader's words.

Workers know no reader, so what they write into rows is English; here each such sentence stands with
its values in braces, as it is looked up. Where a sentence has no value, its place in the code says
`gettext_noop` and the page `|meant`.
"""

from django.utils.translation import gettext_noop as _noop

from scoring import retelling

PHRASES = (
    _noop(
        "{opening} v{number}: average precision {own} against {theirs}, a difference "
        "of {value} ({low} to {high}, 95 %)."
    ),
    _noop("Too good? Check for a leak. {rest}"),
    _noop("Not comparable: too few matured labels among the held-out rows."),
    _noop("No champion to compare with: average precision {own}."),
    _noop("Not comparable with v{number}: too few users with frauds."),
    _noop("An update of {version}: it scores along until labels judge it."),
    _noop("Waiting for a worker"),
    _noop("Done"),
    _noop("{frauds} frauds are known; {least} are needed before a model learns from them"),
    _noop("only {genuine} genuine transactions are known beside {frauds} frauds"),
    _noop("{encoding}, separated by {delimiter}"),
    _noop("commas"),
    _noop("semicolons"),
    _noop("tabs"),
    _noop("bars"),
    _noop("online"),
    _noop("in person"),
    _noop("users of less than {days} days"),
    _noop("users known for longer"),
    _noop("amounts from {low} to {high}"),
    _noop("amounts from {low}"),
    _noop("better"),
    _noop("not worse"),
    _noop("worse"),
    _noop("undecided"),
    _noop("Playbook {typology}"),
    _noop("Playbook {typology}, version {version}"),
    _noop("refused here: {host} has no address"),
)


def told(text: str) -> str:
    """In the reader's language; what no worker wrote stays as it is."""
    return retelling.of_phrases(text, PHRASES)
