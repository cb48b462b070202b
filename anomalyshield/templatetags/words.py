"""How values read on a page: money, scores, ages. Loaded in every template."""

from django import template

register = template.Library()
