"""The registry of models: which are loaded, which one each visitor sees, and loading one in the background.

The bundled model is always there.  Any other is fetched, built and verified in a thread of its own; once it is
ready, the visitors who chose it see it.  If that fails they get one sentence, and the old model stays.
"""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from cachetools import LRUCache

from app.checkpoint.bundle import MINI, Bundle, is_ours, load_bundle, model_name
from app.checkpoint.identity import identity_of
from app.engine.engine import Engine
from app.engine.examples import opening_trace
from app.engine.queue import RequestQueue
from app.foreign.files.hub import Place, locate, pinned, place_of
from app.probing.control_record import ControlRecord, read_control_record
from app.probing.word_cache import WordCache
from app.system.cores import use_all_cores
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
    word_cache: WordCache
    controls: ControlRecord | None
    folder: Path | None

    @cached_property
    def identity(self) -> dict[str, str]:
        """Which weights these are: `revision` or `checksum`."""
        return identity_of(self.folder)

    @classmethod
    def over(cls, key: str, bundle: Bundle, folder: Path | None) -> "LoadedModel":
        """Ready to answer; the word list is read later."""
        engine = Engine(bundle)
        controls = read_control_record(folder) if folder is not None else None
        requests = RequestQueue(engine, all_cores=bundle.report is not None)  # of other origin: it may be large
        return cls(key, engine, requests, WordCache(engine, folder), controls, folder)


@dataclass(frozen=True)
class LoadingState:
    """What is being loaded: key, the stage of loading (a key of the wording) and its share, 0..1; or the error that
    ended the loading of the model that the host asked for."""

    key: str = ""
    stage: str = ""
    share: float = 0.0
    error: UserError | None = None
    first: bool = False
    """Whether the host asked for it, so that everybody waits for it."""

    @property
    def busy(self) -> bool:
        """Whether something is being loaded."""
        return bool(self.stage)


@dataclass(eq=False)
class ModelRegistry:
    """All models that this server knows.  offers: key -> place, in the order in which the page lists them."""

    offers: dict[str, Place]
    loaded: dict[str, LoadedModel]
    default: str
    loading: LoadingState = field(default_factory=LoadingState)
    _choices: LRUCache[str, str] = field(default_factory=lambda: LRUCache(_VISITORS))
    _errors: LRUCache[str, UserError | None] = field(default_factory=lambda: LRUCache(_VISITORS))
    """The error to show to a visitor; None: this visitor dismissed the one for everybody."""
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
            self._errors[visitor] = None
            if key not in self.loaded and self.loading.busy and self.loading.key != key:
                raise UserError("loading_other", model=self.loading.key)
            self._choices[visitor] = key
        if key not in self.loaded:
            self.load(key)

    def loading_of(self, visitor: str) -> LoadingState:
        """What is being loaded for a visitor: what was chosen, or what the host asked for."""
        with self._lock:
            theirs = self.loading.first or self._choices.get(visitor) == self.loading.key
            return self.loading if theirs else LoadingState()

    def error_of(self, visitor: str) -> UserError | None:
        """Why the model that a visitor chose is not shown, or the one that the host asked for; until dismissed."""
        with self._lock:
            return self._errors.get(visitor, self.loading.error)

    def tell(self, visitor: str, error: UserError | None) -> None:
        """Keep the error to show to one visitor; None: it was dismissed."""
        with self._lock:
            self._errors[visitor] = error

    def load(self, key: str, first: bool = False) -> None:
        """Load an offer in a thread of its own, unless one is loading already; first: and show it to everybody
        who chose nothing else."""
        with self._lock:
            if self.loading.busy:
                return
            self.loading = LoadingState(key, "stage_bytes", first=first)
        threading.Thread(target=self._load_aside, args=(key, first), name="loader", daemon=True).start()

    def _load_aside(self, key: str, first: bool) -> None:
        use_network_threads()
        use_all_cores()
        self._load(key, first)

    def _load(self, key: str, first: bool) -> None:
        def tell(stage: str, share: float) -> None:
            self.loading = LoadingState(key, stage, share, first=first)

        try:
            place = pinned(self.offers[key])
            folder = locate(place, lambda share: tell("stage_bytes", share))
            model = LoadedModel.over(key, _bundle(folder, place, key, tell), folder)
            tell("stage_opening", 0.0)
            log.info("loaded %s %s", key, model.identity)  # a checksum of large weights takes seconds: now, not later
            opening_trace(model.engine, "en")
        except UserError as error:
            self._failed(key, error, first)
        except BaseException:  # code that is not ours may end the program, or try to
            log.exception("loading %s failed", key)
            self._failed(key, UserError("load_failed", model=key), first)
        else:
            self._take(model, first)
            model.word_cache.prepare(folder, lambda share: model.requests.wait_until_idle(_STANDBY_SECONDS))
            release_memory()

    def _failed(self, key: str, error: UserError, first: bool) -> None:
        log.warning("%s", error)
        with self._lock:
            self.loading = LoadingState(key, error=error if first else None)
            for visitor in [who for who, what in self._choices.items() if what == key]:
                del self._choices[visitor]
                self._errors[visitor] = error

    def _take(self, model: LoadedModel, first: bool) -> None:
        """Show a model; the previous one is dropped if only visitors had asked for it."""
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


def load_model(setting: str) -> LoadedModel:
    """One model on its own, now: a folder, or an id on a hub.

    Raises:
        UserError: when it cannot be found, fetched, read or verified.
    """
    place = pinned(place_of(setting))
    folder = locate(place)
    key = model_name(folder) if is_ours(folder) else place.name
    return LoadedModel.over(key, _bundle(folder, place, key, lambda stage, share: None), folder)


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
