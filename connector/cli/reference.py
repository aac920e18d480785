"""Writes docs/settings.md from the code: `python -m connector.cli.reference` does."""

from enum import Enum
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from connector.settings import PREFIX, Settings

PAGE: Final = Path("docs/settings.md")
_HEAD: Final = f"""# Settings

This page is made from the code by `python -m connector.cli.reference`.

Settings come from the environment, from a `.env` file in the working directory, or from files in the directory that
`{PREFIX}SECRETS_DIR` names, called like the settings in small letters. The environment comes before `.env`, and `.env`
before the files. What is empty counts as not set. Which of them change without a restart is in
[deploying](deploying.md#secrets). Besides these, `HTTPS_PROXY`, `NO_PROXY` and `NO_COLOR` are honoured.

| Setting | Default | Meaning |
|---|---|---|
"""


def page() -> str:
    """Return the text of the page."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    rows.append(f"| `{PREFIX}SECRETS_DIR` | | Directory with a file for each secret |")
    return _HEAD + "\n".join(rows) + "\n"


def _default(value: Any) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            return f"`{value.get_secret_value()}`"
        case Enum():
            return f"`{value.value}`"
        case float() if value.is_integer():
            return f"`{int(value)}`"
        case _:
            return f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
