"""`manage.py make_user NAME --role ROLE`: the first admin, or anyone; shows a password once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from anomalyshield.accounts.people import Refused, make_user
from anomalyshield.accounts.roles import TITLES


class Command(BaseCommand):
    """Make a person who can log in."""

    help = "Make a user with one or more roles; prints a random password once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", action="append", choices=list(TITLES), required=True)
        parser.add_argument("--name", default="", help="Full name")
        parser.add_argument("--email", default="", help="Where reports are sent to")
        parser.add_argument("--lead", action="store_true")
        parser.add_argument("--may-unmask", action="store_true", help="May see personal data")

    def handle(self, *_: Any, **given: Any) -> None:
        try:
            user, password = make_user(
                by="command",
                username=given["username"],
                roles=given["role"],
                full_name=given["name"],
                email=given["email"],
                is_lead=given["lead"],
                may_unmask=given["may_unmask"],
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{user.username}  {password}")
