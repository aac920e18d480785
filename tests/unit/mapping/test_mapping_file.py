"""What a user reads when the mapping file is wrong: file, line, key, and the nearest right name."""

import os
from pathlib import Path

import pytest

from connector.errors import ConfigProblems
from connector.mapping import MappingFile, hints, load
from connector.model import Relation
from connector.object_types import ObjectType

HEAD = "version: 1\nintegration: {name: A, owner_email: a@b.example}\n"


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load_text(text: str) -> MappingFile:
    path = Path("mapping.yaml")
    path.write_text(text, encoding="utf-8")
    return load(path)


def complaints(text: str) -> list[str]:
    with pytest.raises(ConfigProblems) as wrong:
        load_text(text)
    assert str(wrong.value).splitlines() == [str(problem) for problem in wrong.value.problems]
    return [str(problem).removeprefix("mapping.yaml:") for problem in wrong.value.problems]


def deal(lines: str) -> list[str]:
    """The complaints about a DEAL whose `fields` and more begin in line 6."""
    return complaints(HEAD + "entities:\n  DEAL:\n    {table: d, key: id,\n" + lines + "}\n")


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigProblems, match=r"^config/none\.yaml: there is no such file: `gong-connector init`"):
        load(Path("config/none.yaml"))


def test_a_directory_in_place_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match="the file cannot be read: Is a directory"):
        load(tmp_path)


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_bytes(HEAD.encode("utf-16"))
    with pytest.raises(ConfigProblems, match="the file is not UTF-8 text; save it as UTF-8"):
        load(path)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert load_text("\ufeff" + HEAD + "entities: {LEAD: {table: l, key: id, fields: {title: t}}}").relations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", " the file is empty"),
        ("# nothing\n", " the file is empty"),
        ("- a\n", "1: the file is meant to hold `version`, `entities` and so on"),
        ("entities:\n\tDEAL: x\n", "2: the line is indented with a tab; YAML takes spaces only"),
        ("a: 1\nb: [1\n", "3: this is not valid YAML: while parsing a flow sequence "
         "expected ',' or ']', but got '<stream end>'"),
        ("a: \x01\n", " the file holds characters that YAML does not allow"),
        ("[" * 500 + "]" * 500, " the file's blocks are nested too deeply"),
        ("a: 1\nb: {c: 1, c: 2}\n", "2 b.c: the key 'c' stands twice, first in line 2"),
        ("a: 1\n? [b]\n: c\n", "2: a key is meant to be a text"),
        ("a: 1\n~: c\n", "2: a key is empty"),
        ("a: !env SECRET\n", "1 a: the tag !env is not known here; leave it out"),
        ("a: &x\n  b: [*x]\n", "1 a.b.1: the anchors refer to themselves or multiply too far"),
        ("a: *x\n", "1: this is not valid YAML: found undefined alias 'x'"),
    ],
)  # fmt: skip
def test_files_that_are_no_documents(text: str, expected: str) -> None:
    assert complaints(text) == [expected]


def test_aliases_that_multiply_are_stopped() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    [complaint] = complaints(bomb)
    assert complaint.endswith("the anchors refer to themselves or multiply too far")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 2\nintegration: {name: , owner_emial: a}\nsauce: {}\nentities: {}\n", [
            "1 version: 1 is meant here, the only version there is",
            "2 integration.name: is empty",
            "2 integration: `owner_email` is missing",
            "2 integration.owner_emial: unknown key. Did you mean 'owner_email'?",
            "3 sauce: unknown key. Did you mean 'source'?",
            "4 entities: say what to send: a block for each of "
            "BUSINESS_USER, STAGE, ACCOUNT, CONTACT, DEAL, LEAD",
        ]),
        ("entities: {LEAD: {table: l, key: id, fields: {title: t}}}\n", [
            "1: `version` is missing",
            "1: `integration` is missing",
        ]),
        ("version: 1\nintegration: [a]\nentities: {LEAD: {table: l, key: id, fields: {title: t}}}\n", [
            "2 integration: a block of `key: value` lines is meant here",
        ]),
        ("version: 1\nintegration: {name: A, owner_email: me}\nsource: {timezone: EDT5}\nentities: [a]\n", [
            "2 integration.owner_email: an e-mail address of one of Gong's users is meant here",
            "3 source.timezone: 'EDT5' is not an IANA time zone, such as UTC or Europe/Berlin",
            "4 entities: say what to send: a block for each of "
            "BUSINESS_USER, STAGE, ACCOUNT, CONTACT, DEAL, LEAD",
        ]),
        (HEAD + "source: {timezon: UTC}\nentities:\n  DEALS: {}\n  LEAD: []\n", [
            "3 source.timezon: unknown key. Did you mean 'timezone'?",
            "5 entities.DEALS: is not one of Gong's object types. Did you mean 'DEAL'?",
            "6 entities.LEAD: the list is empty",
        ]),
    ],
)  # fmt: skip
def test_the_top_of_the_file(text: str, expected: list[str]) -> None:
    assert complaints(text) == expected


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        ("LEAD: {table: x, query: y}", [
            "LEAD: exactly one of `table`, `query` and `rows` is meant here; given: `table` and `query`",
            "LEAD: `key` is missing: the column that identifies a row, and becomes the objectId",
            "LEAD: `fields` is missing: say which columns hold Gong's fields, "
            "at least emailAddress, firstName, lastName",
        ]),
        ("BUSINESS_USER: {table: u, key: id}", [
            "BUSINESS_USER: `fields` is missing: say which columns hold Gong's fields, at least emailAddress",
        ]),
        ("BUSINESS_USER: {table: u, key: id, fields: {url: u}}", [
            "BUSINESS_USER.fields: `emailAddress` is missing: Gong refuses a BUSINESS_USER without it",
        ]),
        ("STAGE: {table: s, key: id, fields: {sortOrder: p}}", [
            "STAGE.fields: `name` is missing: Gong refuses a STAGE without it",
        ]),
        ("ACCOUNT: {tabel: t, key: [a], where: , fields: {nmae: n, name: }}", [
            "ACCOUNT.where: is empty",
            "ACCOUNT.key: a text is meant here, not a list or a block",
            "ACCOUNT.fields.name: is empty",
            "ACCOUNT.tabel: unknown key. Did you mean 'table'?",
            "ACCOUNT.fields.nmae: ACCOUNT has no such field. Did you mean 'name'? "
            "Fields of your own go to `additional_fields`.",
        ]),
        ("CONTACT: [{table: t, kye: id}, x, []]", [
            "CONTACT.1.kye: unknown key. Did you mean 'key'?",
            "CONTACT.2: a block of `key: value` lines is meant here",
            "CONTACT.3: a block of `key: value` lines is meant here",
        ]),
        ("STAGE: {rows: [{objectId: 1, name: a}], key: id, where: x}", [
            "STAGE.where: has no meaning with `rows`; leave it out",
            "STAGE.key: has no meaning with `rows`; leave it out",
        ]),
        ("STAGE: {rows: [{objectId: 1, sortOder: 1, name: a}, {objectId: 1, name: a}, {name: a}, "
         '{objectId: " ", name: a}, {objectId: [1], name: a}]}', [
            "STAGE.rows.1.sortOder: STAGE has no such field. Did you mean 'sortOrder'?",
            "STAGE.rows.2.objectId: the objectId '1' stands twice",
            "STAGE.rows.3: the objectId is missing",
            "STAGE.rows.4.objectId: the objectId is empty",
            "STAGE.rows.5.objectId: the objectId cannot be an object's id: it is neither text, integer nor UUID",
        ]),
        ("STAGE: {rows: []}", ["STAGE.rows: the list is empty"]),
        ("STAGE: {rows: [{objectId: 1}]}", [
            "STAGE.rows: `name` is missing: Gong refuses a STAGE without it",
        ]),
        ("STAGE: {table: s, key: id, fields: {name: n}, additional_fields: [{name: x, type: ID, column: x}]}", [
            "STAGE.additional_fields: Gong takes none for STAGE; only for ACCOUNT, CONTACT, DEAL, LEAD",
        ]),
        ("LEAD: {table: s, key: id, fields: [title], additional_fields: {a: b}}", [
            "LEAD.fields: a block of `key: value` lines is meant here",
            "LEAD.additional_fields: a list is meant here",
        ]),
        ("LEAD: {table: s, key: id, fields: {title: t}, plumbing: {}}", [
            "LEAD.plumbing: unknown key. Possible: table, query, rows, where, key, distinct_keys, modified, deleted, "
            "interval_seconds, changes, history, fields, additional_fields.",
        ]),
        ("LEAD: {table: s, key: id, modified: m, fields: {title: t}, changes: [{table: a, query: b, key: c, "
         "modified: d}, {key: c, modified: d}, {table: a, kye: c, where: }, x]}", [
            "LEAD.changes.3.where: is empty",
            "LEAD.changes.3: `key` is missing",
            "LEAD.changes.3: `modified` is missing",
            "LEAD.changes.3.kye: unknown key. Did you mean 'key'?",
            "LEAD.changes.4: a block of `key: value` lines is meant here",
        ]),
        ("LEAD: {table: s, key: id, modified: m, fields: {title: t}, changes: [{table: a, query: b, key: c, "
         "modified: d}, {key: c, modified: d}]}", [
            "LEAD.changes.1: exactly one of `table` and `query` is meant here; given: `table` and `query`",
            "LEAD.changes.2: exactly one of `table` and `query` is meant here; given: none",
        ]),
        ("LEAD: {table: s, key: id, fields: {title: t}, changes: []}", [
            "LEAD.changes: the list is empty",
            "LEAD.changes: has a meaning together with `modified` only: a source without it is read whole in every "
            "pass",
        ]),
        ("STAGE: {rows: [{objectId: 1, name: a}], changes: [{table: a, key: b, modified: c}]}", [
            "STAGE.changes: has no meaning with `rows`; leave it out",
        ]),
        ("LEAD: [{table: a, key: id, fields: {title: t}, additional_fields: [{name: x, type: ID, column: x}]}, "
         "{table: b, key: id, fields: {title: t}, additional_fields: [{name: x, type: STRING, column: x}]}]", [
            "LEAD.2.additional_fields.1: 'x' is another in an earlier source of LEAD; "
            "label, type, values, unlisted and reference_to must be equal",
        ]),
    ],
)  # fmt: skip
def test_entities(entity: str, expected: list[str]) -> None:
    assert complaints(f"{HEAD}entities:\n  {entity}\n") == [f"4 entities.{line}" for line in expected]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("objectId: id", ": the objectId is the row's key; say `key: <column>`"),
        ("modifiedDate: m", ": the time of the last change is not a field; say `modified: <column>`"),
        ("isDeleted: d", ": deletion is not a field; say `deleted: <SQL condition>`"),
        ("amuont: a", ": DEAL has no such field. Did you mean 'amount'? "
         "Fields of your own go to `additional_fields`."),
        ("name: {}", ": exactly one of `column`, `value` and `template` is meant here; given: none"),
        ("name: {column: a, value: ~}",
         ": exactly one of `column`, `value` and `template` is meant here; given: `column` and `value`"),
        ("name: {colum: a}", ".colum: unknown key. Did you mean 'column'?"),
        ("name: [a]", ": a text is meant here, not a list or a block"),
        ('name: {template: "a {b"}',
         ".template: a brace stands alone; write {column} for a column and {{ or }} for a brace"),
        ('name: {template: "a { }"}', ".template: a column's name is missing between the braces"),
        ("name: {column: a, split: x}",
         ".split: makes a list, and name holds no list; only domains does"),
        ("name: {column: a, split: }", '.split: the text between the items is meant here, such as ","'),
        ("name: {column: a, convert: emial}", ".convert: 'emial' is not a converter. Did you mean 'email'?"),
        ("name: {column: a, convert: uuid}", ".convert: 'uuid' is not a converter. "
         "Possible: email, host, html_unescape, trim, json, date."),
        ("name: {column: a, convert: [trim, {jsn: a}]}",
         ".convert.2: 'jsn' is not a converter. Did you mean 'json'?"),
        ("name: {column: a, convert: json}", ".convert: needs to know where to look: {json: en_US}"),
        ("name: {column: a, convert: {json: a..b}}", ".convert: a path is names of keys, or places in a list "
         "from 0, with dots between: address.city"),
        ("name: {column: a, convert: {trim: b}}", ".convert: `trim` takes nothing more; write `trim`"),
        ("name: {column: a, convert: {json: a, trim: b}}",
         ".convert: a block holds one converter, such as {json: en_US}; several stand in a list"),
        ("name: {column: a, convert: [[trim]]}",
         ".convert: a converter's name is meant here, or {name: text}, or a list of such"),
        ("name: {column: a, convert: {json: }}",
         ".convert: a converter's name is meant here, or {name: text}, or a list of such"),
        ("name: {column: a, convert: }",
         ".convert: a converter's name is meant here, or {name: text}, or a list of such"),
        ("name: {column: a, convert: []}", ".convert: the list is empty"),
        ("closeDate: {column: a, convert: {date: yyyy-mm-dd}}", ".convert: the format of a whole date is meant "
         'here, year, month and day: "%m/%d/%y"'),
        ("closeDate: {column: a, convert: {date: '%d.%m.'}}", ".convert: the format of a whole date is meant "
         'here, year, month and day: "%m/%d/%y"'),
        ("closeDate: {column: a, convert: {date: '%d.%m.%d.%Y'}}", ".convert: '%d' stands twice"),
        ("closeDate: {column: a, convert: {date: '%d.%m.%Y %Q'}}", ".convert: '%Q' cannot be used here; "
         "what can: %% %Y %y %m %d %b %B %j %a %A %H %I %p %M %S %f %z"),
        ("closeDate: {column: a, convert: {date: '%d.%m.%Y %'}}", ".convert: '%' cannot be used here; "
         "what can: %% %Y %y %m %d %b %B %j %a %A %H %I %p %M %S %f %z"),
        ("name: {column: a, convert: trim, unreadable: skip}", ".unreadable: null or refuse is meant here"),
        ("name: {column: a, unreadable: ~}", ".unreadable: has a meaning together with `convert` only"),
        ("name: {value: a, unreadable: refuse}", ".unreadable: has no meaning for a constant; leave it out"),
        ("name: {column: a, map: {}}", ".map: is empty"),
        ("name: {column: a, map: }", ".map: is empty"),
        ("name: {column: a, default: [b]}", ".default: a single value is meant here, not a list or a block"),
        ("name: {value: [a, b]}", ".value: a list is meant for domains only, and name holds text"),
        ("status: {column: a, map: {x: WIN}}", ".map.x: 'WIN' does not fit status: "
         "it is not OPEN, WON or LOST; a `map` in the mapping file can make it so"),
        ("amount: {value: much}", ".value: 'much' does not fit amount: it is not a number"),
        ("isOpen: {column: a, default: maybe}",
         ".default: 'maybe' does not fit isOpen: it is neither true nor false"),
        ("url: {value: x.example}", ".value: 'x.example' does not fit url: it is not a full http or https address"),
        ("amount: {value: 5, default: 7}", ".default: has no meaning for a constant; leave it out"),
    ],
)  # fmt: skip
def test_fields(field: str, expected: str) -> None:
    key = field.split(":")[0]
    assert deal(f"    fields: {{{field}}}") == [f"6 entities.DEAL.fields.{key}{expected}"]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("{name: amount, type: NUMBER, column: d}",
         ".name: 'amount' is a standard field of Gong's; map it under `fields`"),
        ("{name: url, type: URL, column: d}", ".name: 'url' is a standard field of Gong's; map it under `fields`"),
        ("{name: x, type: PICKLST, column: d}",
         ".type: 'PICKLST' is not a type of Gong's. Did you mean 'PICKLIST'?"),
        ("{name: x, type: STRINGARRAY, column: d}",
         ".type: 'STRINGARRAY' is not a type of Gong's. Did you mean 'STRING'?"),
        ("{name: x, type: PICKLIST, column: d, values: []}",
         ".values: is empty; leave `values` out to have the values that occur"),
        ("{name: x, type: PICKLIST, column: d, values: [a], unlisted: keep}",
         ".unlisted: refuse, null or add is meant here"),
        ("{name: x, type: PICKLIST, column: d, unlisted: null}",
         ".unlisted: has a meaning together with `values` only: without them the list is what occurs"),
        ("{name: x, type: STRING, column: d, unlisted: add}", ".unlisted: has a meaning for PICKLIST only"),
        ("{name: x, type: PICKLIST, column: d, values: [Gold, Tin], default: Glod}",
         ".default: 'Glod' is not among the field's `values`. Did you mean 'Gold'?"),
        ("{name: x, type: PICKLIST, column: d, values: [Gold, Tin], map: {1: Silver}, default: Tin}",
         ".map.1: 'Silver' is not among the field's `values`. Possible: Gold, Tin."),
        ("{name: x, type: PICKLIST, column: d, values: a}", ".values: a list is meant here"),
        ("{name: x, type: PICKLIST, column: d, values: [a, a]}", ".values: a value stands twice"),
        ("{name: x, type: PICKLIST, column: d, values: {qeury: a, query: b}}",
         ".values.qeury: unknown key. Did you mean 'query'?"),
        ("{name: x, type: STRING, column: d, values: [a]}", ".values: has a meaning for PICKLIST only"),
        ("{name: x, type: REFERENCE, column: d}",
         ": a REFERENCE needs `reference_to`: one of ACCOUNT, CONTACT, DEAL, LEAD, USER"),
        ("{name: x, type: REFERENCE, column: d, reference_to: USERS}",
         ".reference_to: 'USERS' is not something to refer to. Did you mean 'USER'?"),
        ("{name: x, type: ID, column: d, reference_to: USER}", ".reference_to: has a meaning for REFERENCE only"),
        ("{name: x, type: ID}", ": exactly one of `column`, `value` and `template` is meant here; given: none"),
        ("{type: ID, column: d}", ": `name` is missing"),
        ("{name: x, tpye: ID, type: ID, column: d}", ".tpye: unknown key. Did you mean 'type'?"),
    ],
)  # fmt: skip
def test_additional_fields(field: str, expected: str) -> None:
    found = deal(f"    fields: {{name: n}},\n    additional_fields: [\n    {field}]")
    assert found == [f"8 entities.DEAL.additional_fields.1{expected}"]


def test_an_additional_field_that_stands_twice() -> None:
    found = deal(
        "    fields: {name: n},\n    additional_fields: [\n"
        "    {name: x, type: ID, column: d},\n    {name: x, type: ID, column: e}]"
    )
    assert found == ["9 entities.DEAL.additional_fields.2.name: the additional field 'x' stands twice"]


def test_all_faults_are_told_at_once_in_the_order_of_lines() -> None:
    found = deal("    fields: {\n    amuont: a,\n    name: {value: x, map: {a: b}},\n    stage: {}}")
    assert [complaint.split(" ")[0] for complaint in found] == ["7", "8", "9"]


def test_what_is_to_be_read() -> None:
    file = load_text(
        HEAD
        + """source: {timezone: Europe/Berlin}
entities:
  DEAL:
    query: SELECT 1
    key: id
    modified: changed
    deleted: gone = 1
    where: a > 1
    fields: {name: {template: "{b} {a}"}, amount: c, url: {template: "https://x.example/{id}"}}
    additional_fields:
      - {name: p, type: PICKLIST, column: a, values: {query: SELECT v}}
      - {name: q, type: PICKLIST, column: a, values: {query: SELECT v}}
  ACCOUNT:
    - {table: crm.accounts, key: id, fields: {name: yes}}
    - rows: [{objectId: x, name: X}]
"""
    )
    accounts, deals = file.relations
    assert (file.integration_name, file.owner_email, file.timezone) == ("A", "a@b.example", "Europe/Berlin")
    assert (accounts.name, accounts.table, accounts.columns) == ("ACCOUNT.1", "crm.accounts", ("yes",))
    assert (deals.name, deals.query, deals.key, deals.modified) == ("DEAL", "SELECT 1", "id", "changed")
    assert (deals.where, deals.deleted, deals.timezone) == ("a > 1", "gone = 1", "Europe/Berlin")
    assert deals.columns == ("id", "b", "a", "c")
    assert [one.query for one in file.picklists()[ObjectType.DEAL].values()] == ["SELECT v", "SELECT v"]


def test_other_tables_whose_rows_make_objects_change() -> None:
    file = load_text(
        HEAD
        + """source: {timezone: Europe/Berlin}
entities:
  CONTACT:
    - {table: a, key: id, modified: m, fields: {title: t}, changes: [{table: l, key: a_id, modified: at}]}
    - table: b
      key: id
      modified: m
      fields: {title: t}
      changes:
        - {query: SELECT 1, key: b_id, modified: at, where: kind = 'b'}
        - {table: s.l, key: b_id, modified: at}
  LEAD:
    table: c
    key: id
    modified: m
    fields: {title: t}
    changes: [{table: l, key: c_id, modified: at}]
"""
    )
    assert [relation.name for relation in file.relations] == [
        "CONTACT.1",
        "CONTACT.1.changes.1",
        "CONTACT.2",
        "CONTACT.2.changes.1",
        "CONTACT.2.changes.2",
        "LEAD",
        "LEAD.changes.1",
    ]
    assert file.relations[3] == Relation(
        name="CONTACT.2.changes.1",
        table=None,
        query="SELECT 1",
        where="kind = 'b'",
        key="b_id",
        modified="at",
        deleted=None,
        columns=(),
        timezone="Europe/Berlin",
    )


def test_an_id_in_the_file_that_gong_may_refuse_is_named() -> None:
    file = load_text(
        HEAD + "entities:\n  STAGE:\n    rows: [{objectId: a-1_B, name: A}, {objectId: closed won, name: B}]\n"
    )
    [hint] = hints(file)
    assert "entities.STAGE.rows.2.objectId: 'closed won' is of other characters than letters, digits, - and _" in str(
        hint
    )


def query_hints(query: str, more: str = "") -> list[str]:
    file = load_text(
        f"{HEAD}entities:\n  LEAD:\n    query: {query!r}\n    key: id\n    fields: {{title: t}}\n    {more}\n"
    )
    return [str(hint).removeprefix("mapping.yaml:") for hint in hints(file)]


def test_a_query_whose_joined_tables_may_change_unseen() -> None:
    assert query_hints("SELECT a.* FROM a left join b ON b.id = a.id", "modified: changed_at") == [
        "5 entities.LEAD.query: the query joins other tables, and a change there that leaves `changed_at` as it was is "
        "found by full comparison only; name the tables whose changes matter under `changes`"
    ]


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("SELECT * FROM a JOIN b USING (id)", "modified: m\n    changes: [{table: b, key: id, modified: m}]"),
        ("SELECT * FROM a JOIN b USING (id)", ""),
        ("SELECT joined_at, [join] FROM a -- without a join", "modified: m"),
        ('SELECT "join" FROM a /* no\n join */ WHERE b = "x join"', "modified: m"),
    ],
    ids=["changes", "compared", "comment", "comment and text"],
)
def test_queries_whose_changes_are_all_seen(query: str, more: str) -> None:
    assert query_hints(query, more) == []


def test_anchors_and_merged_blocks() -> None:
    file = load_text(
        HEAD
        + """entities:
  CONTACT: &person
    table: contacts
    key: id
    fields: &names {firstName: f, lastName: l}
  LEAD:
    <<: *person
    table: leads
    fields: {<<: *names, lastName: surname, title: t}
"""
    )
    contacts, leads = file.relations
    assert (contacts.table, leads.table, leads.key) == ("contacts", "leads", "id")
    assert leads.columns == ("f", "surname", "t")


def test_the_files_fingerprint_is_of_its_content_alone() -> None:
    text = HEAD + "entities: {LEAD: {table: l, key: id, fields: {title: t, firstName: f}}}\n"
    same = HEAD + "# a comment\nentities:\n  LEAD: {key: id, table: l, fields: {firstName: f, title: t}}\n"
    assert load_text(text).fingerprint == load_text(same).fingerprint
    assert load_text(text).fingerprint != load_text(text.replace("table: l", "table: k")).fingerprint


def test_the_environment_has_no_part_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "TABLE", "leads")
    file = load_text(HEAD + 'entities: {LEAD: {table: "${TABLE}", key: id, fields: {title: $TABLE}}}\n')
    assert (file.relations[0].table, file.relations[0].columns) == ("${TABLE}", ("$TABLE",))
