"""What the language part concluded, laid out for eyes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from admin_cli.render import Cell, Column, Entry, Form, print_json, print_table
from admin_cli.seat import Seat
from nlp.results import Understanding

if TYPE_CHECKING:
    from nlp.evaluation import Evaluation
    from nlp.gazetteer import ShownUnit
    from nlp.pipeline import Explanation


def explanation_page(seat: Seat, reading: "Explanation") -> list[Entry]:
    """Every stage from the text to its meaning."""
    say, result = seat.say, reading.understanding
    pack = seat.office.pack
    changes = ", ".join(f"{item.before}→{item.after} ({item.step})" for item in reading.changes)
    entries = [
        Entry(say("nlp.text"), reading.text, "bold"),
        Entry(say("nlp.restored"), reading.restored),
        *([Entry(say("nlp.changes"), changes, "dim")] if changes else []),
        Entry(say("nlp.intent"), f"{say(f'intent.{result.intent.value}')} ({say('nlp.talk')}: {reading.talk:.0%})"),
        Entry(say("nlp.danger"), _danger(seat, result), "bold red" if result.danger.is_danger else ""),
    ]
    entries += [Entry("", reason, "dim") for reason in reading.danger_reasons]
    field = result.field
    band = say(f"band.{reading.band.value}")
    label = f"{pack.label(field.subfield)} ({field.subfield}) {field.confidence:.0%}, {band}"
    others = " · ".join(f"{pack.field_label(name)} {share:.0%}" for name, share in field.top)
    words = ", ".join(f"{item.words} {item.weight:+.1f}" for item in field.evidence)
    entries += [Entry(say("nlp.field"), label, "bold"), Entry("", others)]
    entries += [Entry(say("nlp.because"), words)] if words else []
    for phrase, owners in reading.lexicon_hits:
        listed = ", ".join(f"{name} {weight:.1f}" for name, weight in owners[:3])
        entries.append(Entry(say("nlp.lexicon"), f"«{phrase}»: {listed}", "dim"))
    for model in reading.models:
        listed = ", ".join(f"{name} {score}" for name, score in model.top)
        entries.append(Entry(say("nlp.models"), f"{model.model}: {listed}", "dim"))
    if result.redirect:
        gist = seat.office.texts.say(f"reject.{result.redirect.value}", **pack.contacts)
        entries.append(Entry(say("nlp.redirect"), f"{result.redirect.value}: {gist}", "yellow"))
    return entries + _place(seat, reading)


def figures_table(seat: Seat, result: "Evaluation", form: Form) -> None:
    """The figures of an evaluation with their intervals."""
    if form is Form.JSON:
        print_json(
            {
                "count": result.count,
                "figures": result.figures,
                "macro_f1": result.macro_f1,
                "calibration_error": result.calibration_error,
                "recall": result.recall,
                "counts": result.counts,
                "variants": result.variants,
                "milliseconds": result.milliseconds,
            }
        )
        return
    rows = [
        [Cell(name), Cell(f"{figure.value:.3f}", figure.value), Cell(f"[{figure.low:.3f}; {figure.high:.3f}]")]
        for name, figure in (*result.figures.items(), ("ece", result.calibration_error))
    ]
    rows.append([Cell("macro_f1"), Cell(f"{result.macro_f1:.3f}", result.macro_f1), Cell("")])
    rows += [
        [Cell(f"recall.{name}"), Cell(f"{item.value:.3f}", item.value), Cell("")]
        for name, item in result.recall.items()
    ]
    rows += [[Cell(name), Cell(str(count), count), Cell("")] for name, count in result.counts.items()]
    for name, shares in result.variants.items():
        rows += [[Cell(f"{name}.{key}"), Cell(f"{share:.3f}", share), Cell("")] for key, share in shares.items()]
    columns = [
        Column("metric", seat.say("nlp.metric")),
        Column("value", seat.say("nlp.value")),
        Column("interval", "95 %"),
    ]
    print_table(columns, rows, form)


def unit_rows(seat: Seat, units: "Sequence[ShownUnit]") -> tuple[list[Column], list[list[Cell]]]:
    """Versions of units with where they came from and what they became."""
    titles = (("code", "code", 7), ("name", "name", None), ("valid_from", "valid", 22), ("links", "links", None))
    columns = [Column(key, seat.say(f"column.{title}"), width) for key, title, width in titles]
    rows = []
    for item in units:
        end = item.unit.valid_to.isoformat() if item.unit.valid_to else ""
        links = [f"← {name}" for name in item.came_from] + [f"→ {name}" for name in item.became]
        rows.append(
            [
                Cell(item.unit.code),
                Cell(item.unit.label),
                Cell(f"{item.unit.valid_from.isoformat()} {end}".strip(), item.unit.valid_from),
                Cell("; ".join(links), [*item.came_from, *item.became]),
            ]
        )
    return columns, rows


def _danger(seat: Seat, result: Understanding) -> str:
    danger = result.danger
    if not danger.is_danger:
        return seat.say("nlp.danger_none")
    return seat.say("nlp.danger_words", kind=danger.kind, numbers=", ".join(danger.hotlines), words=danger.words)


def _place(seat: Seat, reading: "Explanation") -> list[Entry]:
    place = reading.understanding.locality
    entries = [Entry(seat.say("nlp.place"), seat.say("nlp.place_none") if place.best is None else "", "bold")]
    if place.best is not None:
        entries = [
            Entry(
                seat.say("nlp.place") if number == 0 else "",
                f"{item.current.label} ({item.current.code}) {item.score:.2f} «{item.written}»",
                "bold" if number == 0 else "dim",
            )
            for number, item in enumerate(place.candidates)
        ]
    entries += [Entry("", reason, "dim") for reason in dict.fromkeys(reading.place_reasons)]
    if words := place.words.text:
        entries.append(Entry(seat.say("nlp.place_words"), words))
    return entries
