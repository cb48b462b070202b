"""How the API's manual names our two kinds of credentials."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class Key(OpenApiAuthenticationExtension):
    """A machine's key."""

    target_class = "anomalyshield.accounts.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        words = "The key of an upstream system, made on the page “API keys”."
        return {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": words}


class Token(OpenApiAuthenticationExtension):
    """A person's access token."""

    target_class = "anomalyshield.accounts.authentication.Token"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        words = "The `access_token` of `POST /api/v1/auth/login`; it works for five minutes."
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": words}
