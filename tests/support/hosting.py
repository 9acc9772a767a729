"""What a host has around the server: a container's limits, and proxies."""

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.server import ROOT, free_port

USER = 4711
CACHES = ("GLYPHSCOPE_CACHE", "GRADIO_TEMP_DIR", "NUMBA_CACHE_DIR", "MPLCONFIGDIR", "HF_HOME", "XDG_CACHE_HOME")
"""Settings of folders for what is kept; a container starts without them."""


def sandbox() -> list[str]:
    """A command that runs another one as a container does: another user, without a home or a name, on a read-only
    system with a fresh folder for temporary files.  Empty where that is not allowed, or bubblewrap is missing."""
    if shutil.which("bwrap") is None:
        return []
    mounts = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    mounts += ["--ro-bind", str(ROOT), str(ROOT)]  # the project may itself lie among the temporary files
    user = ["--unshare-user", "--uid", str(USER), "--gid", str(USER)]
    nothing_set = [part for name in CACHES for part in ("--unsetenv", name)]
    command = ["bwrap", *mounts, *user, "--die-with-parent", "--setenv", "HOME", "/", *nothing_set]
    allowed = subprocess.run([*command, "true"], capture_output=True).returncode == 0
    return command if allowed else []


@contextmanager
def nginx(configuration: str, address: str) -> Iterator[str]:
    """nginx with a configuration, stopped on leaving; address: one where it, or what is behind it, answers."""
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "nginx.conf").write_text(configuration, encoding="utf-8")
        process = subprocess.Popen(
            ["nginx", "-e", "stderr", "-p", place, "-c", "nginx.conf"], stderr=subprocess.PIPE, text=True
        )
        try:
            for _ in range(100):
                if process.poll() is not None:
                    raise RuntimeError(process.stderr.read() if process.stderr else "")
                try:
                    httpx.get(address, timeout=5)
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            yield place
        finally:
            process.terminate()
            process.wait(10)
            if process.stderr:
                process.stderr.close()


@contextmanager
def proxied(addresses: list[str]) -> Iterator[str]:
    """The address of the proxy of `assets/nginx.conf` in front of some replicas."""
    port = free_port()
    lines = "\n".join(
        f"server {address.removeprefix('http://')} max_fails=2 fail_timeout=10s;" for address in addresses
    )
    text = (ROOT / "assets" / "nginx.conf").read_text(encoding="utf-8")
    text = re.sub(r"(?:^ *server 127\.0\.0\.1:\d+ .*$\n)+", lines + "\n", text, flags=re.MULTILINE)
    text = text.replace("listen 127.0.0.1:7860;", f"listen 127.0.0.1:{port};")
    with nginx(text, f"http://127.0.0.1:{port}/gs/alive"):
        yield f"http://127.0.0.1:{port}"


def behind_a_path(server: str, ports: dict[str, int]) -> str:
    """nginx as some hosts set it: `/demo` kept or stripped on its way to a server, `kept` and `stripped` with its
    defaults, which collect answers and pack them; `bare` strips it and knows no closing slash."""
    ways = {
        "kept": f"location /demo {{ proxy_pass {server}; }}",
        "stripped": f"location /demo/ {{ proxy_pass {server}/; }} location = /demo {{ proxy_pass {server}/; }}",
        "bare": f"location /demo {{ rewrite ^/demo/?(.*)$ /$1 break; proxy_pass {server}; proxy_http_version 1.1; }}",
    }
    servers = "".join(
        f"server {{ listen 127.0.0.1:{ports[name]}; client_max_body_size 1m; proxy_read_timeout 1h; gzip on;\n"
        f"gzip_types *; gzip_proxied any; proxy_set_header Host $http_host;\n"
        f"proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
        f"location / {{ return 404; }}\n{way}\n}}\n"
        for name, way in ways.items()
    )
    temporary = "".join(f"{kind}_temp_path .{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"daemon off; pid nginx.pid; events {{}}\nhttp {{ access_log off; {temporary}\n{servers} }}\n"
