"""Which keys are good."""

import pytest

from console.keys import Keys


def test_only_the_whole_key_is_known() -> None:
    """Any of several, as bytes; a part, another case or any other bytes are not."""
    keys = Keys(["first-key-0123456789", "second-key-0123456789"])
    assert keys.know(b"first-key-0123456789")
    assert keys.know(b"second-key-0123456789")
    for wrong in (b"", b"first-key-012345678", b"FIRST-KEY-0123456789", b"\xff\xfe", "schlüssel".encode()):
        assert not keys.know(wrong)


@pytest.mark.parametrize("keys", [[], [""], ["good-key-0123456789", ""]])
def test_no_key_is_refused(keys: list[str]) -> None:
    """An empty key would let anybody in."""
    with pytest.raises(ValueError, match="needs a key"):
        Keys(keys)
