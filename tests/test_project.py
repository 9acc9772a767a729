"""The project as a whole: documents say what is true, texts are complete."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = [*sorted((ROOT / "app").rglob("*.py")), *sorted((ROOT / "viz").glob("*.py"))]


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
    assert matter["python_version"].strip('"') in ("3.11", "3.12")
    assert len(matter["short_description"]) <= 60
    assert {"title", "emoji", "colorFrom", "colorTo", "license"} <= set(matter)


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
