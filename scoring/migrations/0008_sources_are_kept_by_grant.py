"""Sources that were there before grants stay with all data engineers, so that nothing is lost."""

from django.db import migrations

ENGINEER, RIGHT = "engineer", "use_source"


def grant_to_the_team(apps, schema_editor):
    sources = apps.get_model("scoring", "Source").objects.all()
    if not sources.exists():
        return  # a new installation: sources made from now on bring their grant
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="scoring", model="source"
    )
    right, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind,
        codename=RIGHT,
        defaults={"name": "May read this source's transactions and rejects"},
    )
    team, _ = apps.get_model("auth", "Group").objects.get_or_create(name=ENGINEER)
    grants = apps.get_model("guardian", "GroupObjectPermission").objects
    for source in sources:
        grants.get_or_create(
            permission=right, content_type=kind, group=team, object_pk=str(source.pk)
        )


class Migration(migrations.Migration):
    dependencies = [
        ("scoring", "0007_held_payments_and_the_outbox"),
        ("guardian", "0002_generic_permissions_index"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(grant_to_the_team, migrations.RunPython.noop)]
