"""The model on disk: one archive of plain arrays and text, with version and hash; never a pickle."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlp.fields import FieldTables
from nlp.restore import RestorerTables

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
DEFAULT_MODEL = Path(__file__).resolve().parent / "data" / "model" / "language.zip"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed date keeps the archive the same byte for byte


class UnusableModel(Exception):
    """The model file is missing, damaged or of another format; train a new one or name another."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"model {path.name} cannot be used: {reason}; train one with `nlp.training.train`")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class StoredModel:
    """Everything that training leaves behind. ``version`` is made from the content: equal data, equal version."""

    restorer: RestorerTables
    fields: FieldTables
    lexicon: Mapping[str, Mapping[str, float]]  # phrase → subfield → weight
    report: Mapping[str, Any]
    version: str = ""


def write_model(model: StoredModel, path: Path) -> str:
    """Write the archive and return its version (the first letters of its content's hash)."""
    parts = _parts(model)
    version = _version(parts)
    meta = {"format": FORMAT, "version": version, "report": model.report}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        _put(archive, "meta.json", _json(meta))
        for name in sorted(parts):
            _put(archive, name, parts[name])
    temporary.replace(path)
    return version


def read_model(path: Path = DEFAULT_MODEL) -> StoredModel:
    """Read the archive and check its hash; raises ``UnusableModel``."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        meta = json.loads(parts.pop("meta.json"))
    except FileNotFoundError as error:
        raise UnusableModel(path, "there is no such file") from error
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise UnusableModel(path, "it is damaged") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise UnusableModel(path, f"it is not of format {FORMAT}")
    if _version(parts) != meta.get("version"):
        raise UnusableModel(path, "its content does not fit its hash")
    try:
        return StoredModel(
            restorer=RestorerTables(**_tables(RestorerTables, "restorer", parts)),
            fields=FieldTables(**_tables(FieldTables, "fields", parts)),
            lexicon=json.loads(parts["lexicon.json"]),
            report=meta["report"],
            version=meta["version"],
        )
    except KeyError as error:
        raise UnusableModel(path, f"it is older than this program, {error.args[0]} is missing in it") from error


def _parts(model: StoredModel) -> dict[str, bytes]:
    parts = {"lexicon.json": _json(model.lexicon)}
    for prefix, tables in (("restorer", model.restorer), ("fields", model.fields)):
        for column in fields(tables):
            value = getattr(tables, column.name)
            if isinstance(value, tuple):
                parts[f"{prefix}/{column.name}.txt"] = "\n".join(value).encode()
            else:
                parts[f"{prefix}/{column.name}.npy"] = _array_bytes(value)
    return parts


def _tables(kind: type[Any], prefix: str, parts: Mapping[str, bytes]) -> dict[str, Any]:
    import numpy as np  # readers of the report alone need no arrays

    columns: dict[str, Any] = {}
    for column in fields(kind):
        text = parts.get(f"{prefix}/{column.name}.txt")
        if text is not None:
            columns[column.name] = tuple(text.decode().split("\n"))
        else:
            content = io.BytesIO(parts[f"{prefix}/{column.name}.npy"])
            columns[column.name] = np.load(content, allow_pickle=False)
    return columns


def _array_bytes(array: "NDArray[np.generic]") -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _version(parts: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(parts):
        digest.update(name.encode() + b"\0" + hashlib.sha256(parts[name]).digest())
    return digest.hexdigest()[:12]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content, compresslevel=9)
