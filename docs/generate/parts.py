"""What a config can name: models, losses, projects; and of what is measured."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import griffe

from cinelex import losses as all_losses
from cinelex import models as all_models
from cinelex.config.load import load_config
from cinelex.projects import PROJECTS
from cinelex.projects.interface.terms import Term
from docs.generate.api import modules
from docs.generate.markdown import code, link, options_table, paragraphs, sentence, table

MODEL_TABLES = {
    "Video encoders": ("model.video_encoder", "VIDEO_ENCODERS"),
    "Text encoders": ("model.text_encoder", "TEXT_ENCODERS"),
    "Aggregators": ("model.aggregator", "AGGREGATORS"),
    "Caption decoders": ("model.caption_decoder", "CAPTION_DECODERS"),
    "Masked decoders": ("model.masked_decoder", "MASKED_DECODERS"),
    "Latent heads": ("latent.head", "LATENT_HEADS"),
    "Image decoders": ("latent.image_decoder", "IMAGE_DECODERS"),
}
LOSS_TABLES = {
    "Study-level contrastive losses": ("contrastive", "CONTRASTIVE"),
    "Balances of loss terms": ("balance", "BALANCES"),
    "Treatments of negatives": ("clipse.negatives", "NEGATIVES"),
}


def models(package: griffe.Object) -> str:
    """Return every encoder, aggregator, decoder and head by its name in a config."""
    return "".join(_tables(package, MODEL_TABLES, vars(all_models)))


def losses(package: griffe.Object) -> str:
    """Return the losses that a config can name, and then the modules of all."""
    named = "".join(_tables(package, LOSS_TABLES, vars(all_losses)))
    return f"{named}\n## All modules\n\n{_contents(package['losses'])}"


def metrics(package: griffe.Object) -> str:
    """Return everything that is measured, and what it would be at chance."""
    return _contents(package["metrics"])


def projects(_package: griffe.Object) -> str:
    """Return what can be trained: terms, sections and shipped configs."""
    return "".join(_projects())


def _tables(
    package: griffe.Object, titles: Mapping[str, tuple[str, str]], entries: Mapping[str, Any]
) -> Iterator[str]:
    for title, (key, name) in titles.items():
        yield f"\n## {title}\n\n{code(key)}\n\n"
        found = {
            entry: package[f"{made.__module__}.{made.__qualname__}".removeprefix("cinelex.")]
            for entry, made in entries[name].items()
        }
        rows = [[code(entry), link(thing.path), sentence(thing)] for entry, thing in found.items()]
        yield table(["name", "class", "what it is"], rows)
        for entry, thing in found.items():
            yield f"\n### `{entry}`\n\n{paragraphs(thing)}\n\n{options_table(thing)}"


def _contents(package: griffe.Object) -> str:
    """Return a table of the public functions and classes of all modules of a package."""
    return "".join(_module(one) if not modules(one) else _contents(one) for one in modules(package))


def _module(module: griffe.Object) -> str:
    rows = [[link(one.path), sentence(one)] for one in _public(module)]
    title = module.path.removeprefix("cinelex.")
    said = f"\n### {title}\n\n{sentence(module)}\n\n{table(['name', 'what it is'], rows)}"
    return said if rows else ""


def _public(module: griffe.Object) -> Iterator[griffe.Object]:
    for one in module.members.values():
        if isinstance(one, griffe.Object) and (one.is_function or one.is_class) and one.is_public:
            yield one


def _projects() -> Iterator[str]:
    shipped = [path for path in sorted(Path("config").glob("*/*.yaml")) if _is_run(path)]
    projects = {path: load_config(path).project for path in shipped}
    for name, entry in PROJECTS.items():
        terms = [
            [code(term.name), term.unit, code(_weight(term)), _nature(term)]
            for term in entry.terms.values()
        ]
        configs = [[code(path), _comment(path)] for path in shipped if projects[path] == name]
        yield f"\n## `{name}`\n\n"
        yield f"Reads, beside what all read: {', '.join(code(key) for key in entry.reads)}.\n\n"
        yield table(["term", "unit", "weight", "nature"], terms)
        yield "\n" + table(["shipped config", "what it is"], configs)


def _weight(term: Term) -> str:
    """Return the key that is the term's weight, if it has one."""
    return f"loss_weights.{term.name}" if term.weighted else ""


def _nature(term: Term) -> str:
    matches = ["matches samples"] if term.matches else []
    return ", ".join([*matches, *(["divided by the temperature"] if term.contrast else [])])


def _is_run(path: Path) -> bool:
    return not path.name.startswith("sweep_")


def _comment(path: Path) -> str:
    """Return the comment on top of a YAML file."""
    lines = itertools.takewhile(lambda line: line.startswith("#"), path.read_text().splitlines())
    return " ".join(line.strip("# ") for line in lines if "yaml-language-server" not in line)
