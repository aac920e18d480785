"""The reference parts of the docs: keys of the mapping file, commands, settings. `generated` puts them in place."""

import json
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr

from connector.cli.arguments import commands as root
from connector.mapping.json_schema import json_schema
from connector.settings import PREFIX, Settings

SECTIONS = {
    "Feed": "#other-tables-that-make-it-change",
    "History": "#the-history-of-a-source",
    "FieldBlock": "#a-field",
    "AdditionalField": "#a-field-of-your-own",
    "PicklistQuery": "#a-picklists-query",
}
"""Where the keys of a block stand on the page of the mapping's reference."""
INLINE = ("Integration", "SourceDefaults")
"""Blocks so small that their keys stand with the block that holds them."""


def keys(block: str) -> Iterator[str]:
    """Every key of a block of the mapping file, with what it holds, its default and its meaning."""
    schema = json_schema()
    definitions = schema["$defs"]
    shape = schema if block == "file" else definitions[block]
    inherited = definitions["FieldBlock"]["properties"] if block == "AdditionalField" else {}
    yield "| Key | Meaning | Holds | Default |"
    yield "|---|---|---|---|"
    for name, described in shape["properties"].items():
        inner = described.get("$ref", "").rpartition("/")[2]
        if inner in INLINE:
            within = definitions[inner]
            required = within.get("required", []) if name in shape["required"] else []
            for key, one in within["properties"].items():
                yield _row(f"{name}.{key}", one, key in required, one.get("default"))
        elif name not in inherited:
            yield _row(name, described, name in shape.get("required", []), described.get("default"))


def _row(key: str, described: dict[str, Any], required: bool, default: Any) -> str:
    left_out = "required" if required else "" if default is None else f"`{default}`"
    return f"| `{key}` | {described['description']} | {_holds(described)} | {left_out} |"


def _holds(described: dict[str, Any]) -> str:
    """Say in words what a JSON Schema admits."""
    match described:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            return f"[a block]({SECTIONS[name]})"
        case {"const": constant}:
            return f"`{constant}`"
        case {"enum": choices}:
            return _or([f"`{json.dumps(one).strip(chr(34))}`" for one in choices])
        case {"anyOf": [{"enum": ["email", *_]}, *_]}:
            return "[a converter](mapping.md#converters), or a list of them"
        case {"anyOf": choices} | {"oneOf": choices}:
            return _or([_holds(one) for one in choices])
        case {"type": "array", "items": {"$ref": _} as block}:
            return f"a list of {_holds(block).replace('a block', 'blocks')}"
        case {"type": "array", "items": items}:
            return {"text": "a list of texts", "a value": "a list of values"}.get(_holds(items), "a list of blocks")
        case {"type": "object", "properties": properties} if len(properties) < 7 and "ACCOUNT" in properties:
            return "for each type [a source](#a-source-of-objects), or a list of them"
        case {"type": "object", "properties": _}:
            return "for each of [Gong's fields](#gongs-fields) a column's name, or [a block](#a-field)"
        case {"type": "object", "additionalProperties": {"type": "string"}}:
            return "a block: name to column"
        case {"type": "object", "additionalProperties": _}:
            return "a block: name to value"
        case {"type": "number", "minimum": least}:
            return f"a number, {least} at least"
        case {"type": list()}:
            return "a value"
        case {"type": "string"}:
            return "text"
    raise AssertionError(f"no words for {described}")


def _or(choices: list[str]) -> str:
    return " or ".join([", ".join(choices[:-1]), choices[-1]]) if len(choices) > 1 else choices[0]


def settings() -> Iterator[str]:
    """Every setting with its default and meaning."""
    yield "| Setting | Meaning | Default |"
    yield "|---|---|---|"
    for name, setting in Settings.model_fields.items():
        yield f"| `{PREFIX}{name.upper()}` | {setting.description} | {_default(setting.default)} |"
    yield f"| `{PREFIX}SECRETS_DIR` | Directory with a file for each secret |  |"


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
        case Path() | _:
            return f"`{value}`"


def commands() -> Iterator[str]:
    """Every command: its help's words, how it is written, its options, and its example."""
    for path, command in every_command():
        context = _context(path, command)
        yield f"## {' '.join(path)}"
        yield ""
        yield _words(command.help)
        yield ""
        yield "```text"
        yield command.get_usage(context).removeprefix("Usage: ")
        yield "```"
        yield ""
        options = [one for one in command.params if isinstance(one, click.Option)]
        if options:
            yield "| Option | Does |"
            yield "|---|---|"
            yield from (_option(one, context) for one in options)
            yield ""
        yield "```sh"
        yield (command.epilog or "").removeprefix("Example: ")
        yield "```"
        yield ""


def every_command() -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, by its words, in the order of `--help`."""
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in root.commands.items():
        if isinstance(command, click.Group):
            found += [((name, inner), one) for inner, one in command.commands.items()]
        else:
            found.append(((name,), command))
    return found


def _context(path: tuple[str, ...], command: click.Command) -> click.Context:
    context = click.Context(root, info_name="gong-connector", terminal_width=100)
    group: click.Command = root
    for word in path:
        assert isinstance(group, click.Group)
        group = group.commands[word]
        context = click.Context(group, info_name=word, parent=context, terminal_width=100)
    assert group is command
    return context


def _option(option: click.Option, context: click.Context) -> str:
    written = ", ".join(f"`{name}`" for name in option.opts)
    takes = "" if option.is_flag else f" {option.make_metavar(context)}".replace("INTEGER RANGE", "NUMBER")
    takes = takes.replace("FLOAT RANGE", "NUMBER")
    shown = f" Default: `{option.default}`." if option.show_default else ""
    return f"| {written}{takes} | {_words(option.help)}{shown} |"


def _words(text: str | None) -> str:
    """Return a help text as Markdown, a line for each paragraph."""
    paragraphs = (text or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
