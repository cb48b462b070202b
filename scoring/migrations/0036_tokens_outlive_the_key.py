"""Where the key of tokens for people's ids is kept, sealed, when SECRET_KEY changes."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('scoring', '0035_personal_marks_come_off_by_two_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='VeilKey',
            fields=[
                ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('sealed', models.TextField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_veil_key')],
            },
        ),
    ]
