"""The training chain: reproducible order, resume after a kill, held-out lines that stay out."""

import dataclasses
import itertools
import json
import lzma
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from app.checkpoint.bundle import load_bundle, merge, take_expert
from app.network.experts import StackedExperts
from app.network.interface import Shape
from app.probing.contexts import Readings
from app.substrate.translation_frame import frame
from app.substrate.vocabulary import build_tokenizer, mini_vocabulary
from app.training import commands as train
from app.training import run as expert
from app.training import transfer
from app.training.batches import order_rows, token_stream
from app.training.card_sections import held_out, runs_table, training_commands, translation
from app.training.corpus import (
    LANGUAGES,
    LONGEST_LINE,
    TextError,
    breaks_off,
    cut_line,
    is_fit,
    is_held_out,
    read_lines,
    read_pairs,
    story_from_opening,
    stream_names,
)
from app.training.evaluate import bits_per_character, chunks, load_network
from app.training.muon import Muon
from app.training.pairs import fold, repeats_test, sentences, split_pairs, training_lines
from app.training.prepare import SEPARATOR, Plan, prepare
from app.training.translation import WAYS, score, translate
from tests.conftest import TEXT


def test_rows_of_a_longer_run_begin_with_those_of_a_shorter_one() -> None:
    streams = {"a": np.arange(1000, dtype=np.uint16), "b": np.arange(2000, 4000, dtype=np.uint16)}
    short = order_rows(streams, {"a": 0.5, "b": 0.5}, 40, 16, seed=1)
    long = order_rows(streams, {"a": 0.5, "b": 0.5}, 400, 16, seed=1)
    assert np.array_equal(short.batch(0, 40), long.batch(0, 40))
    assert short.batch(0, 40).shape == (40, 17)


def test_rows_follow_the_mix_and_repeat_only_after_a_whole_epoch() -> None:
    streams = {"a": np.arange(10_000, dtype=np.uint16), "b": np.arange(10_000, dtype=np.uint16)}
    rows = order_rows(streams, {"a": 0.8, "b": 0.2}, 600, 20, seed=0)
    assert 0.75 < rows.languages.count("a") / 600 < 0.85
    first = [s for s, name in zip(rows.starts, rows.languages, strict=True) if name == "a"][:450]
    assert len(set(first)) == len(first)


def test_too_short_a_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="add text"):
        order_rows({"a": np.arange(10, dtype=np.uint16)}, {"a": 1.0}, 5, 16, seed=0)


def test_token_stream_joins_all_lines_behind_separators() -> None:
    tokenizer = build_tokenizer(mini_vocabulary("abc", []))
    stream = token_stream(["ab", "c"], tokenizer, SEPARATOR, seed=0)
    ids = tokenizer.get_vocab()
    pieces = {(SEPARATOR, ids["a"], ids["b"]), (SEPARATOR, ids["c"])}
    assert {tuple(part) for part in (stream[:3].tolist(), stream[3:].tolist())} == pieces or {
        tuple(part) for part in (stream[:2].tolist(), stream[2:].tolist())
    } == pieces


def test_held_out_lines_are_never_in_the_training_stream(toy_work: Path) -> None:
    tokenizer = Tokenizer.from_file(str(toy_work / "tokenizer.json"))
    for language in LANGUAGES:
        lines = read_lines(TEXT, language)
        assert not set(lines.train) & set(lines.held_out)
        held = (toy_work / f"{language}.held_out.txt").read_text(encoding="utf-8").split("\n")
        assert held == list(lines.held_out) and all(map(is_held_out, held))
        stream = np.load(toy_work / f"{language}.npy").tolist()
        starts = [i for i, token in enumerate(stream) if token == SEPARATOR]
        trained = {tuple(stream[a + 1 : b]) for a, b in zip(starts, [*starts[1:], len(stream)], strict=True)}
        assert len(trained) > 100
        assert not any(tuple(tokenizer.encode(line).ids) in trained for line in held)


def test_about_two_per_cent_are_held_out() -> None:
    share = sum(is_held_out(f"line {i}") for i in range(20_000)) / 20_000
    assert 0.015 < share < 0.025


@pytest.mark.parametrize(
    ("line", "language", "fit"),
    [
        ("He was murdered.", "en", False),
        ("She has a class today.", "en", True),
        ("Он убил медведя.", "ru", False),
        ("Мама любит чай.", "ru", True),
        ("他想自杀。", "zh", False),
        ("我喜欢猫。", "zh", True),
    ],
)
def test_lines_unfit_for_a_class_are_dropped(line: str, language: str, fit: bool) -> None:
    assert is_fit(line, language) is fit


def test_pairs_keep_off_held_out_and_unfit_lines(tmp_path: Path) -> None:
    held = next(f"Line {i}." for i in range(999) if is_held_out(f"Line {i}."))
    rows = [
        "I see.\tЯ вижу.",
        f"{held}\tДа.",
        "He was murdered.\tНет.",
        "Alone.",
        "Two.\t",
        "I see.\tЯ вижу.",
        "No.\tНет.",
    ]
    (tmp_path / "en-ru.tsv").write_text("\r\n".join(rows), encoding="utf-8")
    assert read_pairs(tmp_path).train["en-ru"] == (("I see.", "Я вижу."), ("No.", "Нет."))
    assert read_pairs(tmp_path).train.get("en-zh", ()) == ()


def many_pairs() -> dict[str, list[tuple[str, str]]]:
    """300 English sentences; each has a Russian one, every second a Chinese one, some share a translation."""
    english = [f"This is sentence number {i}." for i in range(300)]
    return {
        "en-ru": [(text, f"Это предложение {i % 290}.") for i, text in enumerate(english)],
        "en-zh": [(text.upper(), f"这是第{i}句话。") for i, text in enumerate(english) if i % 2 == 0],
    }


def test_nothing_of_a_test_pair_is_in_training() -> None:
    """Whatever side and pivot, case and punctuation aside; and the test would see it if it were."""
    pairs = split_pairs(many_pairs())
    folded_test = {fold(side) for rows in pairs.test.values() for pair in rows for side in pair}
    trained = {fold(side) for rows in pairs.train.values() for pair in rows for side in pair}
    assert len(pairs.test["ru-zh"]) > 20 and len(pairs.train["ru-zh"]) > 20
    assert not folded_test & trained
    assert folded_test & {fold(side) for pair in many_pairs()["en-ru"] for side in pair}
    assert repeats_test(f"Once. {pairs.test['en-ru'][0][0].upper()} Then.", frozenset(folded_test))
    assert not repeats_test("Nothing of it.", frozenset(folded_test))


def test_training_lines_name_their_target() -> None:
    assert training_lines([("I see.", "我明白。")], "en-zh") == ["= I see. = zh:我明白。", "= 我明白。 = en: I see."]
    assert training_lines([("I see.", "我明白。")], "en-zh")[0].startswith(frame("I see.", "zh"))


def test_prepared_streams_hold_no_test_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text"
    shutil.copytree(TEXT, text)
    for name, rows in many_pairs().items():
        (text / f"{name}.tsv").write_text("\n".join("\t".join(row) for row in rows), encoding="utf-8")
    sentence = split_pairs(many_pairs()).test["en-ru"][0][0]
    story = [f"Once upon a time. {sentence} The end of story {i}." for i in range(40)] + [
        f"Story {i}." for i in range(40)
    ]
    (text / "en_stories.txt").write_text("\n".join(story), encoding="utf-8")
    work = tmp_path / "work"
    prepare(text, work, Plan(700, 32))
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    streams = {path.stem: np.load(path).tolist() for path in work.glob("*.npy")}
    assert {"en", "en_stories", "en-ru", "en-zh", "ru-zh"} <= streams.keys()
    assert len(lines_of(streams["en_stories"])) <= 40
    tests = [line.split("\t") for path in work.glob("*.test.tsv") for line in path.read_text("utf-8").splitlines()]
    forbidden = {fold(side) for row in tests for side in row}
    for stream in streams.values():
        for ids in lines_of(stream):
            line = tokenizer.decode(ids, skip_special_tokens=False)
            parts = [line, *sentences(line), *line.replace("=", "\n").replace(":", "\n").split("\n")]
            assert not forbidden & {fold(part) for part in parts}, line


def lines_of(stream: list[int]) -> list[list[int]]:
    """The lines of a token stream, without their separators."""
    starts = [i for i, token in enumerate(stream) if token == SEPARATOR]
    return [stream[a + 1 : b] for a, b in zip(starts, [*starts[1:], len(stream)], strict=True)]


def test_text_is_read_as_the_page_reads_it(tmp_path: Path) -> None:
    """Byte order mark, Windows' line ends, decomposed letters, odd spaces, invisible characters, Unicode's line
    separator, a packed file."""
    odd = "\ufeffи\u0306од\r\nне\u00a0тот\u200b дом\u2028и сад\r\n"
    (tmp_path / "ru.txt").write_bytes(odd.encode("utf-8"))
    lines = read_lines(tmp_path, "ru")
    assert sorted(lines.train + lines.held_out) == ["йод", "не тот дом и сад"]
    (tmp_path / "ru_more.txt.xz").write_bytes(lzma.compress(odd.encode("utf-8")))
    assert read_lines(tmp_path, "ru_more") == lines


@pytest.mark.parametrize(("name", "content"), [("ru.txt", "Мама".encode("cp1251")), ("ru.txt.xz", b"no archive")])
def test_text_in_another_encoding_is_refused_by_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TextError, match=f"{name} is not UTF-8"):
        read_lines(tmp_path, "ru")


def test_a_line_too_long_is_cut_at_sentence_ends_and_counted(tmp_path: Path) -> None:
    story = " ".join(f"The cat sat on mat {i} and looked at the door." for i in range(200))
    (tmp_path / "en.txt").write_text(story + "\n" + "".join(map(str, range(2000))), encoding="utf-8")
    lines = read_lines(tmp_path, "en")
    parts = lines.train + lines.held_out
    assert lines.cut == 2 and len(parts) > 3 and all(len(part) <= LONGEST_LINE for part in parts)
    assert sum(part.count("cat") for part in parts) == 200
    assert sum(map(len, (part for part in parts if "cat" not in part))) == len("".join(map(str, range(2000))))
    assert cut_line("一二三。四五六。七八九。", 8) == ["一二三。四五六。", "七八九。"]
    assert cut_line("One. Two. Three.", 9) == ["One. Two.", "Three."]


def test_streams_are_found_by_their_names(tmp_path: Path) -> None:
    for name in ("en.txt", "en_stories.txt.xz", "ru.txt", "zh_stories-sa.txt", "notes.txt", "en-ru.tsv"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    with pytest.raises(TextError, match="no text for zh"):
        stream_names(tmp_path)
    (tmp_path / "zh.txt").write_text("x", encoding="utf-8")
    assert stream_names(tmp_path) == ["en", "en_stories", "ru", "zh", "zh_stories-sa"]


@pytest.mark.parametrize(
    ("line", "language", "story", "broken"),
    [
        ("A. Once upon a time there was B. C. D. E. F.", "en", "Once upon a time there was B. C. D. E. F.", False),
        ("Once upon a time there was a cat.", "en", None, True),
        ("The cat sat. It ate. It slept. It ran. It hid.", "en", None, False),
        ("他说。从前有只猫。甲。乙。丙。丁。", "zh", "从前有只猫。甲。乙。丙。丁。", False),
        ("Жила-была кошка.", "ru", None, True),
    ],
)
def test_openings_are_followed_by_stories(line: str, language: str, story: str | None, broken: bool) -> None:
    assert story_from_opening(line, language) == story and breaks_off(line, language) is broken


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--warmup", "0"], "--warmup must be 1"),
        (["--dropout", "1.5"], "--dropout must be"),
        (["--mix", "en=1,fr=1"], "no stream fr"),
        (["--mix", "en=0"], "more than 0"),
        (["--origin", "nowhere"], "nowhere"),
    ],
)
def test_options_that_cannot_work_are_refused_in_a_sentence(
    toy_work: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    small_work(toy_work, tmp_path)
    with pytest.raises(SystemExit, match=said):
        train.main(["--work", str(tmp_path), "expert", "en", "--mix", "en=1", "--context", "32", *arguments])


def test_a_mix_may_have_spaces() -> None:
    assert train.parse_shares("ru=0.5, en = 0.5") == {"ru": 0.5, "en": 0.5}


def test_a_checkpoint_of_another_tokenizer_or_table_is_refused(toy_work: Path, tmp_path: Path) -> None:
    """Resumed, evaluated, merged or bundled."""
    shape = small_work(toy_work, tmp_path)
    recipe = expert.Recipe({"en": 1.0}, tokens=4 * 8 * 48, warmup=2)
    expert.train_expert(tmp_path, "ru", recipe, shape)
    table = load_file(tmp_path / "substrate.safetensors")
    for swapped in ({**table, "embedding": table["embedding"][::-1].copy()}, table):
        save_file(swapped, tmp_path / "substrate.safetensors")
        if swapped is table:  # the table is back, now two tokens change places
            tokenizer = (tmp_path / "tokenizer.json").read_text(encoding="utf-8")
            ids = json.loads(tokenizer)
            vocabulary = ids["model"]["vocab"]
            vocabulary["а"], vocabulary["б"] = vocabulary["б"], vocabulary["а"]
            (tmp_path / "tokenizer.json").write_text(json.dumps(ids), encoding="utf-8")
        for command in (
            ["expert", "ru", "--mix", "en=1"],
            ["evaluate", "--experts", "ru"],
            ["joint", "j", "--of", "ru", "--mix", "en=1"],
        ):
            with pytest.raises(SystemExit, match="another tokenizer or table"):
                train.main(["--work", str(tmp_path), *command])


def test_a_packed_expert_is_the_same_expert(toy_work: Path, tmp_path: Path) -> None:
    """To half precision, in files of a bounded size; one trained on begins with fresh optimizers."""
    shape = small_work(toy_work, tmp_path)
    recipe = expert.Recipe({"en": 1.0}, tokens=4 * 8 * 48, warmup=2, embedding="trained")
    expert.train_expert(tmp_path, "ru", recipe, shape)
    before = expert.read_checkpoint(tmp_path, "ru")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "LARGEST_FILE", 60_000)
        files = transfer.pack_expert(tmp_path, "ru", tmp_path / "packed")
    assert len(files) > 1
    (tmp_path / "ru.pt").unlink()
    train.main(["--work", str(tmp_path), "unpack", "ru", "--folder", str(tmp_path / "packed")])
    after = expert.read_checkpoint(tmp_path, "ru")
    for name, value in before["model"].items():
        assert torch.allclose(after["model"][name], value, atol=1e-3), name
    assert after["step"] == before["step"] and after["recipes"] == before["recipes"]
    longer = dataclasses.replace(recipe, tokens=6 * 8 * 48)
    assert expert.open_run(tmp_path, "ru", longer, shape, torch.device("cpu")).step == before["step"]
    with pytest.raises(TextError, match="pack that expert first"):
        transfer.unpack_expert(tmp_path / "packed", "zh", tmp_path)


def test_greedy_translation_by_a_plain_loop(toy_work: Path) -> None:
    """Whole text anew for every token, one sentence at a time, no cache; each expert, the mean and the gate."""
    states = train.load_states(toy_work, ["ru", "zh"])
    model = load_network(merge([state["model"] for state in states.values()]), train.merged_shape(states))
    tokenizer = Tokenizer.from_file(str(toy_work / "tokenizer.json"))
    sources = ["Где кот?", "Мама любит дом.", "Да."]

    def plain(source: str, way: str | int) -> str:
        ids = [SEPARATOR, *tokenizer.encode(f"= {source} = en:", add_special_tokens=False).ids]
        start = len(ids)
        for _ in range(min(model.shape.context - start, 2 * start + 12)):
            with torch.inference_mode():
                each = model(torch.tensor([ids])).logits[:, 0].log_softmax(-1)
            known = sum(each[:, t, ids[t + 1]] for t in range(len(ids) - 1))
            if isinstance(way, int):
                scores = each[way, -1]
            elif way == "mean of logits":
                scores = each[:, -1].mean(0)
            else:
                scores = (torch.softmax(torch.as_tensor(known), 0)[:, None] * each[:, -1].exp()).sum(0)
            ids.append(int(scores.argmax()))
            if ids[-1] == SEPARATOR:
                ids.pop()
                break
        return tokenizer.decode(ids[start:], skip_special_tokens=False).strip()

    for way in (0, 1, *WAYS):
        assert translate(model, tokenizer, sources, "en", way) == [plain(source, way) for source in sources]


def test_scores_of_translations() -> None:
    same = score(["Я люблю маму и папу."], ["Я люблю маму и папу."], "ru")
    assert same == {"bleu": 100.0, "chrf": 100.0}
    assert score(["我喜欢那只猫。"], ["我喜欢这只猫。"], "zh")["bleu"] < 60


class Killed(Exception):
    pass


def test_resume_after_a_kill_gives_the_same_weights(toy_work: Path, tmp_path: Path) -> None:
    """Killed in the middle of a step, and again in the middle of writing a checkpoint."""
    for file in toy_work.glob("*"):
        if file.suffix in (".npy", ".safetensors", ".json"):
            shutil.copy(file, tmp_path)
    vocabulary, width = expert.load_embedding(tmp_path).shape
    shape = Shape(vocabulary, width, layers=1, heads=2, experts=1, context=32)
    recipe = expert.Recipe({"en": 1.0}, tokens=30 * 8 * 32, warmup=5)
    whole = expert.train_expert(tmp_path, "whole", recipe, shape, save_every=10)

    real_step, real_replace = expert.train_step, os.replace
    for kill_step_at, kill_save_at in ((14, None), (None, 2)):
        calls = {"step": 0, "save": 0}

        def step(*arguments: object, at: int | None = kill_step_at, calls: dict[str, int] = calls) -> torch.Tensor:
            calls["step"] += 1
            if calls["step"] == at:
                raise Killed
            return real_step(*arguments)  # type: ignore[arg-type]

        def replace(*arguments: object, at: int | None = kill_save_at, calls: dict[str, int] = calls) -> None:
            calls["save"] += 1
            if calls["save"] == at:
                raise Killed
            real_replace(*arguments)  # type: ignore[arg-type]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(expert, "train_step", step)
            patch.setattr(os, "replace", replace)
            with pytest.raises(Killed):
                expert.train_expert(tmp_path, "part", recipe, shape, save_every=10)
        resumed = expert.train_expert(tmp_path, "part", recipe, shape, save_every=10)
        for (name, a), b in zip(whole.state_dict().items(), resumed.state_dict().values(), strict=True):
            assert torch.equal(a, b), name
        steps = [line["step"] for line in expert.read_curve(tmp_path / "part.curve.jsonl")]
        assert steps == [25, 30]
        (tmp_path / "part.pt").unlink()


def test_rate_rises_stays_and_falls_to_nothing() -> None:
    recipe = expert.Recipe({}, warmup=10, decay=0.5)
    rates = [expert.rate(step, 100, recipe) for step in range(101)]
    assert rates[0] == 0.1 and rates[30] == 1.0 and rates[75] == 0.5 and rates[100] == 0


def test_muon_on_a_stack_does_what_torch_does_to_each_matrix() -> None:
    """torch.optim.Muon (bfloat16 inside) on single matrices, ours on their stack, three steps each; how products are
    rounded differs among processors."""
    generator = torch.Generator().manual_seed(0)
    for shape in ((2, 12, 20), (2, 20, 12)):
        start, gradients = torch.randn(shape, generator=generator), torch.randn((3, *shape), generator=generator)
        for dtype, tolerance in ((torch.bfloat16, 5e-4), (torch.float32, 2e-3)):
            stack = torch.nn.Parameter(start.clone())
            singles = [torch.nn.Parameter(matrix.clone()) for matrix in start]
            ours = Muon([stack], lr=0.02, weight_decay=0.1, dtype=dtype)
            theirs = torch.optim.Muon(singles, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
            for gradient in gradients:
                stack.grad = gradient.clone()
                for single, part in zip(singles, gradient, strict=True):
                    single.grad = part.clone()
                ours.step()
                theirs.step()
            assert torch.allclose(stack, torch.stack(list(singles)), atol=tolerance, rtol=0)
            assert not torch.allclose(stack, start, atol=0.01)


def test_a_run_goes_on_from_a_written_checkpoint_folder(toy_work: Path, toy_bundle: Path, tmp_path: Path) -> None:
    for file in toy_work.glob("*"):
        if file.suffix in (".npy", ".safetensors", ".json"):
            shutil.copy(file, tmp_path)
    bundle = load_bundle(toy_bundle)
    shape = dataclasses.replace(bundle.model.shape, experts=1)
    begun = bundle.training["experts"]["ZH"]["tokens"] // (8 * shape.context)
    recipe = expert.Recipe({"zh": 1.0}, tokens=(begun + 4) * 8 * shape.context, warmup=2, seed=1)
    run = expert.open_run(tmp_path, "zh", recipe, shape, torch.device("cpu"), toy_bundle)
    assert run.step == begun and run.recipes[-1]["from_step"] == begun and len(run.recipes) == 2
    assert torch.equal(run.model.head[0], bundle.model.head[bundle.experts.index("ZH")])  # type: ignore[attr-defined]
    model = expert.train_expert(tmp_path, "zh", recipe, shape, origin=toy_bundle)
    assert torch.equal(model.embedding, bundle.model.embedding)
    assert not torch.equal(model.head[0], bundle.model.head[bundle.experts.index("ZH")])  # type: ignore[attr-defined]
    assert torch.load(tmp_path / "zh.pt", weights_only=True)["step"] == begun + 4


def test_another_frozen_table_is_not_continued(toy_work: Path, toy_bundle: Path) -> None:
    model = StackedExperts(dataclasses.replace(load_bundle(toy_bundle).model.shape, experts=1))
    model.embedding.fill_(0.5)
    with pytest.raises(ValueError, match="another frozen embedding"):
        take_expert(toy_bundle, "RU", model)


@pytest.mark.parametrize("control", expert.EMBEDDINGS)
def test_only_the_trained_control_changes_its_table(toy_work: Path, tmp_path: Path, control: str) -> None:
    for file in toy_work.glob("*"):
        if file.suffix in (".npy", ".safetensors", ".json"):
            shutil.copy(file, tmp_path)
    pictures = expert.load_embedding(tmp_path)
    shape = Shape(pictures.shape[0], pictures.shape[1], layers=1, heads=2, experts=1, context=32)
    recipe = expert.Recipe({"en": 1.0}, tokens=6 * 8 * 32, warmup=2, embedding=control)
    model = expert.train_expert(tmp_path, "twin", recipe, shape)
    start = expert.table_of(pictures, recipe)
    assert torch.equal(model.embedding, start) == (control != "trained")
    assert torch.equal(start, pictures) == (control in ("frozen", "trained"))
    if control == "permuted":
        assert torch.equal(start.sort(0).values, pictures.sort(0).values)
    if control == "random":
        assert torch.allclose(start.norm(dim=-1), torch.ones(len(start)))
    again = expert.open_run(tmp_path, "twin", recipe, shape, torch.device("cpu"))
    assert torch.equal(again.model.embedding, model.embedding) and len(again.recipes) == 1


def small_work(toy_work: Path, folder: Path) -> Shape:
    """Streams and table of the toy work folder in a folder of one's own; the shape of a small expert."""
    for file in toy_work.glob("*"):
        if file.suffix in (".npy", ".safetensors", ".json", ".txt"):
            shutil.copy(file, folder)
    vocabulary, width = expert.load_embedding(folder).shape
    return Shape(vocabulary, width, layers=3, heads=2, experts=1, context=48)


def test_growth_leaves_the_lower_blocks_as_they_are(toy_work: Path, tmp_path: Path) -> None:
    shape = small_work(toy_work, tmp_path)
    expert.grow_expert(tmp_path, "ru_grown", expert.Recipe({"en": 1.0}, tokens=3 * 6 * 8 * 48, warmup=2), shape)
    stages = [expert.load_weights(tmp_path, f"ru_grown{layers}") for layers in (1, 2, 3)]
    for layers, (below, above) in enumerate(itertools.pairwise(stages), 1):
        blocks = [name for name in below if name.startswith("blocks")]
        assert len(blocks) == 4 * layers
        assert all(torch.equal(below[name], above[name]) for name in blocks)
        assert not torch.equal(below["head"], above["head"])
    drawn = StackedExperts(shape)
    drawn.initialise(torch.Generator().manual_seed(2))
    assert not torch.equal(stages[2]["blocks.2.mlp_in"], drawn.state_dict()["blocks.2.mlp_in"])
    assert [line["step"] for line in expert.read_curve(tmp_path / "ru_grown3.curve.jsonl")] == [5, 6]


def test_joint_tuning_lowers_the_loss_of_the_mean_logits(toy_work: Path, tmp_path: Path) -> None:
    """On rows of Chinese, which one of the two hardly knows; two steps of the same rows, by hand."""
    shape = small_work(toy_work, tmp_path)
    parts = []
    for name, mix in (("ru_alone", {"ru": 1.0}), ("zh_alone", {"zh": 1.0})):
        recipe = expert.Recipe(mix, tokens=10 * 8 * 48, warmup=2)
        expert.train_expert(tmp_path, name, recipe, shape)
        parts.append(expert.load_weights(tmp_path, name))
    start, both = merge(parts), dataclasses.replace(shape, experts=2)
    recipe = expert.Recipe({"zh": 1.0}, tokens=12 * 8 * 48, warmup=2, fused=True)
    rows = torch.from_numpy(expert.training_rows(tmp_path, recipe, shape).batch(0, 8))

    def loss(weights: dict[str, torch.Tensor]) -> float:
        network = StackedExperts(both)
        network.load_state_dict(weights)
        with torch.inference_mode():
            z = network(rows[:, :-1]).logits
        fused = (z[0] + z[1]) / 2
        return float(torch.nn.functional.cross_entropy(fused.flatten(0, 1), rows[:, 1:].flatten()))

    tuned = expert.train_expert(tmp_path, "joint", recipe, both, start=start, log_every=1)
    assert loss(dict(tuned.state_dict())) < 0.9 * loss(start)
    first = expert.read_curve(tmp_path / "joint.curve.jsonl")[0]["loss"]
    assert first == pytest.approx(loss(start), rel=1e-3)


def test_the_card_shows_translation_and_stories_where_they_were_measured() -> None:
    row = {"RU": 0.9996, "ZH": 2.0}
    assert "| ru_stories | 1.000 | 2.000 |" in held_out(
        {"bits_per_character": {"ru": row}, "bits_per_character_stories": {"ru_stories": row}}
    )
    assert "stories" not in held_out({"bits_per_character": {"ru": row}, "bits_per_character_stories": {}})

    pairs = {"mean of logits": {"bleu": 19.84, "chrf": 34.37, "pairs": 1623}, "RU": {"bleu": 7.0, "chrf": 30.0}}
    lines = translation({"en-ru": pairs, "ru-zh": pairs}).splitlines()
    assert "| | pairs | mean of logits | RU | best_bvv_moe (0.9B), published |" in lines
    assert "| en-ru | 1,623 | 19.8 / 34.4 | 7.0 / 30.0 | 6.5 |" in lines  # as its card says: 6.52
    assert "| ru-zh | 1,623 | 19.8 / 34.4 | 7.0 / 30.0 | – |" in lines
    assert translation({}) == ""
    assert "app.training translate" in training_commands({"experts": {}, "translation": {"en-ru": pairs}}, "folder")


def test_the_card_names_the_options_of_a_recipe() -> None:
    recipe = {"mix": {"ru": 1.0}, "tokens": 9, "seed": 1, "muon_rate": expert.Recipe.muon_rate, "from_step": 0}
    assert "--tokens 9 --seed 1\n" in training_commands({"experts": {"RU": {"recipes": [recipe]}}}, "folder")


def test_the_word_list_is_read_by_a_command_in_held_out_text(
    toy_work: Path, toy_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[Path, Readings]] = []
    monkeypatch.setattr(train, "write_words", lambda folder, engine, readings: read.append((folder, readings)))
    train.main(["--work", str(toy_work), "words", "--to", str(toy_bundle)])
    ((folder, readings),) = read
    held = [(toy_work / f"{name}.held_out.txt").read_text(encoding="utf-8") for name in LANGUAGES]
    assert folder == toy_bundle and readings
    for word, texts in readings.items():
        assert all(text.endswith(word.text) and any(text in part for part in held) for text in texts)


def test_training_learned_something(toy_work: Path) -> None:
    curve = expert.read_curve(toy_work / "ru.curve.jsonl")
    assert curve[-1]["loss"] < 0.6 * curve[0]["loss"]
    assert [line["tokens"] for line in curve] == sorted(line["tokens"] for line in curve)


def test_bits_per_character_by_hand(toy_work: Path) -> None:
    """One line, token by token, with plain probabilities."""
    states = train.load_states(toy_work, ["ru", "zh"])
    model = StackedExperts(train.merged_shape(states))
    model.load_state_dict(merge([state["model"] for state in states.values()]))
    tokenizer = Tokenizer.from_file(str(toy_work / "tokenizer.json"))
    line = "Где кот?"
    ids = [SEPARATOR, *tokenizer.encode(line).ids]
    with torch.inference_mode():
        z = model(torch.tensor([ids])).logits[:, 0, :-1].double()
    p = z.softmax(-1)
    fused = z.mean(0).softmax(-1)
    at = range(len(ids) - 1)
    expected = {
        "RU": -sum(torch.log2(p[0, t, ids[t + 1]]) for t in at) / len(line),
        "ZH": -sum(torch.log2(p[1, t, ids[t + 1]]) for t in at) / len(line),
        "mean of logits": -sum(torch.log2(fused[t, ids[t + 1]]) for t in at) / len(line),
        "mean of probabilities": -sum(torch.log2(p.mean(0)[t, ids[t + 1]]) for t in at) / len(line),
    }
    gate, so_far = torch.zeros(()).double(), torch.ones(2).double()
    for t in at:
        gate -= torch.log2((so_far / so_far.sum()) @ p[:, t, ids[t + 1]]) / len(line)
        so_far = so_far * p[:, t, ids[t + 1]]
    expected["gate by likelihood"] = gate
    measured = bits_per_character([model], tokenizer, [line], SEPARATOR, ["RU", "ZH"])
    assert measured == pytest.approx({name: float(value) for name, value in expected.items()}, rel=1e-4)


def test_long_lines_are_scored_in_chunks_that_lose_nothing(toy_work: Path) -> None:
    tokenizer = Tokenizer.from_file(str(toy_work / "tokenizer.json"))
    line = "Мама любит дом. " * 20
    rows = chunks([line], tokenizer, SEPARATOR, context=16)
    assert all(row[0] == SEPARATOR and len(row) <= 16 for row in rows)
    assert [i for row in rows for i in row[1:]] == tokenizer.encode(line).ids


def test_experts_on_different_tables_are_not_merged(toy_work: Path) -> None:
    states = [state["model"] for state in train.load_states(toy_work, ["ru", "zh"]).values()]
    with pytest.raises(ValueError, match="share one frozen embedding"):
        merge([states[0], {**states[1], "embedding": states[1]["embedding"] + 1}])


def test_bundle_tells_how_it_was_made(toy_bundle: Path) -> None:
    record = json.loads((toy_bundle / "training.json").read_text(encoding="utf-8"))
    assert set(record["experts"]) == {"RU", "ZH"}
    assert record["experts"]["RU"]["recipes"][0]["mix"] == {"ru": 0.6, "en": 0.3, "zh": 0.1}
    assert set(record["bits_per_character"]) == set(LANGUAGES)
    assert record["experts"]["RU"]["tokens"] == 32000 // (8 * 48) * 8 * 48


def test_the_mean_of_two_checkpoints(toy_work: Path, tmp_path: Path) -> None:
    """Weights half way between, the table as it is, the later one's record; and what the card says of it."""
    for name in ("tokenizer.json", "substrate.safetensors"):
        shutil.copy(toy_work / name, tmp_path)
    shutil.copy(toy_work / "ru.pt", tmp_path / "early.pt")
    state = torch.load(toy_work / "ru.pt", weights_only=True)
    later = {key: value if key == "embedding" else value + 1 for key, value in state["model"].items()}
    torch.save({**state, "model": later, "step": state["step"] + 5}, tmp_path / "late.pt")
    shutil.copy(toy_work / "ru.curve.jsonl", tmp_path / "late.curve.jsonl")
    train.main(["--work", str(tmp_path), "mean", "ru", "--of", "early", "late"])
    found = torch.load(tmp_path / "ru.pt", weights_only=True)
    for key, value in state["model"].items():
        assert torch.allclose(found["model"][key], value if key == "embedding" else value + 0.5), key
    assert found["mean_of"] == [state["step"], state["step"] + 5] and found["step"] == state["step"] + 5
    shutil.copy(toy_work / "evaluation.json", tmp_path)
    record = train.training_record(tmp_path, {"RU": found})
    assert record["experts"]["RU"]["mean_of"] == found["mean_of"]
    assert f"mean of those at steps {state['step']} and {state['step'] + 5}" in runs_table(record["experts"])
    assert f"mean ru --of ru_{state['step']} ru_{state['step'] + 5}" in training_commands(record, "folder")
