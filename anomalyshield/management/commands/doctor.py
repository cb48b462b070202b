"""`manage.py doctor`: what is wrong, in words, and the cure; exit 1 if anything is."""

from django.core.management.base import BaseCommand, CommandError

from anomalyshield.doctor import Finding, examine


class Command(BaseCommand):
    """Ask everything the platform needs whether it is well."""

    help = __doc__
    requires_system_checks = []  # they are one of the questions

    def handle(self, **_: object) -> None:
        findings = []
        for finding in examine():
            findings.append(finding)
            self._tell(finding)
        if wrong := [finding.about for finding in findings if not finding.good]:
            raise CommandError(f"{len(wrong)} of {len(findings)} are wrong: {', '.join(wrong)}")
        self.stdout.write("All is well.")

    def _tell(self, finding: Finding) -> None:
        self.stdout.write(f"{'ok ' if finding.good else 'BAD'} {finding.about}: {finding.words}")
        if not finding.good:
            self.stdout.write(f"    → {finding.cure}")
