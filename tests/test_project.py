"""The project as a whole: documents say what is true, texts are complete."""

import re
from pathlib import Path

import pytest

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


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_map_names_the_folders_there_are() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    lines = text.split("```text\n")[1].split("```")[0].splitlines()
    assert len(lines) <= 18
    named = {
        name for line in lines for name in re.findall(r"(?:^|, | and )((?:app|viz|assets|tests)(?:/\w+)*/)(?!\w)", line)
    }
    here = {"viz", "assets/page", "tests"} | {
        f"app/{path.parent.name}" for path in (ROOT / "app").glob("*/__init__.py")
    }
    beside = {"browser", "server", "support", "bench"}
    assert named == {f"{path}/" for path in here} | {f"tests/{name}/" for name in beside}
    modules = {path.name for path in (ROOT / "app").glob("*.py")} - {"__init__.py"}
    assert {name for line in lines for name in re.findall(r"app/(\w+\.py)", line)} == modules
    tested = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")} - beside
    assert tested <= {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "HOSTING.md"])
def test_documents_name_files_that_exist(document: str) -> None:
    text = re.sub(r"surprises|NAME", "*", (ROOT / document).read_text(encoding="utf-8"))
    for name in re.findall(r"`((?:app|viz|assets|tests)/[\w/.*]+)`|\]\((?!http)([^)#]+)\)", text):
        path = name[0] or name[1]
        assert "*" in path or (ROOT / path).exists(), path


def test_commands_of_documents_exist() -> None:
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    documents = [
        ROOT / name
        for name in ("CONTRIBUTING.md", "HOSTING.md", ".pre-commit-config.yaml", ".github/workflows/ci.yml", ".ci/run")
    ]
    for document in documents:
        for target in re.findall(
            r"(?:`|entry: |run: |^)make ([\w-]+)", document.read_text(encoding="utf-8"), re.MULTILINE
        ):
            assert target in targets, (document.name, target)


def test_readme_pictures_exist() -> None:
    for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert (ROOT / name).is_file(), name


def test_font_has_its_licence() -> None:
    assert (ROOT / "assets" / "fonts" / "unifont.otf").stat().st_size > 1_000_000
    assert "SIL Open Font License" in (ROOT / "assets" / "fonts" / "LICENSE.txt").read_text(encoding="utf-8")


def test_the_version_stands_in_both_places() -> None:
    import tomllib

    from app.system.version import VERSION

    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == VERSION
