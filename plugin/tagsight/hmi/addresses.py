"""Where an HMI finds tags and pages: NodeIds with an index, the address of the server, faceplates to be framed."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from tagsight.errors import NotReady
from tagsight.output_tags import PLUGIN
from tagsight.plan import Plan
from tagsight.tag_list import SERVER_INDEX, SERVER_NAMESPACE, ListedTag

EVERYWHERE: Final = ("0.0.0.0", "::", "")  # noqa: S104 - recognised, not listened at


def indexed(node_id: str) -> str:
    """The NodeId with the index of its namespace. Raises NotReady where only the historian knows the index."""
    own = f"nsu={SERVER_NAMESPACE};"
    if node_id.startswith(own):
        return f"ns={SERVER_INDEX};{node_id.removeprefix(own)}"
    if node_id.startswith("nsu="):
        what = f"{node_id}: FUXA knows namespaces by index only"
        raise NotReady(what, mend="Write `results: address` with ns=INDEX, as the historian numbers its namespaces.")
    return node_id


def endpoint(plan: Plan, historian: str, host: str = "") -> str:
    """Address of the OPC UA server that has the results of one historian.

    Args:
        plan: the plan.
        historian: name of the historian.
        host: name or address by which the HMI reaches TagSight; "": as the configuration says where it listens.

    Raises NotReady where it listens at every address and no host is given, and where results go into files.
    """
    results, source = plan.results[historian], plan.historians[historian]
    if results.in_historian:
        if not source.url.startswith("opc.tcp:"):
            what = f"{historian}: its results are no OPC UA tags"
            raise NotReady(what, mend="Choose `results: {to: server}`.")
        return source.url
    if not host and results.listen_host in EVERYWHERE:
        raise NotReady(
            "the tag server listens at every address of this machine",
            mend="Name the one that the HMI shall use: --host NAME.",
        )
    name = host or results.listen_host
    return f"opc.tcp://{f'[{name}]' if ':' in name else name}:{results.listen_port}"


def faceplate_page(web: str, model: str) -> str:
    """Address of the page of a model's asset, for a web view; "" without `web`. The HMI's token is added by hand."""
    if not web:
        return ""
    asset = model.partition("/")[0]
    return f"{web.rstrip('/')}/faceplate/{quote(asset, safe='')}?model={quote(model, safe='')}"


def is_web_origin(text: str) -> bool:
    """Whether it is `https://host:port`, or with http, and nothing more."""
    parts = urlsplit(text.rstrip("/"))
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.path or parts.query)


def lines_with_pages(tags: Iterable[ListedTag], web: str) -> list[tuple[str, ...]]:
    """The lines of `tagsight tags --csv` and, behind each of a model, the address of its faceplate."""
    return [(*one.line, faceplate_page(web, one.model) if one.model != PLUGIN else "") for one in tags]


def models_of(tags: Sequence[ListedTag]) -> list[str]:
    """Keys of the models, in their order, each once."""
    return list(dict.fromkeys(one.model for one in tags if one.model != PLUGIN))
