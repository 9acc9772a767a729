"""The server from outside: the public API, many callers at once, bad input, a clear end."""

import base64
import io
import json
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError

from app.engine.engine import Engine
from app.web.example_results import EXAMPLE_RESULTS
from tests.support.server import ROOT, ended, free_port


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


@pytest.fixture(scope="module")
def callers(client: Client) -> list[Client]:
    """Twenty sessions."""
    with ThreadPoolExecutor(20) as pool:
        return list(pool.map(lambda _: Client(str(client.src), verbose=False), range(20)))


OLD = {
    "/look": ["text"],
    "/generate": ["prompt", "temperature", "top_k", "top_p", "seed", "new_tokens", "first_weight"],
    "/patch": ["first", "second", "answers"],
    "/draw": ["text", "index", "pixels"],
    "/attribute": ["text", "answers"],
}
"""Arguments that had their places before others came."""


def test_public_endpoints_are_typed_and_documented(client: Client) -> None:
    endpoints: dict[str, Any] = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(endpoints) == {*OLD, "/words", "/model", "/attend", "/silence"}
    for name, endpoint in endpoints.items():
        names = [p["parameter_name"] for p in endpoint["parameters"]]
        assert names[: len(OLD.get(name, []))] == OLD.get(name, [])
        assert f'api_name="{name}")' in endpoint["description"]
        for described in (*(p["python_type"] for p in endpoint["parameters"]), endpoint["returns"][0]["python_type"]):
            assert len(described["description"]) > 15 and described["type"] != "Any"
        assert all(p["label"] == p["parameter_name"] for p in endpoint["parameters"])
        assert all(p["example_input"] not in (None, "...") for p in endpoint["parameters"]), name
        fields = [value["component"] for value in (*endpoint["parameters"], *endpoint["returns"])]
        assert set(fields) <= {"Textbox", "Number", "JSON"} and fields[-1] == "JSON"
        result = endpoint["returns"][0]["python_type"]["description"].partition("Shortened, with made-up numbers: ")[2]
        assert json.loads(result) == EXAMPLE_RESULTS[name.removeprefix("/")]
    assert "for every token" in endpoints["/look"]["description"]
    page: dict[str, Any] = httpx.get(f"{client.src}gradio_api/info").json()["named_endpoints"]
    assert set(page) == set(endpoints) and "Api" not in str(page).replace("api_name", "")
    for name, endpoint in page.items():
        for value in (*endpoint["parameters"], *endpoint["returns"]):
            assert len(value["type"]["description"]) > 15, name


ODD: list[Any] = [True, [[]], {"a": 1}]


def test_whatever_an_argument_is_the_answer_is_a_result_or_a_sentence_of_ours(callers: list[Client]) -> None:
    """Every argument of every endpoint in turn, the others being those of the example; an odd value each, three
    sessions ask at once."""
    endpoints: dict[str, Any] = callers[0].view_api(return_format="dict", print_info=False)["named_endpoints"]

    def ask(caller: Client, value: Any) -> int:
        answers = 0
        for name, endpoint in endpoints.items():
            given = {p["parameter_name"]: p["example_input"] for p in endpoint["parameters"]}
            for argument in given:
                answers += 1
                try:
                    caller.predict(**{**given, argument: value}, api_name=name)
                except AppError as error:
                    told, what = str(error), (name, argument, value, str(error))
                    assert told.endswith(".") and len(told) > 15 and "Traceback" not in told, what
                    assert "'NoneType'" not in told and "upstream Gradio app" not in told, what
        return answers

    with ThreadPoolExecutor(len(ODD)) as pool:
        assert min(pool.map(ask, callers, ODD)) > 20


def same_form(example: Any, answer: Any) -> bool:
    """Whether an answer has every field of an example, of the same kind, at every depth; its own names are others."""
    if isinstance(example, dict):
        if not isinstance(answer, dict):
            return False
        return all(name in answer and same_form(part, answer[name]) for name, part in example.items())
    if isinstance(example, list):
        return isinstance(answer, list) and (not answer or same_form(example[0], answer[0]))
    return type(answer) is type(example) or answer is None or {type(answer), type(example)} == {int, float}


def test_the_example_of_every_endpoint_works(client: Client) -> None:
    endpoints: dict[str, Any] = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    for name, endpoint in endpoints.items():
        if name in ("/patch", "/words"):  # the texts of these need a model that has learned
            continue
        call = endpoint["description"].partition("Example: ")[2].partition(" Returns")[0]
        answer = eval(call.rstrip("."), {"client": client})  # our own sentence
        assert same_form(EXAMPLE_RESULTS[name.removeprefix("/")], answer), (name, answer)
    sentence = client.predict("кто: кот кит мама дом\nчто: кот. сам. мам. там.", api_name="/words")
    assert same_form(EXAMPLE_RESULTS["words"], sentence)
    assert len(sentence["words"]) == 8 and sentence["curves"]["purity"]["values"]


def test_parts_of_an_answer_on_request_for_several_texts(client: Client, engine: Engine) -> None:
    texts = ["Мама любит дом.", "The cat", "кот"]
    answer = client.predict(texts, ["top", "jsd", "hidden"], 3, "gate", [2], api_name="/look")
    assert ["".join(t["text"] for t in record["tokens"]).strip() for record in answer["texts"]] == texts
    for text, record in zip(texts, answer["texts"], strict=True):
        states = np.load(io.BytesIO(base64.b64decode(record["hidden"]["layers"]["2"])))
        assert np.allclose(states, engine.look(text).hidden[:, 2], atol=2e-3)
        assert all(len(token["top"]["fused"]) == 3 and 0 <= token["jsd"] <= 1 for token in record["tokens"])
    written = client.predict(["Мама", "кот"], 0, 0, 1, 0, 4, api_name="/generate")["texts"]
    assert written[1]["text"] == client.predict("кот", 0, 0, 1, 0, 4, api_name="/generate")["text"]
    about = client.predict(api_name="/model")
    assert about["checksum"].startswith("sha256:") and about["limits"]["texts_in_one_call"] == 16


@pytest.mark.parametrize(
    ("arguments", "endpoint", "remedy"),
    [
        ((7,), "/look", "text: give a text, or a list"),
        ((["кот"] * 17,), "/look", "at most 16"),
        (("кот", ["all"]), "/look", "include: give a list of any of top, shares"),
        (("кот", [], 33), "/look", "top: give a whole number from 1 to 32"),
        (("кот", [], 3, "sum"), "/look", "fusion: give one of logits"),
        (("кот", [], 3, "gate", [9]), "/look", "layers: give a list of whole numbers from 0 to 2"),
        (("кот", 5), "/patch", "second: give a text"),
        ((None, 1, ["0" * 32] * 32), "/draw", "text: give a text"),
        ((5,), "/words", "words: give the name of a word set"),
        (("кот",), "/words", "at least 6"),
    ],
)
def test_wrong_types_get_a_sentence_about_the_argument(
    client: Client, arguments: tuple[Any, ...], endpoint: str, remedy: str
) -> None:
    with pytest.raises(AppError, match=remedy):
        client.predict(*arguments, api_name=endpoint)


def test_instruments_answer_and_refuse_over_the_network(client: Client) -> None:
    split = client.predict("Мама любит дом.", api_name="/attribute")
    assert sum(split["nats"][0]) == pytest.approx(split["margins"][0], abs=1e-2)
    drawn = client.predict("Мама", 1, ["01" * 16] * 32, api_name="/draw")
    assert len(drawn["jsd"]) == 3 and all(0 <= bits <= 1 for bits in drawn["jsd"])
    looked = client.predict("Мама любит", "ZH", 1, 0, api_name="/attend")
    assert all(sum(row) == pytest.approx(1, abs=1e-4) for row in looked["weights"])
    silent = client.predict("Мама любит", [{"expert": "RU", "kind": "block", "layer": 1}], api_name="/silence")
    assert silent["jsd"][1] == pytest.approx(0, abs=1e-6) and silent["jsd"][0] > 0  # ZH is left alone
    for arguments, endpoint, remedy in (
        (("кот", "ZH", 99, 0), "/attend", "no such part"),
        (("кот", []), "/silence", "at least one part"),
        (("кот", "кот"), "/patch", "change one word"),
        (("Мама", 0, ["0" * 32] * 32), "/draw", "count from"),
        (("Мама", 1, ["0"]), "/draw", "A picture is"),
        (("",), "/attribute", "."),
    ):
        with pytest.raises(AppError, match=remedy):
            client.predict(*arguments, api_name=endpoint)


def test_look_reports_the_log_probabilities_of_the_model(client: Client, engine: Engine) -> None:
    answer = client.predict("Мама любит дом.", api_name="/look")
    ids = [engine.bundle.start, *(t["id"] for t in answer["tokens"])]
    with torch.inference_mode():
        z = engine.model(torch.tensor([ids])).logits[:, 0]
    under = torch.stack([z[0], z[1], z.mean(0)]).log_softmax(-1)
    for t, record in enumerate(answer["tokens"]):
        assert record["log_probs"] == pytest.approx(under[:, t, record["id"]].tolist(), abs=1e-3)
    assert "".join(t["text"] for t in answer["tokens"]) == " Мама любит дом."
    assert answer["experts"] == ["RU", "ZH"]


def test_generate_repeats_itself_with_the_same_seed(client: Client, engine: Engine) -> None:
    from app.engine.sampling import Sampling

    def answer(seed: int) -> str:
        return str(client.predict("Мама", 1.3, 0, 1.0, seed, 12, 0.5, api_name="/generate")["text"])

    *_, last = engine.generate("Мама", Sampling(1.3, 0, 1.0, 7, 12))
    assert last.trace is not None and answer(7) == answer(7) == last.trace.text


def test_twenty_callers_at_once_get_what_each_gets_alone(client: Client, callers: list[Client]) -> None:
    def call(seed: int, caller: Client) -> str:
        return str(caller.predict("The cat", 1.2, 0, 1.0, seed, 16, 0.5, api_name="/generate")["text"])

    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(call, range(20), callers))
    assert together[::5] == [call(seed, client) for seed in range(0, 20, 5)]
    assert len(set(together)) > 5


def test_one_caller_has_four_texts_at_once_and_is_told_so(client: Client) -> None:
    jobs = [client.submit("The cat", 1.2, 0, 1.0, seed, 128, 0.5, api_name="/generate") for seed in range(12)]
    refused = [str(error) for job in jobs if (error := job.exception()) is not None]
    assert refused and all("at most 4 texts at once" in message for message in refused)
    assert len(jobs) - len(refused) >= 4


BAD_CALLS: list[tuple[list[Any], str]] = [
    (["", 0.8, 50, 0.95, 0, 8, 0.5], "Type a few words"),
    (["x" * 100_000, 0.8, 50, 0.95, 0, 8, 0.5], "shorten it to 2000"),
    (["😀", 0.8, 50, 0.95, 0, 8, 0.5], "vocabulary"),
    (["кот", 9.0, 50, 0.95, 0, 8, 0.5], "temperature to a number from 0"),
    (["кот", 0.8, -5, 0.95, 0, 8, 0.5], "top-k"),
    (["кот", 0.8, 50, 7.0, 0, 8, 0.5], "top-p"),
    (["кот", 0.8, 50, 0.95, -1, 8, 0.5], "seed"),
    (["кот", 0.8, 50, 0.95, 0, 100_000, 0.5], "new tokens"),
    (["кот", 0.8, 50, 0.95, 0, 8, 3.0], "2 weights"),
    (["кот", "NaN", 50, 0.95, 0, 8, 0.5], "temperature"),
    (["кот", None, 50, 0.95, 0, 8, 0.5], "temperature"),
]


@pytest.mark.parametrize(("arguments", "remedy"), BAD_CALLS, ids=[repr(a)[:30] for a, _ in BAD_CALLS])
def test_bad_calls_get_one_sentence_and_the_server_goes_on(client: Client, arguments: list[Any], remedy: str) -> None:
    with pytest.raises(AppError, match=remedy):
        client.predict(*arguments, api_name="/generate")
    assert client.predict("кот", api_name="/look")["tokens"]


@pytest.mark.parametrize("text", ["<script>alert(1)</script> кот", "${1+1}", "a\ud800b кот", "\u202eкот", "кот\x00"])
def test_odd_text_is_answered(client: Client, text: str) -> None:
    try:
        answer = client.predict(text, api_name="/look")
    except (AppError, UnicodeEncodeError):  # a lone surrogate cannot even leave the client as UTF-8
        assert "\ud800" in text
    else:
        assert answer["tokens"]
    assert math.isfinite(client.predict("кот", api_name="/look")["tokens"][0]["disagreement"])


def test_a_taken_port_ends_with_a_sentence(client: Client, toy_bundle: Path) -> None:
    port = str(client.src).rstrip("/").rsplit(":", 1)[1]
    status, said = ended(GLYPHSCOPE_MODEL=str(toy_bundle), GRADIO_SERVER_PORT=port)
    assert status != 0 and "Traceback" not in said
    assert f"Port {port} cannot be used: stop what runs there or set GRADIO_SERVER_PORT" in said


def test_the_command_line_names_the_model_and_a_bad_one_is_one_sentence(tmp_path: Path) -> None:
    """The server goes on with the bundled model; what is wrong is in its log."""
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(free_port()), "GRADIO_SERVER_NAME": "127.0.0.1"}
    command = [sys.executable, "app.py", "--model", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        assert "lacks config.json: restore the folder or choose another one" in line.replace("Restore", "restore")
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate(timeout=10)


def test_the_server_starts_without_writing_stubs() -> None:
    """Gradio is the same but for what it writes for editors."""
    code = (
        "from app.system.gradio_stubs import skip_stubs; skip_stubs(); skip_stubs()\n"
        "import sys, gradio, gradio.component_meta as meta\n"
        "assert sum('stubs' in type(finder).__module__ for finder in sys.meta_path) == 1\n"
        "print(meta.create_or_modify_pyi.__module__, gradio.Textbox('x').change.event_name)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["app.system.gradio_stubs", "change"], done.stderr
