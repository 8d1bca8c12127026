"""Values of flags as people type them: what the database could not keep is refused where it is typed."""

import pytest
from django.core.exceptions import ValidationError

from modules.flags.values import value_of


@pytest.mark.parametrize("text", ['{"a": 1e999}', '{"a": NaN}', '{"a": "\\u0000"}', '{"\\ud800": 1}', "[" * 100_000])
def test_an_object_that_the_database_cannot_keep_is_refused(text):
    with pytest.raises(ValidationError):
        value_of(text, "object")


def test_signs_beyond_the_first_plane_are_text():
    assert value_of('{"\\ud83d\\ude42": [0.5, "é"]}', "object") == {"🙂": [0.5, "é"]}
