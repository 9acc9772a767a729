"""The project as a whole: documents say what is true, texts are complete."""

import re
import string
from pathlib import Path

import pytest

from app.panels.settings import FUSIONS
from app.panels.words import CONCEPTS
from app.probing.control_record import FUSIONS as MERGES
from app.probing.control_record import KINDS
from app.probing.probe_suite import MEASURES as BATTERY
from app.probing.word_list import CARRIERS, PRESETS
from app.probing.word_proof import PROOF_SETS
from app.web.header import STOPS
from app.wording import catalogue as texts
from viz.strip import MEASURES

ROOT = Path(__file__).parent.parent
SOURCES = [*sorted((ROOT / "app").rglob("*.py")), *sorted((ROOT / "viz").glob("*.py"))]


@pytest.mark.parametrize("code", sorted(texts._SENTENCES))
def test_every_sentence_has_three_languages_with_the_same_blanks(code: str) -> None:
    versions = texts._SENTENCES[code]
    assert len(versions) == len(texts.LANGUAGES) and all(versions)
    blanks = [{name for _, name, _, _ in string.Formatter().parse(version) if name} for version in versions]
    assert blanks[0] == blanks[1] == blanks[2], blanks


def test_every_sentence_is_used_and_every_code_exists() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES if path.name != "catalogue.py")
    used = set(re.findall(r"\"([a-z_]+)\"|'([a-z_]+)'", source))
    words = {word for pair in used for word in pair if word}
    prefixed = ("bad_", *FAMILIES)
    words |= {
        panel + part for panel in re.findall(r"panel\(\s*say,\s*\"([a-z]+)\"", source) for part in ("_title", "_lead")
    }
    unused = [code for code in texts._SENTENCES if code not in words and not code.startswith(prefixed)]
    assert not unused
    for code in re.findall(r"UserError\(\"([a-z_]+)\"", source) + re.findall(r"\bsay\(['\"]([a-z_]+)['\"]", source):
        assert code in texts._SENTENCES or code in prefixed, code


FAMILIES = {
    "tour_": ("next", "back", "close", *STOPS),
    "stage_": ("bytes", "weights", "anatomy", "proof", "arrange", "int8", "pictures", "opening"),
    "report_": (
        "title",
        "lead",
        "summary",
        "source",
        "code",
        "code_ran",
        "code_none",
        "tables",
        "table_shared",
        "table_own",
        "frozen",
        "not_frozen",
        "fusion",
        "runs",
        "imported",
        "original",
        "proof",
        "compared",
        "precision",
        "int8",
        "start",
        "pictures",
        "left_out",
        "own_head",
    ),
    "voices_": (
        "single",
        "joined",
        "mean",
        "weighted",
        "probabilities",
        "learned",
        "title",
        "mean_of_logits",
        "summary",
    ),
    "script_": ("latin", "cyrillic", "han", "other"),
    "measure_": (*MEASURES, *(f"of_{name}" for name in BATTERY)),
    "fusion_": FUSIONS,
    "concept_": CONCEPTS,
    "word_set_": PRESETS,
    "words_": (
        *CARRIERS,
        "title",
        "lead",
        "plot",
        "summary",
        "summary_each",
        "purity",
        "around",
        "around_says",
        "near",
        "reading",
        "umap",
        "probing",
    ),
    "verdict_": ("unshared", "unshared_not", "alone", "alone_not"),
    "pick_": ("layout", "colour", "mode", "word", "measure"),
    "proof_set_": (*PROOF_SETS, "map"),
    "measure_of_": BATTERY,
    "twin_": (*KINDS, "grown", "grown_to"),
    "merge_": MERGES,
    "layout_": ("pca", "umap"),
    "colour_": ("concept", "language", "script", "expert"),
    "mode_": ("words", "dots", "pictures"),
}
"""Sentences whose codes are put together from a prefix and one of these."""


@pytest.mark.parametrize("prefix", FAMILIES)
def test_families_of_sentences_are_complete_and_no_larger(prefix: str) -> None:
    found = {code.removeprefix(prefix) for code in texts._SENTENCES if code.startswith(prefix)}
    assert found == set(FAMILIES[prefix])


def test_unknown_language_reads_english() -> None:
    assert texts.say("stop", "xx") == "Stop" and texts.say("stop", "ru") == "Стоп"


def test_entry_is_short() -> None:
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) <= 20


def pins() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    return {name: version for name, _, version in (line.partition("==") for line in lines) if version}


def front_matter() -> dict[str, str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.split("---")[1]
    return dict(re.findall(r"^(\w+): *(.+)$", block, re.MULTILINE))


def test_space_front_matter_fits_the_pins() -> None:
    matter = front_matter()
    assert matter["sdk"] == "gradio" and matter["sdk_version"] == pins()["gradio"]
    assert (ROOT / matter["app_file"]).is_file()
    assert matter["python_version"].strip('"') in ("3.10", "3.11", "3.12")
    assert len(matter["short_description"]) <= 60
    assert {"title", "emoji", "colorFrom", "colorTo", "license"} <= set(matter)


def test_readme_lists_every_source_file_and_no_other() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = re.search(r"## Files.*?```text\n(.*?)```", readme, re.DOTALL)
    assert tree is not None
    listed = set(re.findall(r"([\w.]+\.py)", tree.group(1)))
    actual = {path.name for path in SOURCES if path.name != "__init__.py"} | {"app.py"}
    assert listed == actual


def test_readme_commands_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`?make (\w+)`?", readme):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    from app.training.commands import make_parser

    commands = re.findall(r"^python -m app\.training (.+)", readme, re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        make_parser().parse_args(command.split())


def test_readme_pictures_exist() -> None:
    for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert (ROOT / name).is_file(), name


def test_font_has_its_licence() -> None:
    assert (ROOT / "assets" / "fonts" / "unifont.otf").stat().st_size > 1_000_000
    assert "SIL Open Font License" in (ROOT / "assets" / "fonts" / "LICENSE.txt").read_text(encoding="utf-8")
