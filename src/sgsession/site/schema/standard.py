"""The schema of a fresh site, read from `standard_types.txt` (its head explains the notation)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from .schema_map import (
    ConnectionLinks,
    EntityType,
    Field,
    HeldLinks,
    Relation,
    ReverseLinks,
    SchemaMap,
    SharedLinks,
)

# wire.md 6.4: code -> (name, icon key); the last five are common extras.
STATUSES: dict[str, tuple[str, str]] = {
    "act": ("Active", "none"), "apr": ("Approved", "icon_apr"), "clsd": ("Closed", "icon_fin"),
    "cmpt": ("Complete", "icon_cmpt"), "dis": ("Disabled", "icon_na"), "fin": ("Final", "icon_fin"),
    "hld": ("On Hold", "icon_hld"), "ip": ("In Progress", "icon_ip"), "na": ("N/A", "icon_na"),
    "omt": ("Omit", "icon_omt"), "opn": ("Open", "icon_rdy"), "res": ("Resolved", "icon_fin"),
    "rev": ("Pending Review", "icon_rev"), "vwd": ("Viewed", "icon_fin"), "wtg": ("Waiting to Start", "icon_wtg"),
    "recd": ("Received", "icon_recd"), "dlvr": ("Delivered", "icon_dlvr"), "cfrm": ("Confirmed", "icon_thumb_up"),
    "pndng": ("Pending", "icon_voice_command"), "rdy": ("Ready to Start", "icon_rdy"), "cbb": ("CBB", "icon_cbb"),
    "blk": ("Blocked", "icon_blk"), "late": ("Late", "icon_late"), "rsk": ("At Risk", "icon_rsk"),
    "tst": ("Ready for Testing", "icon_rev"), "pcf": ("Pending Client Feedback", "icon_hld"),
}  # fmt: skip

# What people and scripts may be: (code, name, the type of those who are).
PERMISSION_GROUPS = (
    ("admin", "Admin", "HumanUser"),
    ("manager", "Manager", "HumanUser"),
    ("artist", "Artist", "HumanUser"),
    ("vendor", "Vendor", "HumanUser"),
    ("api_admin", "API Admin", "ApiUser"),
)

_TYPE = re.compile(r'(?P<name>[\w#]+) "(?P<display>[^"]*)" \[(?P<groups>.*?)\](?P<options>.*)$')
_GROUP = re.compile(r"(\w)(?:\(([^)]*)\))?")
_OPTION = re.compile(r'(\w+)=("[^"]*"|\w+)')
_FIELD = re.compile(
    r'(?P<name>\w+):(?P<data_type>\w+)(?:\((?P<valid>[^)]*)\))?(?:=(?P<default>[^"~+!^]*?))?'
    r'(?P<marks>(?:\s+[~+!^])*)(?:\s+"(?P<display>[^"]*)")?(?P<later>(?:\s+[~+!^])*)$'
)
_RELATION = re.compile(
    r"(?P<owner>[\w*]+)\.(?P<field>\w+)(?:\s*(?P<kind><<|<|=|~)\s*(?P<type>\w+)\.(?P<other>\w+)(?P<open> open)?)?"
    r"(?:\s+via (?P<connection>\w+)\((?P<owner_end>\w+), (?P<element_end>\w+)\))?$"
)
_CUSTOM = re.compile(r"(Custom(?:|NonProject|Threaded)Entity)(\d\d)$")
_DEFAULTS: dict[str, Any] = {"true": True, "false": False}


@cache
def standard_schema(custom: tuple[str, ...] = ()) -> SchemaMap:
    """The schema of a fresh site on which the custom types named here are switched on."""
    groups, blocks, relation_lines = _parts()
    types: list[tuple[str, str]] = []
    for head, body in blocks:
        name = head.split(" ", 1)[0]
        if "##" not in name:
            types.append((head, body))
            continue
        for each in custom:
            match = _CUSTOM.match(each)
            if match and match[1] == name[:-2]:
                types.append((head.replace("##", match[2]), body))
    built = [_entity_type(head, body, groups) for head, body in types]
    unknown = set(custom) - {each.name for each in built}
    if unknown:
        raise ValueError(f"no such custom entity types: {', '.join(sorted(unknown))}")
    linkable = tuple(each.name for each in built if not each.connection)
    finished = {each.name: _with_link_targets(each, linkable, custom) for each in built}
    return SchemaMap(finished, dict(_relations(relation_lines, finished)))


def _parts() -> tuple[dict[str, list[Field]], list[tuple[str, str]], list[str]]:
    text = (Path(__file__).parent / "standard_types.txt").read_text(encoding="utf-8")
    blocks: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("  "):
            blocks[-1][1].append(line.strip())
        else:
            blocks.append((line.strip(), []))
    groups: dict[str, list[Field]] = {}
    types: list[tuple[str, str]] = []
    relation_lines: list[str] = []
    for head, lines in blocks:
        if head.startswith("group "):
            groups[head.split()[1]] = list(_fields("", " ".join(lines)))
        elif head == "relations":
            relation_lines = lines
        else:
            types.append((head, " ".join(lines)))
    return groups, types, relation_lines


def _entity_type(head: str, body: str, groups: dict[str, list[Field]]) -> EntityType:
    match = _TYPE.match(head)
    assert match, head
    name = match["name"]
    options = {key: value.strip('"') for key, value in _OPTION.findall(match["options"])}
    fields: dict[str, Field] = {}
    for letter, missing in _GROUP.findall(match["groups"]):
        left_out = {each.strip().lstrip("-") for each in missing.split(",")}
        for each in groups[letter]:
            if each.name not in left_out:
                fields[each.name] = replace(each, entity_type=name)
    fields.update((each.name, each) for each in _fields(name, body))
    connection = match["options"].strip() == "connection"
    return EntityType(
        name=name,
        display_name=match["display"],
        fields=fields,
        identity=options.get("identity"),
        naming="connection" if connection else options.get("name", ""),
        new_name=options.get("new"),
        project_required="project" in fields and not connection and options.get("project") != "optional",
        connection=connection,
    )


def _fields(entity_type: str, text: str) -> Iterator[Field]:
    for part in filter(None, (each.strip() for each in text.split(";"))):
        match = _FIELD.match(part)
        assert match, (entity_type, part)
        marks = match["marks"] + match["later"]
        valid = tuple(filter(None, (match["valid"] or "").split("|")))
        links = match["data_type"] in ("entity", "multi_entity", "addressing", "tag_list")
        yield Field(
            entity_type=entity_type,
            name=match["name"],
            data_type=match["data_type"],
            display_name=match["display"] or _title(match["name"]),
            editable="~" not in marks and "+" not in marks,
            create_only="+" in marks,
            mandatory="!" in marks,
            unique="^" in marks,
            valid_types=valid if links else (),
            valid_values=() if links else valid,
            default=_default(match["data_type"], match["default"]),
        )


def _default(data_type: str, text: str | None) -> Any:
    if text is None:
        return False if data_type == "checkbox" else None
    text = text.strip()
    return _DEFAULTS.get(text, int(text) if text.isdigit() else text)


def _title(name: str) -> str:
    """The display name a field has unless the site says otherwise: `sg_status_list` is "Status"."""
    if name == "sg_status_list":
        return "Status"
    return name.removeprefix("sg_").replace("_", " ").title()


def _with_link_targets(each: EntityType, linkable: tuple[str, ...], custom: tuple[str, ...]) -> EntityType:
    """The type with `any` spelled out, and with the custom types as targets of the work on them."""
    added = tuple(name for name in custom if name.startswith("CustomEntity"))
    for name, old in list(each.fields.items()):
        targets = old.valid_types
        if targets == ("any",):
            targets = linkable
        elif name == "entity" and each.name in ("Task", "Version", "PublishedFile"):
            targets += added
        if targets is not old.valid_types:
            each = replace(each, fields={**each.fields, name: replace(old, valid_types=targets)})
    return each


def _relations(
    lines: Iterable[str], types: dict[str, EntityType]
) -> Iterator[tuple[tuple[str, str], Relation]]:
    # Lines that name a type come before `*` in the file, and win over it.
    taken: set[tuple[str, str]] = set()
    for line in lines:
        match = _RELATION.match(line)
        assert match, line
        name = match["field"]
        owners = (
            [match["owner"]]
            if match["owner"] != "*"
            else [each for each, found in types.items() if name in found.fields and (each, name) not in taken]
        )
        taken.update((owner, name) for owner in owners)
        for owner in owners:
            if match["kind"] == "<":
                yield (owner, name), HeldLinks(match["type"], match["other"])
            elif match["kind"] == "<<":
                yield (owner, name), ReverseLinks(match["type"], match["other"], bool(match["open"]))
            elif match["kind"] == "~":
                yield (owner, name), SharedLinks(match["other"])
            elif match["connection"]:
                yield from _connections(owner, name, match, types)


def _connections(
    owner: str, name: str, match: re.Match[str], types: dict[str, EntityType]
) -> Iterator[tuple[tuple[str, str], Relation]]:
    connection, near, far = match["connection"], match["owner_end"], match["element_end"]
    other_type = types[connection].fields[far].valid_types[0]
    yield (owner, name), ConnectionLinks(connection, near, far, other_type, match["other"])
    if match["other"] and (other_type, match["other"]) != (owner, name):
        yield (other_type, match["other"]), ConnectionLinks(connection, far, near, owner, name)
