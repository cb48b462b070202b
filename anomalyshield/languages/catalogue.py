"""The catalogue of one language: brought up to date with the sentences there are, and checked."""

from pathlib import Path

import polib
from django.conf import settings

from anomalyshield.languages import SOURCE
from anomalyshield.languages.gather import Sentence, placeholders, sentences

WIDTH = 100


def path_of(language: str) -> Path:
    return Path(settings.BASE_DIR, "locale", language, SOURCE)


def read(language: str) -> polib.POFile:
    return polib.pofile(str(path_of(language)), wrapwidth=WIDTH)


def brought_up_to_date(language: str) -> polib.POFile:
    """The sentences there are, in the order of files, with what was said of them already.

    No line numbers: they would change with every edit, and two branches could not be merged.
    """
    old = read(language)
    said = {(entry.msgctxt, entry.msgid): entry for entry in old}
    new = polib.POFile(wrapwidth=WIDTH)
    new.metadata = old.metadata
    for sentence in sorted(sentences().values(), key=lambda one: one.file):
        new.append(_entry(sentence, said.get(sentence.key)))
    return new


def _entry(sentence: Sentence, known: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(
        msgid=sentence.text, msgctxt=sentence.context, occurrences=[(sentence.file, "")]
    )
    if sentence.plural:
        entry.msgid_plural = sentence.plural
        entry.msgstr_plural = dict(known.msgstr_plural) if known else {}
        entry.msgstr_plural = {0: "", 1: "", **entry.msgstr_plural}
    else:
        entry.msgstr = known.msgstr if known else ""
    return entry


def faults(language: str) -> list[str]:
    """What is wrong with it: missing, not looked at, other placeholders, said of nothing."""
    said = {(entry.msgctxt, entry.msgid): entry for entry in read(language)}
    wanted = sentences()
    found = [f"nothing says this any more: {key[1]}" for key in said.keys() - wanted.keys()]
    for key, sentence in wanted.items():
        entry = said.get(key)
        if entry is None or entry.fuzzy or not entry.translated():
            found.append(f"not translated: {sentence.text} ({sentence.file})")
        elif not _same_placeholders(entry):
            found.append(f"other placeholders: {sentence.text} → {entry.msgstr}")
    return found


def _same_placeholders(entry: polib.POEntry) -> bool:
    if not entry.msgid_plural:
        return placeholders(entry.msgid) == placeholders(entry.msgstr)
    # One is often a word, in either language.
    one, many = entry.msgstr_plural[0], entry.msgstr_plural[1]
    wanted = placeholders(entry.msgid_plural)
    return placeholders(many) == wanted and placeholders(one) <= wanted
