"""A client of AnomalyShield's API, to read and to copy. It needs Python and nothing else.

python docs/client.py http://127.0.0.1:8000 --key as_… score '{"transaction_id": "t1",
    "user_id": "u1", "amount": "25000", "location": "Mumbai"}'
python docs/client.py http://127.0.0.1:8000 --key as_… anomalies
python docs/client.py http://127.0.0.1:8000 --user ana alerts
python docs/client.py http://127.0.0.1:8000 --user ana decide 17 FALSE_POSITIVE --note "Known."
"""

import argparse
import getpass
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
TRIES = 5
PASSING = {429, 502, 503, 504}  # it was not done; ask again


class Refused(Exception):
    """What the platform said no to: `status`, `code`, and `problem` with everything it told."""

    def __init__(self, status: int, problem: Json) -> None:
        self.status, self.problem = status, problem
        self.code = problem.get("code", "")
        wrong = [f"{one['pointer']}: {one['detail']}" for one in problem.get("errors", [])]
        super().__init__(" ".join([problem.get("detail", f"HTTP {status}"), *wrong]))


class Client:
    """Asks as a machine, with a key, or as a person, after `log_in`."""

    def __init__(self, base: str, key: str = "", timeout: float = 10) -> None:
        self.base, self.timeout = base.rstrip("/"), timeout
        self.credential = {"X-Api-Key": key} if key else {}
        self.refresh_token = ""

    # --- who asks ---------------------------------------------------------------------------------
    def log_in(self, username: str, password: str) -> None:
        """Tokens for a person; the access token is renewed when it has run out."""
        self._take(self.ask("POST", "/api/v1/auth/login", _credentials(username, password)))

    def log_out(self) -> None:
        self.ask("POST", "/api/v1/auth/logout", {"refresh_token": self.refresh_token})
        self.credential, self.refresh_token = {}, ""

    # --- what is asked ----------------------------------------------------------------------------
    def score(self, payment: Json, explain: bool = False) -> Json:
        """The decision on one payment. Sent again, whatever happened, it is still decided once."""
        once = {"Idempotency-Key": f"score-{payment['transaction_id']}"}
        body = {**payment, "include_explanations": explain}
        return self.ask("POST", "/detect", body, headers=once)

    def decision_of(self, transaction_id: str) -> Json:
        """How the decision on a payment stands now: approved, held, released or declined."""
        for row in self.pages("/api/v1/transactions", q=transaction_id):
            if row["decided"]:
                return self.ask("GET", f"/api/v1/decisions/{row['decided']['decision']}")
        raise LookupError(transaction_id)

    def anomalies(self, **wanted: str) -> Iterator[Json]:
        """By `user`, `risk_level`, `from`, `to`; the latest first."""
        return self.pages("/api/v1/anomalies", **wanted)

    def alerts(self, **wanted: str) -> Iterator[Json]:
        """Of one's queues, by `status`, `level`, `queue`, `reason`; the most urgent first."""
        return self.pages("/api/v1/alerts", **wanted)

    def decide(self, alert: int, disposition: str, **more: Any) -> Json:
        """Close an alert as it was read: 409 if another payment joined it meanwhile."""
        read = self.ask("GET", f"/api/v1/alerts/{alert}")
        body = {"disposition": disposition, "seen": read["hit_count"], **more}
        return self.ask("POST", f"/api/v1/alerts/{alert}/decide", body)

    def pages(self, path: str, **wanted: Any) -> Iterator[Json]:
        """Every row of a list: each page begins where the one before ended."""
        while True:
            page = self.ask("GET", path, **wanted)
            yield from page["results"]
            if page["next"] is None:
                return
            wanted["cursor"] = page["next"]

    # --- how it is asked --------------------------------------------------------------------------
    def ask(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Any:
        """The answer as JSON; `Refused` with the reason. Passing trouble is waited out."""
        for attempt in range(1, TRIES + 1):
            try:
                return self._once(method, path, body, headers or {}, query)
            except urllib.error.HTTPError as error:
                refused = Refused(error.code, _problem(error))
                if error.code == 401 and self.refresh_token:
                    self._renew()
                elif error.code in PASSING and attempt < TRIES:
                    time.sleep(float(error.headers.get("Retry-After") or 2**attempt / 10))
                else:
                    raise refused from None
        raise refused

    def _once(
        self, method: str, path: str, body: Json | None, headers: dict[str, str], query: Json
    ) -> Any:
        address = f"{self.base}{path}"
        if query:
            address += f"?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(  # noqa: S310 - the caller says where to
            address,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self.credential, **headers},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=self.timeout) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None

    def _renew(self) -> None:
        """A refresh token works once: whoever uses one twice has to log in again."""
        used, self.refresh_token = self.refresh_token, ""
        self._take(self.ask("POST", "/api/v1/auth/refresh", {"refresh_token": used}))

    def _take(self, tokens: Json) -> None:
        self.credential = {"Authorization": f"Bearer {tokens['access_token']}"}
        self.refresh_token = tokens["refresh_token"]


def _credentials(username: str, password: str) -> Json:
    return {"username": username, "password": password}


def _problem(error: urllib.error.HTTPError) -> Json:
    """RFC 9457, unless something between us and the platform answered."""
    try:
        told = json.load(error)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def main() -> None:
    parser = argparse.ArgumentParser(description="Ask AnomalyShield from the command line.")
    parser.add_argument("base", help="like http://127.0.0.1:8000")
    parser.add_argument("--key", default=os.environ.get("ANOMALYSHIELD_KEY", ""))
    parser.add_argument("--user", default="")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("score").add_argument("payment", type=json.loads, help="a JSON object")
    verbs.add_parser("decision").add_argument("transaction_id")
    verbs.add_parser("anomalies")
    verbs.add_parser("alerts")
    decide = verbs.add_parser("decide")
    decide.add_argument("alert", type=int)
    decide.add_argument("disposition")
    decide.add_argument("--note", default="")
    print(json.dumps(run(parser.parse_args()), indent=2))


def run(asked: argparse.Namespace) -> Any:
    client = Client(asked.base, asked.key)
    if asked.user:
        client.log_in(asked.user, os.environ.get("ANOMALYSHIELD_PASSWORD") or getpass.getpass())
    match asked.verb:
        case "score":
            return client.score(asked.payment)
        case "decision":
            return client.decision_of(asked.transaction_id)
        case "decide":
            more = {"note": asked.note} if asked.note else {}
            return client.decide(asked.alert, asked.disposition, **more)
        case verb:
            return list(getattr(client, verb)())


if __name__ == "__main__":
    main()
