"""What a request leaves for after its answer."""

from django.http import HttpResponse
from django.test import RequestFactory

from anomalyshield.afterwards import Afterwards, afterwards


def answered(*works):
    """The order of things for a view that leaves these, and its response."""
    order = []

    def view(request):
        for work in works:
            afterwards(lambda work=work: (order.append("done"), work()))
        order.append("answered")
        return HttpResponse("ok")

    return order, Afterwards(view)(RequestFactory().get("/"))


def nothing():
    pass


def broken():
    raise RuntimeError("this one fails")


def test_work_left_by_a_request_is_done_when_its_answer_was_sent():
    order, response = answered(nothing, nothing)
    assert order == ["answered"]
    response.close()
    assert order == ["answered", "done", "done"]


def test_one_that_fails_is_on_record_and_holds_up_no_other(caplog):
    order, response = answered(broken, nothing)
    response.close()
    assert order == ["answered", "done", "done"]
    assert "this one fails" in caplog.text


def test_outside_of_a_request_nothing_waits():
    order = []
    afterwards(lambda: order.append("done"))
    assert order == ["done"]


def test_a_request_leaves_nothing_to_the_next_in_the_same_thread():
    answered(nothing)
    order = []
    afterwards(lambda: order.append("done"))
    assert order == ["done"]
