"""The page as hosts run it: in a container's limits, behind a path, behind proxies.  One server, one nginx."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from gradio_client import Client
from playwright.sync_api import Browser

from tests.support.browsing import needs_browser, open_page, open_tab, write_on
from tests.support.hosting import USER, behind_a_path, nginx, sandbox
from tests.support.server import ROOT, ended, free_port, serving

WAYS = ("kept", "stripped", "bare")


@pytest.fixture(scope="module")
def container() -> list[str]:
    if not (command := sandbox()):
        pytest.skip("bubblewrap is missing, or may not make a namespace here: apt-get install bubblewrap")
    return command


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The bundled model, in a sandbox where there is one, told that it stands behind /demo/ and one proxy."""
    settings = {"GRADIO_ROOT_PATH": "demo/", "GLYPHSCOPE_PROXIES": "1"}
    with serving(extra=settings, inside=sandbox()) as (address, _, _):
        yield address


@pytest.fixture(scope="module")
def ways(server: str) -> Iterator[dict[str, str]]:
    """Addresses of the same server behind a path."""
    if shutil.which("nginx") is None:
        pytest.skip("There is no nginx: apt-get install nginx-light")
    ports = {name: free_port() for name in WAYS}
    with nginx(behind_a_path(server, ports), f"http://127.0.0.1:{ports['kept']}/demo/gs/alive"):
        yield {name: f"http://127.0.0.1:{port}/demo" for name, port in ports.items()}


def test_numba_keeps_what_it_compiles_for_any_user_on_a_read_only_system(container: list[str]) -> None:
    """Without a folder for it, UMAP cannot even be imported; a small function of a read-only file asks the same."""
    asked = """
import colorsys, os
from app.system.environment import set_defaults
set_defaults()
import numba
numba.njit(cache=True)(colorsys.yiq_to_rgb)(0.1, 0.2, 0.3)
kept = [name for _, _, names in os.walk(os.environ["NUMBA_CACHE_DIR"]) for name in names]
print(os.getuid(), os.access(".", os.W_OK), bool(kept), os.environ["NUMBA_CACHE_DIR"], os.environ["HF_HOME"])
"""
    done = subprocess.run(
        [*container, sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    place = f"/tmp/glyphscope-{USER}"
    assert done.stdout.split() == [str(USER), "False", "True", f"{place}/numba", f"{place}/hub"], done.stderr[-2000:]


def test_a_folder_for_caches_that_cannot_be_written_ends_the_server_with_a_sentence() -> None:
    status, said = ended(GLYPHSCOPE_CACHE="/dev/null/none")
    assert status != 0 and "set GLYPHSCOPE_CACHE to a writable folder" in said and "Traceback" not in said


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_behind_a_path_every_address_of_the_page_is_there(ways: dict[str, str], way: str, slash: str) -> None:
    with httpx.Client(follow_redirects=True, timeout=30) as client:
        page = client.get(f"{ways[way]}{slash}?lang=ru")
        assert page.status_code == 200 and page.url.query == b"lang=ru" and "<html" in page.text
        assert len(page.history) == (way == "kept" and not slash)
        base = httpx.URL(ways[way]).join(re.search(r"<base href='([^']+)'>", page.text)[1])  # type: ignore[index]
        assert str(base) == f"{ways[way]}/"
        assert json.loads(re.search(r"gradio_config = (\{.*?\});</script>", page.text)[1])["root"] == ways[way]  # type: ignore[index]
        needed = re.findall(r"<(?:script|link)[^>]* (?:src|href)=['\"](?!data:|http|/manifest)([^'\"]+)", page.text)
        assert any("gs/page/" in name for name in needed) and any(name.startswith("./assets/") for name in needed)
        for name in {*needed[:8], *needed[-4:], "gs/plotly-basic.min.js", "gs/alive", "config"}:
            answer = client.get(base.join(name))
            assert answer.status_code == 200, (name, answer.status_code)
        assert client.get(base.join("/gs/alive")).status_code == 404, "nothing is asked outside the path"


@pytest.mark.parametrize("way", WAYS)
def test_behind_a_path_a_client_writes_and_proxies_hold_nothing_back(ways: dict[str, str], way: str) -> None:
    client = Client(f"{ways[way]}/", verbose=False)
    text = client.predict("Мама", 0.8, 50, 0.95, 3, 8, 0.5, api_name="/generate")["text"]
    assert text.strip().startswith("Мама") and len(text) > 6
    with httpx.Client(base_url=ways[way], timeout=60, headers={"Accept-Encoding": "gzip"}) as http:
        config = http.get("/config").json()
        listener = next(d for d in config["dependencies"] if d["api_name"] == "on_generate")
        values: dict[int, Any] = {c["id"]: c["props"].get("value") for c in config["components"]}
        data = [values.get(component) for component in listener["inputs"]]
        data[0], data[4], data[5] = "Жила-была девочка", 7, 100
        body = {"data": data, "fn_index": listener["id"], "session_hash": f"held{way}"}
        http.post("/gradio_api/queue/join", json=body).raise_for_status()
        came: list[float] = []
        with http.stream("GET", f"/gradio_api/queue/data?session_hash=held{way}") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            for line in stream.iter_lines():
                came += [time.perf_counter()] if "process_generating" in line else []
                if "process_completed" in line:
                    break
    assert len(came) >= 5 and came[-1] - came[0] > 0.1, "frames come as they are made, not all at the end"


@needs_browser
def test_behind_a_path_a_browser_opens_the_page_and_writes(ways: dict[str, str], browser: Browser) -> None:
    """Without the closing slash, where the server never sees that: the address is mended, and all is found."""
    page = open_page(browser, f"{ways['bare']}?lang=en")
    assert page.url == f"{ways['bare']}/?lang=en"
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    page.reload()
    page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=60_000)
    write_on(page, "The cat")
    open_tab(page, "layers")
    assert [url for url in failed if not url.endswith("/manifest.json")] == []  # Gradio asks for it beside the path
    page.context.close()


def test_compose_gives_every_visitor_one_of_two_replicas_on_read_only_systems(tmp_path: Path) -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert set(services) == {"proxy", "one", "two"} and services["one"] == services["two"]
    replica = services["one"]
    assert replica["read_only"] and replica["tmpfs"] == ["/tmp"] and replica["volumes"] == ["weights:/weights"]
    assert replica["environment"]["GLYPHSCOPE_PROXIES"] == 1
    shell = services["proxy"]["command"][-1].partition(" && ")[0]
    shell = shell.replace("/tmp/", f"{tmp_path}/").replace("/glyphscope.conf", str(ROOT / "assets/nginx.conf"))
    subprocess.run(["sh", "-c", shell], check=True)
    made = (tmp_path / "nginx.conf").read_text(encoding="utf-8")
    assert re.findall(r"^ *(?:listen|server) (\S+?:?\d+)\b", made, re.MULTILINE) == ["one:7860", "two:7860", "7860"]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "VOLUME /weights" in dockerfile and "--mode=1777 /weights" in dockerfile and "\nUSER 1000\n" in dockerfile


def test_the_image_is_made_of_what_there_is() -> None:
    """No engine is needed to see that what the Dockerfile copies, installs and starts is there and not left out."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [source for line in re.findall(r"^COPY (.+)", dockerfile, re.MULTILINE) for source in line.split()[:-1]]
    named = [
        *re.findall(r"-r (\S+)", dockerfile),
        re.findall(r'^CMD \["python", "(.+)"\]', dockerfile, re.MULTILINE)[-1],
    ]
    for source in (*copied, *named, "assets/mini/model.safetensors"):
        assert (ROOT / source).exists() and source not in left_out, source
    assert "." in copied and copied.index("requirements.txt") < copied.index("."), "packages stay cached"
