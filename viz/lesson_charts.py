"""Small charts of the lesson: bars of a few options, and one curve by layer. Plain HTML and SVG, readable in print."""

from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 420, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 12, 10, 26


@dataclass(frozen=True)
class Bar:
    """label; share: length, 0..1; said: the number as it is written; right: whether it is the answer; side: the class
    of an expert, empty for none; minus: whether the number is below zero and only its size is drawn, hollow."""

    label: str
    share: float
    said: str
    right: bool = False
    side: str = ""
    minus: bool = False


@dataclass(frozen=True)
class Bars:
    """name: what the numbers are."""

    name: str
    rows: tuple[Bar, ...]


@dataclass(frozen=True)
class Line:
    """name, values by layer from 0, and a class: `first`, `second`, `fused`, or `dim` for a control."""

    name: str
    values: tuple[float, ...]
    side: str


@dataclass(frozen=True)
class Curve:
    """Lines over the layers, in shares; name: what the numbers are.  level: the name and height of a level that is the
    same everywhere, such as chance; layer: the one that was asked about; ticks: the labels of 0, one half and 1."""

    name: str
    axis: str
    lines: tuple[Line, ...]
    ticks: tuple[str, str, str]
    level: tuple[str, float] | None = None
    layer: int | None = None


def chart_html(chart: Bars | Curve | None) -> str:
    """A chart with its name; nothing for none."""
    if chart is None:
        return ""
    body = _bars(chart) if isinstance(chart, Bars) else _curve(chart)
    return f"<figure class='gs-lesson-chart'><figcaption>{escape(chart.name)}</figcaption>{body}</figure>"


def _bars(chart: Bars) -> str:
    rows = "".join(
        f"<li class='{'gs-right' if bar.right else ''}'><span>{escape(bar.label)}</span>"
        f"<b class='gs-{escape(bar.side or 'plain', quote=True)}{' gs-minus' if bar.minus else ''}'"
        f" style='--share:{min(max(bar.share, 0), 1):.4f}'></b>"
        f"<i>{escape(bar.said)}</i></li>"
        for bar in chart.rows
    )
    return f"<ul class='gs-lesson-bars'>{rows}</ul>"


def _curve(chart: Curve) -> str:
    last = max(len(line.values) for line in chart.lines) - 1

    def x(layer: float) -> float:
        return _LEFT + layer * (_WIDTH - _LEFT - _RIGHT) / max(last, 1)

    def y(share: float) -> float:
        return _HEIGHT - _BOTTOM - min(max(share, -0.06), 1.06) * (_HEIGHT - _BOTTOM - _TOP)

    parts = [
        f"<path class='gs-grid-line' d='M{_LEFT} {y(at):.1f}H{_WIDTH - _RIGHT}'/>"
        f"<text x='{_LEFT - 6}' y='{y(at) + 4:.1f}' text-anchor='end'>{escape(tick)}</text>"
        for at, tick in zip((0, 0.5, 1), chart.ticks, strict=True)
    ]
    parts += [f"<text x='{x(i):.1f}' y='{_HEIGHT - 8}' text-anchor='middle'>{i}</text>" for i in range(last + 1)]
    if chart.layer is not None:
        parts.append(f"<path class='gs-asked' d='M{x(chart.layer):.1f} {_TOP}V{_HEIGHT - _BOTTOM}'/>")
    if chart.level is not None:
        parts.append(f"<path class='gs-level' d='M{_LEFT} {y(chart.level[1]):.1f}H{_WIDTH - _RIGHT}'/>")
    for line in chart.lines:
        points = [(x(i), y(value)) for i, value in enumerate(line.values)]
        path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        dots = "".join(f"<circle cx='{a:.1f}' cy='{b:.1f}' r='2.6'/>" for a, b in points)
        parts.append(f"<g class='gs-line-of gs-{line.side}'><path d='{path}'/>{dots}</g>")
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{escape(_told(chart), quote=True)}'>"
        f"{''.join(parts)}</svg><p class='gs-lesson-keys'>{_keys(chart)}<span>{escape(chart.axis)}</span></p>"
    )


def _keys(chart: Curve) -> str:
    keys = "".join(f"<span class='gs-key-of gs-{line.side}'><b></b>{escape(line.name)}</span>" for line in chart.lines)
    return keys + (f"<span class='gs-key-of gs-level'><b></b>{escape(chart.level[0])}</span>" if chart.level else "")


def _told(chart: Curve) -> str:
    """The curve in words, for those who do not see it."""
    lines = (f"{line.name}: {', '.join(f'{value:.2f}' for value in line.values)}" for line in chart.lines)
    return f"{chart.name}. {'; '.join(lines)}"
