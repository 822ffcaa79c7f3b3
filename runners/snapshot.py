"""A copy of everything that decides the next step, taken while the training stands still."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from cinelex.core.checkpoint import Position
from cinelex.core.distributed import gather_rows, rank, world_size
from cinelex.core.errors import UserError
from cinelex.core.randomness import keyed_seed
from cinelex.core.sharding import as_parameter, is_spread, whole
from cinelex.core.weights import FROZEN, hash_tensors
from cinelex.models.trunks import unchanging_names
from cinelex.runners.ema import Ema


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Tensors on the CPU that nobody else writes to, by the file that they will be in."""

    position: Position
    tensors: Mapping[str, Mapping[str, Tensor]]
    """Name of a file, without its ending, to named tensors."""
    provenance: Mapping[str, str]
    """Hashes of config, data and code."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What others want to find again, such as the id of the run at W&B."""
    processes: int = 1
    """How many trained together."""
    unchanged: frozenset[str] = frozenset()
    """Files whose tensors are those of every snapshot of the run."""
    sharded: bool = False
    """The tensors are the run's own, spread over the ranks: who saves them copies them first."""

    @property
    def bytes(self) -> int:
        """How much the tensors take."""
        return sum(t.nbytes for file in self.tensors.values() for t in file.values())


class Snapshots:
    """Takes snapshots into memory that is kept from one to the next.

    Fresh memory would cost more time than the copy: every page is touched for the first time.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        ema: Ema | None = None,
        balance: nn.Module | None = None,
        *,
        keep_frozen: bool = True,
    ) -> None:
        """Remember what to copy.

        Args:
            model: Its weights.
            optimizer: Its moments.
            ema: Its averages.
            balance: What balances the losses, where it has a state.
            keep_frozen: False leaves out the pretrained weights that do not train.
        """
        self.model, self.optimizer, self.ema, self.balance = model, optimizer, ema, balance
        self._frozen = unchanging_names(model)
        self._keep_frozen = keep_frozen or not self._frozen
        self._left_out: str | None = None
        self._memory: dict[str, dict[str, Tensor]] = {}

    def take(
        self,
        position: Position,
        *,
        provenance: Mapping[str, str],
        notes: Mapping[str, str] | None = None,
    ) -> Snapshot:
        """Copy everything. All ranks call it; what was taken before must have been written."""
        state = self.model.state_dict()
        files = {
            "model": {name: state[name] for name in state if name not in self._frozen},
            "optimizer": optimizer_tensors(self.optimizer),
            "random": random_states(next(self.model.parameters()).device),
        }
        if self.ema is not None:
            files["ema"] = self.ema.state()
        if self.balance is not None and (balance := self.balance.state_dict()):
            files["balance"] = balance
        frozen = {name: state[name] for name in state if name in self._frozen}
        sharded = any(is_spread(tensor) for tensor in state.values())
        if frozen and self._keep_frozen and (sharded or FROZEN not in self._memory):
            files[FROZEN] = frozen
        if not self._keep_frozen and self._left_out is None:
            self._left_out = hash_tensors(frozen)
        if sharded:
            self._memory = {file: dict(tensors) for file, tensors in files.items()}
            return self._snapshot(position, provenance, notes, sharded=True)
        for name, tensors in files.items():
            self._copy(name, tensors)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return self._snapshot(position, provenance, notes, sharded=False)

    def _snapshot(
        self,
        position: Position,
        provenance: Mapping[str, str],
        notes: Mapping[str, str] | None,
        *,
        sharded: bool,
    ) -> Snapshot:
        return Snapshot(
            position=position,
            tensors=self._memory,
            provenance=provenance,
            notes=dict(notes or {}) | ({FROZEN: self._left_out} if self._left_out else {}),
            processes=world_size(),
            unchanged=frozenset({FROZEN} & self._memory.keys()),
            sharded=sharded,
        )

    def _copy(self, file: str, tensors: Mapping[str, Tensor]) -> None:
        memory = self._memory.setdefault(file, {})
        for name in memory.keys() - tensors.keys():
            del memory[name]
        for name, tensor in tensors.items():
            source = whole(tensor.detach())
            if name not in memory or memory[name].shape != source.shape:
                memory[name] = torch.empty(
                    source.shape, dtype=source.dtype, pin_memory=source.is_cuda
                )
            memory[name].copy_(source, non_blocking=True)


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give the optimizer its moments back.

    Raises:
        UserError: They are those of other parameters.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        if int(number) >= len(parameters):
            raise UserError(f"the optimizer has no parameter {number}; the model has changed")
        value = as_parameter(tensor, parameters[int(number)]) if tensor.ndim else tensor
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def seed_dropout(seed: int) -> None:
    """Set torch's global generators, which dropout draws from, to what a rank begins a run with.

    A process finds them at a place of its own, another each time.
    """
    torch.manual_seed(keyed_seed(seed, "dropout", rank()))


def restore_random_state(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Give this rank its generators back; a rank that there was not begins with its own."""
    if f"{rank()}.cpu" in states:
        torch.set_rng_state(states[f"{rank()}.cpu"])
    if device.type == "cuda" and f"{rank()}.cuda" in states:
        torch.cuda.set_rng_state(states[f"{rank()}.cuda"], device)


def random_states(device: torch.device) -> dict[str, Tensor]:
    """Return the state of the generators of every rank, on every rank."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return {
        f"{owner}.{name}": row.clone()
        for name, state in states.items()
        for owner, row in enumerate(gather_rows(state[None]))
    }


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the moments, by the place of their parameter and their own name."""
    return {
        f"{number}.{name}": value
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }
