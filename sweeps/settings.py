"""What one sweep is, kept in its folder so that every worker reads the same."""

from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from cinelex.config.load import dump_config, load_config
from cinelex.config.schema import RunConfig
from cinelex.config.strict import Count, CountOrNone, Strict
from cinelex.core.errors import UserError
from cinelex.core.files import read_json, write_json, write_whole
from cinelex.sweeps.plan import Metric, Plan, read_plan

PLAN_FILE, BASE_FILE, SETTINGS_FILE = "sweep.yaml", "base.yaml", "settings.json"
BEGUN_FILE = "begun"
"""Is there once nothing was refused; until then the folder may be made anew."""
FINAL_SEED_OFFSET = 1000
"""Final runs have seeds that no trial had: a lucky seed must not win twice."""


class Settings(Strict):
    """What the command line decides, next to the sweep file."""

    sampler: Literal["tpe", "cmaes", "random", "grid"]
    """Who chooses the next values."""
    pruner: Literal["none", "hyperband", "successive_halving", "median"]
    """Who ends a bad trial early."""
    metrics: list[Metric]
    """What is looked for; the first decides who wins."""
    count: Count
    """Configurations that are tried, without the default recipe."""
    seeds: Count
    """Runs of each configuration; a configuration's value is their mean."""
    final_seeds: CountOrNone
    """Runs of the winner and of the default recipe on the test studies, at new seeds."""
    validation_results: bool = True
    """Whether a run can be evaluated on its validation studies; where not, what is looked for
    must be in the validation record."""
    retries: Count = 5
    """Times that a configuration is begun again after its worker died."""

    def lasting(self) -> dict[str, Any]:
        """Return what must not change while a sweep goes on: all but how many and how often."""
        return self.model_dump(mode="json", exclude={"count", "retries"})


class Sweep:
    """A sweep's folder: its plan, its base config, its settings."""

    def __init__(self, folder: Path) -> None:
        """Read what `create` wrote.

        Raises:
            UserError: A file is missing or broken.
        """
        self.folder = folder
        self.plan = read_plan(folder / PLAN_FILE)
        self.base = load_config(folder / BASE_FILE)
        stored: Any = read_json(folder / SETTINGS_FILE)
        self.storage: str = stored["storage"]
        self.settings = Settings.model_validate(stored["settings"])

    @property
    def name(self) -> str:
        """Return the sweep's name, which is its folder's."""
        return self.folder.name

    @property
    def trials(self) -> Path:
        """Return where the runs of the trials are."""
        return self.folder / "trials"

    def search_seeds(self) -> list[int]:
        """Return the seeds of every configuration: the same ones, hence the same data order."""
        return [self.base.seed + offset for offset in range(self.settings.seeds)]

    def final_seeds(self) -> list[int]:
        """Return the seeds of the final runs."""
        first = self.base.seed + FINAL_SEED_OFFSET
        return [first + offset for offset in range(self.settings.final_seeds)]


def create(
    folder: Path,
    plan: Plan,
    base: RunConfig,
    settings: Settings,
    *,
    storage: str | None,
    resume: bool,
) -> Sweep:
    """Make a sweep's folder, or go back to it.

    Args:
        folder: Where.
        plan: The sweep file.
        base: What is varied.
        settings: What the command line decides.
        storage: Address of the database; None is the one that the sweep was begun with, which
            for a new sweep is a file in its folder.
        resume: Whether a sweep that is there is gone on with.

    Raises:
        UserError: There is a sweep already and ``resume`` is not set, or it is another one.
    """
    address = storage or f"sqlite:///{folder}/sweep.sqlite"
    if (folder / BEGUN_FILE).exists():
        if not resume:
            raise UserError(
                f"{folder} holds a sweep already; add --resume to go on with it, or give this one "
                "another name: in the sweep file"
            )
        _refuse_another(folder, plan, base, settings)
        address = _same_storage(Sweep(folder).storage, storage)
    write_whole(folder / PLAN_FILE, Path(plan.source).read_bytes())
    write_whole(folder / BASE_FILE, dump_config(base))
    stored = {"storage": address, "settings": settings.model_dump(mode="json")}
    write_json(folder / SETTINGS_FILE, stored)
    return Sweep(folder)


def begin(sweep: Sweep) -> None:
    """Note that trials have begun, so that nothing but ``--resume`` goes on in this folder."""
    write_whole(sweep.folder / BEGUN_FILE, "")


def _same_storage(begun: str, told: str | None) -> str:
    """Return the address to go on with; a new password is taken, another database is not.

    Raises:
        UserError: It is another database, in which this sweep would begin anew.
    """
    if told is None:
        return begun
    before, now = (address_without_password(address) for address in (begun, told))
    if before != now:
        raise UserError(
            f"--storage: this sweep is kept in {before}, and not in {now}; "
            "leave --storage out to go on there"
        )
    return told


def address_without_password(address: str) -> str:
    """Return a database's address for people, and for comparing.

    Raises:
        UserError: It is no address.
    """
    try:
        url = make_url(address)
    except ArgumentError:
        raise UserError(
            "--storage: no address of a database; expected one such as sqlite:///sweep.sqlite "
            "or postgresql+psycopg://user@host/database"
        ) from None
    query = {key: value for key, value in url.query.items() if key != "password"}
    place = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, query)
    return place.render_as_string()


def _refuse_another(folder: Path, plan: Plan, base: RunConfig, settings: Settings) -> None:
    """Refuse to go on with other values than a sweep was begun with."""
    now = {
        "sweep file": Path(plan.source).read_bytes() == (folder / PLAN_FILE).read_bytes(),
        "base config": dump_config(base) == (folder / BASE_FILE).read_text(),
        "choice of options": settings.lasting() == Sweep(folder).settings.lasting(),
    }
    changed = [what for what, same in now.items() if not same]
    if changed:
        raise UserError(
            f"{folder}: the {changed[0]} has changed since this sweep began; bring it back, or "
            "take another name: in the sweep file"
        )
