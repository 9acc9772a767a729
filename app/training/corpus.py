"""Training text: folders of lines in, cleaned training and held-out lines out.

A folder holds `en.txt`, `ru.txt`, `zh.txt` (or `.txt.xz`), one sentence or short story a line, may hold further files
a language, `en_stories.txt`, each of which is a stream of its own in the mix, and may hold `en-ru.tsv`, `en-zh.tsv`
(or `.tsv.xz`), a sentence and its translation a line, separated by a tab.  Lines unfit for a classroom are dropped;
every fiftieth line, chosen by its hash, is held out, so that the split never depends on order.  Nothing here knows
tokens or models.
"""

import lzma
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.substrate.plain_text import plain_text
from app.training.pairs import PAIRED, Pair, Pairs, digest, split_pairs

LANGUAGES = ("en", "ru", "zh")
HELD_OUT_ONE_IN = 50
LONGEST_LINE = 4_000

_STREAM = re.compile(r"(?P<stream>(?:en|ru|zh)(?:_[\w-]+)?)\.txt(?:\.xz)?")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])(?![”」])")


class TextError(ValueError):
    """Training text that cannot be used; the message says which file and what to do."""


# Stems, not words: a line with any of them is dropped.  Better to lose an innocent line than to
# let the demo write the other kind in front of a class.
_UNFIT = {
    "en": (
        r"\b(sex|porn|naked|nude|rape[ds]?\b|rapist|fuck|shit|bitch|bastard|whore|slut|prostitut|brothel|"
        r"orgasm|penis|vagina|breasts?\b|boobs?\b|erotic|condom|masturbat|testicle|genital|suicid|"
        r"kill(s|ed|ing|er)?\b|murder|corpse|stab(bed|bing)?\b|behead|tortur|massacre|genocid|lynch|"
        r"hang(ed)? (him|her|my|your|them)sel(f|ves)|heroin\b|cocaine|drugs?\b|marijuana|drunk|whisk|vodka|"
        r"nazi|hitler|terroris|jihad|nigg|faggot|retard(ed)?\b|damn|asshole|\bass\b|crap\b|piss|gun(s|ned)?\b|"
        r"shot (him|her|me|dead)|bomb|bloody|slave|pervert|incest|pedophil|hell\b)"
    ),
    "ru": (
        r"\b(секс|порн|голая|голый|голую|изнасил|насильник|бля|хуй|хуе|хуё|пизд|еба|ёба|сука\b|суки\b|сучк|"
        r"шлюх|прости?тут|бордел|оргазм|пенис|вагин|эрот|презерватив|мастурб|самоуби|покончи\w* с собой|"
        r"уби(л|т|й|ва|ть)|убь|трупы?\b|зареза|пыт(ка|ки|али)\b|резн[яи]|геноцид|повеси(лся|лась)|героин\w?\b|"
        r"кокаин|наркот|марихуан|пьян|водк|виски|нацист|гитлер|террор|дерьм|жоп|говн|черт(ов|овск)|ублюд|"
        r"застрел|бомб|взорв|кровав|рабств|извращ|педофил|голым|голыми)"
    ),
    "zh": (
        r"(性交|做爱|性爱|色情|裸体|强奸|妓|婊|操你|他妈|妈的|傻逼|屌|高潮|阴茎|阴道|乳房|避孕套|手淫|自杀|杀死|"
        r"杀人|杀了|谋杀|凶手|尸体|酷刑|屠杀|种族灭绝|上吊|海洛因|可卡因|毒品|吸毒|大麻|醉|纳粹|希特勒|"
        r"恐怖分子|恐怖主义|混蛋|枪|炸弹|血腥|奴隶|变态|恋童)"
    ),
}


@dataclass(frozen=True)
class Lines:
    """The text of one stream, split.  dropped: lines unfit for a class; cut: lines longer than `LONGEST_LINE`, whose
    sentences went on as lines of their own."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    dropped: int
    cut: int = 0


def stream_names(folder: Path) -> list[str]:
    """The streams that a folder has text for: `en`, `en_stories`, …; a stream's language is its first two letters.

    Raises:
        TextError: when one of the three languages has no text.
    """
    found = sorted({match["stream"] for path in folder.iterdir() if (match := _STREAM.fullmatch(path.name))})
    if missing := [language for language in LANGUAGES if language not in found]:
        raise TextError(f"{folder} has no text for {', '.join(missing)}: add {missing[0]}.txt or {missing[0]}.txt.xz.")
    return found


def is_fit(line: str, language: str) -> bool:
    """Whether a line may be shown to a class."""
    return re.search(_UNFIT[language], line, re.IGNORECASE) is None


def is_held_out(line: str) -> bool:
    """Whether the hash of a line puts it into the held-out 2 %."""
    return digest(line) % HELD_OUT_ONE_IN == 0


def read_lines(folder: Path, stream: str) -> Lines:
    """Read, clean and split the lines of one stream.

    Raises:
        TextError: when the folder has no such file, or one that is not UTF-8.
    """
    read = [line.strip() for line in _read(folder, f"{stream}.txt").split("\n")]
    lines = list(dict.fromkeys(part for line in read for part in cut_line(line)))
    fit = [line for line in lines if is_fit(line, stream[:2])]
    return Lines(
        train=tuple(line for line in fit if not is_held_out(line)),
        held_out=tuple(line for line in fit if is_held_out(line)),
        dropped=len(lines) - len(fit),
        cut=sum(len(line) > LONGEST_LINE for line in read),
    )


def split_sentences(line: str) -> list[str]:
    """The sentences of a line, none of them empty."""
    return [sentence for sentence in _SENTENCE.split(line) if sentence]


def cut_line(line: str, longest: int = LONGEST_LINE) -> list[str]:
    """A line in parts of at most `longest` characters, cut behind sentences, or where a sentence is longer than that
    at a space or anywhere; nothing but spaces is lost."""
    parts = [""]
    for sentence in _SENTENCE.split(line) if len(line) > longest else [line]:
        while len(sentence) > longest:
            at = sentence.rfind(" ", 1, longest)
            parts.append(sentence[: at if at > 0 else longest])
            sentence = sentence[len(parts[-1]) :].lstrip()
        gap = " " if parts[-1].endswith((".", "!", "?", "…")) else ""
        if len(parts[-1]) + len(gap) + len(sentence) > longest:
            parts.append("")
            gap = ""
        parts[-1] += gap + sentence
    return [part for part in parts if part]


_OPENING = {
    "en": re.compile(
        r"\"?(Once upon a time|Once there (was|were|lived)|There (was|were|lived) once|Long ago|A long time ago|"
        r"One (day|morning|evening)|In a (far|small|little|distant))\b"
    ),
    "ru": re.compile(r"\"?(Жил[аио]?-был|Однажды|Давным-давно|Когда-то|В одн)"),
    "zh": re.compile(r"“?(从前|很久|古时候|有一天|一天|在很久|森林里|在一个|有一[只个位条])"),
}
_FEWEST_SENTENCES = 5  # of a story


def story_from_opening(line: str, language: str) -> str | None:
    """The part of a line from the first sentence on that opens a story, None where no story of five sentences or more
    follows."""
    sentences = split_sentences(line)
    for first, sentence in enumerate(sentences):
        if _OPENING[language].match(sentence):
            story = sentences[first:]
            return ("" if language == "zh" else " ").join(story) if len(story) >= _FEWEST_SENTENCES else None
    return None


def breaks_off(line: str, language: str) -> bool:
    """Whether a line opens a story and ends before its third sentence: such lines teach the model to stop early."""
    return _OPENING[language].match(line) is not None and len(split_sentences(line)) < 3


def read_pairs(folder: Path) -> Pairs:
    """Sentences with their translations, split into training and test pairs.  A pair is left out if a line of it is
    held out or unfit; no pairs for a folder without them."""
    return split_pairs({name: _read_pairs(folder, name) for name in PAIRED if _file(folder, f"{name}.tsv")})


def _read_pairs(folder: Path, name: str) -> Sequence[Pair]:
    languages = name.split("-")
    rows = (line.split("\t") for line in dict.fromkeys(_raw(folder, f"{name}.tsv").split("\n")))
    sides = ([plain_text(side).strip() for side in row] for row in rows)
    return [
        (row[0], row[1])
        for row in sides
        if len(row) == len(languages) and all(row) and not any(map(is_held_out, row))
        and all(map(is_fit, row, languages))
    ]  # fmt: skip


def _read(folder: Path, name: str) -> str:
    return plain_text(_raw(folder, name))


def _raw(folder: Path, name: str) -> str:
    """A text file of a folder, packed or not.

    Raises:
        TextError: when there is neither, or it is not UTF-8.
    """
    path = _file(folder, name)
    if path is None:
        raise TextError(f"{folder} has neither {name} nor {name}.xz: add one of them.")
    packed = path.read_bytes()
    try:
        return (lzma.decompress(packed) if path.suffix == ".xz" else packed).decode("utf-8-sig")
    except (UnicodeDecodeError, lzma.LZMAError):
        raise TextError(f"{path.name} is not UTF-8 text: save it as UTF-8 (an .xz file: packed by xz).") from None


def _file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.xz") if path.is_file()), None)
