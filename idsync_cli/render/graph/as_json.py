"""A graph as JSON (section 12)."""

from idsync_cli import wire
from idsync_cli.core.erasure import ERASED_VALUE
from idsync_cli.graph.values import Graph, IdentifierNode, ProfileNode
from idsync_cli.store.causes import KeptRequest


def graph_json(graph: Graph) -> wire.Json:
    """A graph: its nodes, its links, how much it left out, and the requests that it names."""
    return {
        "nodes": [
            *map(_profile_json, graph.profiles),
            *map(_identifier_json, graph.identifiers),
        ],
        "links": [{**each._asdict(), "added_seq": each.added_seq or None} for each in graph.links],
        "left_out": graph.left_out._asdict(),
        "tie": graph.tie,
        "requests": [_request_json(seq, each) for seq, each in graph.requests.items()],
    }


def _profile_json(node: ProfileNode) -> wire.Json:
    return {
        "id": node.id,
        "kind": "profile",
        "mpid": str(node.mpid),
        "scope": node.scope,
        "known": node.known,
        "orphaned": node.orphaned,
        "source_mpid": None if node.source_mpid is None else str(node.source_mpid),
        "created_seq": node.number,
        "identifiers": node.identifiers,
        "asked": node.is_asked,
        **({} if node.side is None else {"side": node.side.value}),
    }


def _identifier_json(node: IdentifierNode) -> wire.Json:
    is_erased = node.identifier.value == ERASED_VALUE
    return {
        "id": node.id,
        "kind": "identifier",
        "identity_type": node.identifier.type.value,
        "value": None if is_erased else node.identifier.value,
        "scope": node.scope,
        "profiles": node.profiles,
        "asked": node.is_asked,
    }


def _request_json(seq: int, request: KeptRequest) -> wire.Json:
    cause = request.cause
    return {
        "seq": seq,
        "time": wire.time_text(cause.time_ms),
        "type": cause.kind,
        "decided_by": wire.decided_by_json(cause.rule, cause.decided_by_type),
        "request_id": cause.request_id,
        "request_timestamp_ms": cause.request_timestamp_ms,
        "mpid": None if request.answer is None else str(request.answer),
    }
