"""Sources are made and changed by people: every change is a version, and an event on the trail."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.audit.record import actor_of, record
from scoring import personal, source_documents
from scoring import secrets as vault
from scoring.columns import Refused
from scoring.keeping import grant_new
from scoring.models import Source, SourceVersion
from scoring.source_rules import checked

TOLD = (
    "name", "title", "kind", "connection", "schema", "mapping", "about", "pii", "places",
    "currency", "timezone", "late", "late_after", "future", "future_after", "active",
)  # fmt: skip
SIGNING = "signing_secret"
NO_WORDS = _lazy(
    "Spark decides payments and reads no late words about them: leave this source to the consumer."
)
FIRST_HAND = "the installation"  # who made what no person made
MARKED = _lazy(
    "A second person must agree that {names} is personal no longer: leave it here, and ask for "
    "that by “Personal no longer”."
)
READ_SO = _lazy(
    "Read so, {names} would be personal no longer. Name it among the personal fields, or leave "
    "this as it was."
)


@transaction.atomic
def make_source(*, by: Any, secrets: Mapping[str, str] | None = None, **fields: Any) -> Source:
    """A source under a name nobody has yet; its secrets are sealed and never shown again.

    A source of webhooks that brings no secret gets one: `signing_secret` of the answer, this once.
    Raises `Refused`, which names the field that makes no sense.
    """
    fields, secrets = checked(fields.get("kind", Source.Kind.CSV), fields, secrets or {})
    _may_speak_of(by, fields.get("about", []))
    _somebody_reads(Source(**fields))
    made = ""
    if fields.get("kind") == Source.Kind.WEBHOOK and not secrets.get(SIGNING):
        secrets[SIGNING] = made = vault.drawn()
    source = Source.objects.create(**fields, sealed=_sealed({}, secrets))
    source.signing_secret = made
    grant_new(source, by=by)
    _keep_version(source, by=by, changed=[])
    record(by=by, action="source.made", object=source, after=_for_trail(source))
    return source


@transaction.atomic
def change_source(
    *, by: Any, source: Source, secrets: Mapping[str, str] | None = None, **fields: Any
) -> Source:
    """Change what the source says of its records from now on; stored ones stay as they are.

    A secret that is not named stays; an empty one is forgotten. Nothing changed is no version.
    That a field is personal no longer takes two people: `scoring/unmarking.py`.
    """
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    before, shown = told(source), _for_trail(source)
    kind = fields.get("kind", source.kind)
    if kind != source.kind:  # what was said of the other kind means nothing here
        fields = {"connection": {}, **fields}
        source.sealed = {}
    fields, secrets = checked(kind, fields, secrets or {})
    _may_speak_of(by, [name for name in fields.get("about", []) if name not in source.about])
    for name, value in fields.items():
        setattr(source, name, value)
    _somebody_reads(source)
    source.sealed = _sealed(source.sealed, secrets)
    after = told(source)
    _keeps_marks(before, after)
    changed = [name for name in TOLD if before[name] != after[name]]
    changed += [f"secret:{name}" for name in secrets]
    if not changed:
        return source
    if not source.versions.exists():  # it was made before there were versions, or by no person
        _keep_version(source, by=FIRST_HAND, changed=[], values=before)
    source.version += 1
    source.save(update_fields=[*fields, "sealed", "version"])
    _keep_version(source, by=by, changed=changed)
    record(by=by, action="source.changed", object=source, before=shown, after=_for_trail(source))
    return source


@transaction.atomic
def load_document(*, by: Any, text: str) -> tuple[Source, bool]:
    """Make or change the source a YAML document names; was it made?

    What the document does not name stays. Raises `Refused`, also for a name that is taken by a
    source this person does not keep.
    """
    fields, secrets = source_documents.read(text)
    name = fields.pop("name")
    found = Source.objects.filter(name=name).first()
    try:
        if found is None:
            return make_source(by=by, name=name, secrets=secrets, **fields), True
        if (
            not isinstance(by, str)
            and not Source.objects.visible_to(by).filter(pk=found.pk).exists()
        ):
            raise Refused("name", _("The name {name} is taken.").format(name=name))
        return change_source(by=by, source=found, secrets=secrets, **fields), False
    except Refused as refusal:
        raise source_documents.as_called(refusal) from None


@transaction.atomic
def reseal(*, by: Any) -> int:
    """Seal every secret with the SECRET_KEY of today; how many were sealed with a former one.

    Afterwards no former key is needed. Raises SecretLost, with nothing changed, if one cannot be
    opened.
    """
    done = 0
    for source in Source.objects.exclude(sealed={}).select_for_update(no_key=True):
        old = {name: text for name, text in source.sealed.items() if not vault.current(text)}
        if old:
            fresh = {name: vault.seal(vault.open(text)) for name, text in old.items()}
            source.sealed = {**source.sealed, **fresh}
            source.save(update_fields=["sealed"])
            done += len(old)
    record(by=by, action="source.resealed", after={"secrets": done})
    return done


def changed_secrets(
    *, by: Any, source: Source, secrets: Mapping[str, str], changed: list[str]
) -> None:
    """Seal these secrets as a version of their own; in the transaction of a verb that locks it."""
    source.sealed = _sealed(source.sealed, secrets)
    source.version += 1
    source.save(update_fields=["sealed", "version"])
    _keep_version(source, by=by, changed=changed)


def changed_marks(*, by: Any, source: Source, pii: list[str]) -> None:
    """Keep these personal fields as a version; in the transaction of a verb that locks the source
    and has asked whom it must."""
    before = told(source)
    if not source.versions.exists():
        _keep_version(source, by=FIRST_HAND, changed=[], values=before)
    source.pii = pii
    source.version += 1
    source.save(update_fields=["pii", "version"])
    _keep_version(source, by=by, changed=["pii"])


def _keeps_marks(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Nobody alone lays open what was personal, by what is declared or by how names are read."""
    lost = personal.marks(before["pii"], before["mapping"]) - personal.marks(
        after["pii"], after["mapping"]
    )
    if not lost or not settings.FOUR_EYES:
        return
    if said := lost & set(before["pii"]):
        raise Refused("pii", MARKED.format(names=", ".join(sorted(said))))
    raise Refused("mapping", READ_SO.format(names=", ".join(sorted(lost))))


def _may_speak_of(by: Any, names: Sequence[str]) -> None:
    """Whose payments its records label: sources that there are, and that this person keeps."""
    seen = Source.objects.all() if isinstance(by, str) else Source.objects.visible_to(by)
    known = set(seen.filter(name__in=names).values_list("name", flat=True))
    for name in names:
        if name not in known:
            raise Refused("about", _("There is no source named {name}.").format(name=name))


def _somebody_reads(source: Source) -> None:
    if source.left_to_spark and source.about:
        raise Refused("connection/reader", NO_WORDS)


def told(source: Source) -> dict[str, Any]:
    """All that a source says, without its secrets."""
    return {name: getattr(source, name) for name in TOLD}


def secret_of(source: Source, name: str) -> str:
    """The secret of that name; empty if it has none. Raises `secrets.SecretLost`."""
    sealed = source.sealed.get(name, "")
    return vault.open(sealed) if sealed else ""


def openable(source: Source) -> bool:
    """Whether every secret it has can still be opened."""
    try:
        for sealed in source.sealed.values():
            vault.open(sealed)
    except vault.SecretLost:
        return False
    return True


def _sealed(before: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: text for name, text in before.items() if name not in given}
    return kept | {name: vault.seal(text) for name, text in given.items() if text}


def _keep_version(
    source: Source, *, by: Any, changed: list[str], values: dict[str, Any] | None = None
) -> None:
    SourceVersion.objects.create(
        source=source,
        number=source.version,
        values=values or told(source),
        changed=changed,
        by=actor_of(by)[:150],
    )


def _for_trail(source: Source) -> dict[str, Any]:
    """What the trail keeps: the rest stands in the version of this number."""
    brief = {name: getattr(source, name) for name in TOLD if name != "schema"}
    return {**brief, "version": source.version, "secrets": sorted(source.sealed)}
