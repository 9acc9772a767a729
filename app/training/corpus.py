"""Training text: folders of lines in, cleaned training and held-out lines out.

A folder holds `en.txt`, `ru.txt`, `zh.txt` (or `.txt.xz`), one sentence or short story a line, and may
hold `en-ru.tsv`, `en-zh.tsv` (or `.tsv.xz`), a sentence and its translation a line, separated by a tab.
Lines unfit for a classroom are dropped; every fiftieth line, chosen by its hash, is held out, so
that the split never depends on order.  Nothing here knows tokens or models.
"""

import hashlib
import lzma
import re
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("en", "ru", "zh")
PAIRED = ("en-ru", "en-zh")
HELD_OUT_ONE_IN = 50
LONGEST_LINE = 4_000

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
    """One language's text, split."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    dropped: int


def is_fit(line: str, language: str) -> bool:
    """Whether a line may be shown to a class."""
    return re.search(_UNFIT[language], line, re.IGNORECASE) is None


def is_held_out(line: str) -> bool:
    """Whether the hash of a line puts it into the held-out 2 %."""
    return _digest(line) % HELD_OUT_ONE_IN == 0


def _digest(line: str) -> int:
    return int.from_bytes(hashlib.blake2b(line.encode(), digest_size=8).digest(), "big")


def read_lines(folder: Path, language: str) -> Lines:
    """Read, clean and split the lines of one language.

    Raises:
        FileNotFoundError: when the folder has no `<language>.txt` or `<language>.txt.xz`.
    """
    lines = [line.strip() for line in _read(folder, f"{language}.txt").split("\n")]
    whole = [line for line in dict.fromkeys(lines) if 0 < len(line) <= LONGEST_LINE]
    fit = [line for line in whole if is_fit(line, language)]
    return Lines(
        train=tuple(line for line in fit if not is_held_out(line)),
        held_out=tuple(line for line in fit if is_held_out(line)),
        dropped=len(whole) - len(fit),
    )


def read_pairs(folder: Path, pair: str) -> tuple[str, ...]:
    """Sentences with their translations, `en-ru`: each pair as one training line, `= this = that`, either side
    first by the line's hash.  The signs keep translations apart from plain text, which goes on in its own
    language.  A pair is left out if a line of it is held out or unfit; no pairs for a folder without them."""
    try:
        text = _read(folder, f"{pair}.tsv")
    except FileNotFoundError:
        return ()
    languages = pair.split("-")
    rows = (tuple(side.strip() for side in line.split("\t")) for line in dict.fromkeys(text.split("\n")))
    kept = (
        row for row in rows
        if len(row) == len(languages) and all(row) and not any(map(is_held_out, row))
        and all(map(is_fit, row, languages))
    )  # fmt: skip
    return tuple("= {} = {}".format(*(row if _digest(row[0]) % 2 else row[::-1])) for row in kept)


def _read(folder: Path, name: str) -> str:
    """A text file of a folder, packed or not.

    Raises:
        FileNotFoundError: when there is neither.
    """
    if (folder / name).exists():
        return (folder / name).read_text(encoding="utf-8")
    with lzma.open(folder / f"{name}.xz", "rt", encoding="utf-8") as file:
        return file.read()
