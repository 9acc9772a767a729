"""Train the bundled experts, step by step:

    python -m app.training prepare --text FOLDER
    python -m app.training expert ru --mix ru=0.52,en=0.30,zh=0.18
    python -m app.training expert zh --mix zh=0.50,en=0.32,ru=0.18
    python -m app.training evaluate
    python -m app.training translate
    python -m app.training bundle --to assets/mini

    python -m app.training controls --to assets/mini
    python -m app.training words --to assets/mini
    python -m app.training card --to assets/mini
    python -m app.training glosses --text FOLDER --to assets/mini
    python -m app.training stories --to assets/mini

Beside them stand the runs that a claim is tested with: controls (`expert ru_trained --embedding trained`), an
expert grown layer by layer (`grow`), merged experts tuned together (`joint`), and short runs that a decision
is made on (`expert ru_try_pairs --origin assets/mini`).

Every step reads and writes one work folder and can be run alone.  `expert` saves a checkpoint as
it goes and resumes from it, whenever it was killed, on the same rows with the same optimizer state.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from app.checkpoint.bundle import load_bundle, merge, write_bundle
from app.engine.engine import Engine
from app.network.interface import Shape
from app.probing.contexts import held_out_contexts
from app.probing.crossing import FRAMES, crossing_scores
from app.probing.glosses import GLOSSES
from app.probing.showcase import write_showcase
from app.probing.word_cache import write_words
from app.probing.word_list import all_words
from app.probing.word_proof import PAIRS
from app.training.checkpoints import MEAN_FACTS, load_embedding, load_weights, mean_expert, read_checkpoint, read_curve
from app.training.controls import write_control_record
from app.training.corpus import LANGUAGES, TextError, read_pairs
from app.training.evaluate import evaluate, held_out_streams, load_network
from app.training.glosses import make_glosses, write_glosses
from app.training.model_card import describe, write_card
from app.training.prepare import PIECE_SHARES, Plan, prepare
from app.training.recipe import EMBEDDINGS, OPTIONS, Recipe
from app.training.run import grow_expert, train_expert
from app.training.stories import print_stories
from app.training.transfer import pack_expert, unpack_expert
from app.training.translation import evaluate_translation


def parse_shares(text: str) -> dict[str, float]:
    """`ru=0.55, en=0.28` -> {"ru": 0.55, "en": 0.28}.

    Raises:
        argparse.ArgumentTypeError: when it is written otherwise.
    """
    try:
        return {name.strip(): float(share) for name, share in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} should read like ru=0.5,en=0.3,zh=0.2") from None


def load_states(work: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """The checkpoints of named experts, `{NAME: checkpoint}`."""
    return {name.upper(): read_checkpoint(work, name) for name in names}


def write_report(work: Path, states: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Evaluate the merged experts on the held-out lines; write and return `evaluation.json`."""
    model = load_network(merge([state["model"] for state in states.values()]), merged_shape(states))
    report = evaluate(work, [model], list(states), streams=held_out_streams(work))
    (work / "evaluation.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    for stream, row in report.items():
        print(stream, "  ".join(f"{name} {bits:.3f}" for name, bits in row.items()))
    return report


def write_translation_report(work: Path, states: dict[str, dict[str, Any]], limit: int | None) -> None:
    """Translate the test pairs by each expert and the merged ones; write `translation.json`."""
    model = load_network(merge([state["model"] for state in states.values()]), merged_shape(states))
    report = evaluate_translation(work, model, list(states), limit)
    (work / "translation.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    for direction, row in report.items():
        print(direction, "  ".join(f"{name} {s['bleu']:.1f} / {s['chrf']:.1f}" for name, s in row.items()))


def merged_shape(states: dict[str, dict[str, Any]]) -> Shape:
    """The shape of all experts stacked into one network."""
    first = next(iter(states.values()))
    return Shape(**{**first["shape"], "experts": len(states)})


def training_record(work: Path, states: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What `training.json` says: recipe, tokens, minutes and loss curve of each expert, the steps whose weights
    were averaged, if any, and the held-out bits per character."""
    experts = {
        name: {
            "recipes": state["recipes"],
            "tokens": state["step"] * state["recipes"][-1]["batch"] * state["shape"]["context"],
            "minutes": round(state["seconds"] / 60, 1),
            "curve": read_curve(work / f"{name.lower()}.curve.jsonl"),
            **{name: state[name] for name in MEAN_FACTS if name in state},
        }
        for name, state in states.items()
    }
    report = json.loads((work / "evaluation.json").read_text(encoding="utf-8"))
    translation = work / "translation.json"
    return {
        "experts": experts,
        "bits_per_character": {language: report[language] for language in LANGUAGES},
        "bits_per_character_stories": {stream: row for stream, row in report.items() if stream not in LANGUAGES},
        "translation": json.loads(translation.read_text(encoding="utf-8")) if translation.is_file() else {},
    }


def print_crossing(engine: Engine) -> None:
    """Translation retrieval@1 by frame, pair, expert and layer, beside chance."""
    scores = crossing_scores(engine)
    for title, values, chance in (
        ("as they are", scores.direct, scores.chance_direct),
        ("by a linear map", scores.mapped, scores.chance_mapped),
    ):
        print(f"{title}, chance {chance:.3f}")
        for kind, by_pair in zip(FRAMES, values, strict=True):
            for pair, by_expert in zip(PAIRS, by_pair, strict=True):
                for expert, layers in zip(engine.bundle.experts, by_expert, strict=True):
                    print(f"  {kind:13} {'-'.join(pair)} {expert}  " + " ".join(f"{value:.3f}" for value in layers))


def add_recipe(run: argparse.ArgumentParser) -> None:
    """Name, recipe and shape of a run, as arguments of its sub-command."""
    run.add_argument("name")
    run.add_argument(
        "--mix", type=parse_shares, required=True, help="shares of streams: ru=0.3,ru_stories=0.2,en=0.3,en-ru=0.2"
    )
    for field in OPTIONS:
        default, among = getattr(Recipe, field), EMBEDDINGS if field == "embedding" else None
        run.add_argument(f"--{field.replace('_', '-')}", type=type(default), default=default, choices=among)
    for name in ("layers", "heads", "context"):
        run.add_argument(f"--{name}", type=int, default=getattr(Shape, name))


def make_parser() -> argparse.ArgumentParser:
    """The command line: one sub-command a step."""
    parser = argparse.ArgumentParser(prog="python -m app.training", description="Train the bundled experts.")
    parser.add_argument("--work", type=Path, default=Path("runs/mini"), help="the work folder")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    steps = parser.add_subparsers(dest="step", required=True)
    first = steps.add_parser("prepare", help="vocabulary, pictures, embedding and token streams")
    first.add_argument(
        "--text",
        type=Path,
        required=True,
        help="folder with en.txt, en_stories.txt, …, ru.txt, zh.txt, en-ru.tsv (or .xz)",
    )
    first.add_argument("--size", type=int, default=Plan.size, help="vocabulary size")
    first.add_argument("--width", type=int, default=Plan.width, help="dimensions of the embedding")
    first.add_argument("--pieces", type=parse_shares, default=PIECE_SHARES, help="share of the vocabulary a language")
    first.add_argument("--origin", type=Path, help="checkpoint folder whose tokenizer and table are taken instead")
    expert = steps.add_parser("expert", help="train one expert; resumes from its checkpoint")
    expert.add_argument("--origin", type=Path, help="checkpoint folder whose expert of that name goes on")
    grow = steps.add_parser("grow", help="train an expert layer by layer: NAME1, NAME2, …")
    mean = steps.add_parser("mean", help="the mean of an expert's weights at several checkpoints")
    mean.add_argument("name")
    mean.add_argument("--of", nargs="+", required=True, help="the checkpoints, the last one last")
    mean.add_argument("--shares", nargs="+", type=float, help="what each checkpoint counts for, instead of equal parts")
    joint = steps.add_parser("joint", help="merge trained experts and tune their mean logits")
    joint.add_argument("--of", nargs="+", required=True, help="the experts to merge")
    for run in (expert, grow, joint):
        add_recipe(run)
    evaluated = steps.add_parser("evaluate", help="held-out bits per character")
    translated = steps.add_parser("translate", help="BLEU and chrF on the test pairs")
    translated.add_argument("--limit", type=int, help="the first pairs of each direction only")
    pack = steps.add_parser("pack", help="write an expert as files under 16 MB, to be carried to another machine")
    unpack = steps.add_parser("unpack", help="read such files into the work folder")
    for carried in (pack, unpack):
        carried.add_argument("name")
        carried.add_argument("--folder", type=Path, required=True)
    crossing = steps.add_parser("crossing", help="translation retrieval in hidden states, also by a linear map")
    crossing.add_argument("--to", type=Path, required=True, help="the checkpoint folder to measure")
    stories = steps.add_parser("stories", help="how long stories go on after an opening, and in whose script")
    stories.add_argument("--to", type=Path, required=True, help="the checkpoint folder to measure")
    stories.add_argument("--first", type=int, default=0, help="the first of 20 seeds")
    bundle = steps.add_parser("bundle", help="write a checkpoint folder")
    controls = steps.add_parser("controls", help="measure all controls of the work folder; figures beside a bundle")
    words = steps.add_parser("words", help="read the word list in the held-out text; maps and curves beside a bundle")
    for last in (evaluated, translated, bundle):
        last.add_argument("--experts", nargs="+", default=["ru", "zh"])
    glosses = steps.add_parser("glosses", help="a dictionary of the vocabulary, from the pairs of a --text folder")
    glosses.add_argument("--text", type=Path, required=True)
    card = steps.add_parser("card", help="write a folder's modelling files, card and checksums again")
    for last in (bundle, controls, words, glosses, card):
        last.add_argument("--to", type=Path, required=True)
    for last in (bundle, card):
        last.add_argument("--attribution", type=Path, help="Markdown for the card: whose text it was trained on")
        last.add_argument("--licence", default="", help="licence of the weights for the card, as a hub writes it")
    return parser


def train(options: argparse.Namespace) -> None:
    """One run, as the command line says."""
    vocabulary, width = load_embedding(options.work).shape
    shape = Shape(vocabulary, width, options.layers, options.heads, experts=1, context=options.context)
    recipe = Recipe(options.mix, **{field: getattr(options, field) for field in OPTIONS})
    if options.step == "grow":
        grow_expert(options.work, options.name, recipe, shape)
    elif options.step == "joint":
        start = merge([load_weights(options.work, name) for name in options.of])
        merged = replace(shape, experts=len(options.of))
        train_expert(options.work, options.name, replace(recipe, fused=True), merged, start=start)
    else:
        train_expert(options.work, options.name, recipe, shape, options.origin)


def main(arguments: list[str] | None = None) -> None:
    """Run one step of the chain; what the caller did wrong is one sentence, and exit status 1."""
    options = make_parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        run(options)
    except TextError as error:
        sys.exit(str(error))


def run(options: argparse.Namespace) -> None:
    """One step, as the command line says."""
    if options.step == "prepare":
        prepare(options.text, options.work, Plan(options.size, options.width, options.pieces, options.origin))
    elif options.step in ("expert", "grow", "joint"):
        train(options)
    elif options.step == "crossing":
        print_crossing(Engine(load_bundle(options.to)))
    elif options.step == "stories":
        print_stories(Engine(load_bundle(options.to)), range(options.first, options.first + 20))
    elif options.step == "pack":
        pack_expert(options.work, options.name, options.folder)
    elif options.step == "unpack":
        unpack_expert(options.folder, options.name, options.work)
    elif options.step == "mean":
        mean_expert(options.work, options.name, options.of, options.shares)
    elif options.step == "words":
        engine = Engine(load_bundle(options.to))
        write_words(options.to, engine, held_out_contexts(options.work, all_words(), engine.bundle.tokenizer))
        write_showcase(options.to, engine)
    elif options.step == "controls":
        write_control_record(options.to, options.work, load_bundle(options.to))
        write_card(options.to)
    elif options.step == "glosses":
        tokenizer = load_bundle(options.to).tokenizer
        write_glosses(GLOSSES, make_glosses(read_pairs(options.text).train, tokenizer), tokenizer)
    elif options.step == "card":
        describe(options.to, options.attribution, options.licence)
        write_card(options.to)
    else:
        states = load_states(options.work, options.experts)
        if options.step == "evaluate":
            write_report(options.work, states)
        elif options.step == "translate":
            write_translation_report(options.work, states, options.limit)
        else:
            weights = {name: state["model"] for name, state in states.items()}
            record = training_record(options.work, states)
            write_bundle(options.to, options.work, weights, merged_shape(states), record)
            describe(options.to, options.attribution, options.licence)
            write_card(options.to)


if __name__ == "__main__":
    main()
