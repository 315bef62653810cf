"""Settings: read from the environment, changed for a while."""

from __future__ import annotations

from s2sad.settings import Settings, read


def test_read():
    assert read({}) == Settings(0, "", 1)
    assert read({"S2SAD_DEBUG": "3", "S2SAD_DUMP": "d", "S2SAD_VERIFY": "2"}) == Settings(3, "d", 2)
    assert read({"S2SAD_DEBUG": "yes", "S2SAD_VERIFY": ""}) == Settings()


def test_override_restores():
    own = Settings()
    with own.override(debug=2, verify=0):
        assert (own.debug, own.verify) == (2, 0)
    assert own == Settings()
