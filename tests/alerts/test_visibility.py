"""Who sees which queue, and how much of it."""

import pytest
from django.contrib.auth.models import Group
from guardian.shortcuts import assign_perm

from alerts.models import Alert, Queue
from alerts.visibility import masked, queues_of
from tests.alerts import making

pytestmark = pytest.mark.django_db


def names(user) -> list[str]:
    return [queue.slug for queue in queues_of(user)]


def test_an_analyst_sees_the_queues_granted_to_them_and_no_other(ana, cards, loans):
    assert names(ana) == ["cards"]


def test_an_analyst_without_a_grant_sees_nothing(lena, cards, loans):
    assert names(lena) == []


def test_a_grant_to_a_team_is_a_grant_to_its_members(lena, cards, loans):
    team = Group.objects.create(name="loans team")
    lena.groups.add(team)
    assign_perm("work_queue", team, loans)
    assert names(lena) == ["loans"]


def test_another_permission_on_the_queue_is_not_a_grant(lena, cards):
    assign_perm("alerts.view_queue", lena, cards)
    assert names(lena) == []


def test_engineer_owner_and_admin_see_every_queue(dana, mona, adam, cards, loans):
    assert [names(user) for user in (dana, mona, adam)] == [["cards", "loans"]] * 3


def test_only_those_who_do_not_work_alerts_see_them_masked(ana, adam, dana, mona, cards):
    assert [masked(user) for user in (ana, adam, dana, mona)] == [False, False, True, True]


def test_a_second_role_opens_no_foreign_queue_unmasked(ana, cards, loans):
    ana.groups.add(Group.objects.get_or_create(name="engineer")[0])
    again = type(ana).objects.get(pk=ana.pk)
    assert names(again) == ["cards"]


def test_a_suspended_analyst_sees_nothing(ana, cards):
    type(ana).objects.filter(pk=ana.pk).update(is_active=False)
    assert names(type(ana).objects.get(pk=ana.pk)) == []


def test_visible_alerts_are_asked_for_in_one_query(ana, cards, loans, django_assert_num_queries):
    mine, _ = making.alert(cards), making.alert(loans)
    ana.may("alert.view")  # the role is remembered per person
    with django_assert_num_queries(1):
        assert list(Alert.objects.visible_to(ana)) == [mine]
    assert list(Queue.objects.visible_to(ana)) == [cards]
