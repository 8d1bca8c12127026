from django.db import migrations, models

# Counts of some minutes: losing them in a crash of the database costs nothing, and writing them costs half. The free
# space lets a row be changed in place.
UNLOGGED = "ALTER TABLE accounts_ratelimituse SET UNLOGGED, SET (fillfactor = 50);"
LOGGED = "ALTER TABLE accounts_ratelimituse SET LOGGED, RESET (fillfactor);"


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_sign_in_attempts'),
    ]

    operations = [
        migrations.CreateModel(
            name='RateLimitUse',
            fields=[
                ('key', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('full_at', models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(UNLOGGED, LOGGED),
    ]
