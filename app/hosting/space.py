"""`make space SPACE=owner/name`: the page as a Space on the model hub.

Only the files that the page runs on are sent, by the hub's own client: it stores weights, font and pictures as large
files.  A plain `git push` is refused there, since the history of the repository holds binary files.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from app.system.lfs import refuse_pointers
from app.wording.catalogue import say
from app.wording.errors import UserError

ROOT = Path(__file__).parents[2]
FILES = (
    *("README.md", "LICENSE", "requirements.txt", "app.py"),
    *("app/*.py", "app/*.toml", "app/*.html", "viz/*.py", "viz/*.html"),
    *("assets/page/*.css", "assets/page/*.js", "assets/vendor/*", "assets/fonts/*", "assets/mini/*"),
    *("assets/*.toml", "assets/*.tsv", "assets/*.json", "assets/screenshot.png"),
)
"""Patterns of what is sent; `*` crosses folders."""
LEFT_OUT = ("app/training/*", "app/hosting/*", "*/__pycache__/*", "*/.*")
OURS = ("app/*", "viz/*", "assets/*")
"""What a newer version may delete on the Space: files that the version before it had."""
_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def space_files(root: Path = ROOT) -> dict[str, int]:
    """The files that a Space needs, by their paths in the repository, with their sizes in bytes.

    Raises:
        UserError: `lfs_pointers`, when one of them was not fetched.
    """
    inside = sorted(path.relative_to(root).as_posix() for path in root.glob("*") if path.is_file())
    for folder in ("app", "viz", "assets"):
        inside += sorted(path.relative_to(root).as_posix() for path in (root / folder).rglob("*") if path.is_file())
    names = [name for name in inside if _fits(name, FILES) and not _fits(name, LEFT_OUT)]
    refuse_pointers(root / name for name in names)
    return {name: (root / name).stat().st_size for name in names}


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def send(space: str, root: Path = ROOT) -> str:
    """Create the Space unless it is there, and bring it up to date; returns its address.

    Raises:
        UserError: `bad_space`, `no_token`, `lfs_pointers`, and `space_refused` for what the hub says no to.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError

    if not _NAME.fullmatch(space):
        raise UserError("bad_space", name=space[:80])
    if get_token() is None:
        raise UserError("no_token")
    files = space_files(root)
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    try:
        address = api.create_repo(space, repo_type="space", space_sdk="gradio", exist_ok=True)
        api.upload_folder(
            repo_id=space,
            repo_type="space",
            folder_path=root,
            allow_patterns=list(files),
            delete_patterns=list(OURS),
            commit_message="Glyphscope",
        )
    except Exception as error:  # a refusal, no connection, a file that broke off: it comes in many shapes
        reason = type(error).__name__
        if isinstance(error, HfHubHTTPError):
            reason = f"{error.response.status_code}: {error.server_message}"
        raise UserError("space_refused", space=space, reason=reason) from error
    return str(address)


def listing(files: dict[str, int]) -> str:
    """Names and sizes, one a line, and their sum."""
    lines = [f"{size:>12,}  {name}" for name, size in files.items()]
    return "\n".join([*lines, f"{sum(files.values()):>12,}  bytes in {len(files)} files"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Send the page to a Space, or with `--dry` only print what would be sent."""
    parser = argparse.ArgumentParser(prog="python -m app.hosting", description=main.__doc__)
    parser.add_argument("space", help="owner/name of the Space")
    parser.add_argument("--dry", action="store_true", help="print the files and their sizes, send nothing")
    options = parser.parse_args(arguments)
    try:
        if options.dry:
            print(listing(space_files()))
            return
        print(say("space_sent", address=send(options.space)))
    except UserError as error:
        sys.exit(str(error))
