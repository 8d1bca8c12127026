"""Each release tells which flags it changed; the database finds out as it is added, whichever version adds it."""

from django.db import migrations, models

# NULL where one of the documents is none: then nobody can tell.
TOLD = """
CREATE FUNCTION marketedge_flags_that_changed(before text, after text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(key ORDER BY key), '[]')
        FROM json_each(before::json -> 'flags') AS old (key, said)
        FULL JOIN json_each(after::json -> 'flags') AS new (key, said) USING (key)
        WHERE old.said::text IS DISTINCT FROM new.said::text
    );
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;
CREATE FUNCTION marketedge_flag_release_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changes := marketedge_flags_that_changed(
        coalesce(
            (SELECT document FROM flags_flagrelease WHERE number < NEW.number ORDER BY number DESC LIMIT 1), '{}'
        ),
        NEW.document
    );
    RETURN NEW;
END $$;
CREATE TRIGGER flag_release_tells BEFORE INSERT ON flags_flagrelease
FOR EACH ROW EXECUTE FUNCTION marketedge_flag_release_tells();
UPDATE flags_flagrelease AS told SET changes = marketedge_flags_that_changed(pair.before, told.document)
FROM (
    SELECT number, lag(document, 1, '{}') OVER (ORDER BY number) AS before FROM flags_flagrelease
) AS pair
WHERE pair.number = told.number;
"""
UNTOLD = """
DROP TRIGGER flag_release_tells ON flags_flagrelease;
DROP FUNCTION marketedge_flag_release_tells();
DROP FUNCTION marketedge_flags_that_changed(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("flags", "0005_times_in_the_editors_zone")]

    operations = [
        migrations.AddField(
            model_name="flagrelease",
            name="changes",
            field=models.JSONField(
                editable=False,
                help_text="Keys of flags that say something else than in the release before; none where that cannot be told.",
                null=True,
            ),
        ),
        migrations.RunSQL(TOLD, UNTOLD),
    ]
