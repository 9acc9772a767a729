"""Every case, written and loaded once for all tests of this folder."""

import pytest

from app.engine.engine import Engine
from app.foreign.load import load_foreign
from tests.foreign.cases import CASES, TEXT, Loaded
from tests.support.folders import write_folder

QUICK = pytest.param("two towers", marks=pytest.mark.quick)


@pytest.fixture(scope="session", params=[QUICK, *list(CASES)[1:]], ids=list(CASES))
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    case = CASES[request.param]
    path = tmp_path_factory.mktemp(request.param.replace(" ", "_"))
    network = write_folder(path, case.folder)
    engine = Engine(load_foreign(path, path.name, trusted=True))
    return Loaded(case, engine, network, engine.look(TEXT))
