"""The conversation: pure decisions from a session and a message to a new session and what is to be done."""

from handlers.conversation.advance import KEPT_LIVES, advance
from handlers.conversation.world import (
    Attach,
    Detach,
    Erase,
    Facts,
    Filing,
    ListMine,
    Lookup,
    Rate,
    ReportBrief,
    Say,
    Submit,
    Turn,
    TurnStep,
    Withdraw,
    World,
)

__all__ = [
    "KEPT_LIVES",
    "Attach",
    "Detach",
    "Erase",
    "Facts",
    "Filing",
    "ListMine",
    "Lookup",
    "Rate",
    "ReportBrief",
    "Say",
    "Submit",
    "Turn",
    "TurnStep",
    "Withdraw",
    "World",
    "advance",
]
