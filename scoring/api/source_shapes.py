"""What programs say of sources and read of them: the bodies of scoring/api/sources.py."""

from rest_framework import serializers as s

from anomalyshield.rest.shapes import Flag, Strict, Text, Whole
from scoring import source_documents
from scoring.models import Source, SourceVersion
from scoring.sampled import MOST_CHARACTERS

LENGTH = {"min_value": 0, "max_value": 2**31 - 1, "required": False}


class SourceChangeIn(Strict):
    """What changes; what is not named stays. The name stays: keys and files are bound to it."""

    title = Text(max_length=120, allow_blank=True, required=False)
    kind = s.ChoiceField(Source.Kind.choices, required=False)
    connection = s.DictField(
        required=False, help_text="How it is reached: settings of its kind, none of them secret"
    )
    secrets = s.DictField(
        child=Text(allow_blank=True, max_length=20_000, trim_whitespace=False),
        required=False,
        help_text="Sealed, and told to nobody again; an empty one is forgotten",
    )
    schema = s.DictField(
        required=False, allow_null=True, help_text="JSON Schema (2020-12) of a record as it is sent"
    )
    currency = Text(max_length=3, required=False, help_text="ISO 4217")
    timezone = Text(max_length=64, required=False, help_text="IANA, of times without an offset")
    mapping = s.DictField(child=Text(), required=False, help_text="Their column: our field")
    about = s.ListField(
        child=Text(max_length=64),
        max_length=20,
        required=False,
        help_text="Names of sources: it sends chargebacks and late words about their payments",
    )
    pii = s.ListField(
        child=Text(max_length=200),
        max_length=200,
        required=False,
        help_text="Fields that tell who somebody is",
    )
    places = Flag(
        required=False, help_text="Look up where a location lies that comes without coordinates"
    )
    late = s.ChoiceField(Source.Late.choices, required=False)
    late_after = Whole(**LENGTH, help_text="Seconds before its receipt")
    future = s.ChoiceField(Source.Future.choices, required=False)
    future_after = Whole(**LENGTH, help_text="Seconds after its receipt")
    active = Flag(required=False, help_text="Takes new files and transactions")


class SourceIn(SourceChangeIn):
    """A new source."""

    name = Text(
        max_length=64,
        help_text="Letters, digits, - and _; it cannot be changed later",
        validators=Source._meta.get_field("name").validators[:1],
    )


class SourceOut(s.ModelSerializer):
    """A source and what it says once for all its records."""

    mapping = s.DictField(child=s.CharField())
    connection = s.DictField()
    schema = s.DictField(allow_null=True)
    about = s.ListField(child=s.CharField())
    pii = s.ListField(child=s.CharField())
    secrets = s.SerializerMethodField(help_text="The names of those it has")

    class Meta:
        model = Source
        fields = (
            "id", "name", "title", "kind", "connection", "secrets", "schema", "currency",
            "timezone", "mapping", "about", "pii", "places", "late", "late_after", "future",
            "future_after", "active", "version", "created_at",
        )  # fmt: skip

    def get_secrets(self, source: Source) -> list[str]:
        return sorted(source.sealed)


class SourceMadeOut(SourceOut):
    """A new source, with the secret that was made for it, told this once."""

    signing_secret = s.CharField(allow_blank=True, default="", help_text="Of webhooks only")

    class Meta(SourceOut.Meta):
        fields = (*SourceOut.Meta.fields, "signing_secret")


class TriedStepOut(s.Serializer):
    """One step of a connection."""

    name = s.CharField()
    good = s.BooleanField()
    words = s.CharField(allow_blank=True)
    field = s.CharField(
        allow_blank=True, help_text="The setting to look at; empty: none is to blame"
    )


class TestedOut(s.Serializer):
    """The steps up to the first that failed."""

    reached = s.BooleanField()
    steps = TriedStepOut(many=True)


class SigningSecretIn(Strict):
    """Another secret of a source of webhooks."""

    secret = Text(
        max_length=500, required=False, help_text="Theirs; without it one is made and told once"
    )


class SigningSecretOut(s.Serializer):
    """A secret, told this once."""

    signing_secret = s.CharField()


class SourceVersionOut(s.ModelSerializer):
    """What a source said from then on."""

    values = s.DictField()
    changed = s.ListField(child=s.CharField(), help_text="Fields, and secret:<name>")

    class Meta:
        model = SourceVersion
        fields = ("number", "by", "at", "changed", "values")


class HealthOut(s.Serializer):
    """Figures of a source; those of its files stand with the files."""

    heard_at = s.DateTimeField(allow_null=True, help_text="Within half a minute")
    events = s.IntegerField(help_text="That came one by one, in the span")
    span = s.FloatField(help_text="Seconds that were looked at: an hour, less where much comes")
    per_minute = s.FloatField()
    lag = s.FloatField(allow_null=True, help_text="Seconds from event to storing: the middle one")
    lag_most = s.FloatField(allow_null=True, help_text="Of the slowest twentieth")
    rejected_day = s.IntegerField()
    rejected_waiting = s.IntegerField()
    reader_at = s.DateTimeField(
        allow_null=True, help_text="Kafka, MQTT: the last sign of whoever reads; every few seconds"
    )
    reader_trouble = s.CharField(
        help_text="Kafka, MQTT: what keeps it from reading, if that is known; else empty"
    )
    messages_waiting = s.IntegerField(
        allow_null=True, help_text="Kafka: how many the broker still has for us"
    )
    reader = s.CharField(
        help_text="Kafka: consumer, or spark, of which nothing is known here; else empty"
    )


class DocumentIn(Strict):
    """A source as YAML."""

    yaml = Text(max_length=source_documents.MOST, trim_whitespace=False)


class DocumentOut(s.Serializer):
    """A source as YAML, without its secrets."""

    yaml = s.CharField()


class TrySampleIn(Strict):
    """Records, and the source they are tried on as it would be."""

    sample = Text(
        max_length=MOST_CHARACTERS,
        trim_whitespace=False,
        help_text="A JSON object, a list of them, one a line, or CSV with a header",
    )
    source = SourceChangeIn(help_text="What a source says; readSource tells what one says now")


class CellOut(s.Serializer):
    """One field of one record."""

    theirs = s.CharField()
    ours = s.CharField(help_text="Empty: kept as further data")
    value = s.CharField(help_text="As it would be stored")
    reason = s.CharField(help_text="Why it is refused; empty if it is not")


class TriedRecordOut(s.Serializer):
    """One record of the sample."""

    record = s.IntegerField(help_text="Counted from 1")
    cells = CellOut(many=True, help_text="Its fields, and those it lacks")


class SpoiltOut(s.Serializer):
    """How many records one field of them spoils."""

    field = s.CharField()
    reason = s.CharField()
    records = s.IntegerField()


class AsideOut(s.Serializer):
    """A name that also gives a field, and says something else than the one that counts."""

    column = s.CharField()
    field = s.CharField()
    rows = s.IntegerField()


class TriedSampleOut(s.Serializer):
    """What the sample would give."""

    read = s.IntegerField()
    accepted = s.IntegerField()
    rejected = s.IntegerField()
    aside = AsideOut(many=True, help_text="Kept as further data of these records")
    reasons = SpoiltOut(many=True)
    records = TriedRecordOut(many=True, help_text="The first of them, field by field")


class KeepersIn(Strict):
    """Who sees it from now on; admins always do."""

    all_engineers = Flag()
    people = s.ListField(child=Text(max_length=150), max_length=200, help_text="By user name")


class KeepersOut(s.Serializer):
    """Who keeps a source."""

    all_engineers = s.BooleanField()
    people = s.ListField(child=s.CharField())
