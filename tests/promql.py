"""Prometheus's queries, as far as alert rules and dashboards use them: to run those where there is no Prometheus.

It is measured by the expected alerts of ``tests/deploy/alerts_test.yml``, which promtool confirms. One thing is
simpler than there: an increase is that of the samples in its window, not extrapolated to the edges of the window.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Series = tuple[str, Labels]
"""The name of a metric, and its labels."""
History = Mapping[Series, Sequence[tuple[float, float]]]
"""The samples of each series, oldest first: seconds, value."""
Value = Vector | float
Evaluate = Callable[[History, float], Value]
"""A query, at a time."""

LOOKBACK = 300.0
"""A series has its last value for so many seconds."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
TOKEN = re.compile(r'\s*(\d+(?:\.\d+)?[smhd]?|"[^"]*"|[A-Za-z_:][\w:]*|==|!=|>=|<=|=~|!~|[-+*/(){}\[\],=<>])')
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    **{"==": operator.eq, "!=": operator.ne, ">": operator.gt},
    **{"<": operator.lt, ">=": operator.ge, "<=": operator.le},
}
ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    **{"*": operator.mul, "+": operator.add, "-": operator.sub},
    "/": lambda one, other: one / other if other else float("nan"),
}
AGGREGATIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    **{"sum": sum, "min": min, "max": max},
    "count": lambda values: float(len(values)),
}


def query(text: str) -> Evaluate:
    """Parse a query; raise ``ValueError`` for what is not understood."""
    parser = _Parser(text)
    found = parser.either()
    if parser.tokens:
        raise ValueError(f"{text}: what is {parser.tokens[-1]}?")
    return found


@dataclass(frozen=True)
class _Selector:
    name: str
    matchers: Sequence[tuple[str, str, str]]
    window: float = 0.0
    offset: float = 0.0

    def series(self, history: History) -> Iterator[tuple[Labels, Sequence[tuple[float, float]]]]:
        for (name, labels), samples in history.items():
            if name == self.name and all(_matches(dict(labels), *one) for one in self.matchers):
                yield labels, samples

    def latest(self, history: History, now: float) -> Vector:
        """The last value of each series."""
        at, found = now - self.offset, Vector()
        for labels, samples in self.series(history):
            values = [value for time, value in samples if at - LOOKBACK < time <= at]
            found |= {labels: values[-1]} if values else {}
        return found

    def increase(self, history: History, now: float) -> Vector:
        """By how much each counter has grown in the window; a counter that becomes less has begun again."""
        at, found = now - self.offset, Vector()
        for labels, samples in self.series(history):
            values = [value for time, value in samples if at - self.window < time <= at]
            if len(values) > 1:
                found[labels] = sum(
                    after - before if after >= before else after for before, after in pairwise(values)
                )
        return found

    def rate(self, history: History, now: float) -> Vector:
        return {labels: grown / self.window for labels, grown in self.increase(history, now).items()}


def _matches(labels: Mapping[str, str], name: str, how: str, wanted: str) -> bool:
    value = labels.get(name, "")
    same = value == wanted if how in ("=", "!=") else bool(re.fullmatch(wanted, value))
    return same is (how in ("=", "=~"))


class _Parser:
    """Recursive descent, by precedence; ``tokens`` are those that are left, the next one last."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        position = 0
        while position < len(text.rstrip()):
            found = TOKEN.match(text, position)
            if not found:
                raise ValueError(f"{text}: what is {text[position:]}?")
            self.tokens.append(found[1])
            position = found.end()
        self.tokens.reverse()

    def take(self, *wanted: str) -> str:
        """Return the next token if it is one of these, else nothing."""
        return self.tokens.pop() if self.tokens and self.tokens[-1] in wanted else ""

    def expect(self, wanted: str) -> None:
        if not self.take(wanted):
            raise ValueError(f"expected {wanted}, found {self.tokens[-1:]}")

    def either(self) -> Evaluate:
        found = self.both()
        while self.take("or"):
            found = partial(_or, found, self.both())
        return found

    def both(self) -> Evaluate:
        found = self.compared()
        while self.take("and"):
            found = partial(_and, found, self.compared())
        return found

    def compared(self) -> Evaluate:
        found = self.sum()
        while sign := self.take(*COMPARISONS):
            found = partial(_compare, COMPARISONS[sign], found, self.sum())
        return found

    def sum(self) -> Evaluate:
        found = self.product()
        while sign := self.take("+", "-"):
            found = partial(_compute, ARITHMETIC[sign], found, self.product())
        return found

    def product(self) -> Evaluate:
        found = self.value()
        while sign := self.take("*", "/"):
            found = partial(_compute, ARITHMETIC[sign], found, self.value())
        return found

    def value(self) -> Evaluate:
        token = self.tokens.pop()
        if token == "(":
            return self.closed(self.either())
        if re.match(r"\d", token):
            number = float(token)
            return lambda _history, _now: number
        if token in AGGREGATIONS:
            by = self.labels() if self.take("by") else ()
            self.expect("(")
            return partial(_aggregate, AGGREGATIONS[token], by, self.closed(self.either()))
        if self.take("("):
            return self.function(token)
        return self.selector(token).latest

    def function(self, name: str) -> Evaluate:
        if name in ("rate", "increase"):
            selector = self.selector(self.tokens.pop())
            return self.closed(selector.rate if name == "rate" else selector.increase)
        if name == "vector":
            return self.closed(partial(_vector, self.either()))
        if name in ("histogram_quantile", "topk"):
            number = float(self.tokens.pop())
            self.expect(",")
            inner = self.closed(self.either())
            return partial(_quantile, number, inner) if name == "histogram_quantile" else partial(_top, number, inner)
        raise ValueError(f"no function {name}")

    def closed(self, inner: Evaluate) -> Evaluate:
        self.expect(")")
        return inner

    def labels(self) -> tuple[str, ...]:
        self.expect("(")
        names = [self.tokens.pop()]
        while self.take(","):
            names.append(self.tokens.pop())
        self.expect(")")
        return tuple(names)

    def selector(self, name: str) -> _Selector:
        matchers, window, offset = [], 0.0, 0.0
        if self.take("{"):
            while not self.take("}"):
                label, how, value = (self.tokens.pop() for _ in range(3))
                matchers.append((label, how, value.strip('"')))
                self.take(",")
        if self.take("["):
            window = seconds(self.tokens.pop())
            self.expect("]")
        if self.take("offset"):
            offset = seconds(self.tokens.pop())
        return _Selector(name, matchers, window, offset)


def seconds(duration: str) -> float:
    """``5m`` → 300."""
    return float(duration[:-1]) * UNITS[duration[-1]]


def _vector(inner: Evaluate, history: History, now: float) -> Vector:
    value = inner(history, now)
    assert isinstance(value, float)
    return {frozenset(): value}


def _or(left: Evaluate, right: Evaluate, history: History, now: float) -> Vector:
    return _as_vector(right(history, now)) | _as_vector(left(history, now))


def _and(left: Evaluate, right: Evaluate, history: History, now: float) -> Vector:
    others = _as_vector(right(history, now))
    return {labels: value for labels, value in _as_vector(left(history, now)).items() if labels in others}


def _as_vector(value: Value) -> Vector:
    assert not isinstance(value, float)
    return value


def _compare(
    holds: Callable[[float, float], bool], left: Evaluate, right: Evaluate, history: History, now: float
) -> Vector:
    return {
        labels: one for labels, one, other in _pairs(left(history, now), right(history, now)) if holds(one, other)
    }


def _compute(
    compute: Callable[[float, float], float], left: Evaluate, right: Evaluate, history: History, now: float
) -> Vector:
    return {labels: compute(one, other) for labels, one, other in _pairs(left(history, now), right(history, now))}


def _pairs(left: Value, right: Value) -> Iterator[tuple[Labels, float, float]]:
    """Values with the same labels; a number has all labels."""
    if isinstance(left, float):
        yield from ((labels, left, other) for labels, other in _as_vector(right).items())
    elif isinstance(right, float):
        yield from ((labels, one, right) for labels, one in left.items())
    else:
        yield from ((labels, one, right[labels]) for labels, one in left.items() if labels in right)


def _aggregate(
    combine: Callable[[Sequence[float]], float], by: Sequence[str], inner: Evaluate, history: History, now: float
) -> Vector:
    groups: dict[Labels, list[float]] = {}
    for labels, value in _as_vector(inner(history, now)).items():
        groups.setdefault(frozenset(one for one in labels if one[0] in by), []).append(value)
    return {labels: combine(values) for labels, values in groups.items()}


def _top(number: float, inner: Evaluate, history: History, now: float) -> Vector:
    found = _as_vector(inner(history, now))
    return dict(sorted(found.items(), key=lambda one: -one[1])[: int(number)])


def _quantile(rank: float, inner: Evaluate, history: History, now: float) -> Vector:
    """Interpolated between the bounds of a bucket; in the last one, its lower bound."""
    groups: dict[Labels, list[tuple[float, float]]] = {}
    for labels, count in _as_vector(inner(history, now)).items():
        bound = float(dict(labels)["le"])
        groups.setdefault(frozenset(one for one in labels if one[0] != "le"), []).append((bound, count))
    found = {labels: _in_buckets(rank, sorted(buckets)) for labels, buckets in groups.items()}
    return {labels: value for labels, value in found.items() if value is not None}


def _in_buckets(rank: float, buckets: Sequence[tuple[float, float]]) -> float | None:
    wanted, lower, below = rank * buckets[-1][1], 0.0, 0.0
    if not wanted:
        return None
    for bound, count in buckets:
        if count >= wanted:
            last = bound == float("inf")
            return lower if last else lower + (bound - lower) * (wanted - below) / (count - below)
        lower, below = bound, count
    return None
