"""The endpoints as tools of an MCP server, asked by the client of the `mcp` package."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.system.gradio_stubs import MCP
from app.web import server
from app.wording.errors import UserError
from tests.support.server import ROOT, serving

pytest.importorskip("mcp", reason="no mcp: pip install -r requirements-mcp.txt")
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


async def asked(address: str) -> tuple[list[Any], Any, Any]:
    """The tools, and what two calls gave."""
    async with streamable_http_client(f"{address}/gradio_api/mcp/") as (read, write, _):
        async with ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            good = await session.call_tool("look", {"text": "Мама любит дом.", "include": ["jsd"]})
            bad = await session.call_tool("look", {"text": "Мама", "fusion": "sum"})
            return tools, good, bad


PUBLIC = {"look", "generate", "model", "patch", "draw", "attribute", "attend", "silence", "words"}


def test_tools_are_described_answer_and_refuse(toy_bundle: Path) -> None:
    with serving(toy_bundle, {"GLYPHSCOPE_MCP": "1"}) as (address, _, _):
        tools, good, bad = asyncio.run(asked(address))
    assert {tool.name for tool in tools} == PUBLIC
    for tool in tools:
        assert "Example: " in tool.description
        assert all(len(known["description"]) > 15 for known in tool.inputSchema["properties"].values())
    assert not good.isError and re.search(r"'jsd': 0\.\d", good.content[0].text)
    assert bad.isError and "fusion: give one of logits" in bad.content[0].text


def test_without_its_package_the_setting_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not server.wants_mcp()
    monkeypatch.setenv(MCP, "1")
    assert server.wants_mcp()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"requirements-mcp\.txt"):
        server.wants_mcp()


@pytest.mark.parametrize("setting", ["0", "1"])
def test_a_server_imports_its_package_only_where_it_is_asked_for(setting: str) -> None:
    code = "from app.system.gradio_stubs import skip_stubs; skip_stubs()\nimport gradio, sys\nprint(sys.modules['mcp'])"
    environment = {**os.environ, MCP: setting}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=environment)
    assert done.stdout.startswith("<module 'mcp'" if setting == "1" else "None"), done.stderr
