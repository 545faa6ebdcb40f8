"""Plans about who is asking, and about the page that somebody pasted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..entity import Entity
from ..errors import SyntaxProblem
from ..graph.graph import Graph
from ..importance import Importance
from .plan import Plan
from .reading import find_one

__all__ = ["guess_user", "project_of_page"]


def guess_user(
    graph: Graph, importance: Importance, login: str, condition: Sequence[str], fields: Sequence[str]
) -> Plan[Entity | None]:
    """The person whose login this is, or for whom the condition holds; one request."""
    if not isinstance(condition, (list, tuple)) or len(condition) != 3 or not isinstance(condition[2], str):
        raise SyntaxProblem(
            f"filter is a condition like ('email', 'starts_with', '{{login}}@'), not {condition!r}."
        )
    either = [["login", "is", login], [*condition[:2], condition[2].replace("{login}", login)]]
    filters = [{"filter_operator": "any", "filters": either}, ["sg_status_list", "is_not", "dis"]]
    found: Entity | None = yield from find_one(graph, importance, "HumanUser", filters, list(fields), {})
    return found


def project_of_page(graph: Graph, importance: Importance, page_id: int) -> Plan[Any]:
    """The project that a page belongs to, or None; one request."""
    page = yield from find_one(graph, importance, "Page", [["id", "is", page_id]], ["project"], {})
    return page and page.get("project")
