"""The registry of models: which are loaded, which one each visitor sees, and loading one in the background.

The bundled model is always there.  Any other is fetched, built and verified in a thread of its own; once it is
ready, the visitors who chose it see it.  If that fails they get one sentence, and the old model stays.
"""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.checkpoint.bundle import MINI, Bundle, is_ours, load_bundle
from app.engine.engine import Engine
from app.engine.examples import opening_trace
from app.engine.queue import RequestQueue
from app.foreign.files.hub import Place, locate, pinned, place_of
from app.probing.control_record import ControlRecord, read_control_record
from app.probing.word_cache import WordCache
from app.system.memory import release_memory
from app.system.threads import use_network_threads
from app.trace.record import Trace
from app.wording.errors import UserError

MODELS = "GLYPHSCOPE_MODELS"
"""More models for the page to offer: folders or hub ids, separated by commas."""
PRECISION = "GLYPHSCOPE_PRECISION"
_STANDBY_SECONDS = 10.0  # that the word list waits for visitors before each pass
_VISITORS = 2_000  # whose choice is remembered

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A loaded model with all that serves it."""

    key: str
    engine: Engine
    requests: RequestQueue
    lexicon: WordCache
    twins: ControlRecord | None
    folder: Path | None

    @classmethod
    def over(cls, key: str, bundle: Bundle, folder: Path | None) -> "LoadedModel":
        """Ready to answer; the word list is read later."""
        engine = Engine(bundle)
        twins = read_control_record(folder) if folder is not None else None
        return cls(key, engine, RequestQueue(engine), WordCache(engine), twins, folder)


@dataclass(frozen=True)
class LoadingState:
    """What is being loaded: key, the stage of loading (a key of the wording) and its share, 0..1; or the error that
    ended it."""

    key: str = ""
    stage: str = ""
    share: float = 0.0
    error: UserError | None = None

    @property
    def busy(self) -> bool:
        return bool(self.stage)


@dataclass(eq=False)
class ModelRegistry:
    """All models that this server knows.  offers: key -> place, in the order in which the page lists them."""

    offers: dict[str, Place]
    loaded: dict[str, LoadedModel]
    default: str
    loading: LoadingState = field(default_factory=LoadingState)
    _choices: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, visitor: str) -> LoadedModel:
        """The model that a visitor sees."""
        with self._lock:
            key = self._choices.get(visitor, self.default)
            return self.loaded.get(key) or self.loaded[self.default]

    def made(self, trace: Trace) -> LoadedModel | None:
        """The model that made a trace, if it is still loaded."""
        experts, layers, _, width = trace.hidden.shape
        for model in list(self.loaded.values()):
            shape = model.engine.model.shape
            same = (shape.experts, shape.layers + 1, shape.width) == (experts, layers, width)
            if same and model.engine.bundle.name == trace.model:
                return model
        return None

    def choose(self, visitor: str, key: str) -> None:
        """Let a visitor see a model, now if it is loaded, else once it is.

        Raises:
            UserError: `not_offered`, `loading_other`.
        """
        if key not in self.offers:
            raise UserError("not_offered")
        with self._lock:
            if key not in self.loaded and self.loading.busy and self.loading.key != key:
                raise UserError("loading_other", model=self.loading.key)
            self._choices[visitor] = key
            self._choices.move_to_end(visitor)
            while len(self._choices) > _VISITORS:
                self._choices.popitem(last=False)
        if key not in self.loaded:
            self.load(key)

    def load(self, key: str, first: bool = False) -> None:
        """Load an offer in a thread of its own, unless one is loading already; first: and show it to everybody
        who chose nothing else."""
        with self._lock:
            if self.loading.busy:
                return
            self.loading = LoadingState(key, "stage_bytes")
        threading.Thread(target=self._load, args=(key, first), name="loader", daemon=True).start()

    def _load(self, key: str, first: bool) -> None:
        def tell(stage: str, share: float) -> None:
            self.loading = LoadingState(key, stage, share)

        use_network_threads()
        try:
            place = pinned(self.offers[key])
            folder = locate(place, lambda share: tell("stage_bytes", share))
            model = LoadedModel.over(key, _bundle(folder, place, key, tell), folder)
            tell("stage_opening", 0.0)
            opening_trace(model.engine)
        except UserError as error:
            self._failed(key, error)
        except BaseException:  # code that is not ours may end the program, or try to
            log.exception("loading %s failed", key)
            self._failed(key, UserError("load_failed", model=key))
        else:
            self._take(model, first)
            model.lexicon.prepare(folder, lambda share: model.requests.wait_until_idle(_STANDBY_SECONDS))
            release_memory()

    def _failed(self, key: str, error: UserError) -> None:
        log.warning("%s", error)
        with self._lock:
            self.loading = LoadingState(key, error=error)
            self._choices = OrderedDict((who, what) for who, what in self._choices.items() if what != key)

    def _take(self, model: LoadedModel, first: bool) -> None:
        """Put a model on view; of those that only visitors asked for, the one before goes."""
        with self._lock:
            self.default = model.key if first else self.default
            for key in [key for key in self.loaded if key not in (next(iter(self.offers)), self.default)]:
                del self.loaded[key]
            self.loaded[model.key] = model
            self.loading = LoadingState(model.key)


def open_registry(setting: str | None) -> tuple[ModelRegistry, str]:
    """The registry with the bundled model, and the key of another one that a setting asks to be loaded ("": none).
    A folder of our own shape is small: it is loaded at once and shown first.

    Raises:
        UserError: when the bundled model itself is not there.
    """
    mini = load_bundle(MINI)
    home = mini.name
    offers = {home: Place(MINI)}
    wanted = place_of(setting) if setting else None
    more = [place_of(entry.strip()) for entry in os.environ.get(MODELS, "").split(",") if entry.strip()]
    asked = _offer(offers, wanted) if wanted else home
    for place in more:
        _offer(offers, place)
    registry = ModelRegistry(offers, {home: LoadedModel.over(home, mini, MINI)}, home)
    if wanted is None or asked == home:
        return registry, ""
    if wanted.folder is not None and is_ours(wanted.folder):
        try:
            bundle = _bundle(wanted.folder, wanted, asked, lambda stage, share: None)
            registry.loaded[asked] = LoadedModel.over(asked, bundle, wanted.folder)
            registry.default = asked
        except UserError as error:
            registry.loading = LoadingState(asked, error=error)
        return registry, ""
    return registry, asked


def _offer(offers: dict[str, Place], place: Place) -> str:
    """Add a place to the offers; returns its key: its name, numbered where another place has that name."""
    key = next((key for key, other in offers.items() if other.same(place)), place.name)
    number = 1
    while not offers.setdefault(key, place).same(place):
        number += 1
        key = f"{place.name} ({number})"
    return key


def _bundle(folder: Path, place: Place, key: str, tell: Callable[[str, float], object]) -> Bundle:
    if is_ours(folder):
        tell("stage_weights", 0.0)
        return replace(load_bundle(folder), name=key)
    from app.foreign.load import load_foreign  # transformers takes seconds to import

    precision = os.environ.get(PRECISION, "auto")
    source = f"{place.model}@{place.revision[:12]}" if place.model else key
    bundle = load_foreign(folder, source, place.trusted, precision, tell)
    assert bundle.report is not None, "a model that is not ours comes with its report"
    return replace(bundle, report=replace(bundle.report, newer=place.newer))
