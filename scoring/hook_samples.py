"""A sample of a message to a webhook, signed as its source expects it: a command to copy."""

import shlex

from scoring import connections
from scoring.models import Source

SAMPLE = '{"transaction_id": "test-1", "user_id": "test", "amount": 1}'


def signed_sample(source: Source, address: str) -> str:
    """A command that sends a sample signed with $SECRET, for a source of webhooks; else empty."""
    if source.kind != Source.Kind.WEBHOOK:
        return ""
    said = connections.with_defaults(source)
    body = shlex.quote(SAMPLE)
    if said.get("scheme") == "standard":
        return (
            f"body={body}; id=test-1; stamp=$(date +%s)\n"
            'key=$(printf %s "${SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -dc 0-9a-f)\n'
            'mark=$(printf %s "$id.$stamp.$body" |\n'
            '  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)\n'
            f"curl -s {shlex.quote(address)} -H 'Content-Type: application/json' \\\n"
            '  -H "webhook-id: $id" -H "webhook-timestamp: $stamp" \\\n'
            '  -H "webhook-signature: v1,$mark" --data-binary "$body"'
        )
    coded = "| base64" if said.get("encoding") == "base64" else "-hex | sed 's/.* //'"
    binary = "-binary " if said.get("encoding") == "base64" else ""
    extra, content = "", '"$body"'
    if name := said.get("timestamp_header"):
        extra, content = f'  -H "{name}: $stamp" \\\n', '"$stamp.$body"'
    if name := said.get("id_header"):
        extra += f'  -H "{name}: test-1" \\\n'
    return (
        f"body={body}; stamp=$(date +%s)\n"
        f'mark=$(printf %s {content} | openssl dgst -sha256 -hmac "$SECRET" {binary}{coded})\n'
        f"curl -s {shlex.quote(address)} -H 'Content-Type: application/json' \\\n{extra}"
        f'  -H "{said["signature_header"]}: {said.get("signature_prefix", "")}$mark" '
        '--data-binary "$body"'
    )
