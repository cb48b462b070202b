"""From the outbox to a receiver that really listens: signed, tried again, never elsewhere."""

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from anomalyshield import leases
from anomalyshield.audit.models import AuditEvent
from scoring.models import Delivery, Endpoint
from scoring.tasks import do, do_next, free_orphans, work_named
from scoring.webhooks import events, posting, sending, signing
from tests.webhooks.making import Receiver, endpoint, listening

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
WORK = work_named("delivery")


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]
    with listening() as one:
        yield one


def queue(**data: Any) -> None:
    events.queue("decision.updated", {"decision": 1, **data}, at=timezone.now())


def relayed() -> Delivery:
    """The one delivery after one round of a worker."""
    assert do_next(WORK)
    return Delivery.objects.get()


def due_again() -> None:
    Delivery.objects.filter(state="READY").update(due_at=timezone.now() - timedelta(seconds=1))
    Endpoint.objects.update(rest_until=None)


def verified(secret: str, headers: dict[str, str], body: bytes) -> list[bool]:
    """As a receiver does it, written from the standard and not from our signing."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mine = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    given = headers["webhook-signature"].split(" ")
    assert all(one.startswith("v1,") for one in given)
    return [hmac.compare_digest(one.removeprefix("v1,"), mine) for one in given]


# --- what is sent ---------------------------------------------------------------------------------
def test_it_is_delivered_signed_and_marked(receiver):
    one = endpoint(receiver.url)
    queue(state="DECLINED")
    delivery = relayed()
    assert (delivery.state, delivery.status, delivery.tries) == ("DONE", 204, 1)
    headers, body = receiver.got[0]
    assert verified(signing.shown(one.salt), headers, body) == [True]
    assert headers["webhook-id"] == str(delivery.event)
    assert abs(int(headers["webhook-timestamp"]) - timezone.now().timestamp()) < 10
    told = json.loads(body)
    assert (told["type"], told["data"]["state"]) == ("decision.updated", "DECLINED")


def test_our_signatures_are_those_of_the_standard():
    """The vector of the reference libraries."""
    secret, body = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", '{"test": 2432232314}'
    said = signing.signature(
        base64.b64decode(secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body
    )
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_rotates_both_hold(receiver):
    former = signing.new_salt()
    one = endpoint(
        receiver.url, former_salt=former, former_until=timezone.now() + timedelta(hours=1)
    )
    queue()
    relayed()
    assert verified(signing.shown(one.salt), *receiver.got[0]) == [True, False]
    assert verified(signing.shown(former), *receiver.got[0]) == [False, True]


def test_after_the_overlap_the_former_secret_signs_nothing(receiver):
    former = signing.new_salt()
    endpoint(receiver.url, former_salt=former, former_until=timezone.now() - timedelta(seconds=1))
    queue()
    relayed()
    assert verified(signing.shown(former), *receiver.got[0]) == [False]


def test_with_another_secret_key_nothing_is_signed_wrongly(receiver, settings):
    endpoint(receiver.url)
    settings.SECRET_KEY = "another key, as after a restore from a copy without it"
    queue()
    assert "rotate the secret" in relayed().said
    assert receiver.got == []


def test_only_who_subscribed_is_told(receiver):
    endpoint(receiver.url, events=[])
    queue()
    assert not Delivery.objects.exists()


# --- when it does not work ------------------------------------------------------------------------
def test_failures_follow_the_schedule_with_the_same_id_until_it_is_set_aside(receiver):
    endpoint(receiver.url)
    receiver.status = 500
    queue()
    for number, pause in enumerate(posting.PAUSES, 1):
        delivery = relayed()
        assert (delivery.state, delivery.tries, delivery.attempts) == ("READY", number, 0)
        wait = (delivery.due_at - timezone.now()).total_seconds()
        assert pause - 5 <= wait <= pause * 1.2
        due_again()
    delivery = relayed()
    assert (delivery.state, delivery.tries) == ("QUARANTINED", len(posting.PAUSES) + 1)
    assert delivery.said == "answered 500 Internal Server Error"
    assert len(set(receiver.ids)) == 1
    assert len(receiver.ids) == 10


def test_a_receiver_that_asks_for_time_gets_it(receiver):
    endpoint(receiver.url)
    receiver.status, receiver.headers = 429, {"Retry-After": "120"}
    queue()
    wait = (relayed().due_at - timezone.now()).total_seconds()
    assert 110 < wait < 125


def test_gone_is_gone_and_the_rest_waits(receiver):
    one = endpoint(receiver.url)
    receiver.status = 410
    queue()
    assert relayed().state == "QUARANTINED"
    one.refresh_from_db()
    assert (one.state, "410" in one.stopped_because) == ("STOPPED", True)
    assert AuditEvent.objects.filter(action="endpoint.stopped").exists()
    queue(more=1)
    assert Delivery.objects.latest("pk").state == "WAITING"


def test_after_five_days_of_failures_an_endpoint_is_stopped(receiver):
    one = endpoint(receiver.url, failures=9, failing_since=timezone.now() - timedelta(days=6))
    receiver.status = 503
    queue()
    relayed()
    one.refresh_from_db()
    assert one.stopped_because == (
        "Nothing was delivered for 5 days: answered 503 Service Unavailable."
    )


def test_an_endpoint_that_fails_again_and_again_is_left_alone_for_a_while(receiver):
    one = endpoint(receiver.url, failures=2)
    receiver.status = 500
    queue()
    relayed()
    one.refresh_from_db()
    assert one.rest_until > timezone.now() + timedelta(seconds=20)
    Delivery.objects.update(due_at=timezone.now())
    assert relayed().tries == 1
    assert len(receiver.got) == 1


def test_one_success_and_all_is_well_again(receiver):
    one = endpoint(receiver.url, failures=2, failing_since=timezone.now())
    queue()
    relayed()
    one.refresh_from_db()
    assert (one.failures, one.failing_since, one.rest_until) == (0, None, None)


def test_what_waited_for_the_rest_to_end_goes_at_once_when_the_receiver_is_well(receiver):
    one = endpoint(receiver.url, failures=9, rest_until=timezone.now() + timedelta(hours=1))
    for number in range(3):
        queue(number=number)
    assert do_next(WORK)
    assert not receiver.got
    tried, *held = Delivery.objects.order_by("pk")
    soon = timezone.now() + timedelta(minutes=1)
    assert all(letter.due_at > soon for letter in held)
    Delivery.objects.filter(pk=tried.pk).update(due_at=timezone.now())
    Delivery.objects.filter(pk=held[1].pk).update(tries=3)  # it waits by its own schedule
    Endpoint.objects.filter(pk=one.pk).update(rest_until=None)
    while do_next(WORK):
        pass
    states = Delivery.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["DONE", "DONE", "READY"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(receiver, status):
    with listening() as elsewhere:
        receiver.status, receiver.headers = status, {"Location": elsewhere.url}
        endpoint(receiver.url)
        queue()
        assert "redirects are not followed" in relayed().said
        assert elsewhere.got == []


@pytest.mark.parametrize("trouble", ["hangs", "dribbles"])
def test_who_hangs_or_sends_a_byte_at_a_time_is_cut_off(receiver, monkeypatch, trouble):
    monkeypatch.setattr(sending, "DEADLINE", 0.4)
    setattr(receiver, trouble, {"hangs": 2, "dribbles": 0.1}[trouble])
    endpoint(receiver.url)
    queue()
    assert relayed().said == "no answer within 0.4 seconds"


def test_one_that_hangs_delays_no_other(receiver, monkeypatch):
    monkeypatch.setattr(sending, "DEADLINE", 1)
    with listening() as slow:
        slow.hangs = 3
        endpoint(slow.url)
        well = endpoint(receiver.url)
        for number in range(5):
            queue(number=number)
        do_next(WORK)
        assert list(well.deliveries.values_list("state", flat=True)) == ["DONE"] * 5


def test_one_that_hangs_for_longer_than_a_lease_costs_no_letter_its_answer(
    receiver, monkeypatch, settings
):
    """Else all that went with it is sent again and again, and never written down."""
    monkeypatch.setattr(sending, "DEADLINE", 4)
    settings.LEASE_SECONDS, settings.HEARTBEAT_SECONDS = 2, 0.5
    with listening() as slow:
        slow.hangs = 6
        endpoint(slow.url)
        well = endpoint(receiver.url)
        queue()
        sweeper = threading.Timer(3, free_orphans)
        sweeper.start()
        do_next(WORK)
        sweeper.join()
    assert well.deliveries.get().state == "DONE"
    assert Delivery.objects.exclude(endpoint=well).get().tries == 1


def test_nobody_listening_is_said_in_words(receiver):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint(f"http://127.0.0.1:{port}/")
    queue()
    assert relayed().said == "nobody listens there"


def test_a_paused_endpoint_gets_it_later(receiver):
    one = endpoint(receiver.url)
    queue()
    Endpoint.objects.update(state="PAUSED")  # after it was queued
    do_next(WORK)
    assert (one.deliveries.get().state, receiver.got) == ("WAITING", [])


# --- final ----------------------------------------------------------------------------------------
def test_a_receiver_may_say_that_what_it_was_told_is_final(receiver, ana):
    from tests.alerts import making

    alert = making.alert(making.queue("cards", ana))
    endpoint(receiver.url)
    receiver.headers = {"Decision-Final": "true"}
    from alerts import triage

    alert = triage.decide(by=ana, alert=alert, disposition="FALSE_POSITIVE")
    assert relayed().final
    with pytest.raises(triage.Refused, match="took “released” as final"):
        triage.undo(by=ana, alert=alert)


# --- killed between sending and marking (K-07 in small) -------------------------------------------
WORKER = """
import os
os.environ["ANOMALYSHIELD_FAULTS"] = "delivery.sent=kill9"
import django; django.setup()
from ipaddress import ip_network
from django.conf import settings
settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]
settings.SECRET_KEY = {key!r}
settings.DATABASES["default"]["NAME"] = {name!r}
from django.db import connection
connection.settings_dict["NAME"] = {name!r}
from scoring.tasks import do_next, work_named
do_next(work_named("delivery"))
"""


def test_killed_after_sending_it_is_sent_again_with_the_same_id(receiver, settings):
    endpoint(receiver.url)
    queue()
    program = WORKER.format(key=settings.SECRET_KEY, name=connection.settings_dict["NAME"])
    environment = {**os.environ, "ANOMALYSHIELD_ENV": "test"}
    killed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert (Delivery.objects.get().state, len(receiver.got)) == ("RUNNING", 1)
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert relayed().state == "DONE"
    assert receiver.ids == [str(Delivery.objects.get().event)] * 2


def test_who_lost_the_lease_marks_nothing(receiver):
    endpoint(receiver.url)
    queue()
    [mine] = leases.claim(Delivery)
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    [theirs] = leases.claim(Delivery)
    do(WORK, mine)
    assert (receiver.got, Delivery.objects.get().state) == ([], "RUNNING")
    do(WORK, theirs)
    assert Delivery.objects.get().state == "DONE"


def test_two_workers_at_once_send_each_event_once(receiver):
    endpoint(receiver.url)
    for number in range(12):
        queue(number=number)

    def work() -> None:
        while do_next(WORK):
            pass
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.ids) == len(set(receiver.ids)) == 12
