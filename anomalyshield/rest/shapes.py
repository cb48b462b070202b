"""JSON as it is: what is sent has the type it claims, and nothing is sent that nobody knows."""

from typing import Any

from rest_framework import serializers as s

from anomalyshield.accounts.authentication import Machine
from anomalyshield.templatetags.words import masked_if


class Strict(s.Serializer):
    """Refuses what it does not know instead of ignoring it, and makes no text of a number."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        said = data if isinstance(data, dict) else {}
        if unknown := set(said) - set(self.fields):
            raise s.ValidationError(dict.fromkeys(sorted(unknown), "is not known here."))
        invalid = s.CharField.default_error_messages["invalid"]
        wrong = {name: [invalid] for name, value in said.items() if self._is_no_text(name, value)}
        try:
            read = super().to_internal_value(data)
        except s.ValidationError as error:
            raise s.ValidationError({**error.detail, **wrong}) from None
        if wrong:
            raise s.ValidationError(wrong)
        return read

    def _is_no_text(self, name: str, value: Any) -> bool:
        """The framework's kinds of text (a slug, an address) turn 7 into "7"."""
        return isinstance(self.fields[name], s.CharField) and not isinstance(value, str | None)


class Nothing(Strict):
    """The body of a verb that needs no words: none, or `{}`."""


class Text(s.CharField):
    """A JSON string and nothing that could be turned into one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(s.BooleanField):
    """`true` or `false`; not "yes", not 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Choice(s.ChoiceField):
    """One of a few words; whoever sends another is told which there are."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except s.ValidationError:
            there = ", ".join(str(one) for one in self.choices if one != "")
            raise s.ValidationError(
                f"“{str(data)[:80]}” is none of them. There are: {there}.", code="invalid_choice"
            ) from None


class Whole(s.IntegerField):
    """A JSON integer."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class Number(s.FloatField):
    """A JSON number."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, str | bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class Moment(s.DateTimeField):
    """An ISO 8601 moment; without an offset it is UTC."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid", format="a text in ISO 8601")
        return super().to_internal_value(data)


class Personal(s.CharField):
    """A value that tells who somebody is: its ends only, for those who may not read it."""

    def to_representation(self, value: Any) -> str:
        return masked_if(str(value), self.context["hidden"])


class PaymentNumber(Personal):
    """A payment's number at its sender: machines join their data by it, so they read it whole."""

    def to_representation(self, value: Any) -> str:
        machine = isinstance(self.context["user"], Machine)
        return str(value) if machine else super().to_representation(value)


class Person(s.CharField):
    """A user by name; null where it was nobody, or the installation itself."""

    def __init__(self, **more: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **more)

    def to_representation(self, value: Any) -> str:
        return str(value.get_username())


class Listed(Strict):
    """What every list is asked: from where on, and how many."""

    cursor = s.CharField(
        max_length=200, required=False, help_text="`next` of the page before, as it was given"
    )
    limit = s.IntegerField(min_value=1, max_value=200, default=50, required=False)


def page(shape: type[s.Serializer]) -> type[s.Serializer]:
    """One page of these, and where the next begins."""
    words = "Send it as `cursor` for the next page; null on the last one"
    fields = {
        "__doc__": f"A page: {shape.__doc__ or shape.__name__}",
        "results": shape(many=True),
        "next": s.CharField(allow_null=True, help_text=words),
    }
    return type(f"{shape.__name__.removesuffix('Out')}Page", (s.Serializer,), fields)
