"""What the panels show: numbers against an independent computation, text always escaped."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.engine.sampling import Sampling
from app.network.interface import Output
from app.panels import lens as lens_module
from app.panels.depth import depth_view, script_groups
from app.panels.disagreement import disagreement_view
from app.panels.experts import experts_view
from app.panels.glyphs import glyph_view
from app.panels.lab import lab_view
from app.panels.layers import layers_view
from app.panels.lens import lens_view
from app.panels.strip import most_disputed, strip_view, writing_view
from app.substrate.pictures import cell_borders, legible
from app.substrate.scripts import script_of
from app.trace.record import Trace
from app.wording.catalogue import speaker
from app.wording.errors import UserError
from viz.glyphs import GlyphCard, Meanings, Neighbour, glyph_panel
from viz.html import data_uri, token, visible
from viz.strip import STRIP_MEASURES, Chip, mark, strip

SAY = speaker("en")
HOSTILE = [
    "${1+1}",
    "{{x}}",
    "`a`",
    "\\n\\",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><b>",
    "\u202eabc",
]


class Reader(HTMLParser):
    """Collects tags, attributes and text as a browser would read them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def with_class(self, name: str) -> list[dict[str, str]]:
        return [attributes for _, attributes in self.tags if name in attributes.get("class", "").split()]


@pytest.fixture(scope="module")
def trace(engine: Engine) -> Trace:
    *_, last = engine.generate("Мама видит", Sampling(seed=2, new_tokens=12, temperature=1.1))
    assert last.trace is not None
    return last.trace


@pytest.fixture(scope="module")
def rows(engine: Engine, trace: Trace) -> torch.Tensor:
    with torch.inference_mode():
        output: Output = engine.model(torch.tensor([trace.ids.tolist()]))
        return output.logits[:, 0].double()


def test_candidates_show_the_probabilities_of_the_model(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    for selected, weight in ((3, 0.5), (5, 0.5), (5, 0.2), (5, 1.0)):
        reader = Reader(experts_view(engine, trace, selected, weight, SAY))
        shown = [(int(a["data-id"]), float(a["style"].split(":")[1])) for a in reader.with_class("gs-candidate")]
        z = rows[:, selected - 1]
        mixed = [z[0], weight * z[0] + (1 - weight) * z[1], z[1]]
        expected = []
        for row in mixed:
            best = row.softmax(-1).sort(descending=True)
            expected += list(zip(best.indices.tolist()[:8], best.values.tolist()[:8], strict=True))
        assert [i for i, _ in shown] == [i for i, _ in expected]
        assert [p for _, p in shown] == pytest.approx([p for _, p in expected], abs=1e-3)


def test_margin_bars_add_up_as_displayed(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    for selected in range(1, len(trace)):
        html = experts_view(engine, trace, selected, 0.5, SAY)
        first, second, total = (float(x) for x in re.findall(r"([+-]\d+\.\d{3})</span></div>", html))
        z = rows[:, selected - 1].mean(0).sort(descending=True).values
        assert total == pytest.approx(float(z[0] - z[1]), abs=2e-3)
        assert first + second == pytest.approx(total, abs=2e-3)


def test_facts_show_divergences_of_the_full_distributions(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    html = experts_view(engine, trace, 4, 0.5, SAY)
    p = rows[:, 3].softmax(-1).numpy()
    overlap = -np.log(np.sqrt(p[0] * p[1]).sum())
    m = p.mean(0)
    divergence = sum((q * np.log2(q / m)).sum() for q in p) / 2
    shown = [float(x) for x in re.findall(r"<dd>(\d+\.\d{3})", html)]
    assert shown == pytest.approx([overlap, divergence], abs=1.5e-3)


def test_strip_colours_follow_the_preference(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    chips = Reader(strip_view(engine, trace, 2, SAY)).with_class("gs-chip")
    assert [int(c["data-index"]) for c in chips] == list(range(1, len(trace)))
    logs = rows.log_softmax(-1)
    for chip in chips:
        i = int(chip["data-index"])
        liked = float(logs[0, i - 1, trace.ids[i]] - logs[1, i - 1, trace.ids[i]])
        assert ("gs-first" in chip["class"]) == (liked > 0)
        assert ("gs-written" in chip["class"]) == (i >= trace.prompt)
        assert (chip["aria-pressed"] == "true") == (i == 2)
        assert float(chip["style"].split(":")[1].strip("%")) == pytest.approx(
            100 * min(1, abs(liked) / 5) ** 0.3, abs=0.6
        )


def test_chips_carry_the_picture_of_their_own_token(engine: Engine, trace: Trace) -> None:
    reader = Reader(strip_view(engine, trace, 1, SAY))
    shown = [a["src"] for a in reader.with_class("gs-pic")]
    assert shown == [data_uri(engine.bundle.substrate.pictures[i]) for i in trace.ids[1:]]


def test_marks_say_without_colour_who_expected_a_token_more() -> None:
    sided, amount = STRIP_MEASURES["preference"], STRIP_MEASURES["overlap"]
    assert [mark(value, sided) for value in (1.0, -1.0, 0.05, None)] == ["◀", "▶", "·", "·"]
    assert [mark(value, amount) for value in (0.0, 0.5, 1.0)] == ["▁", "▅", "█"]


def test_glyph_panel_counts_wrong_pixels_and_names_neighbours(engine: Engine) -> None:
    substrate = engine.bundle.substrate
    index = substrate.tokens.index("猫")
    html = glyph_view(engine, index, SAY)
    basis, vector = substrate.basis, substrate.table[index]
    # The independent way back: solve for the length on a grid instead of by formula.
    from app.substrate.pictures import from_polar

    def binary_error(length: float) -> float:
        estimate = basis.mean + length * vector @ basis.components
        return abs(float((estimate**2).sum() - estimate.sum()))

    length = min(np.linspace(1, 32, 20_000), key=binary_error)
    decoded = from_polar((basis.mean + length * vector @ basis.components)[None])[0] > 0.5
    wrong = int((decoded != substrate.pictures[index]).sum())
    lost = html.count("gs-lost") + html.count("gs-added")
    assert lost == pytest.approx(wrong, abs=1)
    cosines = substrate.table @ vector
    cosines[index] = -2
    assert f"{cosines.max():.2f}" in html and visible(substrate.tokens[int(cosines.argmax())]) in html
    assert "U+732B CJK UNIFIED IDEOGRAPH-732B" in html


def test_fewer_components_decode_worse_and_keep_less(engine: Engine) -> None:
    index = engine.bundle.substrate.tokens.index("猫")
    wrong, kept = [], []
    for components in (1, 8, 64, 10_000):
        html = glyph_view(engine, index, SAY, components)
        wrong.append(html.count("gs-lost") + html.count("gs-added"))
        found = re.search(r"keep ([\d.]+)%", html)
        assert found is not None
        kept.append(float(found.group(1)))
    assert wrong[0] > wrong[1] > wrong[2] == wrong[3] and kept[0] < kept[1] < kept[2] == kept[3]
    basis = engine.bundle.substrate.basis
    from app.substrate.pictures import to_polar

    centred = to_polar(engine.bundle.substrate.pictures[index][None])[0] - basis.mean
    share = np.linalg.norm(basis.components[:8] @ centred) ** 2 / np.linalg.norm(centred) ** 2
    assert kept[1] == pytest.approx(100 * share, abs=0.06)


def test_laboratory_tells_one_picture_from_near_twins(engine: Engine) -> None:
    same = lab_view(engine, "A", "А", SAY)
    assert "the same picture" in same and "cosine 1.000" in same
    twins = lab_view(engine, "己", "已", SAY)
    found = re.search(r"differ in (\d+) of 1,024 pixels; the cosine of their vectors is (-?\d\.\d+)", twins)
    assert found is not None
    assert (
        int(found.group(1))
        == int((legible("己") != legible("已")).sum())
        == twins.count("gs-lost") + twins.count("gs-added")
    )
    assert float(found.group(2)) < 1
    assert "(not a token)" in lab_view(engine, "☃", "кот", SAY)


@pytest.mark.parametrize("text", ["", "x" * 17, None, 5])
def test_laboratory_refuses_what_has_no_picture(engine: Engine, text: object) -> None:
    with pytest.raises(UserError, match="at most 16 characters"):
        lab_view(engine, "A", text, SAY)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [*HOSTILE, "\ud800", "\x00"])
def test_laboratory_shows_hostile_text_literally(engine: Engine, text: str) -> None:
    reader = Reader(lab_view(engine, text[:16], "A", SAY))
    assert not {"script", "b"} & {tag for tag, _ in reader.tags}
    assert visible(text[:16].replace("\ud800", "\ufffd")) in reader.text


def test_disagreement_bars_are_scaled_to_the_peak(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    p = rows.softmax(-1).numpy()
    apart = -np.log(np.sqrt(p[0] * p[1]).sum(-1))[:-1]
    html = disagreement_view(engine, trace, 1, SAY)
    heights = [float(x) for x in re.findall(r"--height:([\d.]+)", html)]
    assert heights == pytest.approx((apart / apart.max()).tolist(), abs=2e-3)
    assert f"{apart.max():.2f} nats" in html
    lettered = [i for i in range(trace.prompt, len(trace)) if script_of(trace.texts[i]) != "other"]
    assert most_disputed(trace) == max(lettered, key=lambda i: apart[i - 1])


def test_the_lens_of_a_large_model_reads_the_part_with_the_chosen_token(
    engine: Engine, trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    experts, layers, _, width = trace.hidden.shape
    whole_lens = engine.lens(trace, top=1)
    monkeypatch.setattr(lens_module, "LENS_WORK", 4 * experts * layers * width * engine.model.shape.vocabulary)
    for selected in range(1, len(trace)):
        window = lens_module.lens_window(engine, trace, selected)
        assert selected - 1 in window and len(window) <= 4 and window.stop <= len(trace)
        part = engine.lens(trace, top=1, positions=window)
        assert np.array_equal(part.ids, whole_lens.ids[:, :, window.start : window.stop])
    html = lens_view(engine, trace, 6, SAY)
    table = saved(html)["table"]
    assert list(table["index"]["position"]) == [4, 5, 6, 7]
    assert np.shape(table["values"]["best"]) == (2, 4, 3)
    assert "<tr data-index='6' aria-selected='true'>" in html and "data-index='2'" not in html
    assert f"of positions 0 to {len(trace) - 1}, only those from 4 to 7" in html


def test_lens_cells_show_the_best_token_of_each_layer(engine: Engine, trace: Trace) -> None:
    html = lens_view(engine, trace, 1, SAY)
    cells = [float(a["style"].split(":")[1]) for tag, a in Reader(html).tags if tag == "td"]
    per_expert = len(trace) * 3
    assert len(cells) == 2 * per_expert
    states = torch.from_numpy(trace.hidden[1, 1, 4]).float()
    normed = (states - states.mean()) / torch.sqrt(states.var(unbiased=False) + 1e-5)
    expected = (normed @ engine.model.head[1]).softmax(-1).max()  # type: ignore[attr-defined]
    assert cells[per_expert + 4 * 3 + 1] == pytest.approx(float(expected), abs=2e-3)


def test_depth_follows_a_token_through_the_layers(engine: Engine, trace: Trace) -> None:
    """Against a plain read-out of the stored states in double precision."""
    selected, pinned = 5, int(trace.candidates[4, 0, 1])
    html = depth_view(engine, trace, selected, SAY, cell=(1, 1), pinned=pinned)
    states = torch.from_numpy(trace.hidden[:, :, selected - 1]).double()
    normed = (states - states.mean(-1, keepdim=True)) / torch.sqrt(states.var(-1, unbiased=False, keepdim=True) + 1e-5)
    p = (normed @ engine.model.head.double()).softmax(-1)  # type: ignore[attr-defined]
    shown = [a["data-pin"] for _, a in Reader(html).tags if "data-pin" in a]
    assert [int(i) for i in shown] == p[1, 1].sort(descending=True).indices[:10].tolist()
    best = p[1, 1].max()
    assert SAY.percent(float(best)) in html
    entropy = -(p * p.log2()).sum(-1)
    divergence = (p[:, -1:] * (p[:, -1:].log2() - p.log2())).sum(-1)
    chance = p[:, :, pinned]
    ranks = (p > chance[..., None]).sum(-1) + 1
    lines = [a["aria-label"] for tag, a in Reader(html).tags if tag == "svg" and "aria-label" in a]
    for line, expected in (
        (lines[0], [SAY.percent(float(chance[e, layer])) for e in (0, 1) for layer in (0, -1)]),
        (lines[1], [f"{int(ranks[e, layer])}" for e in (0, 1) for layer in (0, -1)]),
        (lines[2], [f"{float(entropy[e, layer]):.1f}" for e in (0, 1) for layer in (0, -1)]),
        (lines[3], [f"{abs(float(divergence[e, layer])):.1f}" for e in (0, 1) for layer in (0, -1)]),
    ):
        ends = line.rsplit(": ", 1)[1].replace("-0.0", "0.0")
        assert ends == f"{expected[0]} → {expected[1]} · {expected[2]} → {expected[3]}"


def test_script_masses_add_up(engine: Engine, trace: Trace) -> None:
    html = depth_view(engine, trace, 3, SAY)
    cells = [float(a["style"].split(":")[1]) for tag, a in Reader(html).tags if tag == "td"]
    table = np.array(cells).reshape(2, -1, 3)
    assert np.allclose(table.sum(1), 1, atol=3e-3)
    groups = script_groups(engine.bundle.substrate.tokens)
    assert sum(map(len, groups.values())) == len(engine.bundle.substrate.tokens)


def test_layers_panel_holds_every_layer_of_both_experts(engine: Engine, trace: Trace) -> None:
    reader = Reader(layers_view(engine, trace, 1, SAY))
    data = json.loads(reader.with_class("gs-layers-data")[0]["data-paths"])
    assert np.array(data["paths"]).shape == (2, 3, len(trace) - 1, 2)
    assert len(data["names"]) == 3 and all(len(s) == 3 for s in data["shown"])
    states = trace.hidden[0, 0, 1:].astype(float)
    sizes = np.linalg.svd(states - states.mean(0), compute_uv=False) ** 2
    assert SAY.percent(float(sizes[:2].sum() / sizes.sum())) in data["shown"][0][0]


def test_a_text_of_two_tokens_has_no_projection(engine: Engine) -> None:
    assert "at least three" in layers_view(engine, engine.look("кот"), 1, SAY)


def saved(html: str) -> dict[str, Any]:
    """What the panel's download holds."""
    button = next(a for _, a in Reader(html).tags if "data-packed" in a)
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(button["data-packed"])))
    return data


def test_downloads_hold_what_is_drawn(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    """Each table against the model; every value has the shape of its axes (checked by Table itself)."""
    experts = saved(experts_view(engine, trace, 4, 0.5, SAY))["table"]
    best = rows[0, 3].softmax(-1).sort(descending=True)
    assert experts["index"] == {"source": ["RU", "fused", "ZH"], "rank": list(range(1, 9))}
    assert experts["values"]["id"][0] == best.indices[:8].tolist()
    assert experts["values"]["probability"][0] == pytest.approx(best.values[:8].tolist(), rel=1e-3)
    text = saved(disagreement_view(engine, trace, 1, SAY))["table"]["values"]
    logs = rows.log_softmax(-1)
    expected = [float(logs[1, t, trace.ids[t + 1]]) for t in range(len(trace) - 1)]
    assert text["log_prob_ZH"] == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert text["text"] == list(trace.texts[1:])
    card = saved(glyph_view(engine, int(trace.ids[2]), SAY))
    assert card["rendered"] == engine.bundle.substrate.pictures[trace.ids[2]].astype(int).tolist()
    layers = saved(layers_view(engine, trace, 1, SAY))["table"]
    assert np.shape(layers["values"]["x"]) == (2, 3, len(trace) - 1)
    assert layers["values"]["text"][1][2] == list(trace.texts[1:])
    lens = saved(lens_view(engine, trace, 1, SAY))["table"]
    assert np.shape(lens["values"]["best"]) == (2, len(trace), 3)
    depth = saved(depth_view(engine, trace, 2, SAY))["table"]["values"]
    masses = sum(np.array(depth[name]) for name in depth if name.startswith("mass_"))
    assert np.allclose(masses, 1, atol=1e-3) and np.shape(depth["entropy"]) == (2, 3)


def test_parts_of_every_candidate_add_up_as_displayed(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    """Log-odds over the winner from the model's own logits; the three numbers of a line add up exactly."""
    for selected, weight in ((3, 0.5), (6, 0.2)):
        html = experts_view(engine, trace, selected, weight, SAY)
        lines = re.findall(r"<tr>(.*?)</tr>", html.split("gs-parts")[1])[1:]
        z = rows[:, selected - 1]
        fused = weight * z[0] + (1 - weight) * z[1]
        order = fused.sort(descending=True).indices[:8]
        assert len(lines) == 8
        for rank, line in enumerate(lines):
            first, second, total = (float(x) for x in re.findall(r"</i>([+-]\d+\.\d{3})</td>", line))
            assert first + second == pytest.approx(total, abs=1e-9)
            token_id, rival = order[rank], order[0 if rank else 1]
            assert total == pytest.approx(float(fused[token_id] - fused[rival]), abs=2e-3)
            assert first == pytest.approx(float(weight * (z[0, token_id] - z[0, rival])), abs=2e-3)
            log_fused = float(fused.log_softmax(-1)[token_id])
            added = [log_fused - float(z[e].log_softmax(-1)[token_id]) for e in (1, 0)]
            shown = [
                (-1 if mark == "▼" else 1) * float(x) for mark, x in re.findall(r"<td>([▲▼]?)(\d+\.\d\d)</td>", line)
            ]
            assert shown == pytest.approx(added, abs=6e-3)


def test_the_texts_own_token_is_shown_also_where_it_is_no_candidate(
    engine: Engine, trace: Trace, rows: torch.Tensor
) -> None:
    seen = 0
    for selected in range(1, len(trace)):
        for weight, fusion in ((0.5, "logits"), (0.3, "logits"), (1.0, "logits"), (0.3, "probabilities")):
            html = experts_view(engine, trace, selected, weight, SAY, fusion)  # type: ignore[arg-type]
            z, token_id = rows[:, selected - 1], trace.ids[selected]
            p = z.softmax(-1)
            mixed = (weight * z[0] + (1 - weight) * z[1]).softmax(-1)
            mixed = mixed if fusion == "logits" else weight * p[0] + (1 - weight) * p[1]
            columns = html.split("<ol>")[1:4]
            for column, chances in zip(columns, (p[0], mixed, p[1]), strict=True):
                rank = int((chances > chances[token_id]).sum()) + 1
                found = re.search(r"gs-beyond.*?(?:#(\d+)</span>)?<span class='gs-number'>(.*?)</span>", column)
                assert (found is not None) == (rank > 8)
                if found is not None:
                    seen += 1
                    assert found.group(2) == SAY.percent(float(chances[token_id]))
                    assert found.group(1) is None or int(found.group(1)) == rank
    assert seen > 20


@pytest.mark.parametrize("fusion", ["probabilities", "gate"])
def test_parts_add_up_under_a_mean_of_probabilities(engine: Engine, trace: Trace, fusion: Any) -> None:
    html = experts_view(engine, trace, 5, 0.5, SAY, fusion).split("gs-parts")[1]
    for line in re.findall(r"<tr>(.*?)</tr>", html)[1:]:
        first, second, total = (float(x) for x in re.findall(r"</i>([+-]\d+\.\d{3})</td>", line))
        assert first + second == pytest.approx(total, abs=1e-9) and -1 <= total <= 1


def test_disputed_positions_are_ranked(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    p = rows.softmax(-1).numpy()
    apart = -np.log(np.sqrt(p[0] * p[1]).sum(-1))[:-1]
    buttons = Reader(disagreement_view(engine, trace, 1, SAY)).with_class("gs-disputed")
    shown = [int(button["data-index"]) for button in buttons]
    assert shown == (np.argsort(-apart, kind="stable")[:6] + 1).tolist()


def test_tokens_are_marked_by_the_expert_who_expected_them_more(
    engine: Engine, trace: Trace, rows: torch.Tensor
) -> None:
    logs = rows.log_softmax(-1)
    points = [a for a in Reader(layers_view(engine, trace, 1, SAY)).with_class("gs-point")][: len(trace) - 1]
    for point in points:
        i = int(point["data-index"])
        liked = float(logs[0, i - 1, trace.ids[i]] - logs[1, i - 1, trace.ids[i]])
        side = "fused" if abs(liked) < 0.1 else "first" if liked > 0 else "second"
        assert f"gs-by-{side}" in point["class"].split()


def test_cells_of_an_ngram_have_borders_and_an_unknown_token_is_marked(engine: Engine) -> None:
    """A picture of three letters has two borders: at the ends of the drawn letters' cells."""
    trace = engine.look("Где ☃ мама")
    reader = Reader(strip_view(engine, trace, 1, SAY))
    assert "gs-unknown" in reader.with_class("gs-chip")[[t for t in trace.texts[1:]].index("<unk>")]["class"]
    assert cell_borders("кот", "legible") == pytest.approx([1 / 3, 2 / 3])
    assert cell_borders(" к猫", "legible") == pytest.approx([8 / 56, 24 / 56])
    assert cell_borders("ab", "published") == (0.5,) and cell_borders("a", "legible") == ()
    chip = strip(
        [Chip(1, "кот", legible("кот"), 0.5, True, borders=(1 / 3, 2 / 3))],
        1,
        STRIP_MEASURES["preference"],
        ("RU", "ZH"),
        SAY,
    )
    assert "M10.7 0V32M21.3 0V32" in chip
    columns: Any = legible("кот")
    ink = columns.any(axis=0)
    for border in (1 / 3, 2 / 3):
        assert not ink[round(32 * border) - 1 : round(32 * border) + 1].all()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_never_markup(text: str) -> None:
    bitmap = np.eye(32, dtype=bool)
    chip = strip([Chip(1, text, bitmap, 0.5, True)], 1, STRIP_MEASURES["preference"], ("RU", "ZH"), SAY)
    near = (Neighbour(2, text, bitmap, 0.5),)
    words = Meanings(("RU", "ZH"), ((near, near), (near, near)), 0, 9)
    card = GlyphCard(1, text, "latin", ("U+0041 A",), bitmap, bitmap, (0.5,), near, 0.9, 32, 64, words)
    for html in (chip, glyph_panel(card, SAY), token(text)):
        reader = Reader(html)
        assert visible(text) in reader.text
        assert not {"script", "b"} & {tag for tag, _ in reader.tags}
        assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_prompts_pass_through_every_panel(engine: Engine, text: str) -> None:
    trace = engine.look("cat " + text)
    for html in (
        strip_view(engine, trace, 1, SAY),
        writing_view(engine, engine.encode("cat " + text), [(5, 0.1)], SAY),
        glyph_view(engine, int(trace.ids[-1]), SAY),
        experts_view(engine, trace, len(trace) - 1, 0.5, SAY),
        disagreement_view(engine, trace, 1, SAY),
        layers_view(engine, trace, 1, SAY),
        lens_view(engine, trace, 1, SAY),
        depth_view(engine, trace, len(trace) - 1, SAY),
    ):
        tags = {tag for tag, _ in Reader(html).tags}
        assert not {"script", "b", "iframe"} & tags


def test_whitespace_and_controls_are_visible() -> None:
    assert visible(" a\n\t") == "␣a⏎⇥" and visible("\u202e\u0000") == "U+202EU+0000"


def test_scripts() -> None:
    assert [script_of(t) for t in (" the", "мир", "猫", "...", "1")] == ["latin", "cyrillic", "han", "other", "other"]
