"""Refusals of the command line itself: what was typed does not name anything."""


class CommandError(Exception):
    """Root of this package's errors."""


class UnknownChoice(CommandError):
    """A typed name of a field, commune, status or column fits nothing, or too much. ``key`` names the wording."""

    def __init__(self, key: str, typed: str, known: tuple[str, ...]) -> None:
        self.key, self.typed, self.known = key, typed, known
        super().__init__(f"{key}: {typed}")


class FileMissing(CommandError):
    """There is no such file."""

    def __init__(self, path: object) -> None:
        self.path = path
        super().__init__(f"no file {path}")


class NotReadable(CommandError):
    """The file is there but cannot be used."""

    def __init__(self, path: object, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path}: {why}")


class BadLine(CommandError):
    """A line of an input file is no JSON object of the expected shape."""

    def __init__(self, path: object, line: int, why: str) -> None:
        self.path, self.line, self.why = path, line, why
        super().__init__(f"{path} line {line}: {why}")


class MissingPackage(CommandError):
    """An optional package is not installed; ``extra`` brings it."""

    def __init__(self, name: str, extra: str) -> None:
        self.name, self.extra = name, extra
        super().__init__(f"{name} is not installed")


class NoLetter(CommandError):
    """There is no message of that number that could be sent again."""

    def __init__(self, id: int) -> None:
        self.id = id
        super().__init__(f"no message {id} to send again")
