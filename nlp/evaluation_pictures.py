"""The pictures of an evaluation: confusion, reliability, coverage against accuracy. Needs the ``train`` extra."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlp.evaluation import Evaluation

_SIZE = (7.0, 6.0)


def draw(evaluation: "Evaluation", folder: Path, *, kind: str = "svg") -> tuple[Path, ...]:
    """Draw the three pictures into ``folder`` and return their paths; ``kind`` is svg or png."""
    import matplotlib  # half a second and 40 MB, so only when pictures are wanted

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "field-report-bot"  # equal pictures are equal files
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw in (("confusion", _confusion), ("reliability", _reliability), ("coverage", _coverage)):
        figure = Figure(figsize=_SIZE, layout="constrained")
        draw(figure.add_subplot(), evaluation)
        path = folder / f"{name}.{kind}"
        figure.savefig(path, metadata={"Date": None} if kind == "svg" else None)
        written.append(path)
    return tuple(written)


def _confusion(axes, evaluation: "Evaluation") -> None:  # type: ignore[no-untyped-def]  # matplotlib is untyped here
    fields = sorted({name for pair in evaluation.confusion for name in pair})
    counts = [[evaluation.confusion.get((gold, said), 0) for said in fields] for gold in fields]
    axes.imshow(counts, cmap="Blues")
    axes.set_xticks(range(len(fields)), fields, rotation=60, ha="right")
    axes.set_yticks(range(len(fields)), fields)
    axes.set_xlabel("predicted")
    axes.set_ylabel("labelled")
    highest = max(max(row) for row in counts)
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            if count:
                colour = "white" if count > highest / 2 else "black"
                axes.text(column, row, str(count), ha="center", va="center", color=colour)
    axes.set_title(f"Confusion, n = {evaluation.count}")


def _reliability(axes, evaluation: "Evaluation") -> None:  # type: ignore[no-untyped-def]  # matplotlib is untyped here
    axes.plot([0, 1], [0, 1], linestyle="--", color="grey")
    means = [mean for mean, _, _ in evaluation.reliability]
    rights = [right for _, right, _ in evaluation.reliability]
    axes.plot(means, rights, marker="o")
    for mean, right, count in evaluation.reliability:
        axes.annotate(str(count), (mean, right), textcoords="offset points", xytext=(4, -10))
    axes.set_xlabel("confidence")
    axes.set_ylabel("share right")
    axes.set_title(f"Reliability, calibration error {evaluation.calibration_error.value:.3f}")


def _coverage(axes, evaluation: "Evaluation") -> None:  # type: ignore[no-untyped-def]  # matplotlib is untyped here
    shares = [share for share, _, _ in evaluation.coverage]
    axes.plot(shares, [strict for _, strict, _ in evaluation.coverage], marker="o", label="strict")
    axes.plot(shares, [lenient for _, _, lenient in evaluation.coverage], marker="s", label="lenient")
    axes.set_xlabel("share of messages taken, most confident first")
    axes.set_ylabel("share right")
    axes.legend()
    axes.set_title("Coverage and accuracy")
