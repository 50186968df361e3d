"""How the processes log: events with keys; no token, phone number or report text above DEBUG."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from handlers.settings import SECRETS, Settings

_FORBIDDEN = {"text", "body", "token", "phone", *SECRETS}


def configure_logs(settings: Settings, *, with_console: bool = False) -> None:
    """Log to standard error, as lines for people or JSON for collectors; less where somebody chats in the window."""
    usual = logging.WARNING if with_console else logging.INFO
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), usual)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    for name in ("httpx", "httpcore", "telegram"):  # they log addresses, and a Telegram address holds the token
        logging.getLogger(name).setLevel(logging.WARNING)
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if settings.log_format != "json":
        # a traceback with local variables would print what citizens wrote
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _drop_private,
            *([structlog.processors.format_exc_info] if settings.log_format == "json" else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _drop_private(_logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if method != "debug":
        for key in _FORBIDDEN & event.keys():
            event[key] = "…"
    return event
