"""`login --paste` where nothing is pasted."""

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from connector.cli import login
from connector.errors import FatalError


def test_standard_input_that_ends_is_said_to_hold_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: Any = SimpleNamespace(url="https://app.gong.io/oauth2/authorize")
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(FatalError, match="no address was given"):
        login._pasted(begun)
