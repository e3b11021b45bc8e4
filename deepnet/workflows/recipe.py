"""recipe: the settings of a model as a TOML file that makes the same file again, byte for byte."""

import json
import re

from .. import checkpoint
from ..checkpoint import Checkpoint
from ..data import parse_valid
from ..errors import ModelError
from ..files import shown
from ..nn.layers import Maxout, Weighted
from .runs import command

# What a model file says beside options: in other words here, or not at all.
_OTHER = {"command", "parent", "widths", "units", "init", "valid", "teachers", "C", "loss", "settings", "bias",
          "weights"}  # fmt: skip
_KEY = re.compile(r"[a-z][a-z0-9_]*")


def recipe(file) -> str:
    """The text of the TOML file; comments name the files that it is to be used with.

    ModelError where the settings are not those of a command.
    """
    model = checkpoint.load(file)
    try:
        return _text(file, model)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise ModelError(f"{shown(file)}: its settings are none of pretrain or finetune, no TOML says them") from None


def _text(file, model: Checkpoint) -> str:
    """Comments, then the table."""
    config = model.config
    if config["command"] not in ("pretrain", "finetune"):
        raise ValueError(config["command"])
    parent, teachers, held_out = config.get("parent"), config.get("teachers", ()), str(config.get("valid", "none"))
    words, notes = [], [f"The settings of {shown(file)}. To make it again, byte for byte:"]
    for option, word, digests in (("--from", "parent", [parent] if parent else []), ("--teacher", "teacher", teachers)):
        names = {f"{word}{n}.h5": digest for n, digest in enumerate(digests, 1)}
        words += [option, ",".join(names)] if names else []
        notes += [f"{name}: the model of SHA-256 {shown(digest)}" for name, digest in names.items()]
    if held_out.startswith("data "):
        words += ["--valid", "HELD_OUT"]
        notes.append(f"HELD_OUT: the data of fingerprint {shown(held_out.removeprefix('data '))}...")
    name = shown(model.provenance.get("data_name", "DATA"))
    notes.append(f"{name}: the data of fingerprint {shown(model.provenance.get('data'))}")
    typed = command(shown(config["command"]), name, "-c", "SETTINGS.toml", *words, "-o", "model.h5", config={})
    lines = [f"# {line}" for line in (notes[0], f"  {typed}", *notes[1:])]
    lines.append(f"[{config['command']}]")
    lines += [f"{key} = {_written(value)}" for key, value in _options(model).items()]
    return "".join(f"{line}\n" for line in lines)


def _options(model: Checkpoint) -> dict:
    """{option: value} of what was asked for."""
    config = model.config
    stack = {name: config[name] for name in ("units", "init") if config["command"] == "pretrain"}
    own = stack or _architecture(model)
    if parse_valid(held := config.get("valid", "none"))[0] != "path":
        own["valid"] = held
    if "loss" in config:
        own["loss"] = f"{config['loss']}:{config['C']!r}" if "C" in config else config["loss"]
    if config.get("settings"):
        own["set"] = [f"{name}={+value!r}" for name, value in config["settings"].items()]
    if config.get("bias") is False:
        own["no_bias"] = True
    rest = {key: value for key, value in config.items() if key not in _OTHER}
    if config.get("parent"):
        del rest["scale"]  # the parent's
    if not all(_KEY.fullmatch(key) for key in rest):
        raise ValueError("no option")
    return {key: value for key, value in sorted((rest | own).items()) if not _is_unset(value)}


def _architecture(model: Checkpoint) -> dict:
    """Hidden layers, their units and first weights, of a network that began with random ones."""
    config = model.config
    if config["parent"] is not None:
        return {}
    layers = [layer for layer in model.model.layers if isinstance(layer, Weighted)]
    count = {"reconstruct": len(layers) // 2, "one_class": len(layers)}.get(config["task"], len(layers) - 1)
    kinds = [f"maxout:{own.pieces}" if isinstance(own, Maxout) else own.unit for own in layers[:count]]
    own = {"init": config["init"]}
    return own | ({"layers": [layer.outputs for layer in layers[:count]], "units": kinds} if count else {})


def _is_unset(value) -> bool:
    """Whether a setting says that nothing was asked for."""
    return value is None or value == [] or (isinstance(value, list) and all(member is None for member in value))


def _written(value) -> str:
    """A value in TOML: JSON's words, but for a character that TOML wants escaped; TypeError for a table."""
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict | list) for v in value)):
        raise TypeError(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
