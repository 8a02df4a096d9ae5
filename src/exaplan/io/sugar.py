"""Short forms of the lab file, written out on the tree before it is read: windows, ranges, mappings by id."""

from __future__ import annotations

from collections.abc import Callable

from exaplan.io.literals import split_range
from exaplan.io.yamltree import Listing, Mapping, Node, Scalar


def write_out(root: Mapping) -> Mapping:
    """Replace every short form by the keys of the records; places in the file are kept. Idempotent.

    ``horizon: a .. b`` -> first, last; ``window: a .. b`` on offers, deals, rounds, launches, steps of sites and distillations -> first,
    last; ``share: a .. b`` on training and on a segment's models -> share_min, share_max; ``price: {change: …}`` -> price_change;
    ``policy.safety: 4 %`` -> the floor of all safety workloads (``policy.floor: 40 %``: of all training); ``load: {peak: {hours,
    demand}, ...}`` -> parts; collections written as mappings -> lists with ids; a chip or model written as a name -> its
    catalogue entry; the pool of what stands at a site -> that site.
    """
    root = _at(root, "horizon", lambda node: _ends(node, "first", "last"))
    for collection in (
        "sites",
        "offers",
        "contracts",
        "deals",
        "silicon",
        "workloads",
        "launches",
        "runs",
        "rules",
    ):
        root = _at(root, collection, lambda node: _listed(node, "id"))
    root = _each(root, "sites", _site)
    root = _each(root, "offers", _offer)
    root = _each(root, "contracts", _pool_of_site)
    root = _each(root, "deals", _deal)
    root = _each(root, "silicon", _program)
    root = _each(root, "workloads", _workload)
    root = _each(root, "launches", lambda item: _opened(item, "window", "first", "last"))
    for collection in ("chips", "models"):
        root = _at(root, collection, _catalogued)
    root = _at(root, "policy", lambda node: _policy(node, root))
    root = _at(root, "finance", _finance)
    root = _at(root, "load", _load)
    return _at(root, "futures", _futures)


def write_out_race(root: Mapping) -> Mapping:
    """Replace the short forms of a race file: the horizon as ``a .. b``; labs, shocks and sites as mappings by name."""
    root = _at(root, "horizon", lambda node: _ends(node, "first", "last"))
    for collection in ("labs", "shocks"):
        root = _at(root, collection, lambda node: _listed(node, "id"))
    return _each(root, "labs", _powered)


def _powered(item: Mapping) -> Mapping:
    def sites(node: Node) -> Node:
        return _at(node, "sites", lambda listed: _listed(listed, "id")) if isinstance(node, Mapping) else node

    return _at(item, "power", sites)


def _at(mapping: Mapping, key: str, change: Callable[[Node], Node]) -> Mapping:
    entries = tuple((name, change(value) if name.text == key else value) for name, value in mapping.entries)
    return Mapping(mapping.source, mapping.line, mapping.column, mapping.end_line, mapping.closes, entries)


def _each(mapping: Mapping, key: str, change: Callable[[Mapping], Mapping]) -> Mapping:
    def over(node: Node) -> Node:
        if not isinstance(node, Listing):
            return node
        return _listing(
            node, tuple(change(item) if isinstance(item, Mapping) else item for item in node.items)
        )

    return _at(mapping, key, over)


def _listing(place: Node, items: tuple[Node, ...]) -> Listing:
    return Listing(place.source, place.line, place.column, place.end_line, place.closes, items)


def mapping_at(place: Node, *entries: tuple[str, Node]) -> Mapping:
    """Build a mapping whose keys stand where ``place`` stands."""
    pairs = tuple((word_at(place, key), value) for key, value in entries)
    return Mapping(place.source, place.line, place.column, place.end_line, place.closes, pairs)


def word_at(place: Node, text: str) -> Scalar:
    """Build a word that stands where ``place`` stands."""
    return Scalar(place.source, place.line, place.column, place.end_line, place.closes, text)


def _ends(node: Node, low: str, high: str) -> Node:
    if isinstance(node, Scalar) and (found := split_range(node.text)) is not None:
        (start, first), (end, last) = found
        return mapping_at(node, (low, node.part(start, first)), (high, node.part(end, last)))
    return node


def _opened(item: Mapping, key: str, low: str, high: str) -> Mapping:
    """Split ``key: a .. b`` of an item into two keys."""
    value = item.get(key)
    spread = _ends(value, low, high) if value is not None else None
    return (
        item.replaced(key, *spread.entries)
        if isinstance(spread, Mapping) and isinstance(value, Scalar)
        else item
    )


def _listed(node: Node, name: str, single: str = "") -> Node:
    """Turn a mapping by name into a list of items that carry their name; ``single`` takes a plain value."""
    if not isinstance(node, Mapping):
        return node
    items: list[Node] = []
    for key, value in node.entries:
        if isinstance(value, Mapping) and name not in value.keys:
            named = ((word_at(key, name), key), *value.entries)
            items.append(Mapping(key.source, key.line, key.column, value.end_line, value.closes, named))
        elif single and not isinstance(value, Mapping):
            items.append(mapping_at(key, (name, key), (single, value)))
        else:
            items.append(value)
    return _listing(node, tuple(items))


def _offer(item: Mapping) -> Mapping:
    return _pool_of_site(_opened(item, "window", "first", "last"))


def _deal(item: Mapping) -> Mapping:
    """Open the window of a deal and write one amount of investment as one payment at signature."""
    paid = item.get("investment")
    if isinstance(paid, Scalar) and paid.text.strip():
        listed = _listing(paid, (mapping_at(paid, ("amount", paid)),))
        item = item.replaced("investment", (word_at(paid, "investment"), listed))
    return _opened(item, "window", "first", "last")


def _site(item: Mapping) -> Mapping:
    item = _at(item, "steps", lambda node: _listed(node, "id"))
    return _each(item, "steps", lambda step: _opened(step, "window", "first", "last"))


def _program(item: Mapping) -> Mapping:
    """Write out a program's window, and its foundries and stages where they are mappings by name."""
    item = _at(item, "foundries", _each_listed)
    return _opened(_at(item, "nre", lambda node: _listed(node, "id")), "window", "first", "last")


def _each_listed(node: Node) -> Node:
    listed = _listed(node, "id")
    if not isinstance(listed, Listing):
        return listed
    stages = (
        _at(each, "nre", lambda nre: _listed(nre, "id")) if isinstance(each, Mapping) else each
        for each in listed.items
    )
    return _listing(listed, tuple(stages))


def _pool_of_site(item: Mapping) -> Mapping:
    site = item.get("site")
    if isinstance(site, Scalar) and item.get("pool") is None:
        return item.replaced("pool", (word_at(site, "pool"), site))
    return item


def _workload(item: Mapping) -> Mapping:
    item = _opened(item, "share", "share_min", "share_max")
    item = _at(item, "models", _able)
    price = item.get("price")
    change = price.get("change") if isinstance(price, Mapping) else None
    if isinstance(price, Mapping) and change is not None:
        item = item.replaced("price", (word_at(price, "price"), price.replaced("change")))
        item = item.replaced("price_change", (word_at(change, "price_change"), change))
    return item


def _able(node: Node) -> Node:
    """Write out the models able to serve a segment: names alone, or what is said of each."""
    listed = _listed(node, "model")
    if not isinstance(listed, Listing):
        return listed
    return _listing(listed, tuple(_serving_model(item) for item in listed.items))


def _serving_model(item: Node) -> Node:
    if isinstance(item, Scalar):
        return mapping_at(item, ("model", item))
    if not isinstance(item, Mapping):
        return item
    item = _opened(item, "share", "share_min", "share_max")
    return _at(
        item,
        "distil",
        lambda run: _opened(run, "window", "first", "last") if isinstance(run, Mapping) else run,
    )


def _catalogued(node: Node) -> Node:
    if not isinstance(node, Mapping):
        return node
    entries = tuple(
        (key, mapping_at(value, ("catalog", value)) if isinstance(value, Scalar) else value)
        for key, value in node.entries
    )
    return Mapping(node.source, node.line, node.column, node.end_line, node.closes, entries)


def _policy(node: Node, root: Mapping) -> Node:
    """Give a floor written as a share alone the workloads that it protects: all of its kind; list shares of suppliers."""
    if isinstance(node, Mapping):
        node = _at(node, "supplier_share", lambda shares: _listed(shares, "supplier", "share"))
        node = _at(node, "supplier_order", lambda orders: _listed(orders, "supplier", "most"))
    for name, kind in (("floor", "train"), ("safety", "safety")):
        if not isinstance(node, Mapping):
            return node
        floor = node.get(name)
        if isinstance(floor, Scalar) and floor.text.strip():
            floor = mapping_at(floor, ("share", floor))
        if isinstance(floor, Mapping) and floor.get("workloads") is None:
            everyone = _listing(floor, tuple(word_at(floor, each) for each in _of_kind(root, kind)))
            floor = floor.replaced("workloads", (word_at(floor, "workloads"), everyone))
            node = node.replaced(name, (word_at(floor, name), floor))
    return node


def _of_kind(root: Mapping, kind: str) -> tuple[str, ...]:
    workloads = root.get("workloads")
    names = []
    for item in workloads.items if isinstance(workloads, Listing) else ():
        if isinstance(item, Mapping):
            own, name = item.get("kind"), item.get("id")
            if isinstance(own, Scalar) and own.text == kind and isinstance(name, Scalar):
                names.append(name.text)
    return tuple(names)


def _finance(node: Node) -> Node:
    if not isinstance(node, Mapping):
        return node
    node = _at(node, "fixed_costs", lambda costs: _listed(_fixed(costs), "id", "amount"))
    node = _at(node, "rounds", lambda rounds: _listed(rounds, "id"))
    node = _at(node, "supplier_finance", lambda loans: _listed(loans, "supplier"))
    return _each(node, "rounds", lambda item: _opened(item, "window", "first", "last"))


def _fixed(node: Node) -> Node:
    """Turn a single amount, plain or with its growth, into one cost named ``fixed``."""
    if isinstance(node, Mapping) and isinstance(node.get("amount"), Scalar):
        return _listing(
            node,
            (
                Mapping(
                    node.source,
                    node.line,
                    node.column,
                    node.end_line,
                    node.closes,
                    ((word_at(node, "id"), word_at(node, "fixed")), *node.entries),
                ),
            ),
        )
    if isinstance(node, Scalar) and node.text.strip():
        return _listing(node, (mapping_at(node, ("id", word_at(node, "fixed")), ("amount", node)),))
    return node


def _load(node: Node) -> Node:
    """Gather load blocks that stand under their own names into one list."""
    if not isinstance(node, Mapping):
        return node
    named = tuple(
        entry for entry in node.entries if isinstance(entry[1], Mapping) and entry[0].text != "shape"
    )
    if not named:
        return node
    rest = tuple(entry for entry in node.entries if entry not in named)
    place = named[0][0]
    parts = _listed(
        Mapping(place.source, place.line, place.column, place.end_line, place.closes, named), "id"
    )
    entries = (*rest, (word_at(place, "parts"), parts))
    return Mapping(node.source, node.line, node.column, node.end_line, node.closes, entries)


def _futures(node: Node) -> Node:
    if not isinstance(node, Mapping):
        return node
    node = _at(node, "branches", lambda branches: _listed(branches, "date", "into"))
    node = _at(node, "slips", lambda slips: _listed(slips, "supplier", "probability"))
    node = _at(node, "supply", lambda supply: _listed(supply, "supplier", "level"))
    node = _at(node, "defaults", lambda defaults: _listed(defaults, "supplier", "probability"))
    node = _at(node, "site_delays", lambda delays: _listed(delays, "site", "probability"))
    node = _at(node, "renewals", lambda renewals: _listed(renewals, "supplier", "jump"))
    node = _at(node, "demand_delay", lambda delay: _single(delay, "by", "workload"))
    node = _at(node, "capital_window", lambda window: _single(window, "closes", "id", "capital"))
    node = _at(node, "rental", _rental)
    for key in ("model_shifts", "pinned"):
        node = _at(node, key, lambda each: _listed(each, "id"))
    return node


def _rental(node: Node) -> Node:
    """Write out regimes by name, and their ways out by the regime that follows."""
    if not isinstance(node, Mapping):
        return node
    node = _at(node, "regimes", lambda regimes: _listed(regimes, "id"))
    return _each(
        node, "regimes", lambda regime: _at(regime, "switches", lambda ways: _listed(ways, "to", "rate"))
    )


def _single(node: Node, key: str, name: str, own: str = "") -> Node:
    """Turn one value, or one group of keys with ``key`` in it, into a list of one; a mapping by ``name`` into its list."""
    if isinstance(node, Scalar) and node.text.strip():
        node = mapping_at(node, (key, node))
    if isinstance(node, Mapping) and key in node.keys:
        if own and name not in node.keys:
            entries = ((word_at(node, name), word_at(node, own)), *node.entries)
            node = Mapping(node.source, node.line, node.column, node.end_line, node.closes, entries)
        return _listing(node, (node,))
    return _listed(node, name, key)
