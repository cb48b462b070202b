"""Personal values as far as this reader may see them."""

from django import template

from alerts.visibility import mask

register = template.Library()


@register.filter
def shown_to(value: str, hidden: bool) -> str:
    """The value, or its ends only for someone who may look but not work."""
    return mask(value) if hidden else value
